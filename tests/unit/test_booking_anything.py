"""Whatever patients, staff and the clock do in whatever order: a place has one booking, and money is where the bookings say."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.hospital.booking import day_end, slots, waitlist
from appliance.hospital.booking.booking import Payment, book
from appliance.hospital.booking.changes import arrive, cancel, move, stop_clinic
from appliance.hospital.ledger import closing
from appliance.store.booking_tables import Booking, Slot, Waiting
from appliance.store.hospital_tables import Card
from appliance.store.models import database
from appliance.store.money_tables import LedgerAccount, LedgerTransaction
from tests.unit.booking_rig import CAUSE, FEE_FEN, TOMORROW, agent, at, caller, clinic, ledger_balances, places, rich, ruled
from tests.unit.hospital_rig import NOW, ZONE, department, doctor, store

__all__ = ["store"]
pytestmark = pytest.mark.usefixtures("store")

PATIENTS = 3
ACTIONS = ("hold", "pay", "agent", "cancel", "by_hospital", "move", "arrive", "wait", "leave", "pass_on", "day_end", "stop", "release")
STEPS = st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 5), st.integers(0, PATIENTS - 1), st.integers(0, 3)), max_size=40)


class Hospital:
    """Two clinics of three places, a few patients; a step of the test is a call of one function."""

    def __init__(self) -> None:
        department()
        ruled(once_per="any", same_time_min=0, cancellations=0, no_shows=0, open_bookings=0, late_cancel="keep_fee", first_day=0)
        self.clinics = [clinic(doctor=doctor(number).id, fee_fen=FEE_FEN, minutes=20) for number in ("1001", "1002")]
        self.places = [place for made in self.clinics for place in places(made)]
        self.cards: list[Card] = [rich(f"人{number}", 3 * FEE_FEN) for number in range(PATIENTS)]
        self.now = NOW
        self.count = 0

    def do(self, what: str, place: int, who: int, hours: int) -> None:
        self.now += timedelta(hours=hours)
        self.count += 1
        getattr(self, f"_{what}")(self.places[place], self.cards[who])

    @property
    def _key(self) -> str:
        """Now and then one that was used before."""
        return f"key {self.count - self.count % 3}"

    def _bookings(self, place: int) -> list[Booking]:
        return list(Booking.select().where(Booking.slot == place))

    def _hold(self, place: int, card: Card) -> None:
        slots.hold(place, f"call {card.id}", self.now)

    def _release(self, _place: int, card: Card) -> None:
        slots.release(f"call {card.id}")

    def _pay(self, place: int, card: Card) -> None:
        book(place, caller(card, holder=f"call {card.id}"), self._key, self.now, ZONE, Payment(card.id, FEE_FEN))

    def _agent(self, place: int, _card: Card) -> None:
        book(place, agent(), self._key, self.now, ZONE)

    def _cancel(self, place: int, card: Card) -> None:
        for row in self._bookings(place):
            cancel(row.id, self.now, ZONE, CAUSE, card.patient_id)

    def _by_hospital(self, place: int, _card: Card) -> None:
        for row in self._bookings(place):
            cancel(row.id, self.now, ZONE, CAUSE, by_hospital=True)

    def _move(self, place: int, card: Card) -> None:
        for row in self._bookings(place):
            move(row.id, self.places[(place + 1) % len(self.places)], caller(card), f"move {self._key} {row.id}", self.now, ZONE)

    def _arrive(self, place: int, _card: Card) -> None:
        for row in self._bookings(place):
            arrive(row.id, at("09:00", TOMORROW), ZONE)

    def _wait(self, place: int, card: Card) -> None:
        waitlist.join(Slot.get_by_id(place).clinic_id, card.patient_id, "1", self.now)

    def _leave(self, _place: int, card: Card) -> None:
        for row in waitlist.of_patient(card.patient_id):
            waitlist.leave(row.id, self.now, ZONE)

    def _pass_on(self, _place: int, _card: Card) -> None:
        waitlist.pass_on(self.now, ZONE)

    def _day_end(self, _place: int, _card: Card) -> None:
        if day_end.day_over(self.now, ZONE, "01:30") >= TOMORROW:
            day_end.step(TOMORROW, self.now, ZONE, most=2)

    def _stop(self, place: int, _card: Card) -> None:
        if self.count % 4 == 0:
            stop_clinic(Slot.get_by_id(place).clinic_id, self.now, ZONE, CAUSE)


def prove_places(now: datetime) -> None:
    """A place is booked while a booking has it; one that is kept for somebody who waits is kept for that one."""
    rows = {row.id: row for row in Slot.select()}
    having = {row.slot_of_id: row for row in Booking.select().where(Booking.slot_of.is_null(False))}
    assert {row.state for row in having.values()} <= {"booked", "arrived"}
    assert all(row.slot_of_id == row.slot_id for row in having.values())
    stopped = {row.id for row in rows.values() if row.clinic.cancelled}
    booked_ones = {row.id for row in rows.values() if row.state == "booked"}
    ended = {row.slot_id for row in Booking.select().where(Booking.state == "no_show")}
    assert having.keys() - stopped <= booked_ones
    assert booked_ones - having.keys() <= ended
    offers = Waiting.select().where(Waiting.state == "offered", Waiting.offered_until >= now)
    assert all(rows[row.offered_slot_id or 0].held_by in (f"waiting {row.id}", "") for row in offers)


def prove_money() -> None:
    """Each card lacks exactly the fees of bookings that were not refunded."""
    assert ledger_balances()
    assert closing.faults() == ()
    assert min(row.balance_fen for row in LedgerAccount.select().where(LedgerAccount.kind == "card")) >= 0
    kept = [row for row in Booking.select() if row.payment_id and row.refund_id is None and row.state != "moved"]
    fees = LedgerAccount.get_or_none(LedgerAccount.kind == "fees")
    assert sum(row.paid_fen for row in kept) == (fees.balance_fen if fees else 0)
    refunds = [row.refund_id for row in Booking.select() if row.refund_id]
    assert len(set(refunds)) == len(refunds) == LedgerTransaction.select().where(LedgerTransaction.kind == "refund").count()
    assert all(row.state in ("cancelled", "no_show") for row in Booking.select() if row.refund_id)


@pytest.fixture
def hospital(store: None) -> Iterator[Hospital]:
    with database.atomic() as made:
        yield Hospital()
        made.rollback()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_happens(hospital: Hospital, steps: list[tuple[Any, ...]]) -> None:
    with database.atomic() as attempt:
        hospital.now, hospital.count = NOW, 0
        for what, place, who, hours in steps:
            hospital.do(what, place, who, hours)
        prove_places(hospital.now)
        prove_money()
        attempt.rollback()
