"""What callers can hear and patients read: notices, introduction, visiting and health advice, sponsored items.

Inside the caller's transaction.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from appliance.hospital.registry import spoken
from appliance.hospital.registry.field_fault import Refused
from appliance.hospital.registry.form import Form
from appliance.hospital.registry.unique import fields_of
from appliance.store import statements
from appliance.store.hospital_tables import Notice

KINDS = ("notice", "introduction", "visiting", "health", "sponsored")
TEXT_MOST = 1_000
_KINDS = """
SELECT kind, MAX(CASE WHEN open AND starts_at <= ? AND (ends_at IS NULL OR ends_at > ?) THEN 1 ELSE 0 END) FROM notice GROUP BY kind
"""  # asked for every caller who wants information
SPOKEN = ("title_zh", "title_en", "text_zh", "text_en")


class NoticeEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An item as filled in: columns of `Notice` by name. Ends before `ends_at`; None: without end."""

    kind: str
    title_zh: str
    title_en: str
    text_zh: str
    text_en: str
    starts_at: datetime
    ends_at: datetime | None = None
    open: bool = True
    position: int = 0


def read(given: Mapping[str, str], now: datetime, zone: ZoneInfo) -> NoticeEntry | Refused:
    """Check a form: the fields of NoticeEntry, times in the hospital's; without a start it begins now."""
    form = Form(given)
    entry = NoticeEntry(
        kind=form.choice("kind", {kind: kind for kind in KINDS}, "notice"),
        title_zh=form.text("title_zh", required=True),
        title_en=form.text("title_en", 128, required=True),
        text_zh=form.text("text_zh", TEXT_MOST, required=True, lines=True),
        text_en=form.text("text_en", TEXT_MOST * 3, required=True, lines=True),
        starts_at=(starts := form.moment("starts_at", zone) or now),
        ends_at=(ends := form.moment("ends_at", zone)),
        open=form.flag("open", default=True),
        position=form.number("position", 0, 9_999, 0),
    )
    if ends is not None and ends <= starts:
        form.fault("ends_at", "order")
    return form.refusal or entry


def save(entry: NoticeEntry, now: datetime, row_id: int | None = None, by: str = "") -> Notice:
    """Make an item, or change the one of `row_id`; the version rises when its texts changed."""
    columns = msgspec.structs.asdict(entry)
    if row_id is None:
        row = Notice.create(**columns)
        spoken.keep(f"notice {row.id}", 1, fields_of(entry, *SPOKEN), now, by)
        return row
    row = Notice.get_by_id(row_id)
    if fields_of(row, *SPOKEN) != fields_of(entry, *SPOKEN):
        columns["version"] = row.version + 1
        spoken.keep(f"notice {row_id}", row.version + 1, fields_of(entry, *SPOKEN), now, by)
    Notice.update(**columns).where(Notice.id == row_id).execute()
    return Notice.get_by_id(row_id)


def set_open(notice_id: int, *, is_open: bool) -> None:
    """Offer it or not; the next caller's menu is without it, or has it, and counts on without a gap."""
    Notice.update(open=is_open).where(Notice.id == notice_id).execute()


def arrange(ids: Sequence[int]) -> None:
    """The order in which these items are offered."""
    for position, notice_id in enumerate(ids):
        Notice.update(position=position).where(Notice.id == notice_id).execute()


def heard_now(now: datetime, *kinds: str) -> list[Notice]:
    """What is offered at this moment, of these kinds (none: of all), in its order."""
    query = Notice.select().where(_running(now)).order_by(Notice.position, Notice.id)
    return list(query.where(Notice.kind.in_(kinds)) if kinds else query)


def kinds_of(now: datetime) -> tuple[set[str], set[str]]:
    """Kinds of which something is offered at this moment, and kinds of which the hospital has written anything."""
    rows = statements.run(_KINDS, now, now).fetchall()
    return {kind for kind, heard in rows if heard}, {kind for kind, _ in rows}


def _running(now: datetime) -> Any:
    return Notice.open & (Notice.starts_at <= now) & (Notice.ends_at.is_null() | (Notice.ends_at > now))
