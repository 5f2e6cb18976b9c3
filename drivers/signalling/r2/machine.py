"""What walks the table of line signals for one channel, in either direction. Pure; called from the line server's event loop.

A row is (state, trigger) -> (what to do, next state). Bits A and B of the far side are triggers ("bits 10") once they have held for
`bits_ms`; C and D mean nothing. What becomes of the register signals is a trigger too ("register offer"). Timers belong to states.
An event without a row is answered by EventUnexpected and the release of the channel.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import ClassVar

from drivers.protocol import Cause, LegPhase
from drivers.signalling import (
    Action,
    AlertWanted,
    AnswerWanted,
    BitsChanged,
    BlockWanted,
    CallReleased,
    CallWanted,
    ChannelIdle,
    EventUnexpected,
    FarBlocked,
    Input,
    LineFailed,
    MfHeard,
    ReleaseWanted,
    SetBits,
    SoundLost,
    StartTimer,
    Step,
    StopTimer,
    TimerFired,
)
from drivers.signalling.r2.exchange import LoopTime, Now
from drivers.signalling.r2.incoming import IncomingRegister
from drivers.signalling.r2.outgoing import OutgoingRegister
from drivers.signalling.r2.settings import R2Span

Actions = tuple[Action, ...]
REGISTER_TIMERS = IncomingRegister.timer_names() | OutgoingRegister.timer_names()


class Bits(StrEnum):
    """Bits A and B of one direction. Source: Q.421 table 1."""

    IDLE = "10"  # also: clear forward, release guard
    SEIZED = "00"  # of the called side: forced release
    BUSY = "11"  # of the called side: acknowledgement, clear back; of either when idle: blocked
    ANSWERED = "01"  # of the called side


class R2State(StrEnum):
    """Where a channel stands; "out" is called by us, "in" by the far side."""

    NEW = "new"
    IDLE = "idle"
    BLOCKED = "blocked"
    FAR_BLOCKED = "far_blocked"
    BOTH_BLOCKED = "both_blocked"
    SEIZING = "seizing"
    ABANDONED = "abandoned"
    DIALLING = "dialling"
    ANSWERED_EARLY = "answered_early"
    PROGRESS = "progress"
    ANSWERED_OUT = "answered_out"
    METERING = "metering"
    CLEARING = "clearing"
    GLARE = "glare"
    GUARD = "guard"
    COLLECTING = "collecting"
    OFFERED = "offered"
    ACCEPTING = "accepting"
    RINGING = "ringing"
    ANSWERING = "answering"
    FIRST_ANSWER = "first_answer"
    ANSWER_GAP = "answer_gap"
    ANSWERED_IN = "answered_in"
    REFUSING = "refusing"
    REFUSED = "refused"
    CLEARED_BACK = "cleared_back"


S = R2State
Doing = Callable[["R2Machine"], Actions]
Table = Mapping[tuple[R2State, str], tuple[Doing, R2State | None]]

RESTING = frozenset({S.IDLE, S.BLOCKED, S.FAR_BLOCKED, S.BOTH_BLOCKED})
IN_CALL = frozenset({
    S.SEIZING, S.DIALLING, S.ANSWERED_EARLY, S.PROGRESS, S.ANSWERED_OUT, S.METERING, S.OFFERED, S.ACCEPTING, S.RINGING, S.ANSWERING,
    S.FIRST_ANSWER, S.ANSWER_GAP, S.ANSWERED_IN, S.REFUSING,
})  # fmt: skip
TIMERS: Mapping[R2State, tuple[str, ...]] = {
    **dict.fromkeys(S, ()),
    S.SEIZING: ("seize_ack", "no_answer"), S.ABANDONED: ("seize_ack",), S.DIALLING: ("no_answer",), S.ANSWERED_EARLY: ("no_answer",),
    S.PROGRESS: ("no_answer",), S.METERING: ("metering",), S.CLEARING: ("clearing",), S.GLARE: ("glare",), S.GUARD: ("guard",),
    S.OFFERED: ("accept",), S.ANSWERING: ("answer",), S.FIRST_ANSWER: ("reanswer",), S.ANSWER_GAP: ("reanswer",),
    S.REFUSED: ("hush",), S.CLEARED_BACK: ("hush",),
}  # fmt: skip


class R2Machine:
    """One both-way channel. `now_s` is for measuring alone, never for waiting. The owner tells the far side's bits once (BitsChanged),
    then adopts a call or says BlockWanted."""

    table: ClassVar[Table]

    def __init__(self, channel: int, span: R2Span, now_s: Now) -> None:
        self.span = span
        self.loop = LoopTime(now_s)
        self.state = S.NEW
        self.far: Bits | None = None
        self.far_before: Bits | None = None
        self.blocked = False
        self.wanted = CallWanted()
        self.release_cause: int = Cause.NORMAL
        self.inband = False
        self.register: IncomingRegister | OutgoingRegister | None = None
        self._channel = channel
        self._coming: Bits | None = None
        self._far_blocked_told = False

    def channels(self) -> tuple[int, ...]:
        return (self._channel,)

    def is_idle(self, channel: int) -> bool:
        return self.state is S.IDLE

    def state_name(self, channel: int) -> str:
        return self.state.value if self.register is None else f"{self.state.value} {self.register.state.value}"

    def handle(self, channel: int, event: Input) -> tuple[Step, ...]:
        return tuple((channel, action) for action in self._take(event))

    def adopt(self, channel: int, phase: LegPhase) -> tuple[Step, ...]:
        return tuple((channel, action) for action in self.walk(f"adopt {phase.value} {self.far or 'unknown'}"))

    # --- what is told ------------------------------------------------------------------------------------------------

    def _take(self, event: Input) -> Actions:
        match event:
            case LineFailed(cause=cause):
                return self._fail(cause)
            case BitsChanged(bits=bits):
                return self._bits_come(Bits(f"{bits >> 2 & 3:02b}"))
            case TimerFired(name="bits"):
                return self._bits_hold()
            case MfHeard() | SoundLost():
                return self._register_takes(event)
            case TimerFired(name=name) if name in REGISTER_TIMERS:
                return self._register_takes(event)
            case CallWanted():
                self.wanted = event
            case ReleaseWanted(cause=cause):
                self.release_cause = cause
            case AlertWanted(inband=inband):
                self.inband = inband
            case BlockWanted(blocked=blocked):
                self.blocked = blocked
        trigger = self._trigger(event)
        return self.walk(trigger) if trigger else ()

    def _trigger(self, event: Input) -> str:
        """The event as the table spells it; empty for what means nothing on such a line."""
        match event:
            case TimerFired(name=name):
                return f"timer {name}"
            case BlockWanted(blocked=blocked):
                return "BlockWanted" if blocked else "BlockWanted off"
            case AlertWanted(inband=inband):
                return "AlertWanted inband" if inband else "AlertWanted"
            case CallWanted() | AnswerWanted() | ReleaseWanted():
                return type(event).__name__
        return ""

    def _bits_come(self, bits: Bits) -> Actions:
        self._coming = bits
        if self.far is None or not self.span.timers.bits_ms:
            return (StopTimer("bits"), *self._bits_hold())
        return (StopTimer("bits"),) if bits == self.far else (StartTimer("bits", self.span.timers.bits_ms),)

    def _bits_hold(self) -> Actions:
        if self._coming is None or self._coming is self.far:
            return ()
        self.far_before, self.far = self.far, self._coming
        return self.walk(f"bits {self.far}")

    def _register_takes(self, event: Input) -> Actions:
        if self.register is None:
            return ()  # heard before the media core was told that nobody listens any more
        actions = self.register.handle(event)
        outcome = self.register.outcome
        return (*actions, *self.walk(f"register {outcome}")) if outcome else actions

    # --- walking -----------------------------------------------------------------------------------------------------

    def walk(self, trigger: str) -> Actions:
        """Take the row for it."""
        row = self.table.get((self.state, trigger))
        if row is None:
            return (EventUnexpected(self.state.value, trigger), *self._fail(Cause.INTERWORKING))
        before, (doing, state) = self.state, row
        actions = doing(self)
        return self._move(before, self.state if state is None else state, actions)

    def _move(self, before: R2State, state: R2State, actions: Actions) -> Actions:
        self.state = state
        stopped = tuple(StopTimer(name) for name in TIMERS[before] if name not in TIMERS[state])
        if state is S.CLEARING and before is not S.CLEARING and self.far is Bits.IDLE:
            actions = (*actions, *self.walk("bits 10"))  # it is idle already, so no change will tell
        return (*stopped, *actions)

    def _fail(self, cause: int) -> Actions:
        """At rest at once."""
        actions: list[Action] = [*self.drop_register()]
        if self.state in IN_CALL:
            actions.append(CallReleased(cause, True))
        if self.state not in RESTING and self.state is not S.NEW:
            actions.append(ChannelIdle())
        state = S.NEW if self.state is S.NEW else self.resting
        return self._move(self.state, state, (*actions, self.send(self.resting_bits)))

    # --- for the rows ------------------------------------------------------------------------------------------------

    @property
    def resting(self) -> R2State:
        """The state of a channel without a call, by who blocks it. A far side that is not idle counts as blocking."""
        if self.far is Bits.IDLE:
            return S.BLOCKED if self.blocked else S.IDLE
        return S.BOTH_BLOCKED if self.blocked else S.FAR_BLOCKED

    @property
    def resting_bits(self) -> Bits:
        return Bits.BUSY if self.blocked else Bits.IDLE

    def send(self, bits: Bits) -> SetBits:
        return SetBits(int(bits.value, 2) << 2 | self.span.rules.cd_bits)

    def tell_far_blocked(self) -> Actions:
        """News of the far side's blocking, when there is any."""
        blocked = self.far is not Bits.IDLE
        if blocked == self._far_blocked_told:
            return ()
        self._far_blocked_told = blocked
        return (FarBlocked(blocked),)

    def drop_register(self) -> Actions:
        register, self.register = self.register, None
        return register.end() if register else ()

    def timer(self, name: str, setting: str = "") -> StartTimer:
        """That timer, as long as it (or the named setting) is set."""
        return StartTimer(name, getattr(self.span.timers, f"{setting or name}_ms"))
