"""Three or more legs in one conversation, mixed by the media core; when two are left they are joined as two. Event loop only."""

from typing import Protocol

from drivers.protocol import Conferred
from drivers.server.lines import Lines
from drivers.spans import Channel


class Joins(Protocol):
    """What is needed of `Bridges`."""

    def part(self, leg: str) -> None: ...

    def connect(self, leg: str, other: str) -> None: ...

    def leave_card_later(self, leg: str, other: str) -> None: ...

    def cut_from_card(self, leg: str) -> None: ...


class Conferences:
    """Each leg's state names the others (`LegState.conference`)."""

    def __init__(self, lines: Lines, bridges: Joins) -> None:
        self._lines = lines
        self._bridges = bridges

    def join(self, leg: str, other: str) -> None:
        """`leg` joins `other` and whom it is with, leaving whom it had before."""
        others = self._with(other)
        if leg in others:
            return
        self._bridges.part(leg)
        self._gather(others)
        self._lines.port_of(leg).confer(self._lines.port_of(other))
        self._changed((*others, leg))

    def leave(self, leg: str) -> None:
        """Harmless when it is in none."""
        others = self._lines.book.state(leg).conference
        if others:
            self._bridges.cut_from_card(leg)
            self._lines.port_of(leg).confer(None)
            self._left(leg, others)

    def leg_over(self, leg: str, channel: Channel) -> None:
        """The leg has been released; `channel` was its."""
        others = self._lines.book.state(leg).conference
        if others:
            channel.port.confer(None)
            self._left(leg, others)

    def restore(self, leg: str) -> None:
        """After a restart: join those that are still there."""
        state = self._lines.book.state(leg)
        there = tuple(other for other in state.conference if self._is_there(other))
        if there == state.conference:
            self._gather((leg, *there))
        else:
            self._left("", (leg, *there))

    def _is_there(self, leg: str) -> bool:
        return self._lines.channel_with(leg) is not None

    def _with(self, leg: str) -> tuple[str, ...]:
        """The leg and all it talks with."""
        state = self._lines.book.state(leg)
        return (leg, *(state.conference or ((state.bridged_with,) if state.bridged_with else ())))

    def _gather(self, legs: tuple[str, ...]) -> None:
        """From a bridge, wherever it is, to a conference in the media core; one that is a conference stays."""
        first, *others = legs
        for leg in legs:
            self._lines.channel_of(leg).follow(True)
        for leg in others:
            self._lines.port_of(leg).confer(self._lines.port_of(first))
            self._bridges.leave_card_later(first, leg)

    def _changed(self, legs: tuple[str, ...]) -> None:
        for leg in legs:
            others = tuple(other for other in legs if other != leg)
            self._lines.book.update(leg, conference=others, bridged_with=None, native=False)
        for leg in legs:
            self._lines.outbox.emit(Conferred(leg=leg, others=self._lines.book.state(leg).conference))

    def _left(self, leg: str, others: tuple[str, ...]) -> None:
        if leg:
            self._changed((leg,))
        if len(others) == 2:
            for each in others:
                self._lines.book.update_audio(each, mixed=False)
            self._bridges.connect(*others)
        else:
            self._changed(others)
