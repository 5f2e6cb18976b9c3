"""Patients who may not book for a while: by the rules, or by hand. Inside the caller's transaction; days are the hospital's."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from appliance.hospital.booking.rules import Rules, at_clock
from appliance.store.booking_tables import Ban, Booking

NO_SHOWS = "no_shows"
CANCELLATIONS = "cancellations"
BY_HAND = "by_hand"


def ban_after_no_show(patient_id: int, today: date, rules: Rules) -> Ban | None:
    """Ban a patient who has now stayed away as often as the rules allow; what an earlier ban was for does not count again."""
    if not rules.no_shows:
        return None
    last = _last(patient_id, NO_SHOWS)
    earliest = _months_before(today, rules.no_show_months)
    since = earliest if last is None else max(earliest, last.begins)
    missed = Booking.select().where(Booking.patient == patient_id, Booking.state == "no_show", Booking.day >= since).count()
    return ban(patient_id, today, rules.ban_days, NO_SHOWS) if missed >= rules.no_shows else None


def ban_after_cancelling(patient_id: int, now: datetime, zone: ZoneInfo, rules: Rules) -> Ban | None:
    """Ban a patient who has now cancelled as often as the rules allow; what an earlier ban was for does not count again."""
    today = now.astimezone(zone).date()
    last = _last(patient_id, CANCELLATIONS)
    if not rules.cancellations or (last is not None and last.begins == today):
        return None
    earliest = today - timedelta(days=rules.cancellation_days)
    since = at_clock(earliest if last is None else max(earliest, last.begins + timedelta(days=1)), "00:00", zone)
    theirs = (Booking.patient == patient_id) & (Booking.state == "cancelled") & (Booking.end_reason == "patient")
    recent = Booking.select().where(theirs, Booking.ended_at >= since).count()
    return ban(patient_id, today, rules.cancellation_ban_days, CANCELLATIONS) if recent >= rules.cancellations else None


def no_shows_of(patient_id: int, today: date, rules: Rules) -> int:
    """How often a patient stayed away in the months that count."""
    since = _months_before(today, rules.no_show_months)
    return int(Booking.select().where(Booking.patient == patient_id, Booking.state == "no_show", Booking.day >= since).count())


def ban(patient_id: int, begins: date, days: int, reason: str = BY_HAND, by: str = "", note: str = "") -> Ban:
    return Ban.create(patient=patient_id, begins=begins, ends=begins + timedelta(days=days - 1), reason=reason, by=by, note=note)


def lift(ban_id: int, by: str, why: str = "") -> bool:
    """The patient may book again; False: was lifted before."""
    return bool(Ban.update(lifted=True, lifted_by=by, lifted_why=why).where(Ban.id == ban_id, ~Ban.lifted).execute())


def holds(today: date) -> Any:
    """The condition: keeps its patient from booking today."""
    return ~Ban.lifted & (Ban.begins <= today) & (Ban.ends >= today)


def of_patient(patient_id: int) -> list[Ban]:
    """All there were, the latest first."""
    return list(Ban.select().where(Ban.patient == patient_id).order_by(Ban.id.desc()))


def _last(patient_id: int, reason: str) -> Ban | None:
    found: Ban | None = Ban.select().where(Ban.patient == patient_id, Ban.reason == reason).order_by(Ban.id.desc()).first()
    return found


def _months_before(day: date, months: int) -> date:
    years, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(years, month + 1, min(day.day, 28))
