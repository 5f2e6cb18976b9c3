"""One end of E1 spans for the contract suites: a card with some of its channels opened, and everything they told. Works on any card.

One media core serves both ends; the bench passes its events to both.
"""

from collections import defaultdict
from collections.abc import Sequence

from drivers.io import Card, ChannelIO, LineEvent, LinkIO, SpanStatus
from drivers.media import Engine, EventKind, Law, MediaEvent

KEY_MS, KEY_LOW_DBM0, KEY_HIGH_DBM0 = 60, -9.0, -7.0


class E1End:
    """`link`, `bearers`: of a PRI span; `cas`: of a CAS span, eight timeslots that are neighbours; all as this card numbers them."""

    def __init__(self, card: Card, engine: Engine, link: int, bearers: Sequence[int], cas: Sequence[int]) -> None:
        self.card, self._engine = card, engine
        self.link, self.bearers, self.cas = link, tuple(bearers), tuple(cas)
        self.spans: list[SpanStatus] = []
        self.frames: list[bytes] = []
        self.events: dict[int, list[LineEvent]] = defaultdict(list)
        self.heard: dict[int, str] = defaultdict(str)
        self._opened: list[ChannelIO | LinkIO] = []
        self._ports: dict[int, int] = {}
        self._channel_of: dict[int, int] = {}

    def start(self) -> None:
        self.card.start(lambda number, event: self.events[number].append(event), self.spans.append)

    def open(self, number: int) -> ChannelIO:
        """The bench closes what a case leaves open."""
        channel = self.card.open(number)
        self._opened.append(channel)
        return channel

    def open_link(self) -> LinkIO:
        """The D-channel, its frames collected."""
        link = self.card.open_link(self.link, self.frames.append)
        self._opened.append(link)
        return link

    def attach(self, channel: ChannelIO) -> None:
        """Give it a media port that listens for keys."""
        number = channel.spec.number
        if number not in self._ports:
            self._ports[number] = self._engine.port_new(Law.ALAW)
            self._channel_of[self._ports[number]] = number
        channel.attach(self._ports[number])
        self._engine.detect_digits(self._ports[number], True)

    def say(self, number: int, digits: str) -> None:
        self._engine.send_digits(self._ports[number], digits, KEY_MS, KEY_MS, KEY_LOW_DBM0, KEY_HIGH_DBM0)

    def media_event(self, event: MediaEvent) -> None:
        """An event of the media core, also of ports that are not this end's."""
        number = self._channel_of.get(event.port, 0)
        if number and event.kind is EventKind.LINE_EVENT:
            self.card.line_event(number, LineEvent(event.value))
        elif number and event.kind is EventKind.DIGIT:
            self.heard[number] += event.digit

    def count(self, number: int, event: LineEvent) -> int:
        return self.events[number].count(event)

    def close(self, *numbers: int) -> None:
        """Those of them that are open."""
        for opened in tuple(self._opened):
            if opened.spec.number in numbers:
                opened.close()
                self._opened.remove(opened)

    def rest(self) -> None:
        """Close everything."""
        for opened in self._opened:
            opened.close()
        self._opened.clear()

    def forget(self) -> None:
        """What was told so far."""
        self.spans.clear()
        self.frames.clear()
        self.events.clear()
        self.heard.clear()
