"""A speech timeslot of an E1 on the virtual card: audio, and the ABCD bits each end sends. Both ends can be opened alike.

Used from the event loop only; audio runs in the media core.
"""

import asyncio
from collections.abc import Callable

from drivers.io import ChannelSpec, LineEvent, Signalling
from drivers.media import End, Engine
from drivers.virtual import faults
from drivers.virtual.channel import Closed, VirtualChannel
from drivers.virtual.faults import AUDIO_FAULTS, Fault

MULTIFRAME_MS = 2  # a channel's bits come once in 16 frames. Source: ITU-T G.704 clause 5.1.3.2
ALL_BITS = 0xF
OTHER = {End.NEAR: End.FAR, End.FAR: End.NEAR}
HOLDING = frozenset({Fault.CUT, Fault.FREEZE, Fault.ALARM})  # the last bits seen count while the line is out of order

Tell = Callable[[End, LineEvent], None]


class Timeslot:
    """`line` is its number in the media core; `tell` tells an end an event."""

    def __init__(self, engine: Engine, idle_bits: int, tell: Tell) -> None:
        self.line = engine.line_new()
        self.faults: set[Fault] = set()
        self._engine, self._idle_bits, self._tell = engine, idle_bits, tell
        self._sent = {End.NEAR: idle_bits, End.FAR: idle_bits}
        self._seen = dict(self._sent)

    def send_bits(self, end: End, bits: int) -> None:
        """What `end` sends from now on; the other end sees it a multiframe later."""
        self._sent[end] = bits
        asyncio.get_running_loop().call_later(MULTIFRAME_MS / 1000, self._arrive, OTHER[end], bits)

    def rest(self, end: End) -> None:
        """Nobody has this end open."""
        if self._sent[end] != self._idle_bits:
            self.send_bits(end, self._idle_bits)

    def bits_seen(self, end: End) -> int:
        """What `end` receives."""
        return self._seen[end]

    @property
    def in_alarm(self) -> bool:
        return Fault.ALARM in self.faults

    def set_fault(self, fault: Fault, on: bool, value: float, ends: tuple[End, ...]) -> None:
        """Put a fault on it or take it away; bits that waited behind it arrive now."""
        was_in_alarm = self.in_alarm
        (self.faults.add if on else self.faults.discard)(fault)
        for end in ends:
            if fault in AUDIO_FAULTS:
                self._engine.line_fault(self.line, end, AUDIO_FAULTS[fault], on, value)
        if self.in_alarm is not was_in_alarm:
            for end in End:
                self._tell(end, LineEvent.ALARM if on else LineEvent.NOALARM)
        for end in End:
            self._arrive(end, self._sent[OTHER[end]])

    def _arrive(self, end: End, bits: int) -> None:
        if not self.faults & HOLDING and bits != self._seen[end]:
            self._seen[end] = bits
            self._tell(end, LineEvent.BITSCHANGED)


class TimeslotChannel(VirtualChannel):
    """One end of a timeslot, opened; see `drivers.io.ChannelIO`."""

    def __init__(self, spec: ChannelSpec, slot: Timeslot, end: End, engine: Engine, closed: Closed) -> None:
        super().__init__(spec, slot.line, end, engine, closed)
        self._slot = slot

    def is_offhook(self) -> bool:
        """A timeslot looks the same before and during a call, so: no alarm."""
        self.must_be_there()
        return not self._slot.in_alarm

    def bits(self) -> int:
        """Raises: LineError LIN-086 on a B-channel."""
        self._only_cas()
        return self._slot.bits_seen(self.end)

    def set_bits(self, bits: int) -> None:
        """Raises: LineError LIN-086 on a B-channel, LIN-087 for more than four bits."""
        self._only_cas()
        if not 0 <= bits <= ALL_BITS:
            raise faults.not_sendable(self.spec.number, f"bits {bits}", "0 to 15")
        self._slot.send_bits(self.end, bits)

    def close(self) -> None:
        if not self.gone:
            self._slot.rest(self.end)
        super().close()

    def _only_cas(self) -> None:
        self.must_be_there()
        if self.spec.signalling is not Signalling.CAS:
            raise self._other("cas")
