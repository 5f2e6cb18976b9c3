"""The box: boot loader of its FX2 (11x0), management (11x1), FPGA running (11x2). Keeps every byte it was sent; can be told to misbehave.

Written from the descriptions in dahdi-tools and the FX2's manual, apart from firmware_shims, so that both can be wrong only apart.
"""

import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.astribank.usbip import Line, StallError

LABEL = "INT00042"
VERSION_TEXT = b"10401\0"
XPP_OUT, XPP_IN, MPP_OUT, MPP_IN = 2, 6, 1, 1
STATUS, START, SEGMENT, END, RENUMERATE, CAPS, EXTRA, READ, SERIAL, RESET, HALF = 0x11, 5, 7, 9, 0x0B, 0x0E, 0x13, 0x27, 0x37, 0x45, 0x47
PROTOCOL = 1
SILENT = frozenset({RENUMERATE, RESET, HALF})


@dataclass
class Seen:
    """All that was sent: RAM writes, management commands, packets on the telephony interface."""

    ram: list[tuple[int, bytes]] = field(default_factory=list)
    commands: list[tuple[int, bytes]] = field(default_factory=list)
    telephony: list[bytes] = field(default_factory=list)

    @property
    def fpga(self) -> bytes:
        return b"".join(content[2:] for op, content in self.commands if op == SEGMENT)


@dataclass
class Faults:
    """What goes wrong. `refuse`: status by operation; `drop_at`: the segment at which it leaves the bus, once; `stays`: it comes back with
    the same numbers; `away`: it does not come back; `comes_as`: it comes back as another; `number_off`: wrong numbers in answers;
    `raw`: these bytes in place of any answer."""

    refuse: dict[int, int] = field(default_factory=dict)
    drop_at: int = 0
    stays: bool = False
    away: bool = False
    comes_as: int = 0
    number_off: int = 0
    answer_cut: int = 0
    mute: bool = False
    bad_pic: bool = False
    raw: bytes | None = None


class Box:
    """One Astribank. `family`: 0x1150 …; `on_change` hears when it left or came back (its place in sysfs follows)."""

    def __init__(self, family: int = 0x1150, revision: int = 0x0101, product: int = 0, serial: str = LABEL) -> None:
        self.family, self.revision, self.serial = family, revision, serial
        self.product = product or family
        self.devnum = 5
        self.is_present = True
        self.seen, self.faults = Seen(), Faults()
        self.modules = {0: 1, 1: 1, 4: 5}
        self.on_change: Callable[[], None] = lambda: None
        self.on_xpp: Callable[[bytes], None] = lambda content: None
        self._line: Line | None = None
        self._fpga_loaded = False
        self._next: int | None = None
        self._segments = 0
        self._pic_sum = 0
        self.came_back = threading.Event()

    # --- descriptors ---------------------------------------------------------------------------------------------------

    @property
    def _stage(self) -> int:
        return self.product & 0x000F if self.product != 0x1163 else 0

    @property
    def device_descriptor(self) -> bytes:
        strings = (1, 2, 3) if self._stage else (0, 0, 0)
        return struct.pack("<BBHBBBBHHHBBBB", 18, 1, 0x0200, 0xFF, 0, 0, 64, 0xE4E4, self.product, self.revision, *strings, 1)

    @property
    def config_descriptor(self) -> bytes:
        ends = ((XPP_OUT, 0x80 | XPP_IN), (MPP_OUT, 0x80 | MPP_IN)) if self._stage else ()
        body = b"".join(
            struct.pack("<BBBBBBBBB", 9, 4, number, 0, 2, 0xFF, 0, 0, 0)
            + b"".join(struct.pack("<BBBBHB", 7, 5, end, 2, 512, 0) for end in pair)
            for number, pair in enumerate(ends)
        )
        body = body or struct.pack("<BBBBBBBBB", 9, 4, 0, 0, 0, 0xFF, 0, 0, 0)
        return struct.pack("<BBHBBBBB", 9, 2, 9 + len(body), len(ends) or 1, 1, 0, 0xC0, 50) + body

    # --- control: enumeration and the boot loader ----------------------------------------------------------------------

    def attached(self, line: Line) -> None:
        self._line = line

    def control(self, setup: bytes, content: bytes) -> bytes:
        kind, request, value, _, _ = struct.unpack("<BBHHH", setup)
        if kind == 0x40 and request == 0xA0 and not self._stage:
            return self._ram(value, content)
        if kind == 0x80 and request == 6:
            return self._descriptor(value >> 8, value & 0xFF)
        if kind & 0x60 == 0:
            return {8: b"\x01", 0: b"\0\0"}.get(request, b"")
        raise StallError

    def after_control(self) -> None:
        """The answer to the last request is out."""
        if self._next is not None:
            product, self._next = self._next, None
            self._come_back(product)

    def _descriptor(self, kind: int, index: int) -> bytes:
        if kind == 1:
            return self.device_descriptor
        if kind == 2:
            return self.config_descriptor
        if kind == 3:
            texts = ("", "Xorcom", "Astribank", self.serial)
            raw = b"\x09\x04" if index == 0 else texts[index].encode("utf-16-le")
            return bytes((2 + len(raw), 3)) + raw
        raise StallError

    def _ram(self, address: int, content: bytes) -> bytes:
        self.seen.ram.append((address, content))
        if (address, content) == (0xE600, b"\0") and len(self.seen.ram) > 2:
            self._next = self.product if self.faults.stays else (self.family & 0xFFF0) | 1
        return b""

    # --- bulk: management and telephony --------------------------------------------------------------------------------

    def bulk_out(self, end: int, content: bytes) -> None:
        if end == MPP_OUT:
            self._command(content)
        else:
            self.seen.telephony.append(content)
            if self._stage == 1:
                self._pic(content)
            else:
                self.on_xpp(content)

    def send_xpp(self, content: bytes) -> None:
        if self._line is not None:
            self._line.send(XPP_IN, content)

    def _command(self, packet: bytes) -> None:
        length, number, op = struct.unpack("<HHB", packet[:5])
        assert length == len(packet), packet
        content = packet[5:]
        self.seen.commands.append((op, content))
        if op == SEGMENT:
            self._segments += 1
            if self._segments == self.faults.drop_at:  # once: they go on being counted
                self._come_back(self.product)
                return
        if op in SILENT:
            self._leave_for(op)
        elif not self.faults.mute:
            self._reply(number, *self._answer(op, content))

    def _answer(self, op: int, content: bytes) -> tuple[int, bytes]:
        if op in self.faults.refuse:
            return 0x80, bytes((self.faults.refuse[op],))
        if op == END:
            self._fpga_loaded = True
        if op in (START, SEGMENT, END):
            return 0x80, b"\0"
        return op | 0x80, self._told(op, content)

    def _told(self, op: int, content: bytes) -> bytes:
        if op == PROTOCOL:
            return b"\x14\0"
        if op == STATUS:
            return bytes((2 << 3, int(self._fpga_loaded))) + VERSION_TEXT * 3
        if op == CAPS:
            table = struct.pack("<BHHHB8s", 0xC2, 0xE4E4, self.product, self.revision, 0, self.serial.encode())
            return table + struct.pack("<BBBBBB2xI", 8, 8, 0, 0, 0, 16, 0) + bytes(16)
        if op == EXTRA:
            return b"emulated".ljust(24, b"\xff")
        if op == READ:
            offset, length = struct.unpack("<HH", content)
            return content[:2] + bytes((offset + each) & 0xFF for each in range(length))
        if op == SERIAL:
            return content[:2] + bytes((self.modules.get(content[1] >> 4, 0) << 4, 0))
        raise AssertionError(f"nobody sends operation {op:02X}")

    def _reply(self, number: int, op: int, content: bytes) -> None:
        packet = struct.pack("<HHB", 5 + len(content), number + self.faults.number_off, op) + content
        if self._line is not None:
            self._line.send(MPP_IN, packet[: len(packet) - self.faults.answer_cut] if self.faults.raw is None else self.faults.raw)

    def _leave_for(self, op: int) -> None:
        if op == RESET:
            self._fpga_loaded = False
            self._come_back(self.family)
        elif op == HALF:
            self._fpga_loaded = False
            self._come_back((self.family & 0xFFF0) | 1)
        else:
            ready = (self.family & 0xFFF0) | (2 if self._fpga_loaded else 1)
            self._come_back(self.product if self.faults.stays else self.faults.comes_as or ready)

    def _pic(self, packet: bytes) -> None:
        _, op, _, flags, module = struct.unpack("<HBBBB", packet[:6])
        assert op == 9, packet
        if flags == 1:
            self._pic_sum = 0
        elif flags == 0:
            for byte in packet[8:]:
                self._pic_sum ^= byte
        elif flags == 2:
            wrong = self.faults.bad_pic or packet[8] != self._pic_sum
            self.send_xpp(struct.pack("<HBBBBHB", 9, 10, 0, 2, module, 0, int(wrong)))

    # --- leaving and coming back ---------------------------------------------------------------------------------------

    def _come_back(self, product: int) -> None:
        """Off the bus, then on it again with another address, as what it is now."""
        line, self._line = self._line, None
        self.is_present = False
        self.on_change()
        if line is not None:
            line.leave()
        if self.faults.away:
            return
        self.product, self.devnum, self.is_present = product, self.devnum + 1, True
        self.on_change()
        self.came_back.set()

    def unplug(self) -> None:
        away, self.faults.away = self.faults.away, True
        self._come_back(self.product)
        self.faults.away = away

    def plug(self) -> None:
        """Plugged in: it has lost everything."""
        self._fpga_loaded = False
        self._come_back(self.family)
