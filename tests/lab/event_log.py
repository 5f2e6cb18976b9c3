"""Events of opened channels with the time they were taken, for scenarios that look at what the drivers say. Guest only."""

import select
import time
from collections.abc import Sequence

from drivers.dahdi.device import Channel
from drivers.dahdi.poller import ChannelEvent, EventPoller
from drivers.io import LineEvent


class EventLog:
    """Collects events; times in ms since `mark`."""

    def __init__(self, channels: Sequence[Channel]) -> None:
        self._poller = EventPoller()
        self._marked_s = time.monotonic()
        self.seen: list[tuple[int, ChannelEvent]] = []
        for channel in channels:
            self._poller.add(channel)

    def mark(self) -> None:
        """Forget what was seen and start the clock anew."""
        self._poller.read()
        self.seen.clear()
        self._marked_s = time.monotonic()

    def watch(self, for_s: float) -> None:
        """Collect for a while."""
        deadline = time.monotonic() + for_s
        while (left_s := deadline - time.monotonic()) > 0:
            self._take(left_s)

    def wait_for(self, channel: int, event: LineEvent, limit_s: float = 20.0) -> int:
        """Collect until that event; returns its time in ms. Raises: AssertionError with what came instead."""
        deadline = time.monotonic() + limit_s
        while True:
            for at_ms, found in self.seen:
                if found.channel == channel and found.event is event:
                    return at_ms
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise AssertionError(f"channel {channel}: no {event.name} within {limit_s:.0f} s; seen: {self.text()}")
            self._take(left_s)

    def names(self, channel: int) -> list[str]:
        """Names of the channel's events in order."""
        return [_name(found) for _, found in self.seen if found.channel == channel]

    def text(self) -> str:
        """Everything seen as "ms channel EVENT"."""
        return ", ".join(f"{at_ms} ms ch{found.channel} {_name(found)}" for at_ms, found in self.seen)

    def _take(self, limit_s: float) -> None:
        select.select([self._poller], [], [], limit_s)
        at_ms = round((time.monotonic() - self._marked_s) * 1000)
        self.seen += [(at_ms, found) for found in self._poller.read()]


def _name(found: ChannelEvent) -> str:
    if isinstance(found.event, LineEvent):
        return found.event.name
    return f"{found.event.kind}:{found.event.digit}" if found.event else str(found.unknown)
