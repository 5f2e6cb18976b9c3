"""What is only in a store that was put aside when the box went back to an older program: so that nothing is lost, staff enter it anew.

Used by kept.py, by the call agent's health and by the box service.
"""

import os
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Literal

import msgspec

BUSY_LIMIT_S = 5.0
SEEN = ".seen"
Change = Literal["new", "changed", "removed"]


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """A store put aside. `database`, `rows`: names beside the store. new, changed, removed: rows by table since `copy_at`, until `last_at`
    (UTC, times of the files)."""

    version: int
    back_to: int
    copy_at: datetime
    last_at: datetime
    database: str
    rows: str
    new: dict[str, int] = {}
    changed: dict[str, int] = {}
    removed: dict[str, int] = {}

    @property
    def words(self) -> str:
        """In a line, for logs and checks: "3 call_record, 1 booking"."""
        counts = Counter(self.new) + Counter(self.changed) + Counter(self.removed)
        return ", ".join(f"{count} {table}" for table, count in sorted(counts.items())) or "nothing"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    table: str
    change: Change
    row: dict[str, Any]


def tell(newer: Path, older: Path, aside: Path, version: int, back_to: int) -> None:
    """Write down beside `aside` what `newer` has and `older` has not. Nobody may have `newer` open; it ends without a write-ahead log.

    Raises: OSError, sqlite3.Error.
    """
    rows = aside.with_suffix(".jsonl")
    counts: dict[str, Counter[str]] = {"new": Counter(), "changed": Counter(), "removed": Counter()}
    with closing(_whole(newer)) as both, _file(rows) as file:
        both.execute("attach database ? as older", (f"file:{older}?mode=ro&immutable=1",))
        for row in _differences(both):
            counts[row.change][row.table] += 1
            file.write(msgspec.json.encode(row) + b"\n")
    told = Left(
        version=version,
        back_to=back_to,
        copy_at=_changed_at(older),
        last_at=_changed_at(newer),
        database=aside.name,
        rows=rows.name,
        **{change: dict(count) for change, count in counts.items()},
    )
    with _file(aside.with_suffix(".json")) as file:
        file.write(msgspec.json.encode(told))


def left_behind(store: Path) -> tuple[Left, ...]:
    """What nobody has said to have seen yet, oldest first."""
    found = sorted(store.parent.glob(f"{store.stem}-v*-left*.json"))
    told = (_read(path) for path in found if not path.stem.endswith(SEEN))
    return tuple(each for each in told if each is not None and (store.parent / each.database).exists())


def mark_seen(store: Path, database: str) -> bool:
    """Somebody has seen to it. False when there is no such."""
    known = next((each for each in left_behind(store) if each.database == database), None)
    if known is None:
        return False
    summary = (store.parent / known.database).with_suffix(".json")
    summary.rename(summary.with_suffix(f"{SEEN}.json"))
    return True


def _read(path: Path) -> Left | None:
    """None for one that was not written to its end: its store was never put aside."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Left)
    except (OSError, msgspec.DecodeError):
        return None


def _whole(path: Path) -> sqlite3.Connection:
    """Opened, its write-ahead log written back and gone, which SQLite does only while nobody else has it open. Source: sqlite.org/wal."""
    store = sqlite3.connect(f"file:{path}", uri=True, timeout=BUSY_LIMIT_S, isolation_level=None)
    store.row_factory = sqlite3.Row
    try:
        store.execute("pragma journal_mode=delete")
    except sqlite3.Error:
        store.close()
        raise
    return store


def _differences(both: sqlite3.Connection) -> Iterator[Row]:
    names = [row[0] for row in both.execute("select name from main.sqlite_master where type = 'table' order by name")]
    for table in names:
        if not table.startswith("sqlite_") and table != "schema_version":
            yield from _of_table(both, table)


def _of_table(both: sqlite3.Connection, table: str) -> Iterator[Row]:
    columns, before = _columns(both, "main", table), _columns(both, "older", table)
    keys = [name for name, is_key in columns.items() if is_key]
    shared = [name for name in columns if name in before]
    if not shared:
        yield from (Row(table=table, change="new", row=dict(row)) for row in both.execute(f'select * from main."{table}"'))
        return
    for row in _only_in(both, "main", "older", table, shared):
        change: Change = "changed" if keys and _has(both, table, keys, row) else "new"
        yield Row(table=table, change=change, row=dict(row))
    if keys:
        yield from (Row(table=table, change="removed", row=dict(row)) for row in _gone(both, table, keys))


def _columns(both: sqlite3.Connection, schema: str, table: str) -> dict[str, bool]:
    """Names, and whether each is of the primary key."""
    return {row["name"]: bool(row["pk"]) for row in both.execute(f'pragma {schema}.table_info("{table}")')}


def _only_in(both: sqlite3.Connection, here: str, there: str, table: str, columns: list[str]) -> Iterator[sqlite3.Row]:
    listed = ", ".join(f'"{name}"' for name in columns)
    return iter(both.execute(f'select {listed} from {here}."{table}" except select {listed} from {there}."{table}"'))


def _has(both: sqlite3.Connection, table: str, keys: list[str], row: sqlite3.Row) -> bool:
    where = " and ".join(f'"{key}" = ?' for key in keys)
    return both.execute(f'select 1 from older."{table}" where {where}', [row[key] for key in keys]).fetchone() is not None


def _gone(both: sqlite3.Connection, table: str, keys: list[str]) -> Iterator[sqlite3.Row]:
    same = " and ".join(f'now."{key}" = was."{key}"' for key in keys)
    return iter(both.execute(f'select was.* from older."{table}" was where not exists (select 1 from main."{table}" now where {same})'))


def _changed_at(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


@contextmanager
def _file(path: Path) -> Iterator[BinaryIO]:
    """To be written, and on the disk at the end."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o660), "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
