"""What happens to a booking: cancelled, moved, arrived, or its clinic stopped. Each booking ends once, whoever comes first. Inside the
caller's transaction."""

from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

import msgspec

from appliance.hospital.booking import messages, slots, waitlist
from appliance.hospital.booking.bans import ban_after_cancelling
from appliance.hospital.booking.booking import Booked, RefusedError, Visitor, attempt, booked_before, enter, one_at_a_time, taken
from appliance.hospital.booking.reasons import NotBooked, Reason, refusal
from appliance.hospital.booking.rules import Rules, rules_for
from appliance.hospital.booking.why_not import Asked, why_not
from appliance.hospital.dispatch import items
from appliance.hospital.ledger.fees import give_back
from appliance.hospital.ledger.posting import Cause, NotPosted
from appliance.store.booking_tables import Booking, Clinic, Slot
from appliance.store.hospital_tables import Card, Family
from appliance.store.money_tables import Posting

PATIENT = "patient"
HOSPITAL = "hospital"
CLINIC_STOPPED = "clinic_stopped"


class State(StrEnum):
    BOOKED = "booked"
    ARRIVED = "arrived"
    CANCELLED = "cancelled"
    MOVED = "moved"
    NO_SHOW = "no_show"


class Cancelled(msgspec.Struct, frozen=True):
    """`again`: it had been cancelled before; `refunded_fen` is what came back then."""

    refunded_fen: int = 0
    again: bool = False


class Arrival(StrEnum):
    """`again`: was here before. `not_today`: comes on a wrong day."""

    ARRIVED = "arrived"
    AGAIN = "again"
    NOT_TODAY = "not_today"
    CANCELLED = "cancelled"
    LAPSED = "lapsed"
    UNKNOWN = "unknown"


ENDED = {
    State.ARRIVED: Reason.ALREADY_VISITED,
    State.CANCELLED: Reason.ALREADY_CANCELLED,
    State.MOVED: Reason.ALREADY_CANCELLED,
    State.NO_SHOW: Reason.LAPSED,
}


def why_not_cancel(booking_id: int, now: datetime, zone: ZoneInfo, patient: int | None = None) -> Reason | None:
    """None when it may be cancelled (or moved) now. `patient`: who wants it (is_within_reach)."""
    booking = Booking.get_or_none(Booking.id == booking_id)
    if booking is None:
        return Reason.UNKNOWN
    if patient is not None and not is_within_reach(booking, patient):
        return Reason.NOT_YOURS
    if booking.state != State.BOOKED:
        return ENDED[State(booking.state)]
    rules = rules_for(booking.slot.clinic.department_id)
    late = now > rules.cancel_until(booking.day, zone)
    return Reason.DEADLINE if late and (rules.late_cancel == "refuse" or booking.slot.at <= now) else None


def is_within_reach(booking: Booking, patient: int) -> bool:
    """Whether it is the patient's own, one of their family's, or paid from their card."""
    if booking.patient_id == patient:
        return True
    family = Family.select().where(Family.patient == patient, Family.relative == booking.patient_id)
    paid = Posting.select().join(Card, on=Card.account == Posting.account)
    return family.exists() or paid.where(Posting.transaction == booking.payment_id, Card.patient == patient).exists()


def refund_when_cancelled(booking: Booking, now: datetime, zone: ZoneInfo) -> int:
    """What would come back if it were cancelled now, to be said before."""
    rules = rules_for(booking.slot.clinic.department_id)
    return booking.paid_fen if _refunds(rules, booking, now, zone) else 0


def _refunds(rules: Rules, booking: Booking, now: datetime, zone: ZoneInfo) -> bool:
    return now <= rules.cancel_until(booking.day, zone) or rules.late_cancel == "refund"


def cancel(
    booking_id: int, now: datetime, zone: ZoneInfo, cause: Cause, patient: int | None = None, *, by_hospital: bool = False
) -> Cancelled | NotBooked:
    """End a booking; the fee comes back as the rules say. `by_hospital`: at any time, with the fee, and not counted against the patient."""
    reason = why_not_cancel(booking_id, now, zone, patient)
    if reason is Reason.ALREADY_CANCELLED:
        booking = Booking.get_by_id(booking_id)
        return refusal(reason) if booking.state == State.MOVED else Cancelled(_refunded_fen(booking), again=True)
    if reason is not None and not (by_hospital and reason is Reason.DEADLINE):
        return refusal(reason)
    booking = Booking.get_by_id(booking_id)
    if not end(booking, State.CANCELLED, now, cause.by, HOSPITAL if by_hospital else PATIENT):  # another process has just done so
        return cancel(booking_id, now, zone, cause, patient, by_hospital=by_hospital)
    slots.give_back(booking.slot_id)
    rules = rules_for(booking.slot.clinic.department_id)
    refunded_fen = refund(booking, now, cause) if by_hospital or _refunds(rules, booking, now, zone) else 0
    if not by_hospital and booking.patient_id is not None:
        ban_after_cancelling(booking.patient_id, now, zone, rules)
    waitlist.freed(booking.slot_id, now, zone)
    return Cancelled(refunded_fen)


def end(booking: Booking, state: State, now: datetime, by: str, why: str) -> bool:
    """The one change of a booking that is open; False when it was ended before."""
    change = Booking.update(state=state.value, slot_of=None, ended_at=now, ended_by=by, end_reason=why)
    ended = bool(change.where(Booking.id == booking.id, Booking.state == State.BOOKED.value).execute())
    if ended:
        items.withdraw(f"booking {booking.code}", by, now)
    return ended


def refund(booking: Booking, now: datetime, cause: Cause) -> int:
    """The fee back to where it came from, once; what came back now or before."""
    if booking.payment_id is None:
        return 0
    undone = give_back(booking.payment_id, now, cause)
    if isinstance(undone, NotPosted):
        return 0
    Booking.update(refund=undone.transaction).where(Booking.id == booking.id).execute()
    return booking.paid_fen


def _refunded_fen(booking: Booking) -> int:
    return 0 if booking.refund_id is None else booking.paid_fen


def move(
    booking_id: int, slot_id: int, visitor: Visitor, once_key: str, now: datetime, zone: ZoneInfo, patient: int | None = None
) -> Booked | NotBooked:
    """To another place of the same fee, which has a number of its own; what was paid goes along. `visitor`: who moves it."""
    if before := booked_before(once_key):
        return before
    if reason := why_not_cancel(booking_id, now, zone, patient):
        return refusal(reason)
    old = Booking.get_by_id(booking_id)
    one_at_a_time(old.patient_id)
    asked = Asked(slot=slot_id, channel=visitor.channel, patient=old.patient_id, instead_of=booking_id)
    if objections := why_not(asked, now, zone):
        return NotBooked(objections)
    if Slot.get_by_id(slot_id).clinic.fee_fen != old.slot.clinic.fee_fen:
        return refusal(Reason.PRICE_CHANGED, Slot.get_by_id(slot_id).clinic.fee_fen)
    return attempt(lambda: _move(old, slot_id, visitor, once_key, now, zone))


def _move(old: Booking, slot_id: int, visitor: Visitor, once_key: str, now: datetime, zone: ZoneInfo) -> Booked:
    if not end(old, State.MOVED, now, visitor.by, PATIENT):
        raise RefusedError(refusal(Reason.ALREADY_CANCELLED))
    same = msgspec.structs.replace(visitor, patient=old.patient_id, name=old.name, phone=old.phone)
    slot = taken(slot_id, same, now)
    new = enter(slot, same, once_key, now, {"paid_fen": old.paid_fen, "payment": old.payment_id})
    Booking.update(moved_to=new).where(Booking.id == old.id).execute()
    slots.give_back(old.slot_id)
    waitlist.freed(old.slot_id, now, zone)
    return Booked(new.id, new.code, slot.at, new.paid_fen)


def arrive(booking_id: int, now: datetime, zone: ZoneInfo) -> Arrival:
    """The patient is here, on the day of the visit."""
    booking = Booking.get_or_none(Booking.id == booking_id)
    if booking is None:
        return Arrival.UNKNOWN
    if booking.state == State.BOOKED:
        if booking.day != now.astimezone(zone).date():
            return Arrival.NOT_TODAY
        here = Booking.update(state=State.ARRIVED.value, ended_at=now)
        if here.where(Booking.id == booking_id, Booking.state == State.BOOKED.value).execute():
            return Arrival.ARRIVED
        booking = Booking.get_by_id(booking_id)
    known = {State.ARRIVED: Arrival.AGAIN, State.NO_SHOW: Arrival.LAPSED}
    return known.get(State(booking.state), Arrival.CANCELLED)


def stop_clinic(clinic_id: int, now: datetime, zone: ZoneInfo, cause: Cause) -> int | None:
    """The clinic does not take place: every booking is cancelled with its fee, and everybody told. How many; None: was stopped before."""
    if not Clinic.update(cancelled=True).where(Clinic.id == clinic_id, ~Clinic.cancelled).execute():
        return None
    Slot.update(state=slots.BLOCKED, held_by="", held_until=None).where(Slot.clinic == clinic_id).execute()
    waitlist.clinic_stopped(clinic_id)
    open_ones = Booking.select().join(Slot, on=Booking.slot).where(Slot.clinic == clinic_id, Booking.state == State.BOOKED.value)
    ended = [booking for booking in list(open_ones) if end(booking, State.CANCELLED, now, cause.by, CLINIC_STOPPED)]
    for booking in ended:
        messages.tell_booking("stopped", booking, refund(booking, now, cause), now, zone)
    return len(ended)
