"""Room for an emergency call when every line is taken: a blocked line that is well, else that of somebody else's call, which is ended.

Line server's event loop only.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from drivers.protocol import Cause, LegPhase
from drivers.server.lines import Lines
from drivers.spans import Channel

log = logging.getLogger("careline.lines")

LOOK_S = 0.1
LOOKS = 50


class EmergencyRoom:
    """Each emergency call may end one other call."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._made_for: set[str] = set()
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def close(self) -> None:
        for timer in self._timers.values():
            timer.cancel()

    def blocked_line(self, groups: Sequence[str], besides: Sequence[int]) -> Channel | None:
        """A line that somebody blocked, or that was blocked for failures, but that could carry a call."""
        return next((each for each in self._channels(groups) if each.number not in besides and self._is_only_blocked(each)), None)

    def make(self, leg: str, groups: Sequence[str], then: Callable[[], None]) -> bool:
        """End the youngest call on these groups that is no emergency call; `then` is called when its line is free, or will not be.

        False when there is none, or `leg` had its chance.
        """
        victim = None if leg in self._made_for else self._youngest(groups)
        if victim is None:
            return False
        self._made_for.add(leg)
        log.warning("LIN-094 channel %d: its call is ended to make room for an emergency call", victim.number)
        victim.release(Cause.PREEMPTION)
        self._await(leg, victim, then, LOOKS)
        return True

    def over(self, leg: str) -> None:
        """The emergency call has its channel, or is over."""
        self._made_for.discard(leg)
        if timer := self._timers.pop(leg, None):
            timer.cancel()

    def _await(self, leg: str, channel: Channel, then: Callable[[], None], looks: int) -> None:
        if looks and not channel.is_free():
            self._timers[leg] = asyncio.get_running_loop().call_later(LOOK_S, self._await, leg, channel, then, looks - 1)
        else:
            then()

    def _channels(self, groups: Sequence[str]) -> list[Channel]:
        return [channel for name in groups for channel in self._lines.groups[name].channels]

    def _is_only_blocked(self, channel: Channel) -> bool:
        return channel.care.blocked and channel.test is None and not channel.alarms and channel.is_quiet()

    def _youngest(self, groups: Sequence[str]) -> Channel | None:
        return max((channel for channel in self._channels(groups) if self._can_go(channel)), key=self._begun_at, default=None)

    def _begun_at(self, channel: Channel) -> datetime:
        return self._lines.book.state(channel.leg or "").offered_at

    def _can_go(self, channel: Channel) -> bool:
        """A line that still rings cannot be had, nor one that another emergency call is on."""
        if channel.leg is None or channel.leg not in self._lines.book:
            return False
        state = self._lines.book.state(channel.leg)
        return state.phase is not LegPhase.OFFERED and not self._lines.numbering.is_emergency(state.dnis or "")
