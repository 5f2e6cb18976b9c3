"""Trying a file: every line's faults, what is new and what would change. Then, if it is wished, all of it in one transaction.

`read_file` (no store, any thread) → `compare` (transaction, changes nothing) or `save` (transaction).

Nothing is saved while a single line has a fault. Rows the file does not have are left alone, and counted.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from peewee import chunked

from appliance.hospital import prices
from appliance.hospital.imports.kinds import KINDS
from appliance.hospital.imports.reading import read_rows
from appliance.hospital.imports.row import FileRefused, Row
from appliance.hospital.imports.subjects import CHUNK, Line, Setting, Subject, There, field_of
from appliance.hospital.registry.field_fault import FieldFault, Language, Refused

SHOWN_MOST = 200


class LineFault(msgspec.Struct, frozen=True):
    """`column`: its title in the file, empty for the whole line."""

    line: int
    column: str
    fault: FieldFault

    def text(self, language: Language) -> str:
        return self.fault.text(language)


class Change(msgspec.Struct, frozen=True):
    """What would become of a row that is there: by field, before and after."""

    line: int
    key: str
    fields: dict[str, tuple[str, str]]


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What importing the file would do, or has done (`saved`). `faults` and `changes`: the first SHOWN_MOST of `fault_count` and `changed`.
    `absent`: rows of the store that are not in the file; they stay. `held`: prices that were saved as asked for, and wait for a second
    person."""

    kind: str
    rows: int
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    absent: int = 0
    fault_count: int = 0
    faults: tuple[LineFault, ...] = ()
    changes: tuple[Change, ...] = ()
    saved: bool = False
    held: int = 0


class _Changed(msgspec.Struct, frozen=True):
    """`entry`: what the row that was found becomes."""

    line: int
    found: There
    entry: Any


class FileRead:
    """A file that was read, and what has been found out about it: the columns' titles, lines that could be read, faults."""

    def __init__(self, subject: Subject, titles: dict[str, str]) -> None:
        self.subject = subject
        self.titles = titles
        self.faults: list[LineFault] = []
        self.lines: list[Line] = []
        self.there: dict[str, There] = {}
        self.new: list[Any] = []
        self.changed: list[_Changed] = []

    def fault(self, line: int, fault: FieldFault) -> None:
        self.faults.append(LineFault(line, self.titles.get(fault.field, fault.field), fault))

    def key(self, line: Line) -> str:
        return next(iter(self.subject.keys(line.entry).values()))


def compare(work: FileRead) -> Trial:
    """Transaction: what importing it would do. Changes nothing; once for each FileRead."""
    for chunk in chunked(work.lines, CHUNK):
        _compare(work, chunk)
    for line, fault in work.subject.together(work.lines, work.there):
        work.fault(line, fault)
    _sort(work)
    return _trial(work)


def save(work: FileRead, setting: Setting) -> Trial:
    """Transaction: save it, unless a line has a fault: then nothing is saved, and the trial says what is wrong."""
    trial = compare(work)
    if trial.fault_count:
        return trial
    _save(work, setting)
    prices.ask(setting.held, prices.IMPORT, setting.by, setting.now)
    return msgspec.structs.replace(trial, saved=True, held=len(setting.held))


def read_file(kind: str, content: bytes, setting: Setting) -> FileRead | FileRefused:
    """Without the store, in any thread: seconds for a large file. `kind`: a key of KINDS."""
    subject = KINDS[kind]
    rows = read_rows(content, subject.rows_most)
    if isinstance(rows, FileRefused):
        return rows
    columns = _columns(subject, rows[0].cells)
    if isinstance(columns, FileRefused):
        return columns
    if len(rows) < 2:
        return FileRefused("no_rows")
    work = FileRead(subject, dict(zip(columns, rows[0].cells, strict=False)))
    for row in rows[1:]:
        _read_row(work, columns, row, setting)
    _find_repeated(work)
    return work


def _columns(subject: Subject, titles: Sequence[str]) -> list[str] | FileRefused:
    """The column of each title, by its own name or either language's; "" for a title that is empty."""
    known = {name: name for name in subject.columns}
    known |= {title.lower(): name for name, both in subject.columns.items() for title in both}
    plain = [title.strip().lower() for title in titles]
    unknown = [title for title in plain if title and title not in known]
    columns = [known.get(title, "") for title in plain]
    missing = [name for name in subject.columns if name in subject.required and name not in columns]
    twice = sorted({name for name in columns if name and columns.count(name) > 1})
    for code, names in (("column_unknown", unknown), ("column_twice", twice), ("column_missing", missing)):
        if names:
            return FileRefused(code, {"columns": ", ".join(name[:32] for name in names[:16])})
    return columns


def _read_row(work: FileRead, columns: Sequence[str], row: Row, setting: Setting) -> None:
    given = {column: cell for column, cell in zip(columns, row.cells, strict=False) if column}
    entry = work.subject.read(given, setting)
    if isinstance(entry, Refused):
        for fault in entry.faults:
            work.fault(row.line, fault)
    else:
        work.lines.append(Line(row.line, entry))


def _find_repeated(work: FileRead) -> None:
    """The later of two lines that claim the same is wrong."""
    seen: dict[tuple[str, str], int] = {}
    kept: list[Line] = []
    for line in work.lines:
        claims = [claim for claim in work.subject.keys(line.entry).items() if claim[1]]
        again = [claim for claim in claims if claim in seen]
        for column, value in again:
            work.fault(line.line, FieldFault(column, "repeated", {"line": seen[column, value]}))
        seen |= {claim: line.line for claim in claims if claim not in seen}
        if not again:
            kept.append(line)
    work.lines = kept


def _compare(work: FileRead, chunk: Sequence[Line]) -> None:
    """Find what is there already, and what the store knows to be wrong."""
    there = work.subject.there([work.key(line) for line in chunk])
    work.there |= there
    for line, fault in work.subject.conflicts(chunk, there):
        work.fault(line, fault)


def _trial(work: FileRead) -> Trial:
    faults = sorted(work.faults, key=lambda fault: fault.line)
    known = len(work.lines) - len(work.new)
    return Trial(
        kind=work.subject.name,
        rows=len(work.lines) + len({fault.line for fault in faults} - {line.line for line in work.lines}),
        new=len(work.new),
        changed=len(work.changed),
        unchanged=known - len(work.changed),
        absent=max(0, work.subject.count() - known),
        fault_count=len(faults),
        faults=tuple(faults[:SHOWN_MOST]),
        changes=tuple(_change(work, changed) for changed in work.changed[:SHOWN_MOST]),
    )


def _sort(work: FileRead) -> None:
    """Which lines are new, which change what is there."""
    absent = (work.subject.columns.keys() - work.titles.keys() - work.subject.derived) | work.subject.fixed
    for line in work.lines:
        found = work.there.get(work.key(line))
        if found is None:
            work.new.append(line.entry)
        elif (merged := _merged(line.entry, found.entry, absent)) != found.entry:
            work.changed.append(_Changed(line.line, found, merged))


def _merged(entry: Any, found: Any, absent: Iterable[str]) -> Any:
    """The entry, with what the store has where the file has no such column, or must not change it."""
    kept = {field: getattr(found, field) for field in (field_of(column, entry) for column in absent)}
    return msgspec.structs.replace(entry, **kept) if kept else entry


def _change(work: FileRead, changed: _Changed) -> Change:
    before, after = msgspec.structs.asdict(changed.found.entry), msgspec.structs.asdict(changed.entry)
    differing = {name: (_shown(before[name]), _shown(after[name])) for name in after if before[name] != after[name]}
    return Change(changed.line, next(iter(work.subject.keys(changed.entry).values())), differing)


def _shown(value: Any) -> str:
    return " ".join(value) if isinstance(value, tuple) else "" if value is None else str(value)


def _save(work: FileRead, setting: Setting) -> None:
    for changed in work.changed:
        work.subject.update(changed.found, changed.entry, setting)
    for chunk in chunked(work.new, CHUNK):
        work.subject.insert(chunk, setting)
