"""Trunk groups: which channel carries the next outgoing call. Pure but for the counters; line server's event loop only."""

from collections.abc import Iterable, Sequence
from typing import Generic, Protocol, TypeVar

from drivers.config import GroupConfig
from drivers.protocol import GroupState


class Huntable(Protocol):
    """What a group must know of a channel."""

    number: int
    reserved: bool

    @property
    def calls(self) -> int:
        """So many so far."""

    def is_free(self) -> bool:
        """True when it can be seized now: idle, not blocked, not reserved, no alarm."""


C = TypeVar("C", bound=Huntable)


class TrunkGroup(Generic[C]):
    """Channels that are alike, and the order in which they are tried.

    up, down: first free in the order written, or from its end. round_robin: the one after the last used. least_used: fewest calls so far.
    """

    def __init__(self, config: GroupConfig, channels: Sequence[C]) -> None:
        self.config = config
        self.channels = tuple(channels)
        self._next = 0

    def reserve(self, besides: Iterable[int] = ()) -> C | None:
        """A free channel, held for the caller until it is seized or given back (`reserved` False); None when all are taken."""
        refused = frozenset(besides)
        for at, channel in self._order():
            if channel.number not in refused and channel.is_free():
                channel.reserved = True
                self._next = (at + 1) % len(self.channels)
                return channel
        return None

    def state(self) -> GroupState:
        numbers = tuple(channel.number for channel in self.channels)
        return GroupState(name=self.config.name, channels=numbers, hunting=self.config.hunting)

    def _order(self) -> list[tuple[int, C]]:
        listed = list(enumerate(self.channels))
        match self.config.hunting:
            case "down":
                return listed[::-1]
            case "round_robin":
                return listed[self._next :] + listed[: self._next]
            case "least_used":
                return sorted(listed, key=lambda each: each[1].calls)
        return listed
