"""A place is booked and paid in one, once, or not at all."""

from datetime import timedelta

import pytest

from appliance.hospital.booking import slots
from appliance.hospital.booking.booking import book, by_code, of_patient
from appliance.hospital.registry.cards import CardStep, numbered, step
from appliance.store.booking_tables import Booking, Slot
from appliance.store.models import database
from appliance.store.money_tables import LedgerTransaction
from tests.unit.booking_rig import (
    FEE_FEN,
    agent,
    balance,
    booked,
    caller,
    clinic,
    doctors_clinic,
    ledger_balances,
    pay,
    places,
    reasons,
    refused,
    rich,
)
from tests.unit.hospital_rig import NOW, TODAY, ZONE, department, doctor, patient, store

__all__ = ["store"]
pytestmark = pytest.mark.usefixtures("store")


def test_the_fee_leaves_the_card_and_the_place_is_the_patients() -> None:
    place, card = places(doctors_clinic())[0], rich()
    outcome = booked(pay(place, card))
    assert (outcome.paid_fen, outcome.balance_fen, outcome.again) == (FEE_FEN, 10_000 - FEE_FEN, False)
    assert (balance(card), Slot.get_by_id(place).state) == (10_000 - FEE_FEN, slots.BOOKED)
    row = Booking.get_by_id(outcome.booking)
    assert (row.code, row.channel, row.call, row.slot_of_id) == (outcome.code, "ivr", "c1", place)
    fee = LedgerTransaction.get_by_id(row.payment_id)
    assert (fee.kind, fee.call, row.day) == ("fee", "c1", TODAY + timedelta(days=1))
    assert ledger_balances()


def test_the_same_key_books_and_debits_once() -> None:
    place, card = places(doctors_clinic())[0], rich()
    first, again = booked(pay(place, card)), booked(pay(place, card))
    assert (again.booking, again.code, again.again) == (first.booking, first.code, True)
    assert (balance(card), again.balance_fen) == (10_000 - FEE_FEN, 10_000 - FEE_FEN)


def test_too_little_money_leaves_no_trace_and_says_what_is_missing() -> None:
    place, card = places(doctors_clinic())[0], rich(fen=400)
    outcome = pay(place, card)
    assert reasons(outcome) == ["insufficient_funds"]
    missing = refused(outcome).first
    assert (missing.amount_fen, missing.prompt, missing.value_prompt) == (FEE_FEN - 400, "reason_insufficient_funds", "reason_missing_is")
    assert (balance(card), Slot.get_by_id(place).state, Booking.select().count()) == (400, slots.FREE, 0)


def test_a_price_that_changed_since_it_was_said_is_not_taken() -> None:
    place, card = places(doctors_clinic())[0], rich()
    assert reasons(pay(place, card, price_fen=FEE_FEN - 1)) == ["price_changed"]
    assert (balance(card), Slot.get_by_id(place).state) == (10_000, slots.FREE)


@pytest.mark.parametrize("what", [CardStep.FREEZE, CardStep.LOSE, CardStep.CLOSE])
def test_a_card_that_cannot_be_used_pays_nothing(what: CardStep) -> None:
    place, card = places(doctors_clinic())[0], rich()
    assert step(card.id, what, NOW, "desk")
    assert reasons(pay(place, card)) == ["card_needed"]
    assert (balance(card), Booking.select().count()) == (10_000, 0)


def test_a_place_has_one_booking() -> None:
    place, first, second = places(doctors_clinic())[0], rich("李娜"), rich("王芳")
    booked(pay(place, first, "a"))
    assert reasons(pay(place, second, "b")) == ["slot_taken"]
    assert (balance(second), Booking.select().count()) == (10_000, 1)


def test_a_place_that_is_kept_goes_to_whoever_keeps_it() -> None:
    place, first, second = places(doctors_clinic())[0], rich("李娜"), rich("王芳")
    held = slots.hold(place, "call 1", NOW)
    assert isinstance(held, slots.Held)
    assert (held.fee_fen, held.until) == (FEE_FEN, NOW + timedelta(seconds=180))
    assert reasons(slots.hold(place, "call 2", NOW)) == ["slot_taken"]
    assert reasons(pay(place, second, "b")) == ["slot_taken"]
    booked(pay(place, first, "a", holder="call 1"))


def test_whoever_was_slower_has_the_next_place_and_one_place_only() -> None:
    made = doctors_clinic()
    first, second, *_ = places(made)
    slots.hold(first, "call 1", NOW)
    for _ in range(2):  # done again after a crash it is the same
        held = slots.hold_near(first, "call 2", NOW)
        assert isinstance(held, slots.Held)
        assert (held.slot, slots.free_count(made.id, NOW)) == (second, 4)
    last = places(made)[-1]
    slots.hold(last, "call 3", NOW)
    held = slots.hold_near(last, "call 4", NOW)
    assert isinstance(held, slots.Held)
    assert held.slot == places(made)[-2]


def test_nothing_is_kept_near_a_full_clinic() -> None:
    made = doctors_clinic()
    for place in places(made):
        slots.hold(place, f"call {place}", NOW)
    assert reasons(slots.hold_near(places(made)[0], "another", NOW)) == ["slot_taken"]


def test_a_place_kept_too_long_is_free_again_by_itself() -> None:
    made = doctors_clinic()
    place, later = places(made)[0], NOW + timedelta(seconds=181)
    slots.hold(place, "call 1", NOW)
    assert (slots.free_count(made.id, NOW), slots.free_count(made.id, later)) == (5, 6)
    booked(pay(place, rich(), "b", now=later))


def test_whoever_kept_it_too_long_still_gets_it_while_nobody_else_wants_it() -> None:
    place = places(doctors_clinic())[0]
    slots.hold(place, "call 1", NOW)
    booked(pay(place, rich(), "a", now=NOW + timedelta(hours=1), holder="call 1"))


def test_keeping_again_keeps_longer_and_giving_up_frees() -> None:
    made = doctors_clinic()
    slots.hold(places(made)[0], "call 1", NOW)
    held = slots.hold(places(made)[0], "call 1", NOW + timedelta(seconds=100), 60)
    assert isinstance(held, slots.Held)
    assert held.until == NOW + timedelta(seconds=160)
    assert (slots.release("call 1"), slots.release("call 1"), slots.free_count(made.id, NOW)) == (1, 0, 6)


def test_a_place_nobody_knows_and_a_holder_without_a_name_are_refused() -> None:
    assert reasons(slots.hold(77, "call 1", NOW)) == ["unknown"]
    assert reasons(slots.hold(places(doctors_clinic())[0], "", NOW)) == ["unknown"]
    assert reasons(book(77, agent(), "k", NOW, ZONE)) == ["unknown"]


def test_an_agent_books_for_anyone_by_name_and_time() -> None:
    place = places(doctors_clinic())[0]
    outcome = booked(book(place, agent("王芳"), "k", NOW, ZONE))
    row = Booking.get_by_id(outcome.booking)
    assert (row.name, row.patient, row.made_by, row.paid_fen, outcome.balance_fen) == ("王芳", None, "amy", 0, None)


def test_card_holders_book_free_clinics_by_telephone_and_others_do_not() -> None:
    department()
    place = places(clinic())[0]
    assert reasons(book(place, agent(channel="ivr"), "a", NOW, ZONE)) == ["card_needed"]
    assert booked(book(place, caller(rich()), "b", NOW, ZONE)).paid_fen == 0
    assert LedgerTransaction.select().where(LedgerTransaction.kind == "fee").count() == 0


def test_a_clinic_with_a_fee_is_not_booked_by_telephone_without_paying() -> None:
    assert reasons(book(places(doctors_clinic())[0], caller(rich()), "a", NOW, ZONE)) == ["payment_needed"]


def test_paying_for_a_free_clinic_costs_nothing() -> None:
    card = rich()
    department()
    outcome = booked(pay(places(clinic())[0], card, price_fen=0))
    assert (outcome.paid_fen, balance(card)) == (0, 10_000)


def test_a_mother_pays_for_her_child() -> None:
    place, mother, child = places(doctors_clinic())[0], rich("李娜"), patient("王小")
    outcome = booked(pay(place, mother, patient=child.id, name="王小"))
    assert (Booking.get_by_id(outcome.booking).patient_id, balance(mother)) == (child.id, 10_000 - FEE_FEN)


def test_codes_are_eight_digits_with_a_check_digit_and_differ() -> None:
    card = rich(fen=100_000)
    department()
    hours = ("10", "11", "12")
    free = [places(clinic(doctor=doctor(hour).id, starts=f"{hour}:00", ends=f"{hour}:10"))[0] for hour in hours]
    codes = [booked(pay(place, card, f"key {place}", 0)).code for place in free]
    assert all(code == numbered(int(code[:-1])) and len(code) == 8 for code in codes)
    assert len(set(codes)) == 3
    assert by_code(codes[0]) is not None
    assert [row.code for row in of_patient(card.patient_id, TODAY)] == codes


def test_a_transaction_that_is_undone_leaves_neither_booking_nor_debit() -> None:
    place, card = places(doctors_clinic())[0], rich()
    with database.atomic() as attempt:
        booked(pay(place, card))
        attempt.rollback()
    assert (balance(card), Slot.get_by_id(place).state, Booking.select().count()) == (10_000, slots.FREE, 0)
    assert not booked(pay(place, card)).again
