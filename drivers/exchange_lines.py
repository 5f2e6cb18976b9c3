"""What a channel that is a line of an exchange has beyond other channels: hook flash, pulses, voice as an answer, transfer in its switch.

Line server's event loop only; belongs to `drivers.spans.Channel`.
"""

from typing import TYPE_CHECKING

from drivers.errors import LineError
from drivers.protocol import TransferWhen
from drivers.signalling import (
    Action,
    DialNumber,
    FlashWanted,
    ListenForSpeech,
    NumberSent,
    SpeechHeard,
    SwitchTransferWanted,
    TransferDone,
)
from drivers.signalling.fxo import FxsSignalled
from drivers.signalling.fxo_profile import LineProfile

if TYPE_CHECKING:
    from drivers.sinks import CallSink
    from drivers.spans import Channel


class ExchangeLine:
    """`pulsing`: a number is being dialled by pulses."""

    def __init__(self, channel: "Channel", sink: "CallSink", signaller: FxsSignalled) -> None:
        self.pulsing = False
        self._channel, self._sink, self._signaller = channel, sink, signaller
        self._hears_speech = False

    @property
    def profile(self) -> LineProfile:
        """How this line behaves."""
        return self._signaller.profile

    def use_profile(self, profile: LineProfile) -> None:
        """From the next thing that happens on the line on; its tones from the next time that they are listened for."""
        self._signaller.profile = profile
        if tones := profile.tones.written():
            self._channel.port.use_tones(tones)

    def rested(self) -> None:
        """The channel was opened, or is in service again: what an idle line listens to."""
        number = self._channel.number
        if self._signaller.is_idle(number):
            self._channel.carry_out(self._signaller.begin(number))

    def perform(self, action: Action) -> None:
        """Raises: LineError when the card refuses."""
        match action:
            case DialNumber(number=number, pulses=True) if self._channel.io is not None:
                self.pulsing = True
                self._channel.io.dial_pulses(number)
            case DialNumber(number=number):
                self._channel.port.send_number(number)
            case ListenForSpeech(on=on):
                self._hears_speech = on
                self._channel.port.listen_speech(on)
            case TransferDone(outcome=outcome):
                self._sink.transfer_done(self._channel, outcome)

    def on_dial_complete(self) -> None:
        """The card says that all pulses are on the line."""
        if self.pulsing:
            self.pulsing = False
            self._channel.tell(NumberSent())

    def on_speech(self) -> None:
        """The media core heard somebody begin to speak."""
        if self._hears_speech:
            self._channel.tell(SpeechHeard())

    def flash(self) -> None:
        """Raises: LineError LIN-093 while a transfer or another flash is under way."""
        self._must_talk()
        self._channel.tell(FlashWanted())

    def transfer(self, number: str, when: TransferWhen, no_answer_ms: int) -> None:
        """Hand the caller to `number` of the line's own switch; the CallSink hears what came of it. Raises: LineError LIN-093."""
        self._must_talk()
        self._channel.tell(SwitchTransferWanted(number, when, no_answer_ms))

    def _must_talk(self) -> None:
        state = self._signaller.state_name(self._channel.number)
        if state != "answered":
            raise LineError("LIN-093", f"channel {self._channel.number} is {state}", "Wait until the flash or transfer under way is over")
