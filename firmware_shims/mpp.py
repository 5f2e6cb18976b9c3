"""The management protocol of an Astribank (MPP): status, a file for its FPGA, its EEPROM, coming back with other numbers. One thread.

Packets, little endian: length of all of it u16, number u16 (the answer has the same), operation u8 (bit 7: from the device), content. One
command at a time, each answered within 2 s, by what it asked for or by an acknowledgement with a status. Source: dahdi-tools 3,
xpp/mpptalk.c and xpp/xtalk (protocol version 0x14).
"""

import contextlib
import struct
from collections.abc import Callable, Sequence
from enum import IntEnum

import msgspec

from firmware_shims.errors import BAD_ANSWER, REFUSED, FirmwareError
from firmware_shims.intel_hex import Record
from firmware_shims.usb_link import UsbPipe

INTERFACE = 1
VERSION = 0x14
HEAD = struct.Struct("<HHB")
ANSWER = 0x80
PACKET_BYTES_MOST = 512
VERSION_BYTES = 6
FPGA_LOADED = 0x01
CARD_INFO = 1


class Op(IntEnum):
    PROTOCOL = 0x01
    SEND_START = 0x05
    SEND_SEGMENT = 0x07
    SEND_END = 0x09
    RENUMERATE = 0x0B
    CAPABILITIES = 0x0E
    STATUS = 0x11
    EXTRA = 0x13
    EEPROM_READ = 0x27
    SERIAL = 0x37
    RESET = 0x45
    HALF_RESET = 0x47


class Destination(IntEnum):
    FPGA = 1
    EEPROM = 2


STATUSES = {
    1: "the last command failed",
    2: "the reset failed",
    3: "no destination was chosen",
    4: "the data does not match",
    5: "no access",
    6: "it does not know the command",
    7: "the packet is too short",
    8: "wrong offset",
    9: "it was never programmed",
    10: "it has no large EEPROM",
    11: "it has no EEPROM",
    12: "writing failed",
    13: "the FPGA reports an error",
    14: "wrong key",
    15: "its licence does not allow that",
    16: "no power at that port",
    17: "its licence cannot be changed while the FPGA runs",
}
EEPROMS = {0: "none", 1: "small", 2: "large", 3: "?"}


class Status(msgspec.Struct, frozen=True):
    eeprom: str
    is_fpga_loaded: bool
    usb_version: str
    fpga_version: str
    eeprom_version: str


class Capabilities(msgspec.Struct, frozen=True):
    """What the box says of itself and may do; `label` is what its serial number is made of."""

    vendor: int
    product: int
    release: int
    label: str
    fxs: int
    fxo: int
    bri: int
    pri: int
    echo: int


class Mpp:
    """Commands to one box. Raises: FirmwareError CRD-011 no answer, CRD-013 an answer that is none, CRD-014 refused by its status."""

    def __init__(self, pipe: UsbPipe, where: str) -> None:
        self._pipe, self._where = pipe, where
        self._number = 0

    def protocol(self) -> int:
        """The version it speaks."""
        return self._ask(Op.PROTOCOL, bytes((VERSION, 0)), 1)[0]

    def status(self) -> Status:
        told = self._ask(Op.STATUS, b"", 2 + 3 * VERSION_BYTES)
        versions = [_text(told[at : at + VERSION_BYTES]) for at in range(2, 2 + 3 * VERSION_BYTES, VERSION_BYTES)]
        return Status(EEPROMS[told[0] >> 3 & 3], bool(told[1] & FPGA_LOADED), *versions)

    def capabilities(self) -> Capabilities:
        """Of boxes with a large EEPROM (116x)."""
        told = self._ask(Op.CAPABILITIES, b"", 16 + 12)
        _, vendor, product, release, _, label, fxs, fxo, bri, pri, _, echo = struct.unpack("<BHHHB8s6B", told[:22])
        return Capabilities(vendor, product, release, _text(label), fxs, fxo, bri, pri, echo)

    def extra(self) -> str:
        """The text its maker wrote into it."""
        return _text(self._ask(Op.EXTRA, b"", 24).rstrip(b"\xff"))

    def read_eeprom(self, offset: int, length: int) -> bytes:
        told = self._ask(Op.EEPROM_READ, struct.pack("<HH", offset, length), 2)
        return told[2 : 2 + length]

    def module_type(self, place: int) -> int:
        """1 FXS, 2 FXO, 3 BRI, 4 PRI, 5 echo canceller, 6 FXS of another kind; places 0 to 4. Needs the FPGA."""
        return self._ask(Op.SERIAL, bytes((CARD_INFO, place << 4, 0, 0)), 4)[2] >> 4

    def send_file(self, records: Sequence[Record], version: str, destination: Destination, tell: Callable[[int], None]) -> None:
        """Record by record, each acknowledged. `tell` hears percents."""
        self._order(Op.SEND_START, bytes((destination,)) + version.encode("ascii", "replace")[:VERSION_BYTES].ljust(VERSION_BYTES, b"\0"))
        for at, record in enumerate(records):
            self._order(Op.SEND_SEGMENT, struct.pack("<H", record.address) + record.data, f" for line {record.line}")
            tell(100 * (at + 1) // len(records))
        self._order(Op.SEND_END, b"")

    def renumerate(self) -> None:
        """It leaves the bus and comes back with other numbers; there is no answer."""
        self._leave(Op.RENUMERATE)

    def reset(self, half: bool = False) -> None:
        """It forgets its FPGA, and unless `half` its program too; there is no answer."""
        self._leave(Op.HALF_RESET if half else Op.RESET)

    def _leave(self, op: Op) -> None:
        with contextlib.suppress(FirmwareError):  # it may be gone before it says that it took the packet
            self._send(op, b"")

    def _order(self, op: Op, content: bytes, what: str = "") -> None:
        """A command that is only acknowledged."""
        self._send(op, content)
        answered, told = self._receive(op)
        if answered != ANSWER or len(told) != 1:
            raise self._bad(op, f"operation {answered:02X} where an acknowledgement was due")
        if told[0]:
            raise self._refused(op, told[0], what)

    def _ask(self, op: Op, content: bytes, at_least: int) -> bytes:
        self._send(op, content)
        answered, told = self._receive(op)
        if answered == ANSWER and told:
            raise self._refused(op, told[0], "")
        if answered != op | ANSWER or len(told) < at_least:
            raise self._bad(op, f"operation {answered:02X} with {len(told)} bytes")
        return told

    def _send(self, op: Op, content: bytes) -> None:
        self._number = self._number % 0xFFFF + 1
        self._pipe.send(HEAD.pack(HEAD.size + len(content), self._number, op) + content)

    def _receive(self, op: Op) -> tuple[int, bytes]:
        packet = self._pipe.receive()
        if len(packet) < HEAD.size:
            raise self._bad(op, f"{len(packet)} bytes are no packet")
        length, number, answered = HEAD.unpack(packet[: HEAD.size])
        if length != len(packet):
            raise self._bad(op, f"a packet of {len(packet)} bytes that says {length}")
        if number != self._number:
            raise self._bad(op, f"the answer to command {number} where {self._number} was asked")
        return answered, packet[HEAD.size :]

    def _bad(self, op: Op, why: str) -> FirmwareError:
        return FirmwareError(
            BAD_ANSWER, f"{self._where}: bad answer to {_word(op)}: {why}", "Unplug the card for ten seconds and try again"
        )

    def _refused(self, op: Op, status: int, what: str) -> FirmwareError:
        why = STATUSES.get(status, "a status nobody knows")
        remedy = "Is it the file for this very card? Unplug the card for ten seconds and try again"
        return FirmwareError(REFUSED, f"{self._where} refused {_word(op)}{what}: {why} (status {status})", remedy)


def _word(op: Op) -> str:
    return op.name.lower().replace("_", " ")


def _text(raw: bytes) -> str:
    return raw.partition(b"\0")[0].rstrip(b"\xff").decode("ascii", "replace")
