"""What both sides of the register signals share: one compelled exchange walks one table. Pure.

A row is (state, trigger) -> (what to do, next state); the next state None: what is done chooses it. Triggers are "signal" and "silence" of
the far side, "signal early" and "silence early" when it cannot have heard us yet, "sound lost" and "timer NAME". Timers belong to states:
one that the next state does not know is stopped. What is early is told by the clock, not by a timer: a busy machine may run a timer after
what came later.
"""

from collections import deque
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, ClassVar

from drivers.signalling import (
    Action,
    EventUnexpected,
    Input,
    ListenForMf,
    MfHeard,
    SendMf,
    StartTimer,
    StopTimer,
    TimerFired,
)
from drivers.signalling.r2.settings import R2Span
from drivers.signalling.r2.variants import Meanings

Actions = tuple[Action, ...]
Row = tuple[Callable[[Any], Actions], StrEnum | None]
Table = Mapping[tuple[StrEnum, str], Row]


Now = Callable[[], float]
"""Monotonic seconds."""


class LoopTime:
    """How long it takes until a signal of ours is seen to have had its effect, there and back: the shortest of late on this channel.

    An effect that seems to come before the far side can have heard us is none, but a sound that was interrupted on its way: half the way
    there and back, and what a receiver takes to be sure. It is remembered all the same, so that a far side that has become faster is taken
    at its word the next time.
    """

    FEWEST, WINDOW = 8, 512  # signals; a call has twenty or so
    RECEIVER_MS = 20
    MOST = 0.9  # of the whole way, where the line is that short

    def __init__(self, now_s: Now) -> None:
        self.now_s = now_s
        self._began_s: float | None = None
        self._seen_ms: deque[float] = deque(maxlen=self.WINDOW)

    def begin(self) -> None:
        self._began_s = self.now_s()

    def end(self) -> None:
        """The effect is there, or seems to be."""
        if self._began_s is not None:
            self._seen_ms.append(1000 * (self.now_s() - self._began_s))
            self._began_s = None

    def too_soon_ms(self, early_ms: int) -> int:
        """Less than this is too soon."""
        if len(self._seen_ms) < self.FEWEST:
            return early_ms
        whole_ms = min(self._seen_ms)
        return max(early_ms, round(min(whole_ms / 2 + self.RECEIVER_MS, self.MOST * whole_ms)))


class Exchange:
    """One call's register signals as one side sends and hears them. `outcome` says what the last event has led to, empty: nothing yet."""

    table: ClassVar[Table]
    timers: ClassVar[Mapping[StrEnum, tuple[str, ...]]]
    over: ClassVar[StrEnum]
    forward: ClassVar[bool]

    def __init__(self, span: R2Span, loop: LoopTime, first: StrEnum) -> None:
        self._span = span
        self._loop = loop
        self._rules = span.rules
        self._meanings: Meanings = span.rules.a
        self._heard = ""
        self._due_s = 0.0
        self.state: StrEnum = first
        self.outcome = ""
        self.cause = 0

    @classmethod
    def timer_names(cls) -> frozenset[str]:
        return frozenset(name for names in cls.timers.values() for name in names)

    def handle(self, event: Input) -> Actions:
        """Take MfHeard, SoundLost or one of our TimerFired."""
        if self.state is self.over:
            return ()
        trigger = self._trigger(event)
        row = self.table.get((self.state, trigger))
        return self._move(self._unexpected, trigger) if row is None else self._move(self._walk, row)

    def end(self) -> Actions:
        """Be silent and deaf, whatever there was."""
        return () if self.state is self.over else self._move(self._over, "")

    def _walk(self, row: Row) -> Actions:
        doing, state = row
        self.state = state or self.state
        return doing(self)

    def _move(self, doing: Callable[..., Actions], *args: Any) -> Actions:
        self.outcome, before = "", self.state
        actions = doing(*args)
        stopped = (StopTimer(name) for name in self.timers[before] if name not in self.timers[self.state])
        return (*stopped, *actions)

    def _unexpected(self, trigger: str) -> Actions:
        return (EventUnexpected(self.state.value, trigger), *self._over("failed"))

    def _over(self, outcome: str, cause: int = 0) -> Actions:
        self.state, self.outcome, self.cause = self.over, outcome, cause
        return (SendMf(forward=self.forward), ListenForMf())

    def _trigger(self, event: Input) -> str:
        if isinstance(event, MfHeard):
            self._heard = event.signal or self._heard
            early = " early" if self._loop.now_s() < self._due_s else ""
            return f"signal{early}" if event.signal else f"silence{early}"
        return f"timer {event.name}" if isinstance(event, TimerFired) else "sound lost"

    def _timer(self, name: str) -> StartTimer:
        """That timer, as long as it is set."""
        return StartTimer(name, getattr(self._span.timers, f"{name}_ms"))

    def _early_for(self, ms: int) -> None:
        """What is heard within so long is no effect of what we do now."""
        self._due_s = self._loop.now_s() + ms / 1000

    def _too_soon_ms(self) -> int:
        return self._loop.too_soon_ms(self._span.timers.early_ms)
