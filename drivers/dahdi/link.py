"""One opened D-channel of the kernel: frames in and out. The kernel makes and checks the check sums.

Used from the line server's event loop only. A read or write fails while an event of the channel waits, so both take the events first.
"""

import asyncio
from collections.abc import Callable

from drivers.dahdi import faults
from drivers.dahdi.device import Channel, EventPendingError
from drivers.dahdi.poller import ChannelEvent, EventPoller
from drivers.dahdi.records import FRAME_BUFFERS
from drivers.errors import LineError
from drivers.io import MAX_FRAME_BYTES, ChannelSpec

READS_AT_ONCE = 64
"""Frames and events taken before others have their turn; the loop comes again for what is left."""

FIRST_FLAGS_S = 0.05
"""A frame written to a channel just opened goes out without the flag that begins it, and is lost: the kernel must have idled first."""

FrameHandler = Callable[[bytes], None]
EventsHandler = Callable[[list[ChannelEvent]], None]


class DahdiLink:
    """See `drivers.io.LinkIO`. Events found here are handed to `on_events` from the loop, never from within `send`."""

    def __init__(self, spec: ChannelSpec, device: Channel, poller: EventPoller, on_frame: FrameHandler, on_events: EventsHandler) -> None:
        self.spec = spec
        self.device = device
        self._poller, self._on_frame, self._on_events = poller, on_frame, on_events
        self._loop = asyncio.get_running_loop()
        self._early: list[bytes] | None = []
        self._idled = self._loop.call_later(FIRST_FLAGS_S, self._send_early)
        device.set_buffers(FRAME_BUFFERS)
        poller.add(device)
        self._loop.add_reader(device.fileno(), self._readable)

    def send(self, frame: bytes) -> bool:
        """Raises: LineError LIN-118 for a frame that is empty or too long."""
        if not 1 <= len(frame) <= MAX_FRAME_BYTES:
            raise faults.not_sendable(self.device.where, f"a frame of {len(frame)} bytes", f"1 to {MAX_FRAME_BYTES}")
        if self._early is None:
            return self._write(frame)
        if len(self._early) == FRAME_BUFFERS.blocks:
            return False
        self._early.append(frame)
        return True

    def _send_early(self) -> None:
        early, self._early = self._early or [], None
        for frame in early:
            self._write(frame)

    def _write(self, frame: bytes) -> bool:
        for _ in range(READS_AT_ONCE):
            try:
                return self.device.fileno() >= 0 and self.device.write_frame(frame)
            except EventPendingError:
                self._take_events()
            except LineError:
                return False
        return False

    def close(self) -> None:
        """Harmless when closed already."""
        if self.device.fileno() < 0:
            return
        self._idled.cancel()
        self._early = None
        self._loop.remove_reader(self.device.fileno())
        self._poller.remove(self.device)
        self.device.close()

    def _readable(self) -> None:
        for _ in range(READS_AT_ONCE):
            try:
                frame = self.device.read_frame()
            except EventPendingError:
                self._take_events()
            except LineError:
                # The card is gone, which the poller tells; the descriptor would be readable for ever.
                self._loop.remove_reader(self.device.fileno())
                return
            else:
                if not frame:
                    return
                self._on_frame(frame)
                if self.device.fileno() < 0:
                    return

    def _take_events(self) -> None:
        self._loop.call_soon(self._on_events, self._poller.take(self.device))
