"""A place for a patient: booked without money, or paid from a card in the same transaction, or not at all. Inside the caller's
transaction; what is refused leaves no trace in it, and the same once_key books once."""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from hashlib import sha256
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from appliance.hospital.booking import slots
from appliance.hospital.booking.channel import Channel
from appliance.hospital.booking.reasons import NotBooked, Objection, Reason, refusal
from appliance.hospital.booking.waitlist import holders_of, served
from appliance.hospital.booking.why_not import Asked, why_not
from appliance.hospital.dispatch import sources
from appliance.hospital.ledger.accounts import Kind
from appliance.hospital.ledger.fees import charge
from appliance.hospital.ledger.posting import Cause, NotPosted
from appliance.hospital.registry.cards import CardState, numbered
from appliance.store.booking_tables import Booking, Slot
from appliance.store.hospital_tables import Card, Patient
from appliance.store.models import database
from appliance.store.money_tables import LedgerAccount, Posting

CODE_FIRST, CODES = 1_000_000, 9_000_000


class Visitor(msgspec.Struct, frozen=True, kw_only=True):
    """Whom the booking is for and who makes it. `patient` None: known by name only. `by`: the agent's account; `call`, `recording`: of
    the telephone call. `holder`: under which the place was held before (slots.hold)."""

    name: str
    channel: Channel
    patient: int | None = None
    phone: str = ""
    by: str = ""
    call: str = ""
    recording: str = ""
    holder: str = ""

    @property
    def cause(self) -> Cause:
        return Cause(by=self.by, call=self.call, recording=self.recording)


class Booked(msgspec.Struct, frozen=True):
    """`code` is spoken and printed. `balance_fen`: what is left on the card, None when nothing was paid. `again`: it was booked before
    under the same key."""

    booking: int
    code: str
    at: datetime
    paid_fen: int = 0
    balance_fen: int | None = None
    again: bool = False


class Payment(msgspec.Struct, frozen=True):
    """From which card, and the price that was said and confirmed. The password was asked by whoever calls."""

    card: int
    price_fen: int


class RefusedError(Exception):
    """Undoes what was begun."""

    def __init__(self, why: NotBooked) -> None:
        self.why = why


def book(
    slot_id: int, visitor: Visitor, once_key: str, now: datetime, zone: ZoneInfo, payment: Payment | None = None
) -> Booked | NotBooked:
    """Book a place, by the rules of the day; with `payment` the fee leaves the card in the same moment."""
    one_at_a_time(visitor.patient)
    if before := booked_before(once_key):
        return before
    asked = Asked(slot=slot_id, channel=visitor.channel, patient=visitor.patient, paying=payment is not None)
    if objections := why_not(asked, now, zone):
        return NotBooked(objections)
    outcome = attempt(lambda: _book(slot_id, visitor, once_key, now, payment))
    return booked_before(once_key) or outcome if isinstance(outcome, NotBooked) else outcome


def one_at_a_time(patient_id: int | None) -> None:
    """Take the patient's row: of two calls for one patient, the second sees what the first booked."""
    if patient_id is not None:
        Patient.update(number=Patient.number).where(Patient.id == patient_id).execute()


def attempt(work: Callable[[], Booked]) -> Booked | NotBooked:
    """`work` to its end, or nothing of it."""
    try:
        with database.atomic():
            return work()
    except RefusedError as refused:
        return refused.why


def booked_before(once_key: str) -> Booked | None:
    """What came of the same key before."""
    row = Booking.get_or_none(Booking.once_key == once_key)
    return None if row is None else Booked(row.id, row.code, row.slot.at, row.paid_fen, _balance_fen(row), again=True)


def _balance_fen(row: Booking) -> int | None:
    if row.payment_id is None:
        return None
    cards = LedgerAccount.select().join(Posting).where(Posting.transaction == row.payment_id, LedgerAccount.kind == Kind.CARD.value)
    return next((account.balance_fen for account in cards), None)


def _book(slot_id: int, visitor: Visitor, once_key: str, now: datetime, payment: Payment | None) -> Booked:
    slot = taken(slot_id, visitor, now)
    paid = {} if payment is None or slot.clinic.free_of_charge else _paid(payment, slot, visitor, once_key, now)
    row = enter(slot, visitor, once_key, now, paid)
    return Booked(row.id, row.code, slot.at, row.paid_fen, _balance_fen(row))


def taken(slot_id: int, visitor: Visitor, now: datetime) -> Slot:
    """The place, which is the visitor's from now on. Raises RefusedError."""
    slot = Slot.get_by_id(slot_id)
    holders = (visitor.holder, *holders_of(slot.clinic_id, visitor.patient))
    if not slots.take(slot_id, holders, now):
        raise RefusedError(refusal(Reason.SLOT_TAKEN))
    if visitor.patient is not None:
        served(slot.clinic_id, visitor.patient, slot_id)
    return slot


def enter(slot: Slot, visitor: Visitor, once_key: str, now: datetime, paid: dict[str, Any]) -> Booking:
    """The row of a booking whose place is taken, and the work that it makes for a desk or printer."""
    row = Booking.create(
        code=code_of(once_key),
        once_key=once_key,
        slot=slot,
        slot_of=slot,
        day=slot.clinic.day,
        patient=visitor.patient,
        name=visitor.name,
        phone=visitor.phone,
        channel=visitor.channel.value,
        made_at=now,
        made_by=visitor.by,
        call=visitor.call,
        **paid,
    )
    sources.booking(row, now)
    return row


def _paid(payment: Payment, slot: Slot, visitor: Visitor, once_key: str, now: datetime) -> dict[str, Any]:
    card = Card.get_or_none(Card.id == payment.card)
    if card is None or card.state != CardState.ACTIVE or card.account is None:
        raise RefusedError(refusal(Reason.CARD_NEEDED))
    fee_fen = slot.clinic.fee_fen
    if payment.price_fen != fee_fen:
        raise RefusedError(refusal(Reason.PRICE_CHANGED, fee_fen))
    posted = charge(card.account, fee_fen, once_key, now, visitor.cause)
    if isinstance(posted, NotPosted):
        raise RefusedError(_insufficient(card.account_id, fee_fen))
    return {"paid_fen": fee_fen, "payment": posted.transaction}


def _insufficient(account_id: int | None, fee_fen: int) -> NotBooked:
    held_fen = LedgerAccount.get_by_id(account_id).balance_fen
    return NotBooked((Objection(Reason.INSUFFICIENT_FUNDS, amount_fen=max(1, fee_fen - held_fen)),))


def code_of(once_key: str) -> str:
    """Eight digits, the last a check digit, that nobody can guess from those of others; the same key always leads to the same code
    unless it is taken."""
    codes = (_code(f"{once_key} {number}") for number in count())
    return next(code for code in codes if not Booking.select().where(Booking.code == code).exists())


def _code(text: str) -> str:
    return numbered(CODE_FIRST + int.from_bytes(sha256(text.encode()).digest()[:8]) % CODES)


def by_code(code: str) -> Booking | None:
    """Whatever its state."""
    return Booking.get_or_none(Booking.code == code)


def of_patient(patient_id: int, today: date) -> list[Booking]:
    """Those still to come, the next first."""
    return of_patients((patient_id,), today)


def of_patients(patient_ids: Iterable[int], today: date) -> list[Booking]:
    """Those still to come of a whole family, the next first."""
    ahead = Booking.patient.in_(list(patient_ids)) & (Booking.state == "booked") & (Booking.day >= today)
    return list(Booking.select(Booking, Slot).join(Slot, on=Booking.slot).where(ahead).order_by(Slot.at))
