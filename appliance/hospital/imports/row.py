"""What every kind of file is read into, and how reading one ends early. Pure."""

import msgspec

from appliance.hospital.registry.field_fault import Language

COLUMNS_MOST = 64

TEXTS: dict[str, tuple[str, str]] = {
    "empty": ("文件是空的", "The file is empty"),
    "too_big": ("文件太大：最多 {most} MB，请分成几个文件", "The file is too large: at most {most} MB; split it"),
    "too_many_rows": ("行数太多：最多 {most} 行，请分成几个文件", "The file has too many rows: at most {most}; split it"),
    "too_wide": ("列数太多：最多 {most} 列", "The file has too many columns: at most {most}"),
    "encoding": ("无法识别文字编码，请另存为 UTF-8", "The characters cannot be read: save it as UTF-8"),
    "csv": ("第 {line} 行附近不是有效的 CSV：{why}", "Near line {line} this is no CSV: {why}"),
    "long_line": ("第 {line} 行太长：最多 {most} 个字符", "Line {line} is too long: at most {most} characters"),
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


class UnreadableError(Exception):
    """Never leaves this package: `reading.read_rows` makes it a value."""

    def __init__(self, code: str, **values: str | int) -> None:
        self.refused = FileRefused(code, values)
