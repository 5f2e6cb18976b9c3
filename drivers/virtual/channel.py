"""One opened channel of the card in software, as `drivers.io.ChannelIO` wants it: what all kinds share, and channels with a loop.

Used from the event loop only; audio runs in the media core. Timeslots of an E1 are in timeslot.py.
"""

from collections.abc import Callable

from drivers.io import ChannelSpec, Hook, Signalling
from drivers.media import End, Engine
from drivers.virtual import faults
from drivers.virtual.hookstate import FXS_SIGNALLED, HookState
from drivers.virtual.wire import Wire

SETS = (Signalling.FXOKS, Signalling.FXOLS)
PULSES = frozenset("0123456789")

Closed = Callable[["VirtualChannel"], None]


class VirtualChannel:
    """Audio and the native bridge, which every kind has; the rest is refused (LIN-086) by kinds that have no such thing."""

    def __init__(self, spec: ChannelSpec, line: int, end: End, engine: Engine, closed: Closed) -> None:
        self.spec, self.line, self.end = spec, line, end
        self.gone = False
        self._engine, self._closed = engine, closed
        self._port: int | None = None
        self._peer: VirtualChannel | None = None

    def set_hook(self, hook: Hook) -> None:
        raise self._other("a line with a loop")

    def is_offhook(self) -> bool:
        raise NotImplementedError

    def attach(self, port: int) -> None:
        self.must_be_there()
        self._engine.attach_line(port, self.line, self.end)
        self._port = port

    def detach(self) -> None:
        if self._port is not None:
            self._engine.detach(self._port)
            self._port = None

    def bits(self) -> int:
        raise self._other("cas")

    def set_bits(self, bits: int) -> None:
        raise self._other("cas")

    def dial_pulses(self, digits: str) -> None:
        raise self._other("a line with a loop")

    def set_polarity(self, reversed_: bool) -> None:
        raise self._other("a set's port")

    def show_message_waiting(self, on: bool) -> None:
        raise self._other("a set's port")

    def set_ring_cadence(self, cadence_ms: tuple[int, ...]) -> None:
        raise self._other("a set's port")

    def set_flash_limit(self, ms: int) -> None:
        raise self._other("a set's port")

    def allow_on_hook_audio(self, for_ms: int) -> None:
        raise self._other("a set's port")

    def native_bridge(self, other: object) -> bool:
        """Two different channels of the box's end can always be joined, each to one other."""
        if not isinstance(other, VirtualChannel) or other is self or End.FAR in (self.end, other.end):
            return False
        self.must_be_there()
        other.must_be_there()
        self.native_unbridge()
        other.native_unbridge()
        self._engine.line_cross(self.line, other.line)
        self._peer, other._peer = other, self
        return True

    def native_unbridge(self) -> None:
        if self._peer is not None:
            self._engine.line_cross(self.line, -1)
            self._peer._peer = None
            self._peer = None

    def native_peer(self) -> int | None:
        return None if self._peer is None else self._peer.spec.number

    def store_fd(self) -> int | None:
        return None

    def close(self) -> None:
        self.native_unbridge()
        self.detach()
        self._closed(self)

    def must_be_there(self) -> None:
        """Raises: LineError LIN-085 when the span was unplugged."""
        if self.gone:
            raise faults.gone(self.spec.number)

    def _other(self, wanted: str) -> Exception:
        return faults.other_signalling(self.spec.number, self.spec.signalling, wanted)


class LoopChannel(VirtualChannel):
    """A port for a line of an exchange, or for a set."""

    def __init__(self, spec: ChannelSpec, hook: HookState, wire: Wire, engine: Engine, closed: Closed) -> None:
        super().__init__(spec, wire.line, End.NEAR, engine, closed)
        self.wire = wire
        self._hook = hook

    def set_hook(self, hook: Hook) -> None:
        self.must_be_there()
        self._hook.order(hook)

    def is_offhook(self) -> bool:
        """The loop of a set's port. A line to an exchange has the same battery before and during a call, so there: no alarm."""
        self.must_be_there()
        return not self.wire.in_alarm if self.spec.signalling in FXS_SIGNALLED else self._hook.far_active

    def dial_pulses(self, digits: str) -> None:
        """Raises: LineError LIN-087 for anything but digits."""
        self.must_be_there()
        if not digits or not set(digits) <= PULSES:
            raise faults.not_sendable(self.spec.number, f"{digits!r} by pulses", "0-9")
        self._hook.dial(digits)

    def set_polarity(self, reversed_: bool) -> None:
        self._only_sets()
        self.wire.box_reversed = reversed_

    def show_message_waiting(self, on: bool) -> None:
        self._only_sets()
        self.wire.message_waiting = on

    def set_ring_cadence(self, cadence_ms: tuple[int, ...]) -> None:
        self._only_sets()
        self._hook.set_cadence(cadence_ms)

    def set_flash_limit(self, ms: int) -> None:
        self._only_sets()
        self._hook.flash_limit_ms = ms

    def allow_on_hook_audio(self, for_ms: int) -> None:
        """A line in software carries sound at any time."""
        self._only_sets()

    def close(self) -> None:
        if not self.gone:
            self._hook.closed()
        super().close()

    def _only_sets(self) -> None:
        self.must_be_there()
        if self.spec.signalling not in SETS:
            raise self._other("a set's port")
