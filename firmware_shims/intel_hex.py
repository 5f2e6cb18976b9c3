"""Intel HEX: lines into records, each fault with its line. Pure.

Stricter than the tools that load such files: what they pass over in silence could brick a card. Source: Intel, Hexadecimal Object File
Format Specification, revision A (1988).
"""

import re
from collections.abc import Iterator

import msgspec

from firmware_shims.errors import damaged

MAX_LINES = 20_000
MAX_BYTES = 4 * 1024 * 1024

HEAD_BYTES = 4  # length, address (2), type; the sum comes last
DATA, END, SEGMENT, START_SEGMENT, LINEAR, START_LINEAR = range(6)
LENGTHS = {END: 0, SEGMENT: 2, START_SEGMENT: 4, LINEAR: 2, START_LINEAR: 4}
END_OF_DOS_FILE = "\x1a"


class Record(msgspec.Struct, frozen=True):
    """Bytes for one place. `address`: as its line says (16 bits); `base`: what earlier lines add to it."""

    line: int
    address: int
    data: bytes
    base: int = 0


class HexFile(msgspec.Struct, frozen=True):
    """`version`: of the `$Id: NAME VERSION …$` in a comment, empty where there is none."""

    name: str
    records: tuple[Record, ...]
    version: str


def parse(name: str, content: bytes) -> HexFile:
    """Raises: FirmwareError CRD-002, with the line and the reason."""
    records, version, base, ended_at = [], "", 0, 0
    for number, text in _lines(name, content):
        if ended_at:
            raise damaged(name, f"something follows the end record of line {ended_at}", number)
        if text.startswith("#"):
            version = version or _version(text)
            continue
        kind, address, data = _record(name, number, text)
        if kind == DATA:
            records.append(Record(number, address, data, base))
        elif kind == END:
            ended_at = number
        elif kind in (SEGMENT, LINEAR):
            base = int.from_bytes(data, "big") << (4 if kind == SEGMENT else 16)
    if not ended_at:
        raise damaged(name, "the end record is missing: the file was cut off")
    if not records:
        raise damaged(name, "it holds no data")
    return HexFile(name, tuple(records), version)


def _lines(name: str, content: bytes) -> Iterator[tuple[int, str]]:
    if len(content) > MAX_BYTES:
        raise damaged(name, f"{len(content)} bytes, a firmware file has {MAX_BYTES} at most")
    try:
        text = content.decode("ascii")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise damaged(name, f"byte 0x{content[error.start]:02X} is no character of a HEX file", line) from error
    lines = text.removesuffix(END_OF_DOS_FILE).split("\n")
    if lines[-1] == "":
        lines.pop()
    if len(lines) > MAX_LINES:
        raise damaged(name, f"more than {MAX_LINES} lines", MAX_LINES + 1)
    for number, each in enumerate(lines, 1):
        yield number, each.removesuffix("\r").rstrip(" \t")


def _record(name: str, number: int, text: str) -> tuple[int, int, bytes]:
    found = re.fullmatch(r":((?:[0-9A-Fa-f]{2})+)", text)
    if found is None:
        raise damaged(name, _syntax(text), number)
    raw = bytes.fromhex(found[1])
    if len(raw) < HEAD_BYTES + 1 or len(raw) != HEAD_BYTES + 1 + raw[0]:
        raise damaged(name, f"the record says {raw[0]} bytes and has {max(0, len(raw) - HEAD_BYTES - 1)}", number)
    if sum(raw) & 0xFF:
        right = -sum(raw[:-1]) & 0xFF
        raise damaged(name, f"check sum {raw[-1]:02X}, by its bytes it would be {right:02X}", number)
    kind, address, data = raw[3], int.from_bytes(raw[1:3], "big"), raw[HEAD_BYTES:-1]
    if kind != DATA:
        _check_special(name, number, kind, address, data)
    elif not data:
        raise damaged(name, "a data record without data", number)
    return kind, address, data


def _syntax(text: str) -> str:
    if not text:
        return "the line is empty"
    if text[0] != ":":
        return f"it begins with {text[0]!r}, not with a colon"
    if odd := re.search(r"[^0-9A-Fa-f]", text[1:]):
        return f"{odd[0]!r} is no hexadecimal digit"
    return "a half byte at its end"


def _check_special(name: str, number: int, kind: int, address: int, data: bytes) -> None:
    if kind not in LENGTHS:
        raise damaged(name, f"record type {kind:02X} does not exist", number)
    if len(data) != LENGTHS[kind]:
        raise damaged(name, f"a record of type {kind:02X} with {len(data)} bytes instead of {LENGTHS[kind]}", number)
    if address:
        raise damaged(name, f"a record of type {kind:02X} at address {address:04X} instead of 0000", number)


def _version(comment: str) -> str:
    found = re.search(r"\$Id: \S+ (\S+)[^$]*\$", comment)
    return found[1] if found else ""
