"""XLSX files into rows of text, within bounds that hold whatever the file says of itself. Pure: bytes in, rows out.

A spreadsheet is packed: a few kilobytes can unpack to gigabytes, and the reader we use builds whole rows and all shared texts in memory. So
the parts are looked through first, a piece at a time, and a file that is beyond what a hospital's list can be is refused before it is read.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any
from xml.etree.ElementTree import ParseError

from appliance.hospital.imports.row import COLUMNS_MOST, Row, UnreadableError

MAGIC = b"PK\x03\x04"
UNPACKED_BYTES_MOST = 128 << 20
ROWS_BESIDE = 3  # a sheet may have so many times the rows allowed, if the others are empty ones that were once touched
CELLS_OF_A_ROW = 4 * COLUMNS_MOST  # likewise
TAGS_MOST = 4_000_000  # a full sheet of 20 000 rows and 11 columns has half as many
PIECE_BYTES = 1 << 20
OVERLAP_BYTES = 64  # a tag's name may lie across two pieces
_UNREADABLE = (zipfile.BadZipFile, ParseError, KeyError, ValueError, TypeError, IndexError, OSError, EOFError)
_TAG = re.compile(rb"<(?:[\w.-]{1,32}:)?(row|c)[\s/>]")


def rows_of(content: bytes, rows_most: int) -> Iterator[Row]:
    """The first sheet, row by row. Raises: UnreadableError."""
    import openpyxl  # 5 MB, only where somebody brings a sheet
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            _check(parts, rows_most)
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
        for line, values in enumerate(book.worksheets[0].iter_rows(values_only=True), start=1):
            yield Row(line, _cells(values))
    except (InvalidFileException, *_UNREADABLE) as error:
        raise UnreadableError("xlsx") from error


def _check(parts: zipfile.ZipFile, rows_most: int) -> None:
    """Raises: UnreadableError for more than can be read."""
    if sum(part.file_size for part in parts.infolist()) > UNPACKED_BYTES_MOST:
        raise UnreadableError("too_big", most=UNPACKED_BYTES_MOST >> 20)
    tags = 0
    for part in parts.infolist():
        rows = cells = 0
        for piece, fresh_from in _pieces(parts, part):
            tags += piece.count(b"<", fresh_from)
            for found in _TAG.finditer(piece):
                if found.end() <= fresh_from:
                    continue
                is_row = found[1] == b"row"
                rows, cells = rows + is_row, 0 if is_row else cells + 1
                if rows > ROWS_BESIDE * rows_most:
                    raise UnreadableError("too_many_rows", most=rows_most)
                if cells > CELLS_OF_A_ROW:
                    raise UnreadableError("too_wide", most=COLUMNS_MOST)
            if tags > TAGS_MOST:
                raise UnreadableError("too_many_rows", most=rows_most)


def _pieces(parts: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[tuple[bytes, int]]:
    """Unpacked, each after the end of the one before; and where it is new."""
    end = b""
    with parts.open(part) as opened:
        while piece := opened.read(PIECE_BYTES):
            yield end + piece, len(end)
            end = (end + piece)[-OVERLAP_BYTES:]


def _cells(values: tuple[Any, ...]) -> list[str]:
    cells = [_text(value) for value in values]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _text(value: Any) -> str:
    """A cell as a person would have written it. A number so long that the spreadsheet has lost digits of it keeps its exponent, and is
    then no number of anything."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value:.15g}"
    if isinstance(value, datetime | date | time):
        return str(value)
    return value if isinstance(value, str) else f"={value}"  # a formula of several cells
