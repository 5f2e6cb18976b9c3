"""Events of idle channels: one epoll descriptor for all, itself readable in an event loop (add_reader).

Used from the line server's event loop only. A channel whose audio the media core moves must not be in here:
the core takes its events (ELAST), and two takers could swap their order.
"""

import select

import msgspec

from drivers.dahdi.device import Channel
from drivers.dahdi.events import DigitEvent, decode
from drivers.errors import LineError
from drivers.io import LineEvent

_ENDED = select.EPOLLERR | select.EPOLLHUP
MAX_EVENTS_PER_READ = 64
"""The kernel queues at most this many on a channel (DAHDI_MAX_EVENTSIZE)."""


class ChannelEvent(msgspec.Struct, frozen=True):
    """An event of one channel; an event number we do not know is told by `unknown`."""

    channel: int
    event: LineEvent | DigitEvent | None
    unknown: int = 0


class EventPoller:
    """Collects events of the channels given to it."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._channels: dict[int, Channel] = {}

    def fileno(self) -> int:
        """Readable while some channel has an event."""
        return self._epoll.fileno()

    def add(self, channel: Channel) -> None:
        """Watch a channel; harmless when watched already."""
        fd = channel.fileno()
        if fd not in self._channels:
            self._epoll.register(fd, select.EPOLLPRI)
            self._channels[fd] = channel

    def remove(self, channel: Channel) -> None:
        """Watch it no more. Must come before the descriptor is closed: a copy of it elsewhere would
        keep it watched."""
        fd = channel.fileno()
        if self._channels.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    def read(self) -> list[ChannelEvent]:
        """Every event that waits, each channel's in order; [] when none. Never blocks."""
        found: list[ChannelEvent] = []
        for fd, mask in self._epoll.poll(0):
            channel = self._channels.get(fd)
            if channel is not None:
                found += self.take(channel, ended=bool(mask & _ENDED))
        return found

    def close(self) -> None:
        """Stop watching; channels stay open."""
        self._channels.clear()
        self._epoll.close()

    def take(self, channel: Channel, ended: bool = False) -> list[ChannelEvent]:
        """The events of one channel that wait; `ended`: its card is gone. Nothing of one that is not watched."""
        if channel.fileno() not in self._channels:
            return []
        found = list(_events_of(channel))
        if ended or any(each.event is LineEvent.REMOVED for each in found):
            # The poll result of a removed card never clears, so it is told once and watched no more.
            self.remove(channel)
            if not any(each.event is LineEvent.REMOVED for each in found):
                found.append(ChannelEvent(channel.number, LineEvent.REMOVED))
        return found


def _events_of(channel: Channel) -> list[ChannelEvent]:
    found: list[ChannelEvent] = []
    for _ in range(MAX_EVENTS_PER_READ):
        try:
            value = channel.get_event()
        except LineError:
            found.append(ChannelEvent(channel.number, LineEvent.REMOVED))
            break
        if value == LineEvent.NONE:
            break
        event = decode(value)
        found.append(ChannelEvent(channel.number, event, unknown=value if event is None else 0))
        if event is LineEvent.REMOVED:
            break
    return found
