"""What a channel with a telephone set has beyond other channels: ringing, lamp, hook, and the numbers dialled there.

Line server's event loop only; belongs to `drivers.spans.Channel`.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from drivers.errors import LineError, MediaError
from drivers.io import ChannelIO, LineEvent, Signalling
from drivers.signalling import (
    Action,
    AvailabilityChanged,
    ClipSaid,
    DigitHeard,
    FlashHeard,
    LeftOffHook,
    ListenForDigits,
    MessageWaitingWanted,
    NumberDialled,
    NumberWanted,
    SayClip,
    SendCallerId,
    SetCadence,
    SetPolarity,
    ShowMessageWaiting,
    StopSending,
)

if TYPE_CHECKING:
    from drivers.sinks import CallSink
    from drivers.spans import Channel

log = logging.getLogger("careline.lines")

SETS = frozenset({Signalling.FXOKS, Signalling.FXOLS})
CALLER_ID_MS = 4000
"""Longer than any caller id: 120 characters at 1200 bit/s, or 20 keys."""
SETTLE_S = 1.5
"""A channel just opened or hung up drops its battery for 0.8 s and takes no order meanwhile."""


class SetSide:
    """`left_off_hook`: no call, and not put down."""

    def __init__(self, channel: "Channel", sink: "CallSink", flash_limit_ms: int) -> None:
        self.left_off_hook = False
        self._channel, self._sink = channel, sink
        self._flash_limit_ms = flash_limit_ms
        self._takes_digits = False
        self._looking: asyncio.TimerHandle | None = None
        self._saying: asyncio.TimerHandle | None = None

    def opened(self) -> None:
        """The channel was opened, or is in service again: a set may be lifted already, and no event will say so."""
        self._quietly(self._limit_flash)
        self._stop_looking()
        self._looking = asyncio.get_running_loop().call_later(SETTLE_S, self._quietly, self._look)

    def close(self) -> None:
        self.idle()
        self._stop_looking()

    def _stop_looking(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

    # --- what the server wants, what the media core hears ---

    def collect_number(self) -> None:
        """Give the set, in a call, dial tone and take another number; the CallSink hears it."""
        self._channel.tell(NumberWanted())

    def show_messages(self, waiting: bool) -> None:
        """Lamp and stutter dial tone."""
        self._channel.tell(MessageWaitingWanted(waiting))

    def takes(self, digit: str) -> bool:
        """A key; True when it is part of a number that is being dialled."""
        taken = self._takes_digits
        if taken:
            self._channel.tell(DigitHeard(digit))
        return taken

    # --- what the signaller asks for ---

    def perform(self, action: Action) -> None:
        """Raises: LineError, MediaError when the card or the media core refuses."""
        match action:
            case ListenForDigits(on=on):
                self._listen_for_digits(on)
            case FlashHeard():
                self._sink.hook_flashed(self._channel)
            case NumberDialled():
                self._sink.number_dialled(self._channel, action)
            case LeftOffHook(left=left):
                self._left(left)
            case AvailabilityChanged():
                self._sink.channel_changed(self._channel)
            case SayClip(path=path):
                self._say(path)
            case _ if self._channel.io is not None:
                self._of_the_card(self._channel.io, action)

    def _of_the_card(self, io: ChannelIO, action: Action) -> None:
        match action:
            case SendCallerId(caller=caller, standard=standard):
                # A card that has no such thing lets sound through at any time.
                self._quietly(lambda: io.allow_on_hook_audio(CALLER_ID_MS))
                self._channel.port.send_caller_id(caller, standard)
            case StopSending() if self._channel.port.is_sending:
                self._stop_sending(io)
            case SetCadence(cadence_ms=cadence_ms):
                io.set_ring_cadence(cadence_ms)
            case ShowMessageWaiting(on=on):
                io.show_message_waiting(on)
            case SetPolarity(reversed=reversed_):
                io.set_polarity(reversed_)

    def _listen_for_digits(self, on: bool) -> None:
        """Detection goes on afterwards: a call wants it too."""
        self._takes_digits = on
        if on:
            self._channel.audio.open()
            self._channel.port.detect_digits(True)

    def _stop_sending(self, io: ChannelIO) -> None:
        """The media core sends what it was given to the end, so another port takes the place of one that still sends."""
        io.detach()
        self._channel.port.renew()
        io.attach(self._channel.port.number)

    def _say(self, path: str) -> None:
        said_ms = 0
        try:
            said_ms = self._channel.port.say(path)
        except MediaError as error:
            log.error("%s channel %d: %s. %s", error.code, self._channel.number, error.what, error.remedy)
        self._saying = asyncio.get_running_loop().call_later(said_ms / 1000, self._channel.tell, ClipSaid())

    def idle(self) -> None:
        """The call is over; what was being said to it was not said, keys are the next call's."""
        self._takes_digits = False
        if self._saying is not None:
            self._saying.cancel()
            self._saying = None

    def _left(self, left: bool) -> None:
        self.left_off_hook = left
        told = "LIN-090 channel %d: the set is not put down; it takes no calls until it is" if left else "channel %d: the set is down again"
        log.warning(told, self._channel.number)
        self._sink.channel_changed(self._channel)

    def _limit_flash(self) -> None:
        if self._channel.io is not None:
            self._channel.io.set_flash_limit(self._flash_limit_ms)

    def _look(self) -> None:
        self._looking = None
        if self._channel.leg is None and self._channel.io is not None and self._channel.io.is_offhook():
            self._channel.on_line_event(LineEvent.RINGOFFHOOK)

    def _quietly(self, step: Callable[[], None]) -> None:
        """What a card has not, or one that was pulled meanwhile and says so by itself."""
        try:
            step()
        except LineError as error:
            log.debug("%s channel %d: %s", error.code, self._channel.number, error.what)
