"""The signalling half of a trunk: what goes into a signaller and what comes out of it. Pure: no descriptors, no clock, no threads.

`analog` serves one channel each, `pri` a whole span through its D-channel, `r2` one channel by bits and tones, all through the same seam.
A D-channel has a number like any channel; its signaller takes its frames and timers under that number.
Called from the line server's event loop by `drivers.spans`.
"""

from collections.abc import Iterable
from typing import Protocol

import msgspec

from drivers.io import Hook, LineEvent
from drivers.protocol import Caller, Cause, LegPhase, TransferOutcome, TransferWhen

# --- what a signaller is told ------------------------------------------------------------------------------------


class Input(msgspec.Struct, frozen=True):
    """Base of what a signaller is told."""


class LineHappened(Input, frozen=True):
    """The card reports an event of the channel."""

    event: LineEvent


class TimerFired(Input, frozen=True):
    """A timer the signaller asked for by this name has run out."""

    name: str


class ToneHeard(Input, frozen=True):
    """A country tone from the far side begins (or ends): "dial", "ringback", "busy", "congestion"."""

    tone: str
    on: bool = True


class FrameReceived(Input, frozen=True):
    """A frame of the D-channel, without its check sum. Source: Q.921 clause 2."""

    frame: bytes


class BitsChanged(Input, frozen=True):
    """CAS bits the far side sends now, ABCD as 8 4 2 1. Source: Q.421."""

    bits: int


class MfHeard(Input, frozen=True):
    """An R2 register signal of the far side begins ("1" to "15") or, empty, ends. Source: Q.441."""

    signal: str = ""


class SoundLost(Input, frozen=True):
    """Between the card and the media core some of the channel's sound was lost, heard or sent: what follows was heard after it."""


class CallerIdHeard(Input, frozen=True):
    """What was asked for by ListenForCallerId; a message that cannot be read is a Caller without a number."""

    caller: Caller


class DigitHeard(Input, frozen=True):
    """A key, in states that asked for it by ListenForDigits."""

    digit: str


class SpeechHeard(Input, frozen=True):
    """Somebody speaks, in states that asked for it by ListenForSpeech."""


class NumberSent(Input, frozen=True):
    """All digits of the last DialNumber are on the line."""


class CallWanted(Input, frozen=True):
    """Call out. `number` is empty for a set that is only rung; `ring`: the kind of call, for its ring cadence."""

    number: str = ""
    caller: str | None = None
    no_answer_ms: int = 60_000
    ring: str = ""


class AnswerWanted(Input, frozen=True):
    """The box takes the offered call."""


class ReleaseWanted(Input, frozen=True):
    """The box ends the call; harmless when there is none."""

    cause: int = Cause.NORMAL


class AlertWanted(Input, frozen=True):
    """Tell the caller's side that it rings here; `inband`: and that there is something to hear already."""

    inband: bool = False


class FlashWanted(Input, frozen=True):
    """A hook flash towards the switch of this line."""


class SwitchTransferWanted(Input, frozen=True):
    """Hand the caller of this line to `number` by flash and digits; answered by TransferDone.

    The line's own switch rings it; `when` we let go: as soon as it is dialled, when it rings, or when it has answered.
    """

    number: str
    when: TransferWhen = TransferWhen.ANSWERED
    no_answer_ms: int = 30_000


class LinkTransferWanted(Input, frozen=True):
    """Ask the switch to join this channel's call with that of `other` and to release both."""

    other: int


class BlockWanted(Input, frozen=True):
    """Tell the far side that this channel takes no calls (or takes them again)."""

    blocked: bool = True


class NumberWanted(Input, frozen=True):
    """Give a set that is in a call dial tone and take another number; answered by NumberDialled, or by FlashHeard."""


class MessageWaitingWanted(Input, frozen=True):
    """Show a set that messages wait for it (or that none does): lamp, and stutter dial tone."""

    waiting: bool = True


class ClipSaid(Input, frozen=True):
    """The clip of SayClip was played, or could not be."""


class LineFailed(Input, frozen=True):
    """The span or the loop is in alarm, or the card is `gone`: whatever call there is has ended, unless the signalling outlives alarms."""

    cause: int = Cause.NETWORK_OUT_OF_ORDER
    gone: bool = False


# --- what a signaller asks for -----------------------------------------------------------------------------------


class Action(msgspec.Struct, frozen=True):
    """Base of what a signaller asks for: of the card, of the media port, of the clock, or as news of the call."""


class SetHook(Action, frozen=True):
    hook: Hook


class StartTimer(Action, frozen=True):
    """Start the named timer of this channel again from `ms`."""

    name: str
    ms: int


class StopTimer(Action, frozen=True):
    """Stop the named timer; harmless when it does not run."""

    name: str


class DialNumber(Action, frozen=True):
    """Send DTMF, or loop pulses; answered by NumberSent."""

    number: str
    pulses: bool = False


class SendFrame(Action, frozen=True):
    """Send a frame on the D-channel, without its check sum."""

    frame: bytes


class SetBits(Action, frozen=True):
    """CAS bits to send from now on, ABCD as 8 4 2 1."""

    bits: int


class SendMf(Action, frozen=True):
    """Sound an R2 register signal ("1" to "15") until the next; empty: silence. `forward`: of the calling side's set."""

    signal: str = ""
    forward: bool = True


class ListenForMf(Action, frozen=True):
    """Report R2 register signals of that side from now on; None: no more."""

    forward: bool | None = None


class ListenForCallerId(Action, frozen=True):
    """Take caller id by these standards ("fsk", "dtmf") from now on; empty: no more."""

    standards: tuple[str, ...] = ()


class SendCallerId(Action, frozen=True):
    """Send caller id to a set; answered by NumberSent."""

    caller: Caller
    standard: str = "fsk"


class StopSending(Action, frozen=True):
    """What is left of a SendCallerId is sent no more."""


class ListenForDigits(Action, frozen=True):
    """Report keys of the far side to the signaller (dialling) instead of to the call."""

    on: bool = True


class ListenForSpeech(Action, frozen=True):
    on: bool = True


class SetPolarity(Action, frozen=True):
    """Polarity of a set's loop."""

    reversed: bool = False


class ShowMessageWaiting(Action, frozen=True):
    on: bool = True


class SetCadence(Action, frozen=True):
    """How a set rings from now on, in ms on, off, on, off …; empty: as the country does."""

    cadence_ms: tuple[int, ...] = ()


class ListenForTones(Action, frozen=True):
    """From now on report these tones and no others."""

    tones: tuple[str, ...] = ()


class SoundTone(Action, frozen=True):
    """Let the far side hear a country tone; empty: silence."""

    tone: str = ""


class CallComing(Action, frozen=True):
    """It rings; a call that is offered after this, before ChannelIdle, began now."""


class CallOffered(Action, frozen=True):
    """A call arrives; it waits for AnswerWanted or ReleaseWanted. `rdnis`: the number it was diverted from; `urgent`:
    to an emergency number, so that nothing stands in its way."""

    caller: Caller | None = None
    dnis: str | None = None
    rdnis: str | None = None
    urgent: bool = False


class CallAlerting(Action, frozen=True):
    """The far side rings; `inband`: and its ringing can be heard."""

    inband: bool = False


class CallAnswered(Action, frozen=True):
    """Both can talk."""


class FlashHeard(Action, frozen=True):
    """A set in a call pressed its hook for a moment."""


class NumberDialled(Action, frozen=True):
    """The number asked for by NumberWanted; not `valid`: it leads nowhere, or nothing more was dialled in time."""

    number: str
    valid: bool = True


class SayClip(Action, frozen=True):
    """Let the far side hear a WAV file; answered by ClipSaid."""

    path: str


class AvailabilityChanged(Action, frozen=True):
    """A headset was put on or taken off."""


class LeftOffHook(Action, frozen=True):
    """A set without a call is not put down (or has been at last)."""

    left: bool = True


class CallReleased(Action, frozen=True):
    """The call is over; the channel can still be busy until ChannelIdle."""

    cause: int
    by_far_end: bool


class TransferDone(Action, frozen=True):
    """What came of SwitchTransferWanted, or that LinkTransferWanted cannot be done (REFUSED): with any outcome but TRANSFERRED the caller
    is on the line again. A CallReleased alone says that the call ended meanwhile."""

    outcome: TransferOutcome


class LinkChanged(Action, frozen=True):
    """The D-channel has come up or gone down."""

    up: bool


class FarBlocked(Action, frozen=True):
    """The far side takes no calls on this channel (or takes them again)."""

    blocked: bool = True


class ChannelIdle(Action, frozen=True):
    """The channel can carry the next call."""


class NumberDoubted(Action, frozen=True):
    """Sound was lost while a number was signalled, so nobody knows whether it is whole: the call is refused, or given up."""


class EventUnexpected(Action, frozen=True):
    """No row for this event in this state; the channel is being released."""

    state: str
    event: str


Step = tuple[int, Action]
"""An action and the channel it concerns."""


class Signaller(Protocol):
    """Signalling of one channel or of many that share a link.

    The owner performs the steps in order and feeds back what comes of them. After ReleaseWanted a channel always becomes idle by timers
    and the far side going on-hook alone.
    """

    def channels(self) -> Iterable[int]:
        """The channels served; fixed."""

    def handle(self, channel: int, event: Input) -> tuple[Step, ...]:
        """Take one event; answers what is to be done, in order."""

    def is_idle(self, channel: int) -> bool:
        """True when the channel can be seized."""

    def state_name(self, channel: int) -> str:
        """For logs and the page of lines."""

    def adopt(self, channel: int, phase: LegPhase) -> tuple[Step, ...]:
        """Take over a call an earlier process left in `phase`; the first step is CallReleased when that cannot be done."""
