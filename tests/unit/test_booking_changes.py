"""A booking ends once: cancelled by its deadline, moved with what was paid, arrived on its day, or stopped with its clinic."""

from datetime import timedelta

import pytest

from appliance.hospital.booking import slots
from appliance.hospital.booking.booking import Booked, book, of_patients
from appliance.hospital.booking.changes import Arrival, Cancelled, arrive, cancel, move, refund_when_cancelled, stop_clinic, why_not_cancel
from appliance.hospital.booking.reasons import Reason
from appliance.hospital.registry.patients import add_relative
from appliance.store.booking_tables import Ban, Booking, Clinic, Slot
from appliance.store.hospital_tables import Card
from appliance.store.money_tables import LedgerTransaction
from appliance.store.outgoing import OutgoingMessage
from tests.unit.booking_rig import (
    CAUSE,
    FEE_FEN,
    TOMORROW,
    agent,
    at,
    balance,
    booked,
    caller,
    cardholder,
    clinic,
    doctors_clinic,
    ledger_balances,
    paid,
    pay,
    places,
    reasons,
    rich,
    ruled,
)
from tests.unit.hospital_rig import NOW, TODAY, ZONE, department, doctor, patient, store

__all__ = ["cardholder", "paid", "store"]
pytestmark = pytest.mark.usefixtures("store")


def place_of(outcome: Booked) -> Slot:
    return Booking.get_by_id(outcome.booking).slot


def test_cancelling_in_time_gives_fee_and_place_back(paid: Booked, cardholder: Card) -> None:
    assert refund_when_cancelled(Booking.get_by_id(paid.booking), NOW, ZONE) == FEE_FEN
    assert cancel(paid.booking, NOW, ZONE, CAUSE, cardholder.patient_id) == Cancelled(FEE_FEN)
    row = Booking.get_by_id(paid.booking)
    assert (row.state, row.slot_of, row.ended_by, row.end_reason) == ("cancelled", None, "desk", "patient")
    assert (balance(cardholder), row.slot.state, ledger_balances()) == (10_000, slots.FREE, True)


def test_cancelling_again_changes_nothing_and_says_the_same(paid: Booked, cardholder: Card) -> None:
    cancel(paid.booking, NOW, ZONE, CAUSE)
    taken_since = booked(pay(place_of(paid).id, cardholder, "k2"))
    assert cancel(paid.booking, NOW, ZONE, CAUSE) == Cancelled(FEE_FEN, again=True)
    assert (balance(cardholder), Booking.get_by_id(taken_since.booking).state) == (10_000 - FEE_FEN, "booked")
    assert LedgerTransaction.select().where(LedgerTransaction.kind == "refund").count() == 1


@pytest.mark.parametrize(
    ("rule", "clock", "expected"),
    [
        ({}, "15:00", FEE_FEN),
        ({}, "15:01", None),
        ({"cancel_time": "00:00", "cancel_days": 0}, "23:59", FEE_FEN),
        ({"late_cancel": "keep_fee"}, "15:01", 0),
        ({"late_cancel": "refund"}, "15:01", FEE_FEN),
    ],
)
def test_the_deadline_decides_about_the_fee(
    paid: Booked, cardholder: Card, rule: dict[str, str | int], clock: str, expected: int | None
) -> None:
    ruled(**rule)
    outcome = cancel(paid.booking, at(clock), ZONE, CAUSE)
    if expected is None:
        assert reasons(outcome) == ["deadline"]
        assert Booking.get_by_id(paid.booking).state == "booked"
    else:
        assert outcome == Cancelled(expected)
        assert balance(cardholder) == 10_000 - FEE_FEN + expected


def test_what_has_begun_is_not_cancelled_by_the_patient_but_by_the_hospital(paid: Booked, cardholder: Card) -> None:
    ruled(late_cancel="refund")
    assert reasons(cancel(paid.booking, at("08:00", TOMORROW), ZONE, CAUSE)) == ["deadline"]
    assert cancel(paid.booking, at("08:00", TOMORROW), ZONE, CAUSE, by_hospital=True) == Cancelled(FEE_FEN)
    assert (balance(cardholder), Booking.get_by_id(paid.booking).end_reason) == (10_000, "hospital")


def test_nobody_cancels_what_is_somebody_elses(paid: Booked) -> None:
    assert reasons(cancel(paid.booking, NOW, ZONE, CAUSE, patient("王芳").id)) == ["not_yours"]
    assert reasons(cancel(99, NOW, ZONE, CAUSE)) == ["unknown"]


def test_a_family_cancels_for_each_other_and_who_paid_too(cardholder: Card) -> None:
    made, child, friend = doctors_clinic(), patient("王小"), patient("王芳")
    visit = booked(book(places(made)[0], agent("王小", patient=child.id), "k", NOW, ZONE)).booking
    assert reasons(cancel(visit, NOW, ZONE, CAUSE, cardholder.patient_id)) == ["not_yours"]
    add_relative(cardholder.patient_id, child.id, "son")
    assert [row.id for row in of_patients((cardholder.patient_id, child.id), TODAY)] == [visit]
    assert cancel(visit, NOW, ZONE, CAUSE, cardholder.patient_id) == Cancelled(0)
    for_friend = booked(pay(places(made)[1], cardholder, "f", patient=friend.id, name="王芳"))
    assert why_not_cancel(for_friend.booking, NOW, ZONE, friend.id) is None
    assert why_not_cancel(for_friend.booking, NOW, ZONE, child.id) is Reason.NOT_YOURS
    assert cancel(for_friend.booking, NOW, ZONE, CAUSE, cardholder.patient_id) == Cancelled(FEE_FEN)


def test_an_unpaid_booking_gives_nothing_back(cardholder: Card) -> None:
    outcome = booked(book(places(doctors_clinic())[0], agent(), "k", NOW, ZONE))
    assert cancel(outcome.booking, NOW, ZONE, CAUSE) == Cancelled(0)


def test_who_cancels_too_often_is_banned_and_told_until_when(cardholder: Card) -> None:
    ruled(cancellations=2, cancellation_ban_days=7)
    made = doctors_clinic()
    for key in ("a", "b"):
        outcome = booked(pay(places(made)[0], cardholder, key))
        cancel(outcome.booking, NOW, ZONE, CAUSE)
    refused = pay(places(made)[0], cardholder, "c")
    assert reasons(refused) == ["cancelled_too_often"]
    assert Ban.get().ends == TODAY + timedelta(days=6)


def test_what_the_hospital_cancels_is_not_counted(cardholder: Card) -> None:
    ruled(cancellations=1)
    made = doctors_clinic()
    cancel(booked(pay(places(made)[0], cardholder, "a")).booking, NOW, ZONE, CAUSE, by_hospital=True)
    stop_clinic(made.id, NOW, ZONE, CAUSE)
    assert Ban.select().count() == 0


def test_an_earlier_ban_for_cancelling_is_not_counted_again(cardholder: Card) -> None:
    ruled(cancellations=2, cancellation_ban_days=1)
    made = doctors_clinic(day=TODAY + timedelta(days=10))
    later = NOW + timedelta(days=2)
    for key, now in (("a", NOW), ("b", NOW), ("c", later)):
        cancel(booked(pay(places(made)[0], cardholder, key, now=now)).booking, now, ZONE, CAUSE)
    assert Ban.select().count() == 1
    cancel(booked(pay(places(made)[0], cardholder, "d", now=later)).booking, later, ZONE, CAUSE)
    assert Ban.select().count() == 2


def test_moving_takes_along_what_was_paid(paid: Booked, cardholder: Card) -> None:
    other = places(clinic(doctor=doctor("1002", "王芳").id, fee_fen=FEE_FEN))[2]
    moved = booked(move(paid.booking, other, caller(cardholder), "m", NOW, ZONE, cardholder.patient_id))
    old, new = Booking.get_by_id(paid.booking), Booking.get_by_id(moved.booking)
    assert (old.state, old.moved_to_id, old.slot.state) == ("moved", new.id, slots.FREE)
    assert (new.payment_id, new.paid_fen, new.slot_id, new.code != old.code) == (old.payment_id, FEE_FEN, other, True)
    assert booked(move(paid.booking, other, caller(cardholder), "m", NOW, ZONE)).again
    assert balance(cardholder) == 10_000 - FEE_FEN
    assert cancel(moved.booking, NOW, ZONE, CAUSE) == Cancelled(FEE_FEN)
    assert reasons(cancel(paid.booking, NOW, ZONE, CAUSE)) == ["already_cancelled"]
    assert (balance(cardholder), ledger_balances()) == (10_000, True)


def test_moving_within_the_same_clinic_is_no_second_booking_of_the_doctor(paid: Booked, cardholder: Card) -> None:
    same_clinic = places(place_of(paid).clinic)[5]
    assert booked(move(paid.booking, same_clinic, caller(cardholder), "m", NOW, ZONE)).paid_fen == FEE_FEN


def test_moving_to_a_taken_or_dearer_place_or_too_late_changes_nothing(paid: Booked, cardholder: Card) -> None:
    made = place_of(paid).clinic
    booked(pay(places(made)[1], rich("王芳"), "other"))
    assert reasons(move(paid.booking, places(made)[1], caller(cardholder), "m", NOW, ZONE)) == ["slot_taken"]
    dearer = places(clinic(doctor=doctor("1002", "王芳").id, fee_fen=FEE_FEN + 1))[0]
    assert reasons(move(paid.booking, dearer, caller(cardholder), "m", NOW, ZONE)) == ["price_changed"]
    assert reasons(move(paid.booking, places(made)[2], caller(cardholder), "m", at("15:01"), ZONE)) == ["deadline"]
    assert (Booking.get_by_id(paid.booking).state, place_of(paid).state, Booking.select().count()) == ("booked", slots.BOOKED, 2)


@pytest.mark.parametrize(
    ("clock", "day", "expected"),
    [
        ("23:59", TODAY, Arrival.NOT_TODAY),
        ("00:00", TOMORROW, Arrival.ARRIVED),
        ("23:59", TOMORROW, Arrival.ARRIVED),
        ("24:00", TOMORROW, Arrival.NOT_TODAY),
    ],
)
def test_arriving_on_the_day_of_the_visit(paid: Booked, clock: str, day: object, expected: Arrival) -> None:
    now = at(clock, TOMORROW if day == TOMORROW else TODAY)
    assert arrive(paid.booking, now, ZONE) is expected


def test_who_has_arrived_neither_arrives_again_nor_cancels(paid: Booked) -> None:
    here = at("08:00", TOMORROW)
    assert [arrive(paid.booking, here, ZONE), arrive(paid.booking, here, ZONE)] == [Arrival.ARRIVED, Arrival.AGAIN]
    assert why_not_cancel(paid.booking, here, ZONE) is Reason.ALREADY_VISITED
    assert reasons(cancel(paid.booking, here, ZONE, CAUSE, by_hospital=True)) == ["already_visited"]


def test_who_has_cancelled_does_not_arrive(paid: Booked) -> None:
    cancel(paid.booking, NOW, ZONE, CAUSE)
    assert arrive(paid.booking, at("08:00", TOMORROW), ZONE) is Arrival.CANCELLED
    assert arrive(99, NOW, ZONE) is Arrival.UNKNOWN


def test_a_clinic_that_is_stopped_gives_everything_back_and_tells_everybody(cardholder: Card) -> None:
    made = doctors_clinic()
    english = rich("Ann", language="en", phones="13900002222")
    first, second = booked(pay(places(made)[0], cardholder, "a")), booked(pay(places(made)[1], english, "b", phone=""))
    booked(book(places(made)[2], agent(phone=""), "c", NOW, ZONE))
    assert stop_clinic(made.id, at("08:10", TOMORROW), ZONE, CAUSE) == 3
    assert (balance(cardholder), balance(english), ledger_balances()) == (10_000, 10_000, True)
    told = {row.to: row.text for row in OutgoingMessage.select()}
    assert told["13900001111"] == f"您预约的3月9日08:00内科门诊已取消，预约号{first.code}。费用15.00元已退回您的就诊卡。"
    assert f"Internal medicine), booking {second.code}, has been cancelled" in told["13900002222"]
    assert len(told) == 2
    assert stop_clinic(made.id, NOW, ZONE, CAUSE) is None
    assert (slots.free_count(made.id, NOW), Clinic.get_by_id(made.id).cancelled, OutgoingMessage.select().count()) == (0, True, 2)


def test_what_is_kept_in_a_stopped_clinic_is_not_booked(cardholder: Card) -> None:
    made = doctors_clinic()
    slots.hold(places(made)[0], "call 1", NOW)
    stop_clinic(made.id, NOW, ZONE, CAUSE)
    assert reasons(pay(places(made)[0], cardholder, holder="call 1")) == ["session_stopped"]
    assert reasons(slots.hold(places(made)[0], "call 1", NOW)) == ["slot_taken"]


def test_a_place_can_be_taken_out_of_the_sale_and_put_back() -> None:
    department()
    place = places(clinic())[0]
    assert [slots.set_blocked(place, NOW, blocked=True), slots.set_blocked(place, NOW, blocked=True)] == [True, False]
    assert reasons(book(place, agent(), "k", NOW, ZONE)) == ["slot_taken"]
    assert slots.set_blocked(place, NOW, blocked=False)
    booked(book(place, agent(), "k", NOW, ZONE))
    assert not slots.set_blocked(place, NOW, blocked=True)
