"""How a line of call records is read: by columns, or by a pattern, both of which may be written in careline.toml. Pure."""

import datetime as dt
import re
from typing import Annotated, Any, Literal

import msgspec

Field = Literal["date", "time", "trunk", "station", "ring", "duration", "number", "units", "kind", "account", "dialled"]
TEXTS: tuple[Field, ...] = ("trunk", "station", "number", "units", "kind", "account", "dialled")
LINE_MOST = 512
DATES = {
    "dd.mm.yy": "%d.%m.%y",
    "dd.mm.yyyy": "%d.%m.%Y",
    "dd/mm/yy": "%d/%m/%y",
    "mm/dd/yy": "%m/%d/%y",
    "yy-mm-dd": "%y-%m-%d",
    "yyyy-mm-dd": "%Y-%m-%d",
    "yymmdd": "%y%m%d",
}
DateForm = Literal["dd.mm.yy", "dd.mm.yyyy", "dd/mm/yy", "mm/dd/yy", "yy-mm-dd", "yyyy-mm-dd", "yymmdd"]
CLOCK = re.compile(r"\d:\d\d")  # without one, and without a digit at its begin, a line is a heading
Place = Annotated[int, msgspec.Meta(ge=1, le=LINE_MOST)]


class Column(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`first`, `last`: letters of the line, counted from 1, both included."""

    field: Field
    first: Place
    last: Place


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """How the lines of one model of switch are read. `pattern`: instead of columns, a regular expression whose groups are named as fields.
    `ends` False: date and time are those of the call's begin."""

    name: str
    columns: tuple[Column, ...] = ()
    pattern: str = ""
    dates: DateForm = "dd.mm.yy"
    ends: bool = True


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What a line says. `at`: in the switch's own time, None where it says none; only `time` where it says no date."""

    date: dt.date | None = None
    time: dt.time | None = None
    trunk: str = ""
    station: str = ""
    ring_s: int | None = None
    duration_s: int | None = None
    number: str = ""
    units: str = ""
    kind: str = ""
    account: str = ""
    dialled: str = ""

    def at(self, received: dt.datetime) -> dt.datetime | None:
        """In the zone of `received`, which gives the day where the switch does not."""
        if self.time is None:
            return None
        return dt.datetime.combine(self.date or received.date(), self.time, received.tzinfo)


class Unread(msgspec.Struct, frozen=True):
    """A line that is no record of this table. `why` empty: a heading or nothing."""

    why: str = ""


def fault_of(table: Table) -> str:
    """What is wrong with a table that was written; empty: nothing."""
    if bool(table.columns) == bool(table.pattern):
        return "it has to have columns or a pattern, one of them"
    backwards = next((column for column in table.columns if column.last < column.first), None)
    if backwards is not None:
        return f"its column {backwards.field} ends before it begins"
    return _pattern_fault(table.pattern)


def _pattern_fault(pattern: str) -> str:
    try:
        groups = set(re.compile(pattern).groupindex)
    except re.error as error:
        return f"its pattern is wrong ({error})"
    unknown = groups - {str(column) for column in (*TEXTS, "date", "time", "ring", "duration")}
    return f"its pattern has a group {min(unknown)}, which is no field" if unknown else ""


def read(line: str, table: Table) -> Record | Unread:
    """Of whatever line there is."""
    if not line[:1].isdigit() and not CLOCK.search(line):
        return Unread()
    fields = _by_pattern(line, table) if table.pattern else _by_columns(line, table)
    if fields is None:
        return Unread("it does not fit the pattern of its table")
    if not fields.get("date") and not fields.get("time"):
        return Unread("no date or time stands in its columns")
    try:
        return _record(fields, table)
    except ValueError as error:
        return Unread(str(error))


def _by_columns(line: str, table: Table) -> dict[str, str]:
    return {column.field: line[column.first - 1 : column.last].strip() for column in table.columns}


def _by_pattern(line: str, table: Table) -> dict[str, str] | None:
    found = re.search(table.pattern, line)
    return {name: (value or "").strip() for name, value in found.groupdict().items()} if found else None


def _record(fields: dict[str, str], table: Table) -> Record:
    known: dict[str, Any] = {name: fields.get(name, "") for name in TEXTS}
    known["date"] = _date(fields.get("date", ""), table.dates)
    known["time"] = _time(fields.get("time", ""))
    known["ring_s"] = seconds(fields.get("ring", ""))
    known["duration_s"] = seconds(fields.get("duration", ""))
    return Record(**known)


def _date(text: str, form: DateForm) -> dt.date | None:
    if not text:
        return None
    try:
        return dt.datetime.strptime(text, DATES[form]).date()  # noqa: DTZ007 a day of the switch's own calendar
    except ValueError:
        raise ValueError(f"{text!r} is no date of the form {form}") from None


def _time(text: str) -> dt.time | None:
    if not text:
        return None
    parts = re.fullmatch(r"(\d{1,2}):(\d\d)(?::(\d\d))?", text)
    if parts is None or int(parts[1]) > 23 or int(parts[2]) > 59 or int(parts[3] or 0) > 59:
        raise ValueError(f"{text!r} is no time of day")
    return dt.time(int(parts[1]), int(parts[2]), int(parts[3] or 0))


def seconds(text: str) -> int | None:
    """ "01:02:03", "02:03" (minutes and seconds), "123" seconds. Raises: ValueError."""
    if not text:
        return None
    if not re.fullmatch(r"\d{1,5}(:\d{1,2}){0,2}", text):
        raise ValueError(f"{text!r} is no duration")
    total = 0
    for part in text.split(":"):
        total = total * 60 + int(part)
    return total
