"""The D-channel of an E1 on the virtual card: frames both ways at 64 kbit/s, one after the other, with faults on demand.

Used from the event loop only.
"""

import random
from collections import deque
from collections.abc import Callable

from drivers.io import MAX_FRAME_BYTES, ChannelSpec, LineEvent
from drivers.media import End
from drivers.virtual import faults
from drivers.virtual.faults import Fault
from drivers.virtual.timer import Timer
from drivers.virtual.timeslot import OTHER, Tell

BYTE_MS = 0.125
OVERHEAD_BYTES = 3  # check sum and a flag; stuffed bits are left out
ROOM_FRAMES = 32  # as the kernel has for us: drivers.dahdi.records, FRAME_BUFFERS

FrameHandler = Callable[[bytes], None]


class FramePath:
    """One direction. `arrived` gets good frames, `spoiled` what the receiver says of others; the same faults each time."""

    def __init__(self, arrived: FrameHandler, spoiled: Callable[[LineEvent], None]) -> None:
        self._arrived, self._spoiled = arrived, spoiled
        self._waiting: deque[bytes] = deque()
        self._held: list[bytes] = []
        self._faults: dict[Fault, float] = {}
        self._chance = random.Random(0)
        self._under_way = Timer(self._all_sent)

    def send(self, frame: bytes) -> bool:
        """Queue it; False when there is no room."""
        if len(self._waiting) >= ROOM_FRAMES:
            return False
        self._waiting.append(frame)
        if not self._under_way.running:
            self._send_next()
        return True

    def set_fault(self, fault: Fault, on: bool, value: float) -> None:
        """A cut spoils the frame under way; what a frozen end did not take arrives when it thaws."""
        if on:
            self._faults[fault] = value
            if fault is Fault.CUT and self._under_way.running:
                self._spoiled(LineEvent.ABORT)
        else:
            self._faults.pop(fault, None)
            held, self._held = self._held, []
            for frame in held:
                self._deliver(frame)

    def clear(self) -> None:
        """The sender is gone: what waits is not sent."""
        self._waiting.clear()
        self._under_way.stop()

    def _send_next(self) -> None:
        self._under_way.start((len(self._waiting[0]) + OVERHEAD_BYTES) * BYTE_MS)

    def _all_sent(self) -> None:
        frame = self._waiting.popleft()
        if self._waiting:
            self._send_next()
        self._deliver(frame)

    def _deliver(self, frame: bytes) -> None:
        if Fault.FREEZE in self._faults:
            self._held.append(frame)
        elif Fault.CUT in self._faults or Fault.ALARM in self._faults or self._happens(Fault.LOSS):
            return
        elif self._happens(Fault.CORRUPT):
            self._spoiled(LineEvent.BADFCS)
        else:
            self._arrived(frame)

    def _happens(self, fault: Fault) -> bool:
        return fault in self._faults and self._chance.random() < self._faults[fault]


class DataLink:
    """A D-channel between both ends. `takers`: who takes the frames at an end, while it is open there."""

    def __init__(self, tell: Tell) -> None:
        self.takers: dict[End, FrameHandler] = {}
        self._tell = tell
        self._in_alarm = False
        self._towards = {end: self._path(end) for end in End}

    def _path(self, end: End) -> FramePath:
        return FramePath(lambda frame: self._arrived(end, frame), lambda event: self._tell(end, event))

    def send(self, end: End, frame: bytes) -> bool:
        return self._towards[OTHER[end]].send(frame)

    def close(self, end: End) -> None:
        """That end takes and sends nothing any more."""
        self.takers.pop(end, None)
        self._towards[OTHER[end]].clear()

    def set_fault(self, fault: Fault, on: bool, value: float, ends: tuple[End, ...]) -> None:
        """`ends`: towards whom frames suffer."""
        for end in ends or tuple(End):
            self._towards[end].set_fault(fault, on, value)
        if fault is Fault.ALARM and on is not self._in_alarm:
            self._in_alarm = on
            for end in End:
                self._tell(end, LineEvent.ALARM if on else LineEvent.NOALARM)

    def _arrived(self, end: End, frame: bytes) -> None:
        if taker := self.takers.get(end):
            taker(frame)


class VirtualLink:
    """One end of a D-channel, opened; see `drivers.io.LinkIO`."""

    def __init__(self, spec: ChannelSpec, link: DataLink, end: End, closed: Callable[["VirtualLink"], None]) -> None:
        self.spec, self.end = spec, end
        self.gone = False
        self._link, self._closed = link, closed
        self._is_open = True

    def send(self, frame: bytes) -> bool:
        """Raises: LineError LIN-087 for a frame that is empty or too long."""
        if not 1 <= len(frame) <= MAX_FRAME_BYTES:
            raise faults.not_sendable(self.spec.number, f"a frame of {len(frame)} bytes", f"1 to {MAX_FRAME_BYTES}")
        return self._is_open and not self.gone and self._link.send(self.end, frame)

    def close(self) -> None:
        """Harmless when closed already."""
        if self._is_open:
            self._is_open = False
            if not self.gone:
                self._link.close(self.end)
            self._closed(self)
