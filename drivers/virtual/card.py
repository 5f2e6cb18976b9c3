"""The card in software: spans and channels as `drivers.io` wants them, with a world behind them (`world.py`).

Used from the line server's event loop only; audio runs in the media core. Events are always told from the loop, never from
inside the call that caused them.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from drivers.io import ChannelSpec, EventHandler, LineEvent, Signalling, SpanHandler, SpanStatus
from drivers.media import End, Engine, Law, MediaEvent
from drivers.protocol import PortFound, SpanErrors, SpanFound
from drivers.virtual import faults
from drivers.virtual.audio import FarPorts
from drivers.virtual.channel import LoopChannel, VirtualChannel
from drivers.virtual.config import SpanConfig, SpanKind, VirtualConfig
from drivers.virtual.digital import UNPLUGGED, DigitalEnd, E1Span, FarCard
from drivers.virtual.faults import Fault
from drivers.virtual.frames import FrameHandler, VirtualLink
from drivers.virtual.hookstate import DEBOUNCE_MS, FXS_SIGNALLED, HookState
from drivers.virtual.plans import ports_of
from drivers.virtual.reports import Reports
from drivers.virtual.ringing import cadence_ms
from drivers.virtual.wire import Wire
from drivers.virtual.world import World

if TYPE_CHECKING:
    from drivers.config import LinesConfig

BOTH_ENDS = (End.NEAR, End.FAR)
LINE_DEBOUNCE_MS = 50  # of channels towards an exchange; as drivers.dahdi.channel has the kernel do it


class VirtualCard:
    """All spans of a `VirtualConfig`. `world` is what lies behind those with loops: the exchange, its numbers, and every telephone.
    `far` is the other end of the E1 spans, as a card, for a program to signal there; `hearers` are offered events of the media core first,
    `followers` told of a new set-up.

    Raises: LineError LIN-076 for a country without a ring cadence.
    """

    def __init__(self, config: VirtualConfig, engine: Engine, country: str = "cn", law: Law = Law.ALAW) -> None:
        self._engine, self._config, self._law = engine, config, law
        self._cadence_ms = cadence_ms(country)
        self._reports, far_reports = Reports(), Reports()
        self._specs: dict[int, ChannelSpec] = {}
        self._hooks: dict[int, HookState] = {}
        self._wires: dict[int, Wire] = {}
        self._open: dict[int, VirtualChannel] = {}
        self._alarms: dict[int, tuple[str, ...]] = {}
        self._errors: dict[int, SpanErrors] = {}
        self._digital: dict[int, E1Span] = {}
        for span in self._span_numbers():
            if config.spans[span - 1].is_digital:
                both = {End.NEAR: self._reports, End.FAR: far_reports}
                first = config.first_channel(span)
                self._digital[span] = E1Span(span, first, config.spans[span - 1], law.name.lower(), engine, both)
            else:
                self._add_loops(span)
        self._near = DigitalEnd(End.NEAR, self._digital, engine, self._reports)
        self.far = FarCard(self._digital, engine, far_reports)
        self.hearers: list[Callable[[MediaEvent], bool]] = []
        self.followers: list[Callable[[LinesConfig], None]] = []
        self.world = World(config, FarPorts(engine, country, law, config.tones), self._wires)

    # --- drivers.io.Card ---

    def spans(self) -> tuple[SpanStatus, ...]:
        return tuple(map(self._status, self._span_numbers()))

    def channels(self) -> tuple[ChannelSpec, ...]:
        loops = (spec for spec in self._specs.values() if self._alarms.get(spec.span) != UNPLUGGED)
        return tuple(sorted((*loops, *self._near.channels()), key=lambda spec: spec.number))

    def open(self, number: int, adopted_fd: int | None = None) -> VirtualChannel:
        """Raises: LineError LIN-070 for a channel that does not exist, LIN-072 for one that is open, LIN-086 for a D-channel."""
        if self._near.has(number):
            return self._near.open(number)
        spec = self._specs.get(number)
        if spec is None or self._alarms.get(spec.span) == UNPLUGGED:
            raise faults.no_channel(number, tuple(spec.number for spec in self.channels()))
        if number in self._open and not self._open[number].gone:
            raise faults.is_open(number)
        return self._open_loop(number)

    def open_link(self, number: int, on_frame: FrameHandler) -> VirtualLink:
        """Raises: LineError LIN-070, LIN-072 as open, LIN-086 for one that is no D-channel."""
        if number in self._specs:
            raise faults.other_signalling(number, self._specs[number].signalling, Signalling.DCHAN)
        return self._near.open_link(number, on_frame)

    def start(self, on_event: EventHandler, on_span: SpanHandler) -> None:
        self._reports.start(on_event, on_span)

    def line_event(self, number: int, event: LineEvent) -> None:
        self._reports.event(number, event)

    def close(self) -> None:
        self.world.close()
        for channel in tuple(self._open.values()):
            channel.close()
        self._near.close()
        self.far.close()
        self.world.close_lines()
        self.world.ports.free()
        self._reports.stop()

    # --- beyond the contract: what only a card in software can do ---

    def media_event(self, event: MediaEvent) -> bool:
        """Give the world an event of the media core; False when its port is the box's own."""
        return any(hears(event) for hears in self.hearers) or self.world.ports.media_event(event)

    def set_fault(
        self,
        number: int,
        fault: Fault,
        on: bool = True,
        value: float = 0.0,
        ends: tuple[End, ...] = BOTH_ENDS,
    ) -> None:
        """Put a fault on a line, or take it away. `ends`: who suffers it (NEAR: the box), for faults of audio and of frames.

        Raises: LineError LIN-070.
        """
        if number in self._wires:
            self._wires[number].set_fault(fault, on, value, ends)
            return
        for span in self._digital.values():
            if wire := span.slots.get(number) or span.links.get(number):
                wire.set_fault(fault, on, value, ends)
                return
        raise faults.no_channel(number, tuple(spec.number for spec in self.channels()))

    def set_span_alarm(self, span: int, *alarms: str) -> None:
        """Put a whole span in alarm ("red", "yellow", "blue"): audio, bits and frames are cut, hooks stand still; no alarm: all is well.

        Raises: LineError LIN-088.
        """
        self._known(span)
        if span in self._digital:
            self._digital[span].set_alarms(alarms)
            return
        self._alarms[span] = alarms
        for number in self._config.span_channels(span):
            wire = self._wires[number]
            wire.set_fault(Fault.SILENCE, bool(alarms), 0.0, BOTH_ENDS)
            wire.set_fault(Fault.FREEZE, bool(alarms), 0.0, ())
            wire.set_fault(Fault.ALARM, bool(alarms), 0.0, ())
        self._reports.span(self._status(span))

    def span_errors(self, span: int) -> SpanErrors | None:
        """As a card counts them, see `count_errors`; ports for sets and lines count none."""
        return self._errors.get(span) or (SpanErrors() if span in self._digital else None)

    def count_errors(self, span: int, errors: SpanErrors) -> None:
        """Let the card have counted so much since it was started."""
        self._known(span)
        self._errors[span] = errors

    def unplug(self, span: int) -> None:
        """Pull a span: its channels tell REMOVED and are of no use any more; the far end of an E1 is in alarm.

        Raises: LineError LIN-088.
        """
        self._known(span)
        if span in self._digital:
            self._near.unplug(span)
            self._digital[span].plug(False)
            return
        for number in self._config.span_channels(span):
            if channel := self._open.get(number):
                self._reports.removed(number)
                self._hooks[number].closed()
                channel.gone = True
        self.set_span_alarm(span, *UNPLUGGED)

    def plug(self, span: int) -> None:
        """Put it back; its channels must be opened anew. Raises: LineError LIN-088."""
        self._known(span)
        if span in self._digital:
            self._digital[span].plug(True)
        else:
            self.set_span_alarm(span)

    # --- set up anew (drivers.server.setting_up) ---

    def found(self) -> tuple[SpanFound, ...]:
        """What there is, and what it could be used for."""
        return tuple(map(self._found, self._span_numbers()))

    async def reconfigure(self, lines: "LinesConfig") -> None:
        """Use the spans as `[lines.virtual]` says now; the box has closed the channels that change."""
        for at, (old, new) in enumerate(zip(self._config.spans, lines.virtual.spans, strict=True), 1):
            if old != new:
                self._become(at, new)
        self._config = lines.virtual
        for follow in self.followers:
            follow(lines)

    def _become(self, span: int, config: SpanConfig) -> None:
        if span in self._digital:
            self._digital[span].become(config)
            return
        for number in self._config.span_channels(span):
            self._specs[number] = msgspec.structs.replace(self._specs[number], signalling=config.signalling)
            self._hooks[number].become(config.signalling)
            if number in self.world.trunks:
                self.world.trunks[number].become(config)

    def _found(self, span: int) -> SpanFound:
        status = self._status(span)
        specs = self._digital[span].specs(End.FAR) if span in self._digital else self._specs.values()
        now = {spec.number: spec.signalling.value for spec in specs if spec.span == span}
        ports = tuple(
            PortFound(number=number, timeslot=slot, name=f"VIRT/{span}/{slot}", can=can, now=now.get(number, ""))
            for number, slot, can in ports_of(self._config, span)
        )
        digital = span in self._digital
        return SpanFound(number=span, name=status.name, description=status.description, digital=digital, ports=ports, alarms=status.alarms)

    # --- parts ---

    def _span_numbers(self) -> range:
        return range(1, len(self._config.spans) + 1)

    def _known(self, span: int) -> None:
        if span not in self._span_numbers():
            raise faults.no_span(span, len(self._config.spans))

    def _open_loop(self, number: int) -> VirtualChannel:
        hook = self._hooks[number]
        channel = LoopChannel(self._specs[number], hook, self._wires[number], self._engine, self._forget)
        self._open[number] = channel
        self._reports.open.add(number)
        hook.opened()
        return channel

    def _forget(self, channel: VirtualChannel) -> None:
        number = channel.spec.number
        if self._open.get(number) is channel:
            del self._open[number]
            self._reports.open.discard(number)

    def _add_loops(self, span: int) -> None:
        config = self._config.spans[span - 1]
        for slot, number in zip(config.timeslots, self._config.span_channels(span), strict=True):
            name = f"VIRT/{span}/{slot}"
            self._specs[number] = ChannelSpec(number, span, slot, config.signalling, name, self._law.name.lower())
            self._add_line(number, config.signalling, config.kind is SpanKind.FXO)

    def _add_line(self, number: int, signalling: Signalling, has_battery_alarm: bool) -> None:
        hook = HookState(
            number,
            signalling,
            self._cadence_ms,
            lambda sig: wire.from_box(sig),
            lambda event: self._reports.event(number, event),
            LINE_DEBOUNCE_MS if signalling in FXS_SIGNALLED else DEBOUNCE_MS,
        )
        wire = Wire(self._engine, hook, has_battery_alarm)
        self._hooks[number], self._wires[number] = hook, wire

    def _status(self, span: int) -> SpanStatus:
        if span in self._digital:
            return self._digital[span].status(End.NEAR)
        config = self._config.spans[span - 1]
        name = config.name or f"VIRT/{span}"
        described = f"Virtual {config.kind.value.upper()} span {span}"
        return SpanStatus(span, name, described, len(config.timeslots), self._alarms.get(span, ()))
