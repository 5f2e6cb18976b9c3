"""CSV and XLSX files into rows of text. Pure: bytes in, rows out; what cannot be read is a FileRefused.

CSV may be UTF-8 (with or without mark), UTF-16 with mark (a spreadsheet's "Unicode text") or GB18030, with commas, semicolons or tabs.
"""

import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any
from xml.etree.ElementTree import ParseError

import msgspec
import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from appliance.hospital.registry.field_fault import Language

FILE_BYTES_MOST = 32 << 20
UNPACKED_BYTES_MOST = 128 << 20  # of a spreadsheet, which is packed
COLUMNS_MOST = 64
_XLSX_MAGIC = b"PK\x03\x04"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_UNREADABLE = (zipfile.BadZipFile, InvalidFileException, ParseError, KeyError, ValueError, TypeError, IndexError, OSError)

TEXTS: dict[str, tuple[str, str]] = {
    "empty": ("文件是空的", "The file is empty"),
    "too_big": ("文件太大：最多 {most} MB，请分成几个文件", "The file is too large: at most {most} MB; split it"),
    "too_many_rows": ("行数太多：最多 {most} 行，请分成几个文件", "The file has too many rows: at most {most}; split it"),
    "too_wide": ("列数太多：最多 {most} 列", "The file has too many columns: at most {most}"),
    "encoding": ("无法识别文字编码，请另存为 UTF-8", "The characters cannot be read: save it as UTF-8"),
    "csv": ("第 {line} 行附近不是有效的 CSV：{why}", "Near line {line} this is no CSV: {why}"),
    "xlsx": ("无法读取这个电子表格，请另存为 XLSX 或 CSV", "This spreadsheet cannot be read: save it as XLSX or CSV"),
    "column_unknown": ("第一行有不认识的列：{columns}", "The first line has columns nobody knows: {columns}"),
    "column_missing": ("第一行缺少列：{columns}", "The first line lacks columns: {columns}"),
    "column_twice": ("第一行有重复的列：{columns}", "The first line has columns twice: {columns}"),
    "no_rows": ("第一行之后没有内容", "There is nothing after the first line"),
}


class FileRefused(msgspec.Struct, frozen=True):
    """The whole file will not do. `code`: a key of TEXTS."""

    code: str
    values: dict[str, str | int] = {}

    def text(self, language: Language) -> str:
        return TEXTS[self.code][language == "en"].format(**self.values)


class Row(msgspec.Struct, frozen=True):
    """`line` as the file counts them, from 1; `cells` as they stand."""

    line: int
    cells: list[str]


class _Unreadable(Exception):  # noqa: N818  # never leaves this module
    def __init__(self, code: str, **values: str | int) -> None:
        self.refused = FileRefused(code, values)


def read_rows(content: bytes, rows_most: int) -> list[Row] | FileRefused:
    """All rows that are not empty, the first line too."""
    if len(content) > FILE_BYTES_MOST:
        return FileRefused("too_big", {"most": FILE_BYTES_MOST >> 20})
    try:
        return _all(_xlsx(content) if content.startswith(_XLSX_MAGIC) else _csv(content), rows_most)
    except _Unreadable as error:
        return error.refused


def _all(rows: Iterator[Row], rows_most: int) -> list[Row]:
    kept: list[Row] = []
    for row in rows:
        if not any(cell.strip() for cell in row.cells):
            continue
        if len(kept) > rows_most:  # one more for the titles
            raise _Unreadable("too_many_rows", most=rows_most)
        if len(row.cells) > COLUMNS_MOST:
            raise _Unreadable("too_wide", most=COLUMNS_MOST)
        kept.append(row)
    if not kept:
        raise _Unreadable("empty")
    return kept


def _csv(content: bytes) -> Iterator[Row]:
    text = _decoded(content)
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            yield Row(line, cells)
            line = reader.line_num + 1
    except csv.Error as error:
        raise _Unreadable("csv", line=line, why=str(error)) from error


def _decoded(content: bytes) -> str:
    encodings = ("utf-16",) if content.startswith(_UTF16) else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise _Unreadable("encoding")


def _xlsx(content: bytes) -> Iterator[Row]:
    """The first sheet, row by row."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            if sum(part.file_size for part in parts.infolist()) > UNPACKED_BYTES_MOST:
                raise _Unreadable("too_big", most=UNPACKED_BYTES_MOST >> 20)
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
        sheet = book.worksheets[0]
        for line, values in enumerate(sheet.iter_rows(values_only=True), start=1):
            yield Row(line, _cells(values))
    except _UNREADABLE as error:
        raise _Unreadable("xlsx") from error


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
