"""Who did not come loses the booking and gets the fee back, once, however often the day is ended and whatever the clock does."""

from datetime import date, timedelta

import pytest

from appliance.hospital.booking import bans, day_end
from appliance.hospital.booking.booking import Booked, book
from appliance.hospital.booking.changes import Arrival, arrive, cancel
from appliance.hospital.booking.day_end import Step, day_over, next_end, step
from appliance.store.booking_tables import Ban, Booking, Clinic, DayEnd
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
    rich,
    ruled,
)
from tests.unit.hospital_rig import NOW, TODAY, ZONE, department, doctor, patient, store

__all__ = ["cardholder", "paid", "store"]
pytestmark = pytest.mark.usefixtures("store")

MIDNIGHT = at("24:00", TOMORROW)


def states() -> list[str]:
    return [row.state for row in Booking.select().order_by(Booking.id)]


def ended(day: date = TOMORROW) -> Step:
    return step(day, MIDNIGHT, ZONE)


@pytest.mark.parametrize(
    ("clock", "day", "expected"),
    [("01:29", TODAY, -2), ("01:30", TODAY, -1), ("23:59", TODAY, -1), ("00:30", TOMORROW, -1), ("01:30", TOMORROW, 0)],
)
def test_a_day_ends_some_time_after_its_midnight(clock: str, day: date, expected: int) -> None:
    assert day_over(at(clock, day), ZONE, "01:30") == TODAY + timedelta(days=expected)


def test_when_the_next_day_ends() -> None:
    assert next_end(at("01:29"), ZONE, "01:30") == at("01:30")
    assert next_end(at("01:30"), ZONE, "01:30") == at("01:30", TOMORROW)


def test_who_did_not_come_gets_the_fee_back_and_is_told(paid: Booked, cardholder: Card) -> None:
    assert ended() == Step(1, FEE_FEN, done=True)
    row = Booking.get_by_id(paid.booking)
    assert (row.state, row.slot_of, row.end_reason, row.refund_id is not None) == ("no_show", None, "no_show", True)
    assert (balance(cardholder), ledger_balances()) == (10_000, True)
    assert OutgoingMessage.get().text == f"您预约的3月9日08:00内科没有就诊，预约号{paid.code}已失效。费用15.00元已退回您的就诊卡。"


def test_ending_a_day_again_changes_nothing(paid: Booked, cardholder: Card) -> None:
    ended()
    assert [ended(), step(TOMORROW, MIDNIGHT + timedelta(hours=3), ZONE)] == [Step(0, 0, done=True)] * 2
    record = DayEnd.get()
    assert (record.day, record.no_shows, record.refunded_fen, record.ended_at) == (TOMORROW, 1, FEE_FEN, MIDNIGHT)
    assert (balance(cardholder), LedgerTransaction.select().where(LedgerTransaction.kind == "refund").count()) == (10_000, 1)
    assert OutgoingMessage.select().count() == 1


def test_who_arrives_in_the_last_second_is_never_refunded(paid: Booked, cardholder: Card) -> None:
    assert arrive(paid.booking, MIDNIGHT - timedelta(seconds=1), ZONE) is Arrival.ARRIVED
    assert ended() == Step(0, 0, done=True)
    assert (states(), balance(cardholder)) == (["arrived"], 10_000 - FEE_FEN)


def test_who_comes_after_the_end_of_the_day_is_told_so(paid: Booked) -> None:
    ended()
    assert arrive(paid.booking, MIDNIGHT - timedelta(seconds=1), ZONE) is Arrival.LAPSED


def test_other_days_and_other_states_are_left_alone() -> None:
    made, card = doctors_clinic(), rich(fen=50_000)
    ruled(once_per="any", same_time_min=0)
    gone = booked(pay(places(made)[0], card, "a"))
    cancel(gone.booking, NOW, ZONE, CAUSE)
    booked(pay(places(clinic(doctor=made.doctor_id, day=TOMORROW + timedelta(days=1), fee_fen=FEE_FEN))[0], card, "b"))
    assert ended() == Step(0, 0, done=True)
    assert states() == ["cancelled", "booked"]


def test_a_day_that_was_missed_is_ended_with_the_next(paid: Booked) -> None:
    assert step(TOMORROW + timedelta(days=3), MIDNIGHT + timedelta(days=3), ZONE).no_shows == 1


def test_the_fee_stays_where_the_rules_say_so(paid: Booked, cardholder: Card) -> None:
    ruled(no_show_refund=False)
    assert ended() == Step(1, 0, done=True)
    assert (balance(cardholder), states()) == (10_000 - FEE_FEN, ["no_show"])
    assert OutgoingMessage.get().text.endswith("已失效。")


def test_somebody_known_by_name_only_lapses_too() -> None:
    booked(book(places(doctors_clinic())[0], agent(phone="1"), "k", NOW, ZONE))
    assert ended() == Step(1, 0, done=True)


def stay_away(card: Card, day: date, doctor_number: str) -> None:
    """Book a visit of that day and do not come."""
    made = clinic(doctor=doctor(doctor_number).id, day=day, fee_fen=FEE_FEN)
    booked(pay(places(made)[0], card, f"visit {day}", now=at("10:00", day - timedelta(days=1))))
    step(day, at("02:00", day + timedelta(days=1)), ZONE)


def test_the_third_time_in_a_year_is_a_ban_of_a_month() -> None:
    department()
    card = rich()
    for number, after in enumerate((0, 100, 200)):
        assert Ban.select().count() == 0
        stay_away(card, TODAY + timedelta(days=after), f"{2000 + number}")
    ban, lapsed = Ban.get(), TODAY + timedelta(days=201)
    assert (ban.patient_id, ban.begins, ban.ends, ban.reason) == (card.patient_id, lapsed, lapsed + timedelta(days=29), "no_shows")


def test_what_is_longer_ago_or_was_paid_for_by_a_ban_does_not_count() -> None:
    department()
    ruled(no_shows=2, no_show_months=6)
    card = rich()
    for number, after in enumerate((0, 200, 300, 340)):
        stay_away(card, TODAY + timedelta(days=after), f"{2000 + number}")
    assert [ban.begins for ban in Ban.select()] == [TODAY + timedelta(days=301)]
    assert bans.no_shows_of(card.patient_id, TODAY + timedelta(days=341), ruled()) == 3


def test_two_days_ended_at_once_are_one_ban() -> None:
    department()
    ruled(no_shows=2)
    card = rich()
    for number in range(4):
        made = clinic(
            doctor=doctor(f"{2000 + number}").id, day=TODAY + timedelta(days=1 + number % 2), starts=f"1{number}:00", ends="20:00"
        )
        booked(book(places(made)[0], caller(card), f"visit {number}", NOW, ZONE))
    later = TODAY + timedelta(days=4)
    assert step(later, at("02:00", later + timedelta(days=1)), ZONE).no_shows == 4
    assert Ban.select().count() == 1


def test_a_long_day_is_ended_in_small_steps() -> None:
    department()
    people = [rich(f"人{number}") for number in range(5)]
    made = clinic(fee_fen=FEE_FEN)
    for number, card in enumerate(people):
        booked(pay(places(made)[number], card, f"k{number}"))
    steps: list[Step] = [step(TOMORROW, MIDNIGHT, ZONE, most=2)]
    while not steps[-1].done:
        steps.append(step(TOMORROW, MIDNIGHT, ZONE, most=2))
    assert [done.no_shows for done in steps] == [2, 2, 1]
    assert DayEnd.get().refunded_fen == 5 * FEE_FEN
    assert day_end.BOOKINGS_A_STEP < 100


def test_a_run_that_begins_anew_goes_on_where_the_other_stopped() -> None:
    made = doctors_clinic()
    cards = [rich("李娜"), rich("王芳"), rich("张伟")]
    for number, card in enumerate(cards):
        booked(pay(places(made)[number], card, f"k{number}"))
    step(TOMORROW, MIDNIGHT, ZONE, most=1)
    assert DayEnd.get().ended_at is None
    assert ended() == Step(2, 2 * FEE_FEN, done=True)
    assert DayEnd.get().no_shows == 3


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_steps_an_hour_refunds_nobody_twice_and_nobody_who_came(hours: int) -> None:
    made, absent, late = doctors_clinic(), rich("李娜"), rich("王芳")
    booked(pay(places(made)[0], absent, "a"))
    came = booked(pay(places(made)[1], late, "b"))
    nights = [at("23:59", TOMORROW), at("23:59", TOMORROW) + timedelta(hours=hours), at("02:00", TOMORROW + timedelta(days=1))]
    assert [day_over(now, ZONE, "01:30") >= TOMORROW for now in nights] == [False, False, True]
    arrive(came.booking, nights[0], ZONE)
    for now in (nights[2], nights[2] + timedelta(hours=hours), nights[2]):
        step(TOMORROW, now, ZONE)
    assert (balance(absent), balance(late), Clinic.select().count()) == (10_000, 10_000 - FEE_FEN, 1)
    assert DayEnd.get().no_shows == 1


def test_a_patient_without_a_number_is_not_told() -> None:
    booked(book(places(doctors_clinic(0))[0], caller(patient(), phone=""), "k", NOW, ZONE))
    assert ended().no_shows == 1
    assert OutgoingMessage.select().count() == 0
