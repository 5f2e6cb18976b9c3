"""Every rule says no where it should and nowhere else, in words that can be spoken; rules are values that a department may have of its
own."""

import tomllib
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import appliance.ivr.prompts
from appliance.hospital.booking import bans, rules
from appliance.hospital.booking.booking import book
from appliance.hospital.booking.channel import Channel
from appliance.hospital.booking.reasons import Objection, Reason
from appliance.hospital.booking.rules import Rules
from appliance.hospital.booking.why_not import Asked, age_on, why_not
from appliance.hospital.registry import departments, doctors
from appliance.store.booking_tables import BookingRules, Clinic
from appliance.store.hospital_tables import Patient
from tests.unit.booking_rig import TOMORROW, agent, at, booked, caller, clinic, doctors_clinic, places, reasons, ruled
from tests.unit.hospital_rig import NOW, TODAY, ZONE, codes, department, doctor, patient, store, taken

__all__ = ["store"]
pytestmark = pytest.mark.usefixtures("store")


def found(of: Clinic, person: Patient | None = None, now: datetime = NOW, rules: Rules | None = None, **more: Any) -> list[str]:
    fields: dict[str, Any] = {"slot": places(of)[0], "channel": Channel.IVR, "patient": None if person is None else person.id} | more
    return [objection.reason.value for objection in why_not(Asked(**fields), now, ZONE, rules)]


@pytest.fixture
def of(store: None) -> Clinic:
    department()
    return clinic(doctor=doctor().id)


@pytest.fixture
def person(store: None) -> Patient:
    return patient(birth_date="2000-03-10", sex="女")


def test_nothing_speaks_against_an_ordinary_booking(of: Clinic, person: Patient) -> None:
    assert found(of, person) == []


@pytest.mark.parametrize(
    ("days_ahead", "clock", "expected"),
    [
        (14, "06:29", ["too_early"]),
        (14, "06:30", []),
        (15, "23:59", ["too_early"]),
        (1, "23:59", []),
        (0, "00:00", ["too_late"]),
        (0, "08:01", ["past"]),
    ],
)
def test_days_open_at_the_release_time_and_close_the_day_before(person: Patient, days_ahead: int, clock: str, expected: list[str]) -> None:
    department()
    made = clinic(day=TODAY + timedelta(days=days_ahead))
    assert found(made, person, at(clock)) == expected


def test_a_day_that_is_not_open_says_from_when_it_is(person: Patient) -> None:
    department()
    made = clinic(day=TODAY + timedelta(days=20))
    (objection,) = why_not(Asked(slot=places(made)[0], channel=Channel.IVR, patient=person.id), NOW, ZONE)
    assert objection == Objection(Reason.TOO_EARLY, at=at("06:30", TODAY + timedelta(days=6)))
    assert (objection.prompt, objection.value_prompt) == ("reason_too_early", "reason_opens_at")


@pytest.mark.parametrize(("clock", "expected"), [("07:30", []), ("07:31", ["too_late"]), ("08:00", ["past"])])
def test_same_day_booking_closes_before_the_visit(person: Patient, clock: str, expected: list[str]) -> None:
    department()
    ruled(first_day=0)
    assert found(clinic(day=TODAY), person, at(clock)) == expected


def test_channels_can_be_closed(of: Clinic, person: Patient) -> None:
    ruled(channels=(Channel.AGENT,))
    assert found(of, person) == ["not_by_telephone"]
    assert found(of, person, channel=Channel.WEB) == ["channel_closed"]
    assert found(of, person, channel=Channel.AGENT) == []


@pytest.mark.parametrize(
    ("born", "limits", "expected"),
    [
        ("2012-03-10", {"age_most": 13}, []),
        ("2012-03-09", {"age_most": 13}, ["too_old"]),
        ("2012-03-09", {"age_least": 14}, []),
        ("2012-03-10", {"age_least": 14}, ["too_young"]),
        ("", {"age_least": 14}, []),
    ],
)
def test_ages_are_those_of_the_day_of_the_visit(of: Clinic, born: str, limits: dict[str, Any], expected: list[str]) -> None:
    assert date(2026, 3, 9) == TOMORROW
    assert found(of, patient(birth_date=born), rules=Rules(**limits)) == expected


def test_somebody_born_in_a_leap_year() -> None:
    assert (age_on(date(2024, 2, 29), date(2025, 2, 28)), age_on(date(2024, 2, 29), date(2025, 3, 1))) == (0, 1)


def test_a_department_may_see_one_sex_only(of: Clinic, person: Patient) -> None:
    assert found(of, person, rules=Rules(sex="m")) == ["sex"]
    assert found(of, person, rules=Rules(sex="f")) == []
    assert found(of, patient(), rules=Rules(sex="m")) == []


def test_one_booking_of_a_doctor_a_day(of: Clinic, person: Patient) -> None:
    booked(book(places(of)[3], caller(person), "k", NOW, ZONE))
    assert found(of, person) == ["already_booked"]
    assert found(of, patient()) == []
    assert found(of, person, rules=Rules(once_per="any")) == []
    same_department = clinic(doctor=doctor("1002", "王芳").id, starts="14:00", ends="15:00")
    assert found(same_department, person) == []
    assert found(same_department, person, rules=Rules(once_per="department")) == ["already_booked"]
    next_day = clinic(doctor=of.doctor_id, day=TOMORROW + timedelta(days=1))
    assert found(next_day, person) == []


@pytest.mark.parametrize(("starts", "expected"), [("07:46", ["same_time"]), ("07:45", []), ("08:14", ["same_time"]), ("08:15", [])])
def test_nobody_is_in_two_places(of: Clinic, person: Patient, starts: str, expected: list[str]) -> None:
    booked(book(places(of)[0], caller(person), "k", NOW, ZONE))
    elsewhere = clinic(doctor=doctor("1002", "王芳").id, starts=starts, ends="10:00")
    assert found(elsewhere, person) == expected


def test_a_patient_has_so_many_bookings_before_him(person: Patient) -> None:
    department()
    ruled(open_bookings=2)
    for day in (2, 3):
        booked(book(places(clinic(day=TODAY + timedelta(days=day)))[0], caller(person), f"k{day}", NOW, ZONE))
    assert found(clinic(), person) == ["limit"]
    assert found(clinic(), person, TODAY_IN_4_DAYS) == ["past"]


TODAY_IN_4_DAYS = NOW + timedelta(days=4)


def test_a_ban_holds_from_its_first_to_its_last_day(of: Clinic, person: Patient) -> None:
    ban = bans.ban(person.id, TODAY, 1)
    assert found(of, person) == ["banned"]
    asked = Asked(slot=places(of)[0], channel=Channel.IVR, patient=person.id)
    (objection,) = why_not(asked, NOW, ZONE)
    assert (objection.day, objection.value_prompt) == (TOMORROW, "reason_banned_until")
    assert found(of, person, at("23:59")) == ["banned"]
    assert found(of, person, at("00:00", TOMORROW), Rules(first_day=0)) == []
    assert (bans.lift(ban.id, "boss"), bans.lift(ban.id, "boss"), found(of, person)) == (True, False, [])


def test_who_is_known_by_name_only_books_through_an_agent(of: Clinic) -> None:
    assert found(of) == ["card_needed"]
    assert found(of, channel=Channel.AGENT) == []


def test_doctors_and_departments_that_are_away(of: Clinic, person: Patient) -> None:
    assert of.doctor_id is not None
    doctors.set_listed(of.doctor_id, listed=False)
    assert found(of, person) == ["doctor_absent"]
    doctors.set_listed(of.doctor_id, listed=True)
    taken(departments.save(taken(departments.read({"code": "12", "name_zh": "内科", "name_en": "x", "closed": "yes"})), of.department_id))
    assert found(of, person) == ["department_closed"]
    Clinic.update(cancelled=True).execute()
    assert found(of, person) == ["session_stopped"]


def test_several_reasons_come_with_the_weightiest_first(person: Patient) -> None:
    bans.ban(person.id, TODAY, 3)
    assert found(doctors_clinic(), person, rules=Rules(age_least=99)) == ["banned", "too_young", "payment_needed"]


def test_what_is_found_keeps_from_booking(of: Clinic, person: Patient) -> None:
    bans.ban(person.id, TODAY, 3)
    assert reasons(book(places(of)[0], caller(person), "k", NOW, ZONE)) == ["banned"]
    booked(book(places(of)[0], agent(), "k", NOW, ZONE))


def test_trying_out_rules_changes_nothing(of: Clinic, person: Patient) -> None:
    found(of, person, rules=Rules(age_least=99))
    assert (BookingRules.select().count(), found(of, person)) == (0, [])


def test_a_department_has_rules_of_its_own_and_follows_the_hospital_in_the_rest() -> None:
    own = department().id
    rules.save(Rules(age_most=13), own, "boss", NOW)
    ruled(last_day=7)
    assert (rules.rules_for(own).age_most, rules.rules_for(own).last_day) == (13, 7)
    assert (rules.rules_for(None).age_most, rules.rules_for(department("13").id).last_day) == (0, 7)
    rules.save(rules.rules_for(own), own, "boss", NOW)
    ruled(last_day=10)
    assert rules.rules_for(own).last_day == 10


def test_every_change_of_the_rules_is_kept() -> None:
    ruled(last_day=7)
    ruled(last_day=10)
    assert [row.made_by for row in BookingRules.select()] == ["boss", "boss"]


def test_rules_as_a_form_and_back() -> None:
    wanted = Rules(
        last_day=7, channels=(Channel.IVR, Channel.AGENT), unpaid_channels=(), no_show_refund=False, late_cancel="keep_fee", sex="f"
    )
    assert rules.read(rules.form_of(wanted)) == wanted
    assert rules.read({}) == Rules()


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"last_day": "soon"}, {"last_day": "number"}),
        ({"last_day": "181"}, {"last_day": "range"}),
        ({"first_day": "9", "last_day": "8"}, {"last_day": "order"}),
        ({"release": "6:30"}, {"release": "clock"}),
        ({"cancel_time": "24:01"}, {"cancel_time": "clock"}),
        ({"channels": "ivr pigeon"}, {"channels": "choice"}),
        ({"channels": " "}, {"channels": "required"}),
        ({"late_cancel": "maybe"}, {"late_cancel": "choice"}),
        ({"age_least": "18", "age_most": "17"}, {"age_most": "order"}),
        ({"hold_s": "5"}, {"hold_s": "range"}),
        ({"no_show_refund": "perhaps"}, {"no_show_refund": "flag"}),
    ],
)
def test_a_form_that_will_not_do(form: dict[str, str], expected: dict[str, str]) -> None:
    assert codes(rules.read(form)) == expected


def test_every_reason_has_a_prompt() -> None:
    texts = Path(appliance.ivr.prompts.__file__).parent.glob("*.toml")
    known = {name for file in texts for name in flat(tomllib.loads(file.read_text()))}
    said = {Objection(reason, NOW, TODAY, 1).prompt for reason in Reason} | {"reason_opens_at", "reason_banned_until", "reason_missing_is"}
    assert said <= known


def flat(table: dict[str, Any]) -> set[str]:
    """Names of a table and of those in it."""
    return set(table).union(*(flat(value) for value in table.values() if isinstance(value, dict)))
