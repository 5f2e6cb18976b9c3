"""Trunk groups: which channel carries the next outgoing call, and when. Pure but for the counters; line server's event loop only."""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Generic, Protocol, TypeVar

from drivers.config import GroupConfig
from drivers.protocol import GroupState

SECOND = 1.0


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
    An outgoing call leaves as many channels free for incoming ones as `reserve` says, unless it is urgent.
    """

    def __init__(self, config: GroupConfig, channels: Sequence[C]) -> None:
        self.config = config
        self.channels = tuple(channels)
        numbers = [channel.number for channel in self.channels]
        self._carry_in = frozenset(number for number in numbers if config.carries_in(number))
        self._carry_out = frozenset(number for number in numbers if config.carries_out(number))
        self._next = 0
        self._begun_s: deque[float] = deque(maxlen=config.attempts_per_s or 1)

    def reserve(self, besides: Iterable[int] = (), urgent: bool = False) -> C | None:
        """A free channel, held for the caller until it is seized or given back (`reserved` False); None when all are taken.

        An urgent call takes one of incoming_only when there is no other.
        """
        at = self._find(frozenset(besides), urgent)
        if at is None:
            return None
        self.channels[at].reserved = True
        self._next = (at + 1) % len(self.channels)
        return self.channels[at]

    def has_free(self, besides: Iterable[int] = ()) -> bool:
        """True when `reserve` would find one."""
        return self._find(frozenset(besides), urgent=False) is not None

    def turn_in_s(self, now_s: float) -> float:
        """How long until the next attempt may begin; 0: now."""
        if not self.config.attempts_per_s or len(self._begun_s) < self.config.attempts_per_s:
            return 0.0
        return max(0.0, self._begun_s[0] + SECOND - now_s)

    def begun(self, now_s: float) -> None:
        """An attempt begins."""
        self._begun_s.append(now_s)

    def state(self) -> GroupState:
        numbers = tuple(channel.number for channel in self.channels)
        return GroupState(name=self.config.name, channels=numbers, hunting=self.config.hunting)

    def _find(self, refused: frozenset[int], urgent: bool) -> int | None:
        spare = urgent or not self.config.reserve or self._left_for_callers() > self.config.reserve
        last_resort: int | None = None
        for at in self._order():
            channel = self.channels[at]
            if channel.number in refused or not channel.is_free():
                continue
            if channel.number in self._carry_out and (spare or channel.number not in self._carry_in):
                return at
            if urgent and last_resort is None:
                last_resort = at
        return last_resort

    def _left_for_callers(self) -> int:
        return sum(channel.number in self._carry_in and channel.is_free() for channel in self.channels)

    def _order(self) -> Sequence[int]:
        listed = range(len(self.channels))
        match self.config.hunting:
            case "down":
                return listed[::-1]
            case "round_robin":
                return (*listed[self._next :], *listed[: self._next])
            case "least_used":
                return sorted(listed, key=lambda at: self.channels[at].calls)
        return listed
