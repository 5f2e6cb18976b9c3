"""Actions of registration: the best places, one kept while the caller makes up his mind, booked free or paid, changed. What is refused
is told as {list:said}."""

from datetime import datetime
from typing import Any

from appliance.hospital.booking import booking, changes, offers, slots
from appliance.hospital.booking.booking import Payment, Visitor
from appliance.hospital.booking.channel import Channel
from appliance.hospital.booking.offers import Offer, Wanted
from appliance.hospital.booking.reasons import NotBooked, Objection, Reason
from appliance.hospital.ledger.posting import Cause
from appliance.ivr.actions.action import Action, ActionCall, ActionResult, Value
from appliance.ivr.actions.choosing import SHOWN, page_asked, shown
from appliance.ivr.listing import Part, page, part_of, row, rows
from appliance.store.booking_tables import Booking, Clinic, Slot
from appliance.store.hospital_tables import Patient

RECEIPT_DIGITS = 8
OFFERS_MOST = 3


def visit_row(at: datetime, clinic: Clinic, call: ActionCall, *more: Part) -> str:
    """When, and whom the patient sees."""
    local = at.astimezone(call.zone)
    whom = clinic.department if clinic.doctor is None else clinic.doctor.staff
    name = str(getattr(whom, f"name_{call.language}"))
    return row(("day", local.date().isoformat()), ("time", f"{local:%H:%M}"), ("text", name), *more)


def why(objection: Objection, call: ActionCall) -> str:
    """What says no, and the value that goes with it."""
    parts: list[Part] = [("prompt", objection.prompt), ("prompt", objection.value_prompt)]
    if objection.at:
        local = objection.at.astimezone(call.zone)
        parts += [("day", local.date().isoformat()), ("time", f"{local:%H:%M}")]
    if objection.day:
        parts.append(("day", objection.day.isoformat()))
    if objection.amount_fen:
        parts.append(("money", objection.amount_fen))
    return row(*parts)


def refused(outcome: NotBooked, call: ActionCall) -> ActionResult:
    return ActionResult("refused", {"said": why(outcome.first, call)})


# --- choosing --------------------------------------------------------------------------------------------------------


async def begin_booking(call: ActionCall) -> ActionResult:
    """How it is to be booked: paid (yes, no), and whether the doctor is chosen already (by_doctor not empty)."""
    return ActionResult("begun", {"paid": call.text("paid"), "by_doctor": call.text("by_doctor")})


async def best_slots(call: ActionCall) -> ActionResult:
    """The three best places of a doctor, or of a department; the next three when more are asked for."""
    paid = {"yes": True, "no": False}.get(call.text("paid"))
    doctor, department = (int(call.inputs.get(name, 0)) or None for name in ("doctor", "department"))
    wanted = Wanted(doctor=doctor, department=None if doctor else department, paid=paid)
    now, number = call.means.now(), page_asked(call)

    def best(skip: int, most: int) -> tuple[Offer, ...] | NotBooked:
        return offers.best(wanted, Channel.IVR, call.number("visitor") or None, now, call.zone, most, skip)

    def look() -> ActionResult:
        found = best(number * OFFERS_MOST, OFFERS_MOST)
        if isinstance(found, NotBooked):
            return refused(found, call)
        goes_on = not isinstance(best((number + 1) * OFFERS_MOST, 1), NotBooked)
        listed = shown(part_of(_offered(found, call), goes_on=goes_on), number, "slots", "slot_choices")
        return ActionResult("found", {**listed, "sought": "doctor" if doctor else "department"})

    return await call.means.read(look)


def _offered(found: tuple[Offer, ...], call: ActionCall) -> list[tuple[str, str]]:
    clinics = {clinic.id: clinic for clinic in Clinic.select().where(Clinic.id.in_([offer.clinic for offer in found]))}
    return [(str(offer.slot), visit_row(offer.at, clinics[offer.clinic], call, *_fee(offer.fee_fen))) for offer in found]


def _fee(fee_fen: int) -> tuple[Part, ...]:
    return (("prompt", "fee_is"), ("money", fee_fen)) if fee_fen else ()


async def hold_slot(call: ActionCall) -> ActionResult:
    """The place is the caller's for a while, or the next one when somebody was faster; after a hang-up it is free again by itself."""
    now, wanted = call.means.now(), call.number("slot")

    def write() -> ActionResult:
        held = slots.hold_near(wanted, call.call_id, now)
        if isinstance(held, NotBooked):
            return refused(held, call)
        visit = visit_row(held.at, Slot.get_by_id(held.slot).clinic, call)
        seconds = round((held.until - now).total_seconds())
        kept: dict[str, Value] = {"slot": str(held.slot), "visit": visit, "fee_fen": held.fee_fen, "hold_s": seconds}
        if held.slot == wanted:
            return ActionResult("held", kept)
        return ActionResult("other", {**kept, "said": why(Objection(Reason.SLOT_TAKEN), call)})

    return await call.means.transact(write)


async def release_slot(call: ActionCall) -> ActionResult:
    """Whatever this call keeps is free again."""
    await call.means.transact(lambda: slots.release(call.call_id))
    return ActionResult("released")


# --- booking ---------------------------------------------------------------------------------------------------------


async def book_free(call: ActionCall) -> ActionResult:
    """A place that costs nothing, for the holder of a card."""
    return await call.means.transact(lambda: _book(call, None))


async def book_paid(call: ActionCall) -> ActionResult:
    """The fee leaves the card in the moment in which the place is taken; done again, it is done once."""
    payment = Payment(call.number("card"), call.number("fee_fen"))
    return await call.means.transact(lambda: _book(call, payment))


def _book(call: ActionCall, payment: Payment | None) -> ActionResult:
    now = call.means.now()
    outcome = booking.book(call.number("slot"), _visitor(call), call.once_key, now, call.zone, payment)
    if isinstance(outcome, NotBooked):
        return refused(outcome, call)
    made = Booking.get_by_id(outcome.booking)
    if outcome.balance_fen is None or made.payment_id is None:
        return ActionResult("booked", {"code": outcome.code})
    receipt = f"{made.payment_id:0{RECEIPT_DIGITS}d}"
    return ActionResult("booked", {"code": outcome.code, "receipt": receipt, "balance_fen": outcome.balance_fen})


def _visitor(call: ActionCall) -> Visitor:
    patient = Patient.get_by_id(call.number("visitor"))
    return Visitor(
        name=patient.name,
        channel=Channel.IVR,
        patient=patient.id,
        phone=call.ani,
        call=call.call_id,
        recording=call.call_id,
        holder=call.call_id,
    )


# --- what was booked ---------------------------------------------------------------------------------------------------


async def find_booking(call: ActionCall) -> ActionResult:
    """A booking by its number, which nobody can guess."""

    def look() -> ActionResult:
        found = booking.by_code(call.text("code"))
        return ActionResult("unknown") if found is None else ActionResult("found", _told(found, call))

    return await call.means.read(look)


async def open_booking(call: ActionCall) -> ActionResult:
    """A booking that was picked from the list of the patient's own."""
    return await call.means.read(lambda: ActionResult("found", _told(Booking.get_by_id(call.number("booking")), call)))


def _told(found: Booking, call: ActionCall) -> dict[str, Any]:
    clinic = found.slot.clinic
    return {
        "booking": found.id,
        "visit": visit_row(found.slot.at, clinic, call),
        "visitor": found.patient_id or 0,
        "doctor": clinic.doctor_id or 0,
        "department": clinic.department_id,
        "paid": "yes" if clinic.fee_fen else "no",
    }


async def bookings_of(call: ActionCall) -> ActionResult:
    """The patient's bookings that are still to come."""
    today, number = call.means.now().astimezone(call.zone).date(), page_asked(call)

    def look() -> ActionResult:
        found = booking.of_patient(call.number("patient"), today)
        if not found:
            return ActionResult("none")
        entries = [(str(each.id), visit_row(each.slot.at, each.slot.clinic, call)) for each in found]
        return ActionResult("some", shown(page(entries, number), number, "bookings", "booking_choices"))

    return await call.means.read(look)


async def may_change(call: ActionCall) -> ActionResult:
    """Whether the booking may be cancelled or moved now, and what would come back."""
    now = call.means.now()

    def look() -> ActionResult:
        if reason := changes.why_not_cancel(call.number("booking"), now, call.zone):
            return ActionResult("refused", {"said": why(Objection(reason), call)})
        back_fen = changes.refund_when_cancelled(Booking.get_by_id(call.number("booking")), now, call.zone)
        return ActionResult("allowed", {"refund": _refund("refund_is", back_fen, Booking.get_by_id(call.number("booking")).paid_fen)})

    return await call.means.read(look)


def _refund(prompt: str, back_fen: int, paid_fen: int) -> str:
    """Nothing where nothing was paid."""
    if back_fen:
        return row(("prompt", prompt), ("money", back_fen))
    return row(("prompt", "refund_none")) if paid_fen else ""


async def cancel_booking(call: ActionCall) -> ActionResult:
    """Ended, with the fee as the rules say; again, it was ended before."""
    now = call.means.now()

    def write() -> ActionResult:
        row_id = call.number("booking")
        outcome = changes.cancel(row_id, now, call.zone, Cause(call=call.call_id, recording=call.call_id))
        if isinstance(outcome, NotBooked):
            return refused(outcome, call)
        made = Booking.get_by_id(row_id)
        told = [row(("prompt", "refunded")), _refund("refund_is", outcome.refunded_fen, made.paid_fen)]
        return ActionResult("cancelled", {"refund": rows(told if outcome.refunded_fen else told[1:])})

    return await call.means.transact(write)


async def move_booking(call: ActionCall) -> ActionResult:
    """To the other place; what was paid goes along."""
    now = call.means.now()

    def write() -> ActionResult:
        old = Booking.get_by_id(call.number("booking"))
        visitor = Visitor(name=old.name, channel=Channel.IVR, phone=call.ani, call=call.call_id, holder=call.call_id)
        outcome = changes.move(old.id, call.number("slot"), visitor, call.once_key, now, call.zone)
        return refused(outcome, call) if isinstance(outcome, NotBooked) else ActionResult("moved", {"code": outcome.code})

    return await call.means.transact(write)


REFUSED = {"refused": ("said",)}
KEPT = ("slot", "visit", "fee_fen", "hold_s")
BOOKING = ("booking", "visit", "visitor", "doctor", "department", "paid")

ACTIONS = (
    Action(
        name="begin_booking",
        what="How it is to be booked: paid yes or no; by_doctor not empty when the doctor is chosen already",
        exits={"begun": ("paid", "by_doctor")},
        run=begin_booking,
        inputs=("paid", "by_doctor"),
    ),
    Action(
        name="best_slots",
        what="Best places of a doctor, or of a department (sought: which): {choices:slot_choices} {list:more}; paid: yes, no or empty",
        exits={"found": ("slots", "slot_choices", "sought", *SHOWN), **REFUSED},
        run=best_slots,
        inputs=("visitor",),
        optional=("doctor", "department", "paid", "page"),
    ),
    Action(
        name="hold_slot",
        what="Keeps the place for {duration:hold_s}: {list:visit}; other: the next one, for somebody was faster: {list:said}",
        exits={"held": KEPT, "other": (*KEPT, "said"), **REFUSED},
        run=hold_slot,
        inputs=("slot",),
    ),
    Action(name="release_slot", what="Gives back what this call keeps", exits={"released": ()}, run=release_slot),
    Action(
        name="book_free",
        what="Books a place without a fee: {digits:code}",
        exits={"booked": ("code",), **REFUSED},
        run=book_free,
        inputs=("slot", "visitor"),
    ),
    Action(
        name="book_paid",
        what="Takes the fee from the card and books, both or nothing: {digits:receipt} {digits:code} {money:balance_fen}",
        exits={"booked": ("code", "receipt", "balance_fen"), **REFUSED},
        run=book_paid,
        inputs=("slot", "visitor", "card", "fee_fen"),
    ),
    Action(
        name="find_booking", what="A booking by its number", exits={"found": BOOKING, "unknown": ()}, run=find_booking, inputs=("code",)
    ),
    Action(name="open_booking", what="A booking that was picked", exits={"found": BOOKING}, run=open_booking, inputs=("booking",)),
    Action(
        name="bookings_of",
        what="The patient's bookings: {choices:booking_choices} {list:more}",
        exits={"some": ("bookings", "booking_choices", *SHOWN), "none": ()},
        run=bookings_of,
        inputs=("patient",),
        optional=("page",),
    ),
    Action(
        name="may_change",
        what="Whether it may be cancelled or moved; {list:refund}: what would come back",
        exits={"allowed": ("refund",), **REFUSED},
        run=may_change,
        inputs=("booking",),
    ),
    Action(
        name="cancel_booking",
        what="Cancels it; {list:refund}: what came back",
        exits={"cancelled": ("refund",), **REFUSED},
        run=cancel_booking,
        inputs=("booking",),
    ),
    Action(
        name="move_booking",
        what="Moves it to the place: {digits:code}",
        exits={"moved": ("code",), **REFUSED},
        run=move_booking,
        inputs=("booking", "slot"),
    ),
)
