"""A small hospital with a clinic tomorrow, and people with money who want places in it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from appliance.hospital.booking import clinics, rules
from appliance.hospital.booking.booking import Booked, Payment, Visitor, book
from appliance.hospital.booking.channel import Channel
from appliance.hospital.booking.clinics import ClinicEntry
from appliance.hospital.booking.reasons import NotBooked
from appliance.hospital.ledger.accounts import cash_desk
from appliance.hospital.ledger.posting import Cause, Movement, Posted, transfer
from appliance.store.booking_tables import Clinic, Slot
from appliance.store.hospital_tables import Card, Patient
from appliance.store.money_tables import LedgerAccount
from tests.unit.hospital_rig import NOW, TODAY, ZONE, card, department, doctor, patient, taken

TOMORROW = TODAY + timedelta(days=1)
FEE_FEN = 1_500
CAUSE = Cause(by="desk", call="c1", recording="r1")


def entry(**more: Any) -> ClinicEntry:
    """A clinic of the department tomorrow morning with six places."""
    fields: dict[str, Any] = {"department": 1, "day": TOMORROW, "starts": "08:00", "ends": "09:00"}
    return ClinicEntry(**(fields | more))


def clinic(**more: Any) -> Clinic:
    return taken(clinics.make(entry(**more), ZONE))


def doctors_clinic(fee_fen: int = FEE_FEN, **more: Any) -> Clinic:
    """A department, a doctor of it, and the doctor's clinic tomorrow morning."""
    department()
    return clinic(doctor=doctor().id, fee_fen=fee_fen, **more)


def places(of: Clinic) -> list[int]:
    """Ids of its places by number."""
    return [row.id for row in Slot.select().where(Slot.clinic == of).order_by(Slot.number)]


def rich(name: str = "李娜", fen: int = 10_000, **more: str) -> Card:
    """The card of a new patient, with money on it."""
    new = card(patient(name, **more))
    top_up(new, fen)
    return new


@pytest.fixture
def cardholder(store: None) -> Card:
    """With 100 yuan on the card."""
    return rich()


@pytest.fixture
def paid(cardholder: Card) -> Booked:
    """A booking for tomorrow, paid from that card."""
    return booked(pay(places(doctors_clinic())[0], cardholder))


def top_up(onto: Card, fen: int) -> None:
    assert onto.account is not None
    if fen:
        posted = transfer(Movement.TOP_UP, cash_desk("1"), onto.account, fen, f"top up {onto.number} {fen}", NOW, CAUSE)
        assert isinstance(posted, Posted)


def caller(of: Card | Patient, **more: Any) -> Visitor:
    """Whoever rings for this patient."""
    person = of.patient if isinstance(of, Card) else of
    fields: dict[str, Any] = {"name": person.name, "channel": Channel.IVR, "patient": person.id, "call": "c1", "phone": "13900001111"}
    return Visitor(**(fields | more))


def agent(name: str = "王芳", **more: Any) -> Visitor:
    """An agent who books for somebody who has no card."""
    return Visitor(**({"name": name, "channel": Channel.AGENT, "by": "amy"} | more))


def pay(slot: int, of: Card, key: str = "k", price_fen: int = FEE_FEN, now: datetime = NOW, **more: Any) -> Booked | NotBooked:
    return book(slot, caller(of, **more), key, now, ZONE, Payment(of.id, price_fen))


def booked(outcome: Booked | NotBooked) -> Booked:
    assert isinstance(outcome, Booked), outcome
    return outcome


def refused(outcome: object) -> NotBooked:
    assert isinstance(outcome, NotBooked), outcome
    return outcome


def reasons(outcome: object) -> list[str]:
    return [objection.reason.value for objection in refused(outcome).objections]


def balance(of: Card) -> int:
    return int(LedgerAccount.get_by_id(of.account_id).balance_fen)


def ledger_balances() -> bool:
    return sum(row.balance_fen for row in LedgerAccount.select()) == 0


def ruled(**changes: Any) -> rules.Rules:
    """These rules hold from now on."""
    new = msgspec.structs.replace(rules.rules_for(None), **changes)
    rules.save(new, None, "boss", NOW)
    return new


def at(clock: str, day: date = TODAY) -> datetime:
    """That time of the hospital's, as UTC."""
    return rules.at_clock(day, clock, ZONE).astimezone(UTC)
