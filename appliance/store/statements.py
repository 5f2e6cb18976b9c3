"""The few statements that run for every event, as text: peewee takes ten times longer to make one than the database to run it.

Text that SQLite and PostgreSQL both understand; `?` becomes the placeholder of the database in use. Writer thread only.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from functools import cache
from typing import Any

import msgspec

from appliance.cdr import Cdr
from appliance.store.models import CallRecord, database

KNOWN = """
SELECT MAX(seq), MAX(CASE WHEN once_key = ? THEN 1 ELSE 0 END), MAX(CASE WHEN seq = ? AND body = ? THEN 1 ELSE 0 END)
FROM call_event WHERE call_id = ?
"""
BEGIN_RECORDING = """
INSERT INTO recording (recording_id, call_id, path, started_at, samples, lost_samples, error) VALUES (?, ?, ?, ?, 0, 0, '')
ON CONFLICT (recording_id) DO UPDATE
SET call_id = excluded.call_id, path = excluded.path, started_at = excluded.started_at, ended_at = NULL,
    samples = 0, lost_samples = 0, error = ''
"""
CALLS_SINCE = "SELECT COUNT(*) FROM call_record WHERE started_at >= ? AND direction <> ?"

_FIELDS = Cdr.__struct_fields__
_TIMES = tuple(map(_FIELDS.index, ("started_at", "answered_at", "ended_at")))
_COLUMNS = tuple(CallRecord._meta.fields[name].column_name for name in _FIELDS)
_SELECT_RECORDS = f"SELECT {', '.join(_COLUMNS)} FROM call_record WHERE call_id IN "
_UPSERT_RECORD = (
    f"INSERT INTO call_record ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))}) "
    f"ON CONFLICT (call_id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _COLUMNS if name != 'call_id')}"
)


def run(text: str, *values: Any) -> Any:
    """Execute in the transaction that is open; times as aware datetimes. The cursor."""
    bound = [_bound(value) if isinstance(value, datetime) else value for value in values]
    return database.execute_sql(_for_database(text, database.param), bound)


@cache
def insert_events(count: int) -> str:
    """For so many: call_id, seq, at, kind, body and once_key of each. Those that are there already are left as they are."""
    values = ", ".join(["(?, ?, ?, ?, ?, ?)"] * count)
    return f"INSERT INTO call_event (call_id, seq, at, kind, body, once_key) VALUES {values} ON CONFLICT DO NOTHING"


def load_records(call_ids: Collection[str]) -> dict[str, Cdr]:
    """The records of these calls, as far as there are any."""
    rows = run(_select_records(len(call_ids)), *call_ids).fetchall() if call_ids else ()
    return {record.call_id: record for record in map(_record, rows)}


@cache
def _select_records(count: int) -> str:
    return f"{_SELECT_RECORDS}({', '.join('?' * count)})"


def save_record(cdr: Cdr) -> None:
    """Store the call's record in place of what was there."""
    run(_UPSERT_RECORD, *msgspec.structs.astuple(cdr))


@cache
def _for_database(text: str, placeholder: str) -> str:
    return text.replace("?", placeholder)


def _bound(at: datetime) -> str:
    """As models.UtcField writes it."""
    return (at if at.tzinfo is UTC else at.astimezone(UTC)).isoformat(timespec="microseconds")


def _record(row: tuple[Any, ...]) -> Cdr:
    values = list(row)
    for place in _TIMES:
        if values[place] is not None:
            values[place] = datetime.fromisoformat(values[place])
    return Cdr(**dict(zip(_FIELDS, values, strict=True)))
