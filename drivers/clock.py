"""One clock. Nothing reads the time but through the clock it was given.

`RealClock` is the machine's. `VirtualClock` drives the event loop (`VirtualLoop`) and the virtual card together: when nothing is ready
to run, time jumps to the next timer or the next 20 ms frame of the media core, so that an hour of calls takes seconds and is the same
each time.
"""

import asyncio
import contextlib
import heapq
import selectors
import time
from collections.abc import Callable, Iterator
from contextvars import Context
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

FRAME_NS = 20_000_000
STUCK_S = 20.0


class Clock(Protocol):
    """Wall time for records, monotonic time for durations, and a way to say that a thread is at work."""

    def now(self) -> datetime:
        """Aware UTC."""

    def monotonic_s(self) -> float:
        """Seconds from an arbitrary start; never steps."""

    def external_work(self) -> contextlib.AbstractContextManager[None]:
        """While inside, a virtual clock stands still: another thread is doing something the loop waits for."""


class RealClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        return time.monotonic()

    @contextlib.contextmanager
    def external_work(self) -> Iterator[None]:
        yield


class VirtualClock:
    """Time that moves only when everybody waits. `every_frame` is called once per 20 ms of it."""

    def __init__(self, start: datetime = datetime(2026, 3, 8, 2, 0, tzinfo=UTC)) -> None:
        self._start = start
        self._ns = 0
        self._frames: list[Callable[[], object]] = []
        self.working = 0

    def now(self) -> datetime:
        return self._start + timedelta(microseconds=self._ns // 1000)

    def monotonic_s(self) -> float:
        return self._ns / 1e9

    @contextlib.contextmanager
    def external_work(self) -> Iterator[None]:
        self.working += 1
        try:
            yield
        finally:
            self.working -= 1

    def step_wall(self, by: timedelta) -> None:
        """Step wall time as a person or NTP would; monotonic time is unmoved."""
        self._start += by

    def every_frame(self, call: Callable[[], object]) -> None:
        self._frames.append(call)

    def advance(self, timeout_s: float | None) -> None:
        """Move to the next frame or by `timeout_s`, whichever comes first; frames due are run."""
        frame_ns = (self._ns // FRAME_NS + 1) * FRAME_NS
        target_ns = frame_ns if timeout_s is None else min(frame_ns, self._ns + max(1, round(timeout_s * 1e9)))
        self._ns = target_ns
        if target_ns == frame_ns:
            for call in self._frames:
                call()


class VirtualSelector(selectors.EpollSelector):
    """Looks at real descriptors without waiting, and lets virtual time pass when none is ready."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if self._clock.working:
            return self._wait_for_threads()
        self._clock.advance(timeout)
        return super().select(0)

    def _wait_for_threads(self) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(STUCK_S)
        if not ready and self._clock.working:
            raise RuntimeError(f"a thread the virtual clock waits for did not answer in {STUCK_S} s")
        return ready


class OrderedTimer(asyncio.TimerHandle):
    """A timer that goes before those of the same time that were set later. asyncio's own order of them depends on every other
    timer there is, also on one whose setting waited for a thread."""

    _scheduled: bool
    order = 0

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, OrderedTimer):
            return NotImplemented
        return (self.when(), self.order) < (other.when(), other.order)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is a VirtualClock's."""

    _scheduled: list[asyncio.TimerHandle]

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(VirtualSelector(clock))
        self.clock = clock
        self._timers_set = 0

    def time(self) -> float:
        return self.clock.monotonic_s()

    def call_at(  # type: ignore[override]  # the stubs' variadic types say no more
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        timer = OrderedTimer(when, callback, args, self, context)
        self._timers_set += 1
        timer.order = self._timers_set
        heapq.heappush(self._scheduled, timer)
        timer._scheduled = True
        return timer


def run_virtual(main: Callable[[VirtualClock], Any], clock: VirtualClock | None = None) -> Any:
    """Run the coroutine function `main(clock)` to its end in virtual time; returns its result."""
    clock = clock or VirtualClock()
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(clock)) as runner:
        return runner.run(main(clock))
