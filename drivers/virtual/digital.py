"""E1 spans of the virtual card with both their ends: ISDN primary rate (30 B-channels, D-channel in timeslot 16) and CAS (30 channels with
ABCD bits, which timeslot 16 carries).

`E1Span` is the wire; `DigitalEnd` is what is opened at one end of all of them. Used from the event loop only.
"""

from drivers.io import ChannelSpec, EventHandler, LineEvent, Signalling, SpanHandler, SpanStatus
from drivers.media import End, Engine
from drivers.virtual import faults
from drivers.virtual.channel import VirtualChannel
from drivers.virtual.config import E1_SIGNALLING_TIMESLOT, SpanConfig, SpanKind
from drivers.virtual.faults import Fault
from drivers.virtual.frames import DataLink, FrameHandler, VirtualLink
from drivers.virtual.reports import Reports
from drivers.virtual.timeslot import Timeslot, TimeslotChannel

SEEN_FROM_FAR = {"red": "yellow", "blue": "yellow", "yellow": "red"}
"""Who hears nothing says so by the remote alarm, yellow. Source: ITU-T G.732 clause 4.2."""
UNPLUGGED = ("removed",)

Reporters = dict[End, Reports]


class E1Span:
    """One span. `first` is the channel number of its timeslot 1."""

    def __init__(self, number: int, first: int, config: SpanConfig, law: str, engine: Engine, reports: Reporters) -> None:
        self.number, self.config = number, config
        self.alarms: tuple[str, ...] = ()
        self.plugged = True
        self._first, self._law, self._reports = first, law, reports
        self.slots = {self._number_of(slot): self._timeslot(self._number_of(slot), engine) for slot in config.timeslots}
        self.links = {self._number_of(E1_SIGNALLING_TIMESLOT): self._link()} if config.kind is SpanKind.PRI else {}

    def become(self, config: SpanConfig) -> None:
        """Primary rate or bits from now on; nothing of the box's end is open."""
        self.config = config
        self.links = {self._number_of(E1_SIGNALLING_TIMESLOT): self._link()} if config.kind is SpanKind.PRI else {}
        for link in self.links.values():
            link.set_fault(Fault.ALARM, bool(self.alarms), 0.0, tuple(End))

    def spec(self, number: int, end: End) -> ChannelSpec | None:
        """One of its channels; None when there is no such, or that end is unplugged."""
        there = (number in self.slots or number in self.links) and (end is End.FAR or self.plugged)
        return self._spec(number, end) if there else None

    def specs(self, end: End) -> tuple[ChannelSpec, ...]:
        """Its channels in order; none at an end that is unplugged."""
        if end is End.NEAR and not self.plugged:
            return ()
        return tuple(self._spec(number, end) for number in sorted((*self.slots, *self.links)))

    def status(self, end: End) -> SpanStatus:
        where = "" if end is End.NEAR else ", far end"
        name = self.config.name or f"VIRT/{self.number}"
        described = f"Virtual {self.config.kind.value.upper()} span {self.number}{where}"
        return SpanStatus(self.number, name, described, len(self.slots) + len(self.links), self._alarms_at(end))

    def set_alarms(self, alarms: tuple[str, ...]) -> None:
        """As the box sees them; () when all is well again."""
        was_in_alarm, self.alarms = bool(self.alarms), alarms
        if bool(alarms) is not was_in_alarm:
            for slot in self.slots.values():
                slot.set_fault(Fault.SILENCE, bool(alarms), 0.0, tuple(End))
                slot.set_fault(Fault.ALARM, bool(alarms), 0.0, ())
            for link in self.links.values():
                link.set_fault(Fault.ALARM, bool(alarms), 0.0, tuple(End))
        for end in End:
            self._reports[end].span(self.status(end))

    def plug(self, plugged: bool) -> None:
        """The box's end is pulled, which leaves the far end without a signal, or put back."""
        if plugged is self.plugged:
            return
        if plugged:
            self.plugged = True
            self.set_alarms(())
        else:
            self.set_alarms(("yellow",))
            self.plugged = False
            self._reports[End.NEAR].span(self.status(End.NEAR))

    def _number_of(self, slot: int) -> int:
        return self._first + slot - 1

    def _timeslot(self, number: int, engine: Engine) -> Timeslot:
        return Timeslot(engine, int(self.config.idle_bits, 2), lambda end, event: self._tell(number, end, event))

    def _link(self) -> DataLink:
        number = self._number_of(E1_SIGNALLING_TIMESLOT)
        return DataLink(lambda end, event: self._tell(number, end, event))

    def _tell(self, number: int, end: End, event: LineEvent) -> None:
        self._reports[end].event(number, event)

    def _spec(self, number: int, end: End) -> ChannelSpec:
        signalling = Signalling.DCHAN if number in self.links else self.config.signalling
        slot = number - self._first + 1
        name = f"VIRT/{self.number}/{slot}" if end is End.NEAR else f"FAR/{self.number}/{slot}"
        return ChannelSpec(number, self.number, slot, signalling, name, self._law)

    def _alarms_at(self, end: End) -> tuple[str, ...]:
        if end is End.NEAR:
            return self.alarms if self.plugged else UNPLUGGED
        return tuple(dict.fromkeys(SEEN_FROM_FAR.get(alarm, alarm) for alarm in self.alarms))


class DigitalEnd:
    """What is opened at one end of the E1 spans."""

    def __init__(self, end: End, spans: dict[int, E1Span], engine: Engine, reports: Reports) -> None:
        self._end, self._spans, self._engine, self._reports = end, spans, engine, reports
        self._open: dict[int, VirtualChannel | VirtualLink] = {}

    def has(self, number: int) -> bool:
        """That channel is there and its span plugged in."""
        return self._spec(number) is not None

    def channels(self) -> tuple[ChannelSpec, ...]:
        return tuple(spec for span in self._spans.values() for spec in span.specs(self._end))

    def open(self, number: int) -> VirtualChannel:
        """Raises: LineError LIN-070, LIN-072, LIN-086 when it is a D-channel."""
        spec = self._take(number)
        if spec.signalling is Signalling.DCHAN:
            raise faults.other_signalling(number, spec.signalling, Signalling.BCHAN)
        channel = TimeslotChannel(spec, self._spans[spec.span].slots[number], self._end, self._engine, self._closed)
        self._opened(channel)
        return channel

    def open_link(self, number: int, on_frame: FrameHandler) -> VirtualLink:
        """Raises: LineError LIN-070, LIN-072, LIN-086 when it is no D-channel."""
        spec = self._take(number)
        if spec.signalling is not Signalling.DCHAN:
            raise faults.other_signalling(number, spec.signalling, Signalling.DCHAN)
        wire = self._spans[spec.span].links[number]
        link = VirtualLink(spec, wire, self._end, self._closed)
        wire.takers[self._end] = on_frame
        self._opened(link)
        return link

    def unplug(self, span: int) -> None:
        """What is open on that span is of no use any more; each is told REMOVED."""
        wire = self._spans[span]
        for number, opened in tuple(self._open.items()):
            if opened.spec.span == span:
                self._reports.removed(number)
                opened.gone = True
        for link in wire.links.values():
            link.close(self._end)
        for slot in wire.slots.values():
            slot.rest(self._end)

    def close(self) -> None:
        for opened in tuple(self._open.values()):
            opened.close()

    def _take(self, number: int) -> ChannelSpec:
        found = self._spec(number)
        if found is None:
            raise faults.no_channel(number, tuple(spec.number for spec in self.channels()))
        if number in self._open and not self._open[number].gone:
            raise faults.is_open(number)
        return found

    def _spec(self, number: int) -> ChannelSpec | None:
        return next((spec for span in self._spans.values() if (spec := span.spec(number, self._end))), None)

    def _opened(self, opened: VirtualChannel | VirtualLink) -> None:
        self._open[opened.spec.number] = opened
        self._reports.open.add(opened.spec.number)

    def _closed(self, opened: VirtualChannel | VirtualLink) -> None:
        if self._open.get(opened.spec.number) is opened:
            del self._open[opened.spec.number]
            self._reports.open.discard(opened.spec.number)


class FarCard:
    """The other end of the card's E1 spans as a card of its own (`drivers.io.Card`), for an exchange to be put there. Channels have the
    numbers they have at the box's end. An alarm that `VirtualCard.set_span_alarm` gives the box is seen here from this side."""

    def __init__(self, spans: dict[int, E1Span], engine: Engine, reports: Reports) -> None:
        self._spans, self._reports = spans, reports
        self._end = DigitalEnd(End.FAR, spans, engine, reports)

    def spans(self) -> tuple[SpanStatus, ...]:
        return tuple(span.status(End.FAR) for span in self._spans.values())

    def channels(self) -> tuple[ChannelSpec, ...]:
        return self._end.channels()

    def open(self, number: int, adopted_fd: int | None = None) -> VirtualChannel:
        """Raises: LineError LIN-070, LIN-072, LIN-086."""
        return self._end.open(number)

    def open_link(self, number: int, on_frame: FrameHandler) -> VirtualLink:
        """Raises: LineError LIN-070, LIN-072, LIN-086."""
        return self._end.open_link(number, on_frame)

    def start(self, on_event: EventHandler, on_span: SpanHandler) -> None:
        self._reports.start(on_event, on_span)

    def line_event(self, number: int, event: LineEvent) -> None:
        self._reports.event(number, event)

    def close(self) -> None:
        self._end.close()
        self._reports.stop()
