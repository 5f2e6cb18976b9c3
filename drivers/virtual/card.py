"""The card in software: spans and channels as `drivers.io` wants them, with a world behind them (`world.py`).

Used from the line server's event loop only; audio runs in the media core. Events are always told from the loop, never from
inside the call that caused them.
"""

import asyncio
from collections.abc import Callable

from drivers.errors import LineError
from drivers.io import ChannelSpec, EventHandler, Hook, LineEvent, Signalling, SpanHandler, SpanStatus
from drivers.media import End, Engine, Law, MediaEvent
from drivers.virtual.audio import FarPorts
from drivers.virtual.config import SpanKind, VirtualConfig
from drivers.virtual.hookstate import DEBOUNCE_MS, FXS_SIGNALLED, HookState
from drivers.virtual.ringing import cadence_ms
from drivers.virtual.wire import Fault, Wire
from drivers.virtual.world import World

BOTH_ENDS = (End.NEAR, End.FAR)
LINE_DEBOUNCE_MS = 50  # of channels towards an exchange; as drivers.dahdi.card has the kernel do it


class VirtualChannel:
    """One opened channel; see `drivers.io.ChannelIO`."""

    def __init__(
        self,
        spec: ChannelSpec,
        hook: HookState,
        wire: Wire,
        engine: Engine,
        closed: Callable[[int], None],
    ) -> None:
        self.spec = spec
        self.wire = wire
        self._hook, self._engine, self._closed = hook, engine, closed
        self._port: int | None = None
        self._peer: VirtualChannel | None = None

    def set_hook(self, hook: Hook) -> None:
        self._hook.order(hook)

    def is_offhook(self) -> bool:
        """The loop of a set's port. A line to an exchange has the same battery before and during a call, so there: no alarm."""
        return not self.wire.in_alarm if self.spec.signalling in FXS_SIGNALLED else self._hook.far_active

    def attach(self, port: int) -> None:
        self._engine.attach_line(port, self.wire.line, End.NEAR)
        self._port = port

    def detach(self) -> None:
        if self._port is not None:
            self._engine.detach(self._port)
            self._port = None

    def native_bridge(self, other: object) -> bool:
        """Two different channels of this card can always be joined, each to one other."""
        if not isinstance(other, VirtualChannel) or other is self:
            return False
        self.native_unbridge()
        other.native_unbridge()
        self._engine.line_cross(self.wire.line, other.wire.line)
        self._peer, other._peer = other, self
        return True

    def native_unbridge(self) -> None:
        if self._peer is not None:
            self._engine.line_cross(self.wire.line, -1)
            self._peer._peer = None
            self._peer = None

    def native_peer(self) -> int | None:
        return None if self._peer is None else self._peer.spec.number

    def store_fd(self) -> int | None:
        return None

    def close(self) -> None:
        self.native_unbridge()
        self.detach()
        self._hook.closed()
        self._closed(self.spec.number)


class VirtualCard:
    """All spans of a `VirtualConfig`. `world` is what lies behind: the exchange, its numbers, and every telephone.

    Raises: LineError LIN-076 for a country without a ring cadence.
    """

    def __init__(self, config: VirtualConfig, engine: Engine, country: str = "cn", law: Law = Law.ALAW) -> None:
        self._engine, self._config, self._law = engine, config, law
        self._cadence_ms = cadence_ms(country)
        self._on_event: EventHandler | None = None
        self._on_span: SpanHandler | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._specs: dict[int, ChannelSpec] = {}
        self._hooks: dict[int, HookState] = {}
        self._wires: dict[int, Wire] = {}
        self._open: dict[int, VirtualChannel] = {}
        self._alarms: dict[int, tuple[str, ...]] = {}
        for span in range(1, len(config.spans) + 1):
            self._add_span(span)
        self.world = World(config, FarPorts(engine, country, law), self._wires)

    # --- drivers.io.Card ---

    def spans(self) -> tuple[SpanStatus, ...]:
        return tuple(self._status(span) for span in range(1, len(self._config.spans) + 1))

    def channels(self) -> tuple[ChannelSpec, ...]:
        return tuple(self._specs.values())

    def open(self, number: int, adopted_fd: int | None = None) -> VirtualChannel:
        """Raises: LineError LIN-070 for a channel that does not exist, LIN-072 for one that is open."""
        if number not in self._specs:
            known = f"{min(self._specs)} to {max(self._specs)}"
            raise LineError("LIN-070", f"the virtual card has no channel {number}", f"Its channels are {known}; see [lines.virtual]")
        if number in self._open:
            raise LineError("LIN-072", f"channel {number} of the virtual card is open already", "Close it first")
        spec, hook, wire = self._specs[number], self._hooks[number], self._wires[number]
        channel = VirtualChannel(spec, hook, wire, self._engine, self._forget)
        self._open[number] = channel
        hook.opened()
        return channel

    def start(self, on_event: EventHandler, on_span: SpanHandler) -> None:
        self._on_event, self._on_span = on_event, on_span
        self._loop = asyncio.get_running_loop()

    def line_event(self, number: int, event: LineEvent) -> None:
        self._report(number, event)

    def close(self) -> None:
        self.world.close()
        for channel in tuple(self._open.values()):
            channel.close()
        self.world.ports.free()
        self._on_event = self._on_span = None

    # --- beyond the contract: what only a card in software can do ---

    def media_event(self, event: MediaEvent) -> bool:
        """Give the world an event of the media core; False when its port is the box's own."""
        return self.world.ports.media_event(event)

    def set_fault(
        self,
        number: int,
        fault: Fault,
        on: bool = True,
        value: float = 0.0,
        ends: tuple[End, ...] = BOTH_ENDS,
    ) -> None:
        """Put a fault on a line, or take it away. `ends`: who hears it (NEAR: the box), for faults of audio.

        Raises: LineError LIN-070.
        """
        if number not in self._wires:
            raise LineError("LIN-070", f"the virtual card has no channel {number}", "See [lines.virtual] for its spans")
        self._wires[number].set_fault(fault, on, value, ends)

    def set_span_alarm(self, span: int, *alarms: str) -> None:
        """Put a whole span in alarm ("red", "yellow", "blue"): audio is cut, hooks stand still; no alarm: all is well again."""
        self._alarms[span] = alarms
        for number in self._config.span_channels(span):
            wire = self._wires[number]
            wire.set_fault(Fault.SILENCE, bool(alarms), 0.0, BOTH_ENDS)
            wire.set_fault(Fault.FREEZE, bool(alarms), 0.0, ())
            wire.set_fault(Fault.ALARM, bool(alarms), 0.0, ())
        self._report_span(span)

    # --- parts ---

    def _forget(self, number: int) -> None:
        self._open.pop(number, None)

    def _add_span(self, span: int) -> None:
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
            lambda event: self._report(number, event),
            LINE_DEBOUNCE_MS if signalling in FXS_SIGNALLED else DEBOUNCE_MS,
        )
        wire = Wire(self._engine, hook, has_battery_alarm)
        self._hooks[number], self._wires[number] = hook, wire

    def _status(self, span: int) -> SpanStatus:
        config = self._config.spans[span - 1]
        name = config.name or f"VIRT/{span}"
        described = f"Virtual {config.kind.value.upper()} span {span}"
        return SpanStatus(span, name, described, len(config.timeslots), self._alarms.get(span, ()))

    def _report(self, number: int, event: LineEvent) -> None:
        if self._loop is not None and number in self._open:
            self._loop.call_soon(self._deliver, number, event)

    def _deliver(self, number: int, event: LineEvent) -> None:
        if self._on_event is not None and number in self._open:
            self._on_event(number, event)

    def _report_span(self, span: int) -> None:
        if self._loop is not None and self._on_span is not None:
            self._loop.call_soon(self._on_span, self._status(span))
