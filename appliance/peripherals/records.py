"""Call records of another switch in the store: the line as it came, first; what it says, after. Inside the caller's transaction."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from appliance.peripherals.spool import Came
from appliance.store.peripheral_tables import SwitchRecord
from drivers.smdr.replay import KEPT, ReplayWatch
from drivers.smdr.table import Table, Unread, read

READ_AT_ONCE = 200
SHOWN_MOST = 200


def watch(source: str) -> ReplayWatch:
    """With the last lines of the source."""
    rows = SwitchRecord.select(SwitchRecord.id, SwitchRecord.line).where(SwitchRecord.source == source, SwitchRecord.double_of.is_null())
    return ReplayWatch([(row.id, row.line) for row in reversed(list(rows.order_by(SwitchRecord.id.desc()).limit(KEPT)))])


def keep(source: str, lines: list[Came], replay: ReplayWatch, *, again: bool = False) -> None:
    """`again`: some may be in the store already, since the program was killed before it knew."""
    for came in lines:
        if again and _is_there(source, came):
            continue
        double = replay.double_of(came.line)
        row = SwitchRecord.create(source=source, received_at=came.at, line=came.line, double_of=double)
        if double is None:
            replay.keep(row.id, came.line)


def _is_there(source: str, came: Came) -> bool:
    same = (SwitchRecord.source == source) & (SwitchRecord.received_at == came.at) & (SwitchRecord.line == came.line)
    return bool(SwitchRecord.select().where(same).exists())


def read_new(source: str, table: Table, zone: ZoneInfo) -> int:
    """Some of the lines that nobody has read yet; how many."""
    new = SwitchRecord.select().where(SwitchRecord.source == source, SwitchRecord.state == "raw")
    rows = list(new.order_by(SwitchRecord.id).limit(READ_AT_ONCE))
    for row in rows:
        SwitchRecord.update(_said(row.line, row.received_at, table, zone)).where(SwitchRecord.id == row.id).execute()
    return len(rows)


def _said(line: str, received_at: datetime, table: Table, zone: ZoneInfo) -> dict[str, Any]:
    """All columns, since the line may have been read by another table before."""
    empty = {"error": "", "ended_at": None, "ring_s": None, "duration_s": None}
    empty |= dict.fromkeys(("trunk", "station", "number", "units", "kind", "account", "dialled"), "")
    found = read(line, table)
    if isinstance(found, Unread):
        return empty | {"state": "unread" if found.why else "other", "error": found.why[:SHOWN_MOST]}
    fields = msgspec.structs.asdict(found)
    at = found.at(received_at.astimezone(zone))
    if at is not None and not table.ends:
        at += timedelta(seconds=found.duration_s or 0)
    return empty | {name: fields[name] for name in empty if name in fields} | {"state": "read", "ended_at": at}


def counts(source: str, midnight: datetime) -> tuple[int, int]:
    """Lines since `midnight`, lines that could not be read."""
    mine = SwitchRecord.select().where(SwitchRecord.source == source)
    return mine.where(SwitchRecord.received_at >= midnight).count(), mine.where(SwitchRecord.state == "unread").count()
