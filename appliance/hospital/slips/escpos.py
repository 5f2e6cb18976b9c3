"""A slip as the bytes a receipt printer understands (ESC/POS). Pure.

A table of eleven commands of our own: the libraries for this bring image and barcode packages along, and speak single-byte code pages where
printers sold in China want GB18030. Source of every command: Epson, "ESC/POS Command Reference"; of the character set: GB 18030-2022.
"""

import unicodedata
from collections.abc import Iterator

from appliance.hospital.slips.slip import Code, Line, Pair, Part, Rule, Slip

INIT = b"\x1b@"
CHINESE = b"\x1c&"  # FS &: two bytes a character, until INIT
LEFT, CENTRE = b"\x1ba\x00", b"\x1ba\x01"
NORMAL, LARGE = b"\x1d!\x00", b"\x1d!\x11"  # GS !: times as wide and high, less one
CUT = b"\x1dVB\x00"  # GS V 66: feed to the knife, and cut
ASK_DONE = b"\x1dr\x01"  # GS r: the paper sensor, answered in its turn, so once all before it is printed
ASK_CAUSE = b"\x10\x04\x02"  # DLE EOT 2: why it is off line, answered at once
ASK_PAPER = b"\x10\x04\x04"  # DLE EOT 4: the paper sensor, answered at once
NO_PAPER_DONE, NO_PAPER, COVER_OPEN, FAULTY = 0x0C, 0x60, 0x04, 0x40

QR_MODULE_DOTS = 6
_QR_MODEL_2, _QR_LEVEL_M = b"\x31\x41\x32\x00", b"\x31\x45\x31"


def render(slip: Slip, columns: int = 48) -> bytes:
    """The whole slip, from initialising to the cut. `columns`: how many Latin characters a line of the paper takes; a Chinese one takes
    two of them."""
    return INIT + CHINESE + b"".join(_part(part, columns) for part in slip.parts) + CUT


def _part(part: Part, columns: int) -> bytes:
    match part:
        case Line():
            width = columns // 2 if part.large else columns
            lines = b"".join(_encoded(line) + b"\n" for line in wrapped(part.text, width))
            return (CENTRE if part.centred else LEFT) + (LARGE if part.large else NORMAL) + lines + NORMAL
        case Pair():
            return LEFT + b"".join(_encoded(line) + b"\n" for line in wrapped(f"{part.label}: {part.value}", columns))
        case Rule():
            return LEFT + b"-" * columns + b"\n"
        case Code():
            return CENTRE + _qr(part.text) + b"\n" + LEFT


def _qr(text: str) -> bytes:
    """GS ( k, functions 165, 167, 169, 180 and 181: model, size, correction, what it says, print."""
    size = b"\x31\x43" + bytes([QR_MODULE_DOTS])
    say = b"\x31\x50\x30" + _printable(text).encode()
    return b"".join(map(_qr_command, (_QR_MODEL_2, size, _QR_LEVEL_M, say, b"\x31\x51\x30")))


def _qr_command(parameters: bytes) -> bytes:
    return b"\x1d(k" + len(parameters).to_bytes(2, "little") + parameters


def wrapped(text: str, columns: int) -> Iterator[str]:
    """The lines of a text, none wider than the paper; broken wherever it is full, as Chinese is."""
    line, used = "", 0
    for character in _printable(text):
        width = width_of(character)
        if used + width > columns:
            yield line
            line, used = "", 0
        line, used = line + character, used + width
    yield line


def width_of(character: str) -> int:
    """2 for what printers take two bytes and two columns for."""
    return 1 if character.isascii() else 2


def _printable(text: str) -> str:
    """Without what a printer would take for a command: a name is never one."""
    return "".join(" " if unicodedata.category(character)[0] in "CZ" else character for character in text)


def _encoded(text: str) -> bytes:
    return text.encode("gb18030")
