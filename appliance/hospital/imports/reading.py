"""CSV and XLSX files into rows of text. Pure: bytes in, rows out; what cannot be read is a FileRefused.

CSV may be UTF-8 (with or without mark), UTF-16 with mark (a spreadsheet's "Unicode text") or GB18030, with commas, semicolons or tabs.
"""

import csv
import io
from collections.abc import Iterator

from appliance.hospital.imports import spreadsheet
from appliance.hospital.imports.row import COLUMNS_MOST, FileRefused, Row, UnreadableError

FILE_BYTES_MOST = 32 << 20
LINE_MOST = 100_000
"""Characters of a line; the longest that is right has some thousands."""
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def read_rows(content: bytes, rows_most: int) -> list[Row] | FileRefused:
    """All rows that are not empty, the first line too."""
    if len(content) > FILE_BYTES_MOST:
        return FileRefused("too_big", {"most": FILE_BYTES_MOST >> 20})
    try:
        is_packed = content.startswith(spreadsheet.MAGIC)
        return _all(spreadsheet.rows_of(content, rows_most) if is_packed else _csv(content), rows_most)
    except UnreadableError as error:
        return error.refused


def _all(rows: Iterator[Row], rows_most: int) -> list[Row]:
    kept: list[Row] = []
    for row in rows:
        if not any(cell.strip() for cell in row.cells):
            continue
        if len(kept) > rows_most:  # one more for the titles
            raise UnreadableError("too_many_rows", most=rows_most)
        if len(row.cells) > COLUMNS_MOST:
            raise UnreadableError("too_wide", most=COLUMNS_MOST)
        kept.append(row)
    if not kept:
        raise UnreadableError("empty")
    return kept


def _csv(content: bytes) -> Iterator[Row]:
    text = io.StringIO(_decoded(content), newline="")
    first = text.readline(LINE_MOST)
    text.seek(0)
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(_lines(text), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            yield Row(line, cells)
            line = reader.line_num + 1
    except csv.Error as error:
        raise UnreadableError("csv", line=line, why=str(error)) from error


def _lines(text: io.StringIO) -> Iterator[str]:
    """A line at a time, so that none is taken apart that is longer than a row can be. Raises: UnreadableError."""
    number = 0
    while line := text.readline(LINE_MOST + 1):
        number += 1
        if len(line) > LINE_MOST:
            raise UnreadableError("long_line", line=number, most=LINE_MOST)
        yield line


def _decoded(content: bytes) -> str:
    encodings = ("utf-16",) if content.startswith(_UTF16) else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise UnreadableError("encoding")
