"""Callers while no call agent is there: after a while the box answers and plays an announcement, so that nobody hears ringing for ever.

The leg stays in the snapshot; the next call agent takes it over, and whatever it plays replaces the announcement. Event loop only.
"""

import asyncio
import logging
from typing import Protocol

from drivers.errors import CarelineError
from drivers.protocol import Clip, LegPhase
from drivers.server.lines import Lines

log = logging.getLogger("careline.lines")

OWN_PLAY = -1


class Emergencies(Protocol):
    """Who makes emergency calls meanwhile."""

    def takes(self, leg: str) -> bool: ...

    def agent_here(self) -> None: ...


class Unattended:
    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self.emergency: Emergencies | None = None

    def offered(self, leg: str) -> None:
        """A call has come; it is only ours to care for when nobody else does."""
        if self._lines.outbox.receiver is None and self.emergency and self.emergency.takes(leg):
            return
        if self._lines.outbox.receiver is None and self._lines.config.unattended_answer_ms:
            wait_s = self._lines.config.unattended_answer_ms / 1000
            self._timers[leg] = asyncio.get_running_loop().call_later(wait_s, self._answer, leg)

    def agent_gone(self) -> None:
        for state in self._lines.book.states():
            if state.phase is LegPhase.OFFERED:
                self.offered(state.leg)

    def agent_here(self) -> None:
        """Or the line server ends: nothing is done any more."""
        if self.emergency:
            self.emergency.agent_here()
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _answer(self, leg: str) -> None:
        self._timers.pop(leg, None)
        if leg not in self._lines.book or self._lines.book.state(leg).phase is not LegPhase.OFFERED:
            return
        log.warning("LIN-066 leg %s answered with the announcement: no call agent is connected. Start careline-calls", leg)
        try:
            channel = self._lines.channel_of(leg)
            channel.answer()
            if prompt := self._lines.config.unattended_prompt:
                play = self._lines.begin_play(leg, OWN_PLAY)
                channel.port.play(play, (Clip(prompt),), "", 0)
        except CarelineError as error:
            log.error("%s", error)
