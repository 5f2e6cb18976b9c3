"""Calls out that wait for their turn: a group may begin so many attempts in a second, the others stand in line for a while.

Line server's event loop only.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from drivers.groups import TrunkGroup
from drivers.server.lines import Lines
from drivers.spans import Channel

Then = Callable[[], None]


class Pacing:
    """One queue per group, first come, first served."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._queues: dict[str, deque[str]] = {}
        self._turns: dict[str, asyncio.TimerHandle] = {}
        self._limits: dict[str, asyncio.TimerHandle] = {}
        self._go: dict[str, Then] = {}

    def await_turn(self, leg: str, group: TrunkGroup[Channel], go: Then, too_late: Then) -> None:
        """`go` at once or when it is this leg's turn; `too_late` when that takes longer than the group allows."""
        name = group.config.name
        queue = self._queues.setdefault(name, deque())
        if not queue and not group.turn_in_s(self._now_s()):
            self._begin(group, go)
            return
        queue.append(leg)
        self._go[leg] = go
        self._limits[leg] = asyncio.get_running_loop().call_later(group.config.attempts_wait_ms / 1000, self._too_late, leg, too_late)
        self._arm(group)

    def leave(self, leg: str) -> None:
        """The leg waits no more; harmless when it does not."""
        if limit := self._limits.pop(leg, None):
            limit.cancel()
            del self._go[leg]
            for queue in self._queues.values():
                if leg in queue:
                    queue.remove(leg)

    def close(self) -> None:
        for timer in (*self._turns.values(), *self._limits.values()):
            timer.cancel()

    def _arm(self, group: TrunkGroup[Channel]) -> None:
        name = group.config.name
        if name not in self._turns and self._queues[name]:
            wait_s = group.turn_in_s(self._now_s())
            self._turns[name] = asyncio.get_running_loop().call_later(wait_s, self._turn, group)

    def _turn(self, group: TrunkGroup[Channel]) -> None:
        name = group.config.name
        del self._turns[name]
        queue = self._queues[name]
        while queue and not group.turn_in_s(self._now_s()):
            leg = queue[0]
            go = self._go[leg]
            self.leave(leg)
            self._begin(group, go)
        self._arm(group)

    def _begin(self, group: TrunkGroup[Channel], go: Then) -> None:
        group.begun(self._now_s())
        go()

    def _too_late(self, leg: str, too_late: Then) -> None:
        self.leave(leg)
        too_late()

    def _now_s(self) -> float:
        return self._lines.clock.monotonic_s()
