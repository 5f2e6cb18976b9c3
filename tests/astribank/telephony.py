"""The box when its FPGA runs: eight FXS ports that answer the kernel's xpp_usb, and are lifted and put down by a test. Two threads.

Packets: length u16 (bits 0-9; bit 11: audio), operation, unit (bits 4-6; bit 7: a tick of its clock). Source: dahdi-linux, xpp/xproto.h,
card_global.h, card_fxs.h (protocol 30).
"""

import struct
import threading
from collections import deque
from collections.abc import Iterator

from tests.astribank.box import Box

REVISION = 30
REQUEST, DESCRIPTION, REGISTER, REGISTER_TOLD, SYNC, SYNC_TOLD, PCM_IN, SIGNALLING = 0x07, 0x08, 0x0F, 0x10, 0x19, 0x1A, 0x12, 0x06
READS, SUB_REGISTER = 0x40, 0x20
TICK, IS_PCM = 0x80, 1 << 11
QUERY, CLOCK_HERE = 0x80, 1
LINE_FEED, LOOP = 0x40, 0x44
RINGING = 4
PORTS = 8


class Telephony:
    """Answers for `box`. `tick_s`: how often its clock ticks; a real one's is 1000 a second. `written`: the registers of each port."""

    def __init__(self, box: Box, tick_s: float = 0.01) -> None:
        self._box, self._tick_s = box, tick_s
        self._ticking = threading.Event()
        self._ended = threading.Event()
        self.written: dict[tuple[int, int], int] = {}
        self.off_hook = 0
        self.operations: deque[int] = deque(maxlen=10_000)
        box.on_xpp = self._frame
        self._clock = threading.Thread(target=self._tick, daemon=True)
        self._clock.start()

    def end(self) -> None:
        self._ended.set()
        self._clock.join(5)

    def hook(self, port: int, off: bool) -> None:
        """The set at that port, from 0, is lifted or put down."""
        bit = 1 << port
        self.off_hook = self.off_hook | bit if off else self.off_hook & ~bit
        self._send(SIGNALLING, struct.pack("<II", self.off_hook, bit))

    def rings(self, port: int) -> bool:
        return self.written.get((port, LINE_FEED), 0) & 7 == RINGING

    def _frame(self, content: bytes) -> None:
        for word, operation, body in _packets(content):
            if word & IS_PCM:
                continue
            self.operations.append(operation)
            if operation == REQUEST:
                self._describe()
            elif operation == SYNC:
                self._sync(body[0])
            elif operation == REGISTER:
                self._register(body)

    def _describe(self) -> None:
        """One unit: type 1 (FXS), eight chips of a port each, all towards telephones."""
        unit = struct.pack("<BBBBB2xB", 0, 1 << 4, PORTS, 1, 0xFF, 0)
        self._send(DESCRIPTION, struct.pack("<B3x", REVISION) + unit)

    def _sync(self, mode: int) -> None:
        self._send(SYNC_TOLD, bytes((mode & ~QUERY if mode != QUERY else CLOCK_HERE, 0)))
        if mode == CLOCK_HERE:
            self._ticking.set()

    def _register(self, body: bytes) -> None:
        head, flags, register, sub, low, high = body[:6]
        port, everyone = head >> 4 & 7, flags & 0x80
        if not flags & READS:
            for each in range(PORTS) if everyone else (port,):
                self.written[each, register] = low
            return
        if flags & SUB_REGISTER:
            low, high = 0, 0
        else:
            low = self._read(port, register)
        self._send(REGISTER_TOLD, bytes((head, flags, register, sub, low, high)))

    def _read(self, port: int, register: int) -> int:
        """Calibration is always done; the loop says whether the set is lifted."""
        if register in (96, 88, 89):
            return 0
        if register == LOOP:
            return self.off_hook >> port & 1
        return self.written.get((port, register), 5)

    def _tick(self) -> None:
        while not self._ended.wait(self._tick_s):
            if self._ticking.is_set() and self._box.product & 0xF == 2:
                self._send(PCM_IN, struct.pack("<I", 0), IS_PCM, TICK)

    def _send(self, operation: int, body: bytes, word: int = 0, unit: int = 0) -> None:
        try:
            self._box.send_xpp(struct.pack("<HBB", word | (4 + len(body)), operation, unit) + body)
        except OSError:
            self._ticking.clear()


def _packets(frame: bytes) -> Iterator[tuple[int, int, bytes]]:
    while len(frame) >= 4:
        word, operation, _ = struct.unpack("<HBB", frame[:4])
        length = word & 0x3FF
        if not 4 <= length <= len(frame):
            return
        yield word, operation, frame[4:length]
        frame = frame[length:]
