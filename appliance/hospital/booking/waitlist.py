"""Patients who wait for a place in a clinic that is full. A place that becomes free is kept for the first of them for a while, who is told
by a message; then for the next. Inside the caller's transaction."""

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from appliance.hospital.booking import messages, slots
from appliance.hospital.booking.reasons import NotBooked, Objection, Reason, refusal
from appliance.hospital.booking.rules import Rules, rules_for
from appliance.hospital.booking.why_not import Asked, why_not
from appliance.store.booking_tables import Clinic, Slot, Waiting
from appliance.store.hospital_tables import Patient

WAITING = "waiting"
OFFERED = "offered"
SERVED = "served"
GONE = "gone"
AT_ONCE = 100


class Place(msgspec.Struct, frozen=True):
    """`number` 1: the first of those who wait."""

    waiting: int
    number: int


def join(clinic_id: int, patient_id: int, phone: str, now: datetime) -> Place | NotBooked:
    """Wait for a place, behind those who wait already; again: the place one has. Refused when the clinic is over."""
    clinic = Clinic.get_or_none(Clinic.id == clinic_id)
    if clinic is None or clinic.cancelled or not Slot.select().where(Slot.clinic == clinic_id, Slot.at > now).exists():
        return refusal(Reason.SESSION_STOPPED)
    row = {"clinic": clinic_id, "patient": patient_id, "phone": phone, "asked_at": now}
    Waiting.insert(row).on_conflict_ignore().execute()
    mine = (Waiting.clinic == clinic_id) & (Waiting.patient == patient_id)
    fresh = {"state": WAITING, "asked_at": now, "phone": phone, "offered_slot": None, "offered_until": None}
    Waiting.update(fresh).where(mine, Waiting.state.in_((SERVED, GONE))).execute()
    found = Waiting.get(mine)
    return Place(found.id, place_of(found))


def place_of(row: Waiting) -> int:
    """1: the first of those who wait for the same clinic."""
    return _ahead_of(row) + 1


def _ahead_of(row: Waiting) -> int:
    before = (Waiting.asked_at < row.asked_at) | ((Waiting.asked_at == row.asked_at) & (Waiting.id < row.id))
    return int(Waiting.select().where(Waiting.clinic == row.clinic_id, Waiting.state == WAITING, before).count())


def leave(waiting_id: int, now: datetime, zone: ZoneInfo) -> bool:
    """Wait no more; a place that was kept goes to the next."""
    row = Waiting.get_or_none(Waiting.id == waiting_id, Waiting.state.in_((WAITING, OFFERED)))
    if row is None:
        return False
    _end(row, GONE)
    slots.release(holder_of(row.id))
    if row.offered_slot_id is not None:
        freed(row.offered_slot_id, now, zone)
    return True


def of_patient(patient_id: int) -> list[Waiting]:
    """What a patient waits for, the longest first."""
    found = Waiting.select().where(Waiting.patient == patient_id, Waiting.state.in_((WAITING, OFFERED)))
    return list(found.order_by(Waiting.asked_at))


def of_clinic(clinic_id: int) -> list[Waiting]:
    """Who waits for a clinic: those a place is kept for, then the others in their order."""
    found = Waiting.select(Waiting, Patient).join(Patient).where(Waiting.clinic == clinic_id, Waiting.state.in_((WAITING, OFFERED)))
    return sorted(found, key=lambda row: (row.state != OFFERED, row.asked_at, row.id))


def offer(waiting_id: int, now: datetime, zone: ZoneInfo) -> Waiting | NotBooked:
    """Keep the first free place of the clinic for this one, whoever else waits, and tell them; by hand."""
    row = Waiting.get_or_none(Waiting.id == waiting_id, Waiting.state == WAITING)
    if row is None:
        return refusal(Reason.UNKNOWN)
    free = slots.free_of(row.clinic_id, now)
    if not free:
        return refusal(Reason.FULL)
    rules = rules_for(row.clinic.department_id)
    if objections := _why_not(row, free[0].id, rules, now, zone):
        return NotBooked(objections)
    return _offer(row, free[0], rules.offer_min * 60, now, zone) or refusal(Reason.SLOT_TAKEN)


def holder_of(waiting_id: int) -> str:
    """Under which a place is kept for somebody who waits."""
    return f"waiting {waiting_id}"


def holders_of(clinic_id: int, patient_id: int | None) -> list[str]:
    """Under which places of this clinic are kept for this patient."""
    mine = (Waiting.clinic == clinic_id) & (Waiting.patient == patient_id) & (Waiting.state == OFFERED)
    return [] if patient_id is None else [holder_of(row.id) for row in Waiting.select().where(mine)]


def served(clinic_id: int, patient_id: int, slot_id: int) -> None:
    """The patient has a place: waits no more. A place kept for them that is another one is free again."""
    for row in Waiting.select().where(Waiting.clinic == clinic_id, Waiting.patient == patient_id, Waiting.state.in_((WAITING, OFFERED))):
        _end(row, SERVED)
        if row.offered_slot_id != slot_id:
            slots.release(holder_of(row.id))


def freed(slot_id: int, now: datetime, zone: ZoneInfo) -> Waiting | None:
    """A place has become free: keep it for the first who waits and may book it, and tell them. None: there is nobody."""
    slot = Slot.get_by_id(slot_id)
    queue = Waiting.select().where(Waiting.clinic == slot.clinic_id, Waiting.state == WAITING).order_by(Waiting.asked_at, Waiting.id)
    waiting = list(queue.limit(AT_ONCE))
    if not waiting:
        return None
    rules = rules_for(slot.clinic.department_id)
    first = next((row for row in waiting if not _why_not(row, slot_id, rules, now, zone)), None)
    return None if first is None else _offer(first, slot, rules.offer_min * 60, now, zone)


def _why_not(row: Waiting, slot_id: int, rules: Rules, now: datetime, zone: ZoneInfo) -> tuple[Objection, ...]:
    asked = Asked(slot=slot_id, channel=rules.channels[0], patient=row.patient_id, paying=True)
    return why_not(asked, now, zone, rules)


def _offer(row: Waiting, slot: Slot, limit_s: int, now: datetime, zone: ZoneInfo) -> Waiting | None:
    held = slots.hold(slot.id, holder_of(row.id), now, limit_s)
    if isinstance(held, NotBooked):
        return None
    offer = Waiting.update(state=OFFERED, offered_slot=slot, offered_until=held.until)
    if not offer.where(Waiting.id == row.id, Waiting.state == WAITING).execute():  # another process has just offered another place
        Slot.update(state=slots.FREE, held_by="", held_until=None).where(Slot.id == slot.id).execute()
        return None
    messages.tell_offer(row.id, row.phone, row.patient, slot, held.until, now, zone)
    return Waiting.get_by_id(row.id)


def pass_on(now: datetime, zone: ZoneInfo) -> int:
    """Offers nobody took, and places that became free by themselves, go to whoever waits; how many offers were over. To be done every
    minute or so."""
    over = list(Waiting.select().where(Waiting.state == OFFERED, Waiting.offered_until < now).limit(AT_ONCE))
    for row in over:
        slots.release(holder_of(row.id))
        _end(row, GONE)
    waited_for = Slot.select(Slot.id).join(Waiting, on=(Waiting.clinic == Slot.clinic)).where(Waiting.state == WAITING, slots.is_free(now))
    for slot in list(waited_for.where(Slot.at > now).distinct().order_by(Slot.id).limit(AT_ONCE)):
        freed(slot.id, now, zone)
    return len(over)


def clinic_stopped(clinic_id: int) -> None:
    """Nobody waits for it any more."""
    Waiting.update(state=GONE).where(Waiting.clinic == clinic_id, Waiting.state.in_((WAITING, OFFERED))).execute()


def _end(row: Waiting, state: str) -> None:
    Waiting.update(state=state).where(Waiting.id == row.id, Waiting.state.in_((WAITING, OFFERED))).execute()
