"""The signalling half of a trunk: what goes into a signaller and what comes out of it. Pure: no descriptors, no clock, no threads.

`analog` serves one channel each; `pri` will serve a whole span through its D-channel and `r2` one channel by bits and tones, through the
same seam. Called from the line server's event loop by `drivers.spans`.
"""

from collections.abc import Iterable
from typing import Protocol

import msgspec

from drivers.io import Hook, LineEvent
from drivers.protocol import Cause, LegPhase

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


class NumberSent(Input, frozen=True):
    """All digits of the last DialNumber are on the line."""


class CallWanted(Input, frozen=True):
    """Call out. `number` is empty for a set that is only rung."""

    number: str = ""
    caller: str | None = None
    no_answer_ms: int = 60_000


class AnswerWanted(Input, frozen=True):
    """The box takes the offered call."""


class ReleaseWanted(Input, frozen=True):
    """The box ends the call; harmless when there is none."""

    cause: int = Cause.NORMAL


class LineFailed(Input, frozen=True):
    """The span or the loop is in alarm, or the card is gone: whatever call there is has ended."""

    cause: int = Cause.NETWORK_OUT_OF_ORDER


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
    """Send DTMF; answered by NumberSent."""

    number: str


class ListenForTones(Action, frozen=True):
    """From now on report these tones and no others."""

    tones: tuple[str, ...] = ()


class SoundTone(Action, frozen=True):
    """Let the far side hear a country tone; empty: silence."""

    tone: str = ""


class CallOffered(Action, frozen=True):
    """A call arrives; it waits for AnswerWanted or ReleaseWanted."""

    ani: str | None = None
    dnis: str | None = None


class CallAlerting(Action, frozen=True):
    """The far side rings."""


class CallAnswered(Action, frozen=True):
    """Both can talk."""


class CallReleased(Action, frozen=True):
    """The call is over; the channel can still be busy until ChannelIdle."""

    cause: int
    by_far_end: bool


class ChannelIdle(Action, frozen=True):
    """The channel can carry the next call."""


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
