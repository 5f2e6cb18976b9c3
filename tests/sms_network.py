"""The network behind the modem in software: SUBMIT taken apart, DELIVER and STATUS-REPORT made. Shares nothing with the product."""

from dataclasses import dataclass
from datetime import datetime

STAMP = bytes.fromhex("62308020000023")  # 2026-03-08 02:00:00 +08:00


@dataclass(frozen=True)
class Submitted:
    """A SUBMIT as it was handed over. `address`: its octets, length and type included; `data`: user data, header included."""

    reference: int
    first: int
    address: bytes
    coding: int
    length: int
    data: bytes

    @property
    def report(self) -> bool:
        return bool(self.first & 0x20)

    @property
    def has_header(self) -> bool:
        return bool(self.first & 0x40)

    @property
    def digits(self) -> str:
        swapped = "".join(f"{octet:02x}"[::-1] for octet in self.address[2:])
        return swapped.rstrip("f")

    @property
    def ucs2(self) -> str:
        """The text of one part, for a message in UCS-2."""
        skipped = self.data[0] + 1 if self.has_header else 0
        return self.data[skipped:].decode("utf-16-be")


def taken_apart(text: str, reference: int) -> Submitted:
    octets = bytes.fromhex(text)
    rest = octets[octets[0] + 1 :]
    first = rest[0]
    address = rest[2 : 4 + (rest[2] + 1) // 2]
    rest = rest[2 + len(address) :]
    validity = (0, 7, 1, 7)[first >> 3 & 3]
    return Submitted(reference, first, address, rest[1], rest[2 + validity], rest[3 + validity :])


def stamp_at(second: int) -> bytes:
    """So many seconds of the day of STAMP."""
    return STAMP[:3] + bytes(int(f"{value:02d}"[::-1], 16) for value in (second // 3600 % 24, second // 60 % 60, second % 60)) + STAMP[6:]


def stamp_of(at: datetime) -> bytes:
    """Of that moment, in UTC."""
    return bytes(int(f"{value:02d}"[::-1], 16) for value in (at.year % 100, at.month, at.day, at.hour, at.minute, at.second, 0))


def report_pdu(submitted: Submitted, status: int = 0, at: datetime | None = None) -> str:
    stamps = (stamp_of(at) if at else STAMP) * 2
    return (b"\x00\x06" + bytes((submitted.reference,)) + submitted.address + stamps + bytes((status,))).hex().upper()


def deliver_pdu(sender: bytes, coding: int, length: int, data: bytes, *, has_header: bool = False, stamp: bytes = STAMP) -> str:
    first = 0x04 | (0x40 if has_header else 0)
    return (b"\x00" + bytes((first,)) + sender + bytes((0, coding)) + stamp + bytes((length,)) + data).hex().upper()


def sent_back(submitted: Submitted) -> str:
    """What the telephone called would get, told as if it came from there."""
    return deliver_pdu(submitted.address, submitted.coding, submitted.length, submitted.data, has_header=submitted.has_header)


def chinese_pdu(sender: bytes, text: str, part: tuple[int, int, int] | None = None, second: int = 0) -> str:
    """A message in UCS-2, or a part (reference, count, number) of one."""
    header = bytes((5, 0, 3, *part)) if part else b""
    data = header + text.encode("utf-16-be")
    return deliver_pdu(sender, 8, len(data), data, has_header=part is not None, stamp=stamp_at(second))


def address(digits: str) -> bytes:
    padded = digits + "f" * (len(digits) % 2)
    return bytes((len(digits), 0x91)) + bytes(int(padded[place : place + 2][::-1], 16) for place in range(0, len(padded), 2))
