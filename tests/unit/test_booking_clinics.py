"""Clinics with their places, what is offered of them, and who waits for them."""

from datetime import UTC, date, datetime, timedelta

import pytest

from appliance.hospital.booking import bans, clinics, offers, slots, waitlist
from appliance.hospital.booking.booking import book
from appliance.hospital.booking.changes import cancel, stop_clinic
from appliance.hospital.booking.channel import Channel
from appliance.hospital.booking.clinics import ClinicEntry, Half
from appliance.hospital.booking.offers import Offer, Wanted, best, duplicates
from appliance.hospital.booking.waitlist import Place
from appliance.store.booking_tables import Clinic, Slot, Waiting
from appliance.store.outgoing import OutgoingMessage
from tests.unit.booking_rig import (
    CAUSE,
    TOMORROW,
    agent,
    at,
    booked,
    caller,
    clinic,
    doctors_clinic,
    entry,
    pay,
    places,
    reasons,
    rich,
    ruled,
)
from tests.unit.hospital_rig import NOW, TODAY, ZONE, codes, department, doctor, patient, store, taken

__all__ = ["store"]
pytestmark = pytest.mark.usefixtures("store")

FIRST_BOOKING = 1


def times(of: Clinic) -> list[str]:
    return [f"{row.at.astimezone(ZONE):%H:%M}" for row in Slot.select().where(Slot.clinic == of).order_by(Slot.number)]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"minutes": 20}, ["08:00", "08:20", "08:40"]),
        ({"minutes": 25}, ["08:00", "08:25"]),
        ({"minutes": 20, "places": 6}, ["08:00", "08:00", "08:20", "08:20", "08:40", "08:40"]),
        ({"minutes": 20, "places": 2}, ["08:00", "08:20"]),
        ({"minutes": 60, "places": 2}, ["08:00", "08:00"]),
    ],
)
def test_places_are_spread_over_the_visits(given: dict[str, int], expected: list[str]) -> None:
    department()
    assert times(clinic(**given)) == expected


def test_places_are_kept_in_utc() -> None:
    department()
    assert Slot.get_by_id(places(clinic())[0]).at == datetime(2026, 3, 9, 0, 0, tzinfo=UTC)


def test_a_doctor_is_not_in_two_places() -> None:
    first = doctors_clinic()
    same = entry(doctor=first.doctor_id)
    assert codes(clinics.make(same, ZONE)) == {"starts": "overlap"}
    assert codes(clinics.make(entry(doctor=first.doctor_id, starts="08:59", ends="10:00"), ZONE)) == {"starts": "overlap"}
    clinic(doctor=first.doctor_id, starts="09:00", ends="10:00")
    clinic(doctor=doctor("1002", "王芳").id)
    clinic()
    clinic()
    stop_clinic(first.id, NOW, ZONE, CAUSE)
    taken(clinics.make(same, ZONE))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"ends": "08:00"}, {"ends": "order"}),
        ({"starts": "9:00"}, {"starts": "clock"}),
        ({"ends": ""}, {"ends": "required"}),
        ({"minutes": "0"}, {"minutes": "range"}),
        ({"minutes": "90"}, {"places": "range"}),
        ({"places": "401"}, {"places": "range"}),
        ({"doctor": "77"}, {"doctor": "unknown"}),
        ({"doctor": "", "department": "77"}, {"department": "unknown"}),
        ({"doctor": ""}, {"department": "required"}),
        ({"day": "tomorrow"}, {"day": "date"}),
        ({"fee": "-1"}, {"fee": "negative"}),
        ({"fee": "<b>"}, {"fee": "money"}),
    ],
)
def test_a_clinic_that_will_not_do(given: dict[str, str], expected: dict[str, str]) -> None:
    department()
    doctor()
    form = {"doctor": "1001", "day": "2026-03-09", "starts": "08:00", "ends": "09:00"} | given
    read = clinics.read(form)
    assert codes(clinics.make(read, ZONE) if isinstance(read, ClinicEntry) else read) == expected
    assert (Clinic.select().count(), Slot.select().count()) == (0, 0)


def test_a_clinic_from_a_form_has_the_doctors_department_and_fee() -> None:
    department()
    doctor(fee="20")
    form = {"doctor": "1001", "day": "2026-03-09", "starts": "08:00", "ends": "09:00", "minutes": "15"}
    made = taken(clinics.make(taken(clinics.read(form)), ZONE))
    assert (made.department_id, made.fee_fen, times(made)) == (1, 2_000, ["08:00", "08:15", "08:30", "08:45"])
    assert taken(clinics.read(form | {"fee": "0", "starts": "10:00", "ends": "11:00"})).fee_fen == 0


def test_a_months_clinics_from_a_timetable() -> None:
    department()
    halves = [Half(weekday="monday", starts="08:00", ends="12:00"), Half(weekday="thursday", starts="14:00", ends="17:00")]
    wanted = clinics.by_timetable(halves, date(2026, 3, 9), date(2026, 3, 22), entry(doctor=doctor().id))
    assert [(made.day.day, made.starts) for made in wanted] == [(9, "08:00"), (12, "14:00"), (16, "08:00"), (19, "14:00")]
    made, refusals = clinics.make_many([*wanted, wanted[0]], ZONE)
    assert (made, [place for place, _ in refusals], Slot.select().count()) == (4, [4], 2 * 24 + 2 * 18)


def offered(wanted: Wanted, channel: Channel = Channel.AGENT, person: int | None = None) -> list[Offer]:
    found = best(wanted, channel, person, NOW, ZONE)
    assert isinstance(found, tuple), found
    return list(found)


def test_three_places_of_three_clinics_the_earliest_first() -> None:
    department()
    rows = [clinic(doctor=doctor(f"{n}", "张伟").id, day=TODAY + timedelta(days=5 - n), fee_fen=n) for n in range(1, 5)]
    found = offered(Wanted(department=1))
    assert [(offer.clinic, offer.day.day, offer.time, offer.left) for offer in found] == [
        (rows[3].id, 9, "08:00", 6),
        (rows[2].id, 10, "08:00", 6),
        (rows[1].id, 11, "08:00", 6),
    ]
    assert offers.offer_of(found[0].slot, NOW, ZONE) == found[0]


def test_of_one_clinic_its_first_three_free_places() -> None:
    made = doctors_clinic()
    slots.hold(places(made)[1], "call 1", NOW)
    assert [offer.time for offer in offered(Wanted(doctor=made.doctor_id))] == ["08:00", "08:20", "08:30"]


def test_what_is_wanted_is_what_is_offered() -> None:
    morning = doctors_clinic()
    afternoon = clinic(doctor=morning.doctor_id, starts="14:00", ends="15:00")
    later = clinic(day=TODAY + timedelta(days=3))
    assert {offer.clinic for offer in offered(Wanted(department=1, half="pm"))} == {afternoon.id}
    assert {offer.clinic for offer in offered(Wanted(department=1, half="am", last=TOMORROW))} == {morning.id}
    assert {offer.clinic for offer in offered(Wanted(department=1, first=TODAY + timedelta(days=2)))} == {later.id}
    assert {offer.clinic for offer in offered(Wanted(paid=True))} == {morning.id}
    assert {offer.clinic for offer in offered(Wanted(paid=False))} == {afternoon.id, later.id}


def test_places_the_patient_may_not_have_are_not_offered() -> None:
    person = patient()
    first = doctors_clinic(0)
    booked(book(places(first)[0], caller(person), "k", NOW, ZONE))
    second = clinic(doctor=doctor("1002", "王芳").id)
    found = offered(Wanted(department=1), Channel.IVR, person.id)
    assert [(offer.clinic, offer.time) for offer in found] == [(second.id, "08:20"), (second.id, "08:30"), (second.id, "08:40")]


def test_why_nothing_is_offered() -> None:
    department()
    assert reasons(best(Wanted(department=1), Channel.AGENT, None, NOW, ZONE)) == ["no_schedule"]
    made = clinic(doctor=doctor().id, minutes=60)
    assert reasons(best(Wanted(department=1), Channel.IVR, None, NOW, ZONE)) == ["card_needed"]
    booked(book(places(made)[0], agent(), "k", NOW, ZONE))
    assert reasons(best(Wanted(department=1), Channel.AGENT, None, NOW, ZONE)) == ["full"]
    assert reasons(best(Wanted(doctor=made.doctor_id), Channel.AGENT, None, NOW, ZONE)) == ["doctor_full"]
    assert reasons(best(Wanted(department=1, first=TOMORROW, last=TOMORROW), Channel.AGENT, None, NOW, ZONE)) == ["day_full"]


@pytest.mark.parametrize(("fee_fen", "paid", "reason"), [(2000, False, "only_with_fee"), (0, True, "only_free")])
def test_that_there_are_places_of_the_other_kind_only(fee_fen: int, paid: bool, reason: str) -> None:
    made = doctors_clinic(fee_fen, minutes=60)
    for wanted in (Wanted(doctor=made.doctor_id, paid=paid), Wanted(department=1, paid=paid)):
        assert reasons(best(wanted, Channel.IVR, None, NOW, ZONE)) == [reason]
    booked(book(places(made)[0], agent(), "k", NOW, ZONE))
    assert reasons(best(Wanted(doctor=made.doctor_id, paid=paid), Channel.IVR, None, NOW, ZONE)) == ["doctor_full"]
    other = clinic(day=TODAY + timedelta(days=2), doctor=made.doctor_id, fee_fen=0 if fee_fen else 2000)
    assert offered(Wanted(doctor=made.doctor_id, paid=paid))[0].clinic == other.id


def test_an_agent_is_warned_of_what_may_be_the_same_twice() -> None:
    made, card = doctors_clinic(), rich("李娜")
    first = booked(pay(places(made)[0], card, "a"))
    other = booked(book(places(made)[1], agent("李娜"), "b", NOW, ZONE))
    other_day = places(clinic(day=TODAY + timedelta(days=4)))[0]
    assert [row.id for row in duplicates(places(made)[2], "李娜", "", None)] == [first.booking, other.booking]
    assert [row.id for row in duplicates(places(made)[2], "王芳", "13900001111", None)] == [first.booking]
    assert [row.id for row in duplicates(places(made)[2], "Li Na", "", card.patient_id)] == [first.booking]
    assert duplicates(places(made)[2], "王芳", "", None) == []
    assert duplicates(other_day, "李娜", "", None) == []
    cancel(first.booking, NOW, ZONE, CAUSE)
    assert len(duplicates(places(made)[2], "李娜", "", None)) == 1


@pytest.fixture
def full(store: None) -> Clinic:
    """A clinic with one place, which is taken."""
    department()
    made = clinic(minutes=60)
    booked(book(places(made)[0], agent(), "first", NOW, ZONE))
    return made


def waiting_states() -> list[str]:
    return [row.state for row in Waiting.select().order_by(Waiting.id)]


def test_who_waits_is_offered_the_place_that_becomes_free_and_has_it_for_a_while(full: Clinic) -> None:
    first, second = patient("李娜"), patient("王芳")
    assert waitlist.join(full.id, first.id, "13900001111", NOW) == Place(1, 1)
    assert waitlist.join(full.id, second.id, "13900002222", NOW) == Place(2, 2)
    assert waitlist.join(full.id, first.id, "13900001111", NOW + timedelta(minutes=1)) == Place(1, 1)
    cancel(FIRST_BOOKING, NOW, ZONE, CAUSE)
    message = OutgoingMessage.get()
    assert (message.to, message.channel) == ("13900001111", "sms")
    assert message.text == "您候补的3月9日08:00内科现在有号，为您保留到10:30，请致电或上网预约。"
    assert waiting_states() == ["offered", "waiting"]
    assert reasons(book(places(full)[0], caller(second), "b", NOW, ZONE)) == ["slot_taken"]
    booked(book(places(full)[0], caller(first), "a", NOW, ZONE))
    assert waiting_states() == ["served", "waiting"]


def test_an_offer_nobody_takes_goes_to_the_next(full: Clinic) -> None:
    first, second = patient("李娜"), patient("王芳")
    waitlist.join(full.id, first.id, "13900001111", NOW)
    waitlist.join(full.id, second.id, "13900002222", NOW)
    cancel(FIRST_BOOKING, NOW, ZONE, CAUSE)
    later = NOW + timedelta(minutes=31)
    assert (waitlist.pass_on(NOW, ZONE), waitlist.pass_on(later, ZONE), waitlist.pass_on(later, ZONE)) == (0, 1, 0)
    assert waiting_states() == ["gone", "offered"]
    assert [row.to for row in OutgoingMessage.select()] == ["13900001111", "13900002222"]
    assert waitlist.pass_on(later + timedelta(minutes=31), ZONE) == 1
    assert slots.free_count(full.id, later + timedelta(minutes=31)) == 1


def test_who_waits_no_more_passes_the_offer_on(full: Clinic) -> None:
    first, second = patient("李娜"), patient("王芳")
    waitlist.join(full.id, first.id, "1", NOW)
    waitlist.join(full.id, second.id, "2", NOW)
    cancel(FIRST_BOOKING, NOW, ZONE, CAUSE)
    assert (waitlist.leave(1, NOW, ZONE), waitlist.leave(1, NOW, ZONE)) == (True, False)
    assert waiting_states() == ["gone", "offered"]
    assert [row.id for row in waitlist.of_patient(second.id)] == [2]
    assert waitlist.join(full.id, first.id, "1", NOW) == Place(1, 1)


def test_an_offer_of_a_place_somebody_took_meanwhile_is_not_made_again(full: Clinic) -> None:
    waitlist.join(full.id, patient("李娜").id, "1", NOW)
    waitlist.join(full.id, patient("王芳").id, "2", NOW)
    cancel(FIRST_BOOKING, NOW, ZONE, CAUSE)
    later = NOW + timedelta(minutes=31)
    booked(book(places(full)[0], agent(), "third", later, ZONE))
    assert waitlist.pass_on(later, ZONE) == 1
    assert waiting_states() == ["gone", "waiting"]


def test_a_place_somebody_kept_and_gave_up_is_offered_within_a_minute() -> None:
    department()
    made = clinic(minutes=60)
    slots.hold(places(made)[0], "call 1", NOW)
    waitlist.join(made.id, patient("李娜").id, "1", NOW)
    waitlist.pass_on(NOW, ZONE)
    assert waiting_states() == ["waiting"]
    slots.release("call 1")
    waitlist.pass_on(NOW, ZONE)
    assert (waiting_states(), Slot.get().held_by, OutgoingMessage.select().count()) == (["offered"], "waiting 1", 1)


def test_who_may_not_book_is_passed_over(full: Clinic) -> None:
    first, second = patient("李娜"), patient("王芳")
    waitlist.join(full.id, first.id, "1", NOW)
    waitlist.join(full.id, second.id, "2", NOW)
    bans.ban(first.id, TODAY, 5)
    cancel(FIRST_BOOKING, NOW, ZONE, CAUSE)
    assert waiting_states() == ["waiting", "offered"]


def test_nobody_is_offered_a_place_too_late_to_come(full: Clinic) -> None:
    ruled(late_cancel="refund")
    waitlist.join(full.id, patient("李娜").id, "1", NOW)
    cancel(FIRST_BOOKING, at("07:31", TOMORROW), ZONE, CAUSE)
    assert (waiting_states(), slots.free_count(full.id, NOW)) == (["waiting"], 1)


def test_nobody_waits_for_a_clinic_that_is_over_or_stopped(full: Clinic) -> None:
    waitlist.join(full.id, patient("李娜").id, "1", NOW)
    assert reasons(waitlist.join(full.id, patient().id, "1", at("08:01", TOMORROW))) == ["session_stopped"]
    stop_clinic(full.id, NOW, ZONE, CAUSE)
    assert waiting_states() == ["gone"]
    assert reasons(waitlist.join(full.id, patient().id, "1", NOW)) == ["session_stopped"]
