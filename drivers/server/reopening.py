"""Opens the channels of a card that was pulled and is back. Line server's event loop only.

A card is there before its channels are configured (the card's setup is applied after the kernel has told of it), so its channels are looked
for again and again, and opened when all were there in two looks running.
"""

import asyncio
import logging

from drivers.alarms import REMOVED
from drivers.errors import LineError
from drivers.server.adoption import Adoption
from drivers.server.lines import Lines
from drivers.server.trunk_links import TrunkLinks
from drivers.spans import Channel

log = logging.getLogger("careline.lines")

LOOK_S = 1.0
LOOKS = 300


class Reopening:
    """One search per span at most."""

    def __init__(self, lines: Lines, adoption: Adoption, links: TrunkLinks) -> None:
        self._lines = lines
        self._adoption = adoption
        self._links = links
        self._timers: dict[int, asyncio.TimerHandle] = {}

    def span_changed(self, number: int, alarms: tuple[str, ...]) -> None:
        """Begin to look when the span is back, stop when it is gone."""
        if alarms == REMOVED:
            self._stop(number)
        elif number not in self._timers and self._gone(number):
            self._later(number, LOOKS, ready=False)

    def close(self) -> None:
        for number in tuple(self._timers):
            self._stop(number)

    def _stop(self, number: int) -> None:
        if timer := self._timers.pop(number, None):
            timer.cancel()

    def _later(self, number: int, looks: int, ready: bool) -> None:
        self._timers[number] = asyncio.get_running_loop().call_later(LOOK_S, self._look, number, looks - 1, ready)

    def _look(self, number: int, looks: int, was_ready: bool) -> None:
        del self._timers[number]
        gone = self._gone(number)
        ready = {channel.number for channel in gone} <= self._configured()
        if (ready and was_ready) or not looks:
            self._open(number, gone)
        else:
            self._later(number, looks, ready)

    def _open(self, number: int, gone: list[Channel]) -> None:
        for channel in gone:
            self._adoption.open_again(channel)
        self._links.open_again(number)
        left = [channel.number for channel in self._gone(number)]
        log.warning("LIN-046 span %d is back: %d channels opened", number, len(gone) - len(left))
        if left:
            log.error("LIN-083 span %d is back without channels %s. Apply the card's setup and restart the line server", number, left)

    def _gone(self, number: int) -> list[Channel]:
        return [channel for channel in self._lines.channels.values() if channel.spec.span == number and channel.is_gone]

    def _configured(self) -> set[int]:
        try:
            return {spec.number for spec in self._lines.card.channels()}
        except LineError as error:
            log.debug("%s", error)
            return set()
