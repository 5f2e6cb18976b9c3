"""A firmware file as a whole, before a byte of it is sent: may these bytes go where a file of that name goes? Pure.

Addresses of the FX2: Cypress EZ-USB FX2 Technical Reference Manual, chapter 5 (memory). Heads of Digium's files: the checks of the drivers
themselves (wcxb.c, voicebus/vpmoct.c, wct4xxp/base.c, wctdm24xxp/base.c of dahdi-linux).
"""

import hashlib
import re
import zlib
from difflib import get_close_matches
from itertools import pairwise

import msgspec

from drivers.protocol import FileKind
from firmware_shims import intel_hex
from firmware_shims.catalogue import FILES
from firmware_shims.errors import NAME_UNKNOWN, FirmwareError, damaged
from firmware_shims.intel_hex import HexFile, Record

FX2_RAM = (range(0x2000), range(0xE000, 0xE200))
FPGA_BYTES_MOST = 2 * 1024 * 1024
NAMES_SHOWN = 5
GAPS_MEAN_NOTHING = 4  # one record in so many
PIC_RECORD_BYTES = 3
BLOB_BYTES = range(1024, 16 * 1024 * 1024)

DIGIUM_MARK = b"DIGIUM"
SUM_AT, SUMMED_FROM, VERSION_AT = 6, 10, 28
"""Behind the mark: check sum (little endian), what it is made of; the version is within that."""
SUM_AT_END = frozenset({"dahdi-fw-hx8.bin"})
WITH_SUM = re.compile(r"dahdi-fw-(te820|te13[34]|te43[56]|a[48][ab]|vpmoct032|hx8)\.bin")

FOREIGN = (
    (b"\x1f\x8b", "a packed archive (gzip): unpack it first"),
    (b"PK\x03\x04", "a packed archive (zip): unpack it first"),
    (b"BZh", "a packed archive (bzip2): unpack it first"),
    (b"\xfd7zXZ", "a packed archive (xz): unpack it first"),
    (b"<!DOCTYPE", "a web page: the download went wrong"),
    (b"<html", "a web page: the download went wrong"),
    (b"\x7fELF", "a program"),
)


class Checked(msgspec.Struct, frozen=True):
    """A file that may be used. `hex_file`: None for one that is no HEX file."""

    name: str
    kind: FileKind
    version: str
    sha256: str
    content: bytes
    hex_file: HexFile | None = None


def known_name(name: str) -> str:
    """The name as the table writes it; browsers and old file systems change its case.

    Raises: FirmwareError CRD-003.
    """
    found = next((known for known in FILES if known.lower() == name.lower()), None)
    if found is None:
        near = get_close_matches(name, FILES, NAMES_SHOWN) or [*sorted(FILES)[:NAMES_SHOWN], "…"]
        remedy = f"Give it the name the card's maker gave it, such as {', '.join(near)}"
        raise FirmwareError(NAME_UNKNOWN, f"no card wants a file {name!r}", remedy)
    return found


def check(name: str, content: bytes) -> Checked:
    """Raises: FirmwareError CRD-002 with the line and the reason, CRD-003 for a name no card of the table wants."""
    need = FILES[known_name(name)]
    _check_not_foreign(need.name, content)
    sha256 = hashlib.sha256(content).hexdigest()
    if need.kind in (FileKind.BLOB, FileKind.ECHO):
        _check_blob(need.name, content)
        return Checked(need.name, need.kind, _blob_version(need.name, content), sha256, content)
    parsed = intel_hex.parse(need.name, content)
    _check_hex(need.kind, parsed)
    return Checked(need.name, need.kind, parsed.version, sha256, content, parsed)


def _check_not_foreign(name: str, content: bytes) -> None:
    if not content:
        raise damaged(name, "it is empty")
    head = content.lstrip()[:16].lower()
    for mark, what in FOREIGN:
        if content.startswith(mark) or head.startswith(mark.lower()):
            raise damaged(name, f"it is {what}")


def _check_hex(kind: FileKind, parsed: HexFile) -> None:
    if kind in (FileKind.USB, FileKind.RECOVERY):
        _check_fx2(parsed)
    elif kind is FileKind.PIC:
        _check_pic(parsed)
    else:
        _check_fpga(parsed)


def _check_fx2(parsed: HexFile) -> None:
    """The program must lie in the chip's RAM, begin where the processor begins, and no byte may be there twice."""
    taken: dict[int, int] = {}
    for record in parsed.records:
        _check_no_base(parsed.name, record)
        first, last = record.address, record.address + len(record.data) - 1
        if not any(first in ram and last in ram for ram in FX2_RAM):
            raise damaged(parsed.name, f"{first:04X}-{last:04X} is not in the controller's memory (0000-1FFF, E000-E1FF)", record.line)
        for address in range(first, last + 1):
            if address in taken:
                raise damaged(parsed.name, f"address {address:04X} was written by line {taken[address]} already", record.line)
            taken[address] = record.line
    if 0 not in taken:
        raise damaged(parsed.name, "nothing at address 0000, where the controller begins")


def _check_pic(parsed: HexFile) -> None:
    for record in parsed.records:
        _check_no_base(parsed.name, record)
        if len(record.data) != PIC_RECORD_BYTES:
            raise damaged(parsed.name, f"a record of {len(record.data)} bytes; those of a PIC file have {PIC_RECORD_BYTES}", record.line)


def _check_fpga(parsed: HexFile) -> None:
    """Records go to the chip in their order, so a gap is a record that was lost; but only where addresses mean something, which the chip
    does not ask for. They may wrap at 64 KB."""
    gaps = [second.line for first, second in pairwise(parsed.records) if second.address != (first.address + len(first.data)) & 0xFFFF]
    if gaps and len(gaps) * GAPS_MEAN_NOTHING < len(parsed.records):
        raise damaged(parsed.name, "its address does not follow the record before: records are missing or doubled", gaps[0])
    total = sum(len(record.data) for record in parsed.records)
    if total > FPGA_BYTES_MOST:
        raise damaged(parsed.name, f"{total} bytes, an FPGA image has {FPGA_BYTES_MOST} at most")


def _check_no_base(name: str, record: Record) -> None:
    if record.base:
        raise damaged(name, f"address {record.base + record.address:X} is beyond the 64 KB of this processor", record.line)


def _check_blob(name: str, content: bytes) -> None:
    if len(content) not in BLOB_BYTES:
        raise damaged(name, f"{len(content)} bytes; such a file has {BLOB_BYTES.start} to {BLOB_BYTES.stop - 1}")
    if len(set(content)) == 1:
        raise damaged(name, f"every byte of it is {content[0]:02X}")
    if WITH_SUM.fullmatch(name):
        _check_digium_sum(name, content)


def _check_digium_sum(name: str, content: bytes) -> None:
    if not content.startswith(DIGIUM_MARK):
        raise damaged(name, f"it does not begin with {DIGIUM_MARK.decode()}")
    if name in SUM_AT_END:
        told, summed = content[-4:], content[:-4]
    else:
        told, summed = content[SUM_AT:SUMMED_FROM], content[SUMMED_FROM:]
    if zlib.crc32(summed) != int.from_bytes(told, "little"):
        what = f"check sum {int.from_bytes(told, 'little'):08X}, by its bytes it would be {zlib.crc32(summed):08X}"
        raise damaged(name, what)


def _blob_version(name: str, content: bytes) -> str:
    """Of those that tell it behind their check sum."""
    if not re.fullmatch(r"dahdi-fw-(te820|te13[34]|te43[56]|a[48][ab])\.bin", name):
        return ""
    return f"{int.from_bytes(content[VERSION_AT : VERSION_AT + 4], 'little'):x}"
