"""Places of clinics: which are free, kept for somebody, taken. A place is taken by the one statement that also checks that it is free, so
that two processes never have the same. Inside the caller's transaction."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec
from peewee import fn

from appliance.hospital.booking.reasons import NotBooked, Reason, refusal
from appliance.hospital.booking.rules import rules_for
from appliance.store.booking_tables import Clinic, Slot

FREE = "free"
HELD = "held"
BOOKED = "booked"
BLOCKED = "blocked"


class Held(msgspec.Struct, frozen=True):
    """A place kept until `until`; after that it is free again by itself."""

    slot: int
    at: datetime
    until: datetime
    fee_fen: int


def is_free(now: datetime) -> Any:
    """The condition: free, or kept for somebody whose time is over."""
    return (Slot.state == FREE) | ((Slot.state == HELD) & (Slot.held_until < now))


def _open_to(holders: Iterable[str], now: datetime) -> Any:
    known = [holder for holder in holders if holder]
    return is_free(now) | ((Slot.state == HELD) & Slot.held_by.in_(known)) if known else is_free(now)


def hold(slot_id: int, holder: str, now: datetime, limit_s: int | None = None) -> Held | NotBooked:
    """Keep a place for `holder` (a call, a session of the web) while somebody makes up his mind; again: longer. By default as long as the
    rules say."""
    slot = Slot.get_or_none(Slot.id == slot_id)
    if slot is None or not holder:
        return refusal(Reason.UNKNOWN)
    seconds = rules_for(slot.clinic.department_id).hold_s if limit_s is None else limit_s
    until = now + timedelta(seconds=seconds)
    kept = Slot.update(state=HELD, held_by=holder, held_until=until).where(Slot.id == slot_id, _open_to((holder,), now))
    if not kept.execute():
        return refusal(Reason.SLOT_TAKEN)
    return Held(slot_id, slot.at, until, slot.clinic.fee_fen)


def hold_near(slot_id: int, holder: str, now: datetime) -> Held | NotBooked:
    """Like `hold`; where somebody was faster, the next place of the same clinic instead, or the last before it. When hundreds ask for the
    same places at once, each of them has one after one question."""
    held = hold(slot_id, holder, now)
    if isinstance(held, Held) or held.first.reason is not Reason.SLOT_TAKEN:
        return held
    lost = Slot.get_by_id(slot_id)
    release(holder)  # one kept in its stead before a crash
    free = free_of(lost.clinic_id, now)
    if not free:
        return held
    return hold(next((slot for slot in free if slot.number > lost.number), free[-1]).id, holder, now)


def release(holder: str) -> int:
    """Whatever `holder` keeps is free again; how many that were."""
    mine = (Slot.state == HELD) & (Slot.held_by == holder)
    return int(Slot.update(state=FREE, held_by="", held_until=None).where(mine).execute())


def take(slot_id: int, holders: Iterable[str], now: datetime) -> bool:
    """Make it booked, if it is free or kept for one of `holders`, however long ago."""
    taken = Slot.update(state=BOOKED, held_by="", held_until=None).where(Slot.id == slot_id, _open_to(holders, now))
    return bool(taken.execute())


def give_back(slot_id: int) -> None:
    """A booked place is free again."""
    Slot.update(state=FREE).where(Slot.id == slot_id, Slot.state == BOOKED).execute()


def set_blocked(slot_id: int, now: datetime, *, blocked: bool) -> bool:
    """Take a free place out of the sale, or put it back. False when its state has no such step."""
    change = Slot.update(state=BLOCKED).where(Slot.id == slot_id, is_free(now))
    if not blocked:
        change = Slot.update(state=FREE).where(Slot.id == slot_id, Slot.state == BLOCKED)
    return bool(change.execute())


def free_count(clinic_id: int, now: datetime) -> int:
    return int(Slot.select().where(Slot.clinic == clinic_id, is_free(now)).count())


def free_of(clinic_id: int, now: datetime) -> list[Slot]:
    """Free places of a clinic from now on, by number."""
    return list(Slot.select().where(Slot.clinic == clinic_id, is_free(now), Slot.at > now).order_by(Slot.number))


def free_clinics(wanted: Any, now: datetime, most: int) -> list[tuple[Clinic, int]]:
    """Clinics that `wanted` is true of and that have free places from now on, with their number, earliest first."""
    left = fn.COUNT(Slot.id)
    found = Slot.select(Slot.clinic, left).join(Clinic)
    found = found.where(wanted, ~Clinic.cancelled, Slot.at > now, is_free(now)).group_by(Slot.clinic).order_by(fn.MIN(Slot.at), Slot.clinic)
    pairs: Any = found.limit(most).tuples()
    counts: dict[int, int] = dict(pairs)
    rows = {row.id: row for row in Clinic.select().where(Clinic.id.in_(list(counts)))}
    return [(rows[clinic_id], number) for clinic_id, number in counts.items()]


def full_clinics(wanted: Any, now: datetime, most: int) -> list[Clinic]:
    """Clinics that `wanted` is true of and that are still to come, without a free place, earliest first."""
    free = Slot.select(Slot.clinic).where(Slot.at > now, is_free(now))
    coming = Slot.select(Slot.clinic).where(Slot.at > now)
    found = Clinic.select().where(wanted, ~Clinic.cancelled, Clinic.id.in_(coming), Clinic.id.not_in(free))
    return list(found.order_by(Clinic.day, Clinic.starts, Clinic.id).limit(most))
