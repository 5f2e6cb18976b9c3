"""RESTART of B-channels, one after the other, since libpri keeps one at a time. Pure. Source: Q.931 clause 5.5."""

import logging
from collections.abc import Callable, Iterable

from drivers.signalling import Action, StartTimer, StopTimer

log = logging.getLogger("careline.lines")

TIMER = "restart"
LIMIT_MS = 4000  # T316 is two minutes; a switch that does not know RESTART shall not keep 30 channels from work so long
TRIES = 2  # N316; the first can be lost when both ends bring the link up at once


class Restarts:
    """`send` sends RESTART of a channel, `emit` takes timers of the D-channel."""

    def __init__(self, d_channel: int, numbers: Iterable[int], send: Callable[[int], None], emit: Callable[[Action], None]) -> None:
        self._d_channel, self._send, self._emit = d_channel, send, emit
        self._waiting = sorted(numbers)
        self._now: int | None = None
        self._tries = 0

    def under_way(self, number: int) -> bool:
        """This channel is being restarted, or will be."""
        return number == self._now or number in self._waiting

    def begin(self) -> None:
        """The link is up."""
        if self._now is None:
            self.acknowledged()

    def acknowledged(self) -> None:
        """On to the next."""
        self._now = self._waiting.pop(0) if self._waiting else None
        self._tries = 0
        if self._now is None:
            self._emit(StopTimer(TIMER))
        else:
            self._try(self._now)

    def unanswered(self) -> None:
        """The timer has run out."""
        if self._now is not None and self._tries < TRIES:
            self._try(self._now)
            return
        log.warning("LIN-152 D-channel %d: the far side does not answer RESTART; channels are used all the same", self._d_channel)
        self._waiting.clear()
        self._now = None

    def _try(self, number: int) -> None:
        self._tries += 1
        self._send(number)
        self._emit(StartTimer(TIMER, LIMIT_MS))
