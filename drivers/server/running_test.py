"""A test of one channel that a person asked for: the channel is taken out of service, driven by its hook and its port, and given back.

A test never meets the signalling: until it is given back, all that the channel tells goes to the test. Line server's event loop only.
"""

import asyncio
from collections.abc import Callable
from typing import ClassVar

import msgspec

from drivers.errors import CarelineError, LineError
from drivers.io import Hook, LineEvent
from drivers.protocol import Figure, LineTest, LineTestPhase, LineTestReported, StartLineTest
from drivers.server.lines import Lines
from drivers.spans import Channel

REPORT_S = 1.0
SETTLE_S = 2.5  # after hanging up the driver is deaf or drops its battery, see drivers/dahdi/README.md
PUT_DOWN_LIMIT_S = 60.0


class RunningTest:
    """One test from lending the channel to giving it back. `done` is called once, when the channel takes calls again."""

    timed_out: ClassVar[str]

    def __init__(self, lines: Lines, channel: Channel, command: StartLineTest, done: Callable[[], None]) -> None:
        self.command = command
        self.kind = command.kind.value
        self.channel = channel
        self._lines = lines
        self._done = done
        self._limit_s = command.limit_ms / 1000
        self._timers: list[asyncio.TimerHandle] = []
        now = lines.clock.now()
        self.state = LineTest(
            test_id=command.test_id, channel=channel.number, kind=command.kind, phase=LineTestPhase.RUNNING, began_at=now, at=now
        )

    @property
    def after_ms(self) -> int:
        return round((self._lines.clock.now() - self.state.began_at).total_seconds() * 1000)

    def start(self) -> None:
        """Raises: CarelineError when the card or the media core refuses; the channel is then given back."""
        self.channel.lend(self)
        try:
            self.begin()
        except CarelineError:
            self.channel.rest_after_test()
            self.channel.take_back()
            raise
        self._report()
        self.later(self._limit_s, self.limit)
        self.later(REPORT_S, self._report_again)

    # --- what each kind of test does -----------------------------------------------------------------------------------

    def begin(self) -> None:
        raise NotImplementedError

    def line_event(self, event: LineEvent) -> None:
        """Nothing that matters to most tests."""

    def tone(self, tone: str, on: bool) -> None:
        """Nothing that matters to most tests."""

    def measure(self) -> tuple[Figure, ...]:
        """What is known so far, asked once a second and at the end."""
        return self.state.figures

    def limit(self) -> None:
        """The time is up."""
        self.end(LineTestPhase.FAILED, self.timed_out)

    def is_settled(self) -> bool:
        """False while a person must still put the receiver down."""
        return True

    # --- common ------------------------------------------------------------------------------------------------------------

    def channel_failed(self) -> None:
        self.end(LineTestPhase.FAILED, "alarm")

    def stop(self) -> None:
        self.end(LineTestPhase.STOPPED, "stopped")

    def hook(self, hook: Hook) -> None:
        """Raises: LineError."""
        if self.channel.io is None:
            raise LineError("LIN-172", f"channel {self.channel.number} is not open", "See why in the log; is its card there?")
        self.channel.io.set_hook(hook)

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        self._timers.append(asyncio.get_running_loop().call_later(seconds, call))

    def end(self, phase: LineTestPhase, reason: str = "", *figures: Figure) -> None:
        """Tell the outcome, hang up, and give the channel back when it has settled; only once."""
        if self.state.phase is not LineTestPhase.RUNNING:
            return
        self.close()
        self._update(phase=phase, reason=reason, figures=(*self.measure(), *figures))
        self._settle(PUT_DOWN_LIMIT_S)

    def close(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def _settle(self, patience_s: float) -> None:
        if not self.is_settled() and patience_s > 0:
            self.later(REPORT_S, lambda: self._settle(patience_s - REPORT_S))
            return
        self.channel.rest_after_test()
        self.later(SETTLE_S, self._give_back)

    def _give_back(self) -> None:
        self.channel.take_back()
        self._done()

    def _report(self) -> None:
        self._update(figures=self.measure())

    def _report_again(self) -> None:
        self._report()
        self.later(REPORT_S, self._report_again)

    def _update(self, **changes: object) -> None:
        self.state = self._lines.tests[self.channel.number] = msgspec.structs.replace(self.state, at=self._lines.clock.now(), **changes)
        self._lines.outbox.emit(LineTestReported(test=self.state))
