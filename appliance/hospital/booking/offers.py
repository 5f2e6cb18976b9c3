"""The best places for what somebody wants, so that nobody has to name a time; and bookings that look like the same twice. Inside the
caller's transaction; changes nothing."""

from collections.abc import Iterator
from datetime import date, datetime
from itertools import chain, zip_longest
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from appliance.hospital.booking import slots
from appliance.hospital.booking.channel import Channel
from appliance.hospital.booking.reasons import NotBooked, Objection, Reason, refusal
from appliance.hospital.booking.why_not import Asked, why_not
from appliance.store.booking_tables import Booking, Clinic, Slot

CLINICS_MOST = 6
TRIED_MOST = 12
NOON = "12:00"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A department or a doctor (or a doctor's department, then any doctor); days from `first` to `last`, None: as far as the rules go.
    `half`: morning or afternoon. `paid`: with a fee or without, None: both."""

    department: int | None = None
    doctor: int | None = None
    first: date | None = None
    last: date | None = None
    half: Literal["", "am", "pm"] = ""
    paid: bool | None = None


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A place. `left`: how many the clinic has; `at` is UTC, the rest in the hospital's time."""

    slot: int
    clinic: int
    at: datetime
    day: date
    time: str
    department: int
    doctor: int | None
    fee_fen: int
    left: int


def best(
    wanted: Wanted, channel: Channel, patient: int | None, now: datetime, zone: ZoneInfo, most: int = 3, skip: int = 0
) -> tuple[Offer, ...] | NotBooked:
    """The first places of different clinics, the earliest first, that this patient may book; or why there are none. `skip`: so many he has
    heard of already."""
    clinics = slots.free_clinics(_condition(wanted), now, CLINICS_MOST)
    if not clinics:
        return refusal(_none_because(wanted, now, now.astimezone(zone).date()))
    offers: list[Offer] = []
    objections: tuple[Objection, ...] = ()
    for _, (clinic, left, slot) in zip(range(TRIED_MOST), _in_turn(clinics, now), strict=False):
        asked = Asked(slot=slot.id, channel=channel, patient=patient, paying=not clinic.free_of_charge)
        found = why_not(asked, now, zone)
        objections = objections or found
        if not found:
            offers.append(_offer(slot, clinic, left, zone))
        if len(offers) == skip + most:
            break
    return tuple(sorted(offers[skip:], key=lambda offer: offer.at)) or NotBooked(objections or (Objection(Reason.FULL),))


def _condition(wanted: Wanted) -> Any:
    checks = (
        (wanted.department, Clinic.department == wanted.department),
        (wanted.doctor, Clinic.doctor == wanted.doctor),
        (wanted.first, Clinic.day >= wanted.first),
        (wanted.last, Clinic.day <= wanted.last),
        (wanted.half == "am", Clinic.starts < NOON),
        (wanted.half == "pm", Clinic.starts >= NOON),
        (wanted.paid is True, Clinic.fee_fen > 0),
        (wanted.paid is False, Clinic.fee_fen == 0),
    )
    condition = ~Clinic.cancelled
    for asked, check in checks:
        condition = condition & check if asked else condition
    return condition


def _in_turn(clinics: list[tuple[Clinic, int]], now: datetime) -> Iterator[tuple[Clinic, int, Slot]]:
    """The first place of each clinic, then the second of each."""
    rows = [[(clinic, left, slot) for slot in slots.free_of(clinic.id, now)] for clinic, left in clinics]
    return (place for place in chain.from_iterable(zip_longest(*rows)) if place is not None)


def _offer(slot: Slot, clinic: Clinic, left: int, zone: ZoneInfo) -> Offer:
    return Offer(
        slot=slot.id,
        clinic=clinic.id,
        at=slot.at,
        day=clinic.day,
        time=f"{slot.at.astimezone(zone):%H:%M}",
        department=clinic.department_id,
        doctor=clinic.doctor_id,
        fee_fen=clinic.fee_fen,
        left=left,
    )


def _none_because(wanted: Wanted, now: datetime, today: date) -> Reason:
    either = msgspec.structs.replace(wanted, paid=None)
    if wanted.paid is not None and slots.free_clinics(_condition(either), now, 1):
        return Reason.ONLY_FREE if wanted.paid else Reason.ONLY_WITH_FEE
    if not Clinic.select().where(_condition(either), Clinic.day >= today).exists():
        return Reason.NO_SCHEDULE
    if wanted.doctor is not None:
        return Reason.DOCTOR_FULL
    return Reason.DAY_FULL if wanted.first is not None and wanted.first == wanted.last else Reason.FULL


def offer_of(slot_id: int, now: datetime, zone: ZoneInfo) -> Offer:
    """Any place as an offer."""
    slot = Slot.get_by_id(slot_id)
    return _offer(slot, slot.clinic, slots.free_count(slot.clinic_id, now), zone)


def duplicates(slot_id: int, name: str, phone: str, patient: int | None) -> list[Booking]:
    """Open bookings on the day of this place that may be the same visit twice: of the patient, or of the same name or number; an agent is
    warned."""
    slot = Slot.get_by_id(slot_id)
    alike = Booking.name == name
    if phone:
        alike |= Booking.phone == phone
    if patient is not None:
        alike |= Booking.patient == patient
    found = Booking.select().where(Booking.state == "booked", Booking.day == slot.clinic.day, alike)
    return list(found.order_by(Booking.id).limit(20))
