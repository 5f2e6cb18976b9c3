"""Whether a patient may book a place: every rule that says no. The rules of the day or, to try them out, others. Inside the caller's
transaction; changes nothing."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from peewee import ModelSelect

from appliance.hospital.booking import bans
from appliance.hospital.booking.channel import Channel
from appliance.hospital.booking.reasons import Objection, Reason
from appliance.hospital.booking.rules import Rules, rules_for
from appliance.store.booking_tables import Ban, Booking, Clinic, Slot
from appliance.store.hospital_tables import Patient

OPEN = "booked"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Who wants what. `patient` None: somebody without a card, by name. `paying`: from a card, now. `instead_of`: the booking that is
    moved, which does not count."""

    slot: int
    channel: Channel
    patient: int | None = None
    paying: bool = False
    instead_of: int = 0


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """All that rules look at."""

    asked: Asked
    slot: Slot
    clinic: Clinic
    patient: Patient | None
    rules: Rules
    now: datetime
    zone: ZoneInfo

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()


def why_not(asked: Asked, now: datetime, zone: ZoneInfo, rules: Rules | None = None) -> tuple[Objection, ...]:
    """Nothing when it may be booked. Whether the place is still free is not asked here. `rules`: to try out what these would say."""
    slot = Slot.get_or_none(Slot.id == asked.slot)
    if slot is None:
        return (Objection(Reason.UNKNOWN),)
    clinic = slot.clinic
    patient = None if asked.patient is None else Patient.get_by_id(asked.patient)
    held = rules or rules_for(clinic.department_id)
    case = Case(asked=asked, slot=slot, clinic=clinic, patient=patient, rules=held, now=now, zone=zone)
    return tuple(found for check in CHECKS if (found := check(case)) is not None)


def _stopped(case: Case) -> Objection | None:
    doctor = case.clinic.doctor
    if case.clinic.cancelled:
        return Objection(Reason.SESSION_STOPPED)
    if case.clinic.department.closed:
        return Objection(Reason.DEPARTMENT_CLOSED)
    return Objection(Reason.DOCTOR_ABSENT) if doctor is not None and (not doctor.listed or doctor.staff.left) else None


def _channel(case: Case) -> Objection | None:
    if case.asked.channel in case.rules.channels:
        return None
    return Objection(Reason.NOT_BY_TELEPHONE if case.asked.channel is Channel.IVR else Reason.CHANNEL_CLOSED)


def _days(case: Case) -> Objection | None:
    ahead = (case.clinic.day - case.today).days
    if case.slot.at <= case.now:
        return Objection(Reason.PAST)
    if ahead < case.rules.first_day or case.slot.at - case.now < timedelta(minutes=case.rules.closes_min):
        return Objection(Reason.TOO_LATE)
    opens = case.rules.opens_at(case.clinic.day, case.zone)
    return Objection(Reason.TOO_EARLY, at=opens) if case.now < opens else None


def _card(case: Case) -> Objection | None:
    """Agents book for anyone, other channels for whoever holds a card, or their family."""
    if case.asked.channel is Channel.AGENT:
        return None
    return Objection(Reason.CARD_NEEDED) if case.patient is None else None


def _payment(case: Case) -> Objection | None:
    """What is moved has been paid."""
    settled = case.asked.paying or case.asked.instead_of or case.clinic.free_of_charge
    return None if settled or case.asked.channel in case.rules.unpaid_channels else Objection(Reason.PAYMENT_NEEDED)


def _ban(case: Case) -> Objection | None:
    if case.patient is None:
        return None
    ban = Ban.select().where(Ban.patient == case.patient, bans.holds(case.today)).order_by(Ban.ends.desc()).first()
    if ban is None:
        return None
    reason = Reason.CANCELLED_TOO_OFTEN if ban.reason == "cancellations" else Reason.BANNED
    return Objection(reason, day=ban.ends + timedelta(days=1))


def _age(case: Case) -> Objection | None:
    born = None if case.patient is None else case.patient.birth_date
    if born is None:
        return None
    age = age_on(born, case.clinic.day)
    if age < case.rules.age_least:
        return Objection(Reason.TOO_YOUNG)
    return Objection(Reason.TOO_OLD) if 0 < case.rules.age_most < age else None


def age_on(born: date, day: date) -> int:
    """In years."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _sex(case: Case) -> Objection | None:
    known = case.patient.sex if case.patient is not None else ""
    return Objection(Reason.SEX) if known and case.rules.sex and known != case.rules.sex else None


def _repeated(case: Case) -> Objection | None:
    if case.patient is None or case.rules.once_per == "any":
        return None
    clinic = case.clinic
    by_doctor = case.rules.once_per == "doctor" and clinic.doctor_id is not None
    same = Clinic.doctor == clinic.doctor_id if by_doctor else Clinic.department == clinic.department_id
    found = _others(case, case.patient).join(Slot, on=Booking.slot).join(Clinic).where(same, Booking.day == clinic.day)
    return Objection(Reason.ALREADY_BOOKED) if found.exists() else None


def _same_time(case: Case) -> Objection | None:
    if case.patient is None or not case.rules.same_time_min:
        return None
    apart = timedelta(minutes=case.rules.same_time_min)
    near = (Slot.at > case.slot.at - apart) & (Slot.at < case.slot.at + apart)
    found = _others(case, case.patient).join(Slot, on=Booking.slot).where(near)
    return Objection(Reason.SAME_TIME) if found.exists() else None


def _limit(case: Case) -> Objection | None:
    if case.patient is None or not case.rules.open_bookings:
        return None
    ahead = _others(case, case.patient).where(Booking.day >= case.today).count()
    return Objection(Reason.LIMIT) if ahead >= case.rules.open_bookings else None


def _others(case: Case, patient: Patient) -> "ModelSelect[Any]":
    return Booking.select().where(Booking.patient == patient, Booking.state == OPEN, Booking.id != case.asked.instead_of)


CHECKS: tuple[Callable[[Case], Objection | None], ...] = (
    *(_stopped, _days, _channel, _card, _ban, _age, _sex, _repeated, _same_time, _limit, _payment),
)
"""The weightiest first: what no other place of the same day would change comes before what one would."""
