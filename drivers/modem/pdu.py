"""PDUs as AT+CMGS takes them and AT+CMGL gives them: SUBMIT out, DELIVER and STATUS-REPORT in. Pure.

Source: 3GPP TS 23.040, 9.2.2 (layouts), 9.2.3 (fields); TS 27.005, 3.1 (the service centre's address stands before the PDU).
"""

from datetime import UTC, datetime, timedelta, timezone
from enum import Enum

import msgspec

from drivers.modem import body
from drivers.modem.body import Body, Concat
from drivers.modem.numbers import address, digits_of, read_address

DELIVER, SUBMIT, STATUS_REPORT = 0, 1, 2
HEADER, REPORT_ASKED, VALIDITY_RELATIVE = 0x40, 0x20, 0x10


class PduError(ValueError):
    """Octets that are no PDU we know."""


class Submit(msgspec.Struct, frozen=True):
    """`hex` for the modem; `octets`: what AT+CMGS= is told, without the service centre's address."""

    hex: str
    octets: int


class Deliver(msgspec.Struct, frozen=True):
    """A message, or a part of one. `at`: the service centre's time, None where it gives none."""

    sender: str
    text: str
    at: datetime | None
    concat: Concat | None = None
    binary: bytes = b""


class Fate(Enum):
    """What a status report says: it arrived, it is still being tried, it never will."""

    DELIVERED = "delivered"
    TRYING = "trying"
    FAILED = "failed"


class StatusReport(msgspec.Struct, frozen=True):
    """`reference`: as AT+CMGS answered. `status`: TP-ST. `taken_at`: when the network took the message; `at`: of this."""

    reference: int
    number: str
    status: int
    taken_at: datetime | None
    at: datetime | None

    @property
    def fate(self) -> Fate:
        """Source: 23.040, 9.2.3.15."""
        return Fate.DELIVERED if self.status < 0x20 else Fate.TRYING if self.status < 0x40 else Fate.FAILED


def submit(number: str, part: Body, valid_h: int = 48) -> Submit:
    """A part to `number`, with a status report asked for; the modem puts its own reference."""
    first = SUBMIT | VALIDITY_RELATIVE | REPORT_ASKED | (HEADER if part.concat else 0)
    tpdu = bytes((first, 0)) + address(number) + bytes((0, part.coding, _validity(valid_h), part.length)) + part.octets
    return Submit((b"\x00" + tpdu).hex().upper(), len(tpdu))


def _validity(hours: int) -> int:
    """Source: 23.040, 9.2.3.12.1."""
    if hours <= 12:
        return max(1, hours) * 12 - 1
    return 143 + (hours - 12) * 2 if hours <= 24 else 166 + min(30, max(2, -(-hours // 24)))


def read(hex_text: str) -> Deliver | StatusReport:
    """What the modem has stored or told. Raises: PduError."""
    try:
        octets = _Octets(bytes.fromhex(hex_text))
        octets.take(octets.one())
        first = octets.one()
        if first & 3 == DELIVER:
            return _deliver(first, octets)
        if first & 3 == STATUS_REPORT:
            return _status_report(octets)
    except (ValueError, IndexError) as error:
        raise PduError(str(error)) from error
    raise PduError(f"it is of kind {first & 3}, neither a message nor a report")


class _Octets:
    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._place = 0

    def one(self) -> int:
        return self.take(1)[0]

    def take(self, count: int) -> bytes:
        taken = self._octets[self._place : self._place + count]
        if len(taken) < count:
            raise PduError(f"it ends after {len(self._octets)} octets")
        self._place += count
        return taken

    def address(self) -> str:
        length = self.one()
        return read_address(length, self.take(1 + (length + 1) // 2))

    def rest(self) -> bytes:
        return self._octets[self._place :]


def _deliver(first: int, octets: _Octets) -> Deliver:
    sender = octets.address()
    octets.one()  # protocol identifier
    coding = octets.one()
    at = _moment(octets.take(7))
    length = octets.one()
    said = body.read(octets.rest(), length, coding, bool(first & HEADER))
    return Deliver(sender, said.text, at, said.concat, said.binary)


def _status_report(octets: _Octets) -> StatusReport:
    reference, number = octets.one(), octets.address()
    taken_at, at = _moment(octets.take(7)), _moment(octets.take(7))
    return StatusReport(reference, number, octets.one(), taken_at, at)


def _moment(octets: bytes) -> datetime | None:
    """Swapped digits; the zone in quarters of an hour, its sign in bit 3. Source: 23.040, 9.2.3.11."""
    quarters = (octets[6] & 0x7) * 10 + (octets[6] >> 4)
    zone = timezone(timedelta(minutes=15 * (-quarters if octets[6] & 0x8 else quarters)))
    digits = digits_of(octets[:6])
    try:
        year, month, day, hour, minute, second = (int(digits[place : place + 2]) for place in range(0, 12, 2))
        return datetime(2000 + year, month, day, hour, minute, second, tzinfo=zone).astimezone(UTC)
    except ValueError:
        return None
