"""What callers can hear: which subjects and items there are at this moment, under which key, and how often each was heard to its end.

Inside the caller's transaction. Menus are made anew for every visit, so that an item switched off leaves no gap.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from peewee import Case, fn

from appliance.hospital.registry import notices
from appliance.store.hospital_tables import Doctor, Drug, Listening, Notice

KEYS = "123456789"
MORE = "9"
SPONSORED = "sponsored"
NOTICE_KINDS = ("notice", "introduction", "visiting", "health", SPONSORED)


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """One key of a menu. `item`: what `begin` counts and `TextVersion` keeps ("notice 7"). `sponsored`: this is said before it."""

    key: str
    item: str
    notice_id: int
    version: int
    title_zh: str
    title_en: str
    sponsored: bool


class Menu(msgspec.Struct, frozen=True):
    """The keys of one page, from 1 on without a gap. `more`: the key of the next page, empty when there is none; after the last page
    comes the first."""

    choices: tuple[Choice, ...]
    more: str = ""


class Subject(msgspec.Struct, frozen=True):
    """What callers may ask about, and its key: doctors, drugs, notice, introduction, visiting, health, sponsored."""

    key: str
    kind: str


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """How often an item was heard in a time. `whole`: to the end."""

    item: str
    language: str
    begun: int
    whole: int


def subjects(now: datetime, *, sponsored: bool = False) -> tuple[Subject, ...]:
    """Those about which there is something to hear now. `sponsored`: `config.hospital.sponsored`."""
    running = {row.kind for row in notices.heard_now(now)}
    kinds = [kind for kind in NOTICE_KINDS if kind in running and (sponsored or kind != SPONSORED)]
    if Drug.select().where(Drug.listed).exists():
        kinds.insert(0, "drugs")
    if Doctor.select().where(Doctor.listed).exists():
        kinds.insert(0, "doctors")
    return tuple(Subject(key, kind) for key, kind in zip(KEYS, kinds, strict=False))


def menu(now: datetime, kind: str, page: int = 0, *, sponsored: bool = False) -> Menu:
    """The items of a kind that are offered now, in their order. Without any the menu is empty."""
    rows = notices.heard_now(now, kind) if sponsored or kind != SPONSORED else []
    if len(rows) <= len(KEYS):
        return Menu(_choices(rows))
    size = len(KEYS) - 1
    first = page * size % (-(-len(rows) // size) * size)
    return Menu(_choices(rows[first : first + size]), MORE)


def chosen(now: datetime, kind: str, key: str, page: int = 0, *, sponsored: bool = False) -> Choice | None:
    """What a key means now; None for none, and for what was switched off meanwhile."""
    return next((each for each in menu(now, kind, page, sponsored=sponsored).choices if each.key == key), None)


def still_offered(notice_id: int, now: datetime) -> Notice | None:
    """The item of a menu that a caller was told, whatever its key would be by now; None when it was switched off or is over."""
    return next((row for row in notices.heard_now(now) if row.id == notice_id), None)


def begin(item: str, version: int, language: str, call: str, once_key: str, now: datetime) -> None:
    """A caller is read that version of an item: "drug 1203", "notice 7", "doctor 15". Counted once for a key."""
    columns = {"item": item, "version": version, "language": language, "call": call, "once_key": once_key, "at": now, "whole": False}
    Listening.insert(**columns).on_conflict_ignore().execute()


def heard_whole(once_key: str) -> None:
    """It was heard to its end."""
    Listening.update(whole=True).where(Listening.once_key == once_key).execute()


def listened(since: datetime, until: datetime, items: Iterable[str] | None = None) -> list[Heard]:
    """How often each item was heard from `since` to before `until`, what was heard most first; `items`: these only."""
    begun, whole = fn.COUNT(Listening.id), fn.SUM(Case(None, [(Listening.whole, 1)], 0))
    query: Any = Listening.select(Listening.item, Listening.language, begun, whole).where(Listening.at >= since, Listening.at < until)
    if items is not None:
        query = query.where(Listening.item.in_(list(items)))
    rows = query.group_by(Listening.item, Listening.language).order_by(begun.desc(), Listening.item, Listening.language).tuples()
    return [Heard(item=item, language=language, begun=count, whole=int(to_end)) for item, language, count, to_end in rows]


def sponsor_report(since: datetime, until: datetime) -> list[Heard]:
    """How often what was paid for was heard; only what was heard to the end counts towards it."""
    sponsored = [f"notice {row.id}" for row in Notice.select().where(Notice.kind == SPONSORED)]
    return listened(since, until, sponsored)


def _choices(rows: Iterable[Notice]) -> tuple[Choice, ...]:
    return tuple(_choice(key, row) for key, row in zip(KEYS, rows, strict=False))


def _choice(key: str, row: Notice) -> Choice:
    return Choice(
        key=key,
        item=f"notice {row.id}",
        notice_id=row.id,
        version=row.version,
        title_zh=row.title_zh,
        title_en=row.title_en,
        sponsored=row.kind == SPONSORED,
    )
