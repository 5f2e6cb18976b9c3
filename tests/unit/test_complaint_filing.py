"""A complaint is filed once, has a number that can be keyed, an owner, and a day it is due."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.calendar import Calendar, CalendarConfig
from appliance.hospital.complaints import form, number
from appliance.hospital.complaints.filing import Filing, named
from appliance.hospital.complaints.rules import due_after
from appliance.store.case_tables import Complaint, WorkItem
from tests.unit.cases_rig import CALENDAR, account, complaint, member
from tests.unit.hospital_rig import BEIJING, NOW, codes, department, fewer, patient, store, taken

__all__ = ["store"]
KEYS = st.text(max_size=20)


@pytest.mark.usefixtures("store")
def test_a_complaint_by_telephone_has_a_number_an_owner_and_a_work_item() -> None:
    owner, person = account("li"), member("104")
    row = complaint(call="c1", department_code="12", staff_code="104", recording="2026-03-08/c1-statement.wav")
    assert (row.owner, row.staff, row.department, row.state) == (owner, person, person.department, "open")
    assert number.is_number(row.number)
    assert WorkItem.get().about == f"complaint {row.number}"


@pytest.mark.usefixtures("store")
def test_filed_again_it_is_the_same_and_nothing_is_there_twice() -> None:
    account("li")
    assert complaint().number == complaint(after=timedelta(hours=1)).number
    assert (Complaint.select().count(), WorkItem.select().count()) == (1, 1)


@pytest.mark.usefixtures("store")
def test_codes_nobody_has_are_kept_as_keyed() -> None:
    department("12")
    row = complaint(department_code="12", staff_code="99999999")
    assert (row.department_code, row.staff_code, row.staff) == ("12", "99999999", None)
    assert row.department is not None
    assert complaint("call 2", department_code="0", staff_code="").department is None
    assert named("0", "104") == named("", "")


@pytest.mark.usefixtures("store")
def test_five_hundred_cases_have_five_hundred_numbers() -> None:
    count = fewer(500)
    rows = [complaint(f"call {n}", department_code=str(n), staff_code=str(n)) for n in range(count)]
    assert len({row.number for row in rows}) == count
    assert WorkItem.select().count() == count


@pytest.mark.usefixtures("store")
def test_a_number_that_is_taken_is_not_given_twice() -> None:
    first = complaint("a")
    Complaint.update(number=number.number_of("b")).where(Complaint.id == first.id).execute()
    assert complaint("b").number == number.number_of("b", 1)


@given(key=KEYS, place=st.integers(0, number.DIGITS - 1), more=st.integers(1, 9))
def test_a_wrong_digit_is_noticed(key: str, place: int, more: int) -> None:
    right = number.number_of(key)
    wrong = right[:place] + str((int(right[place]) + more) % 10) + right[place + 1 :]
    assert number.is_number(right)
    assert not number.is_number(wrong)


@pytest.mark.parametrize("keyed", ["", "1", "123456789", "1234567x", "１２３４５６７４"])
def test_what_is_no_case_number(keyed: str) -> None:
    assert not number.is_number(keyed)


# 2026-03-08 10:00 in Shanghai is a Sunday, without hours; Saturdays end at 12:00.
@pytest.mark.parametrize(
    ("days", "due"),
    [(0, "03-08 16:00"), (1, "03-09 09:30"), (5, "03-13 09:30"), (6, "03-14 04:00"), (7, "03-16 09:30")],
)
def test_it_is_due_at_the_end_of_a_working_day(days: int, due: str) -> None:
    assert f"{due_after(NOW, days, CALENDAR):%m-%d %H:%M}" == due


def test_holidays_are_no_working_days_and_special_days_are() -> None:
    calendar = Calendar(CalendarConfig(holidays=(datetime(2026, 3, 9, tzinfo=UTC).date(),), special={NOW.date(): ("08:00-09:00",)}))
    assert f"{due_after(NOW - timedelta(days=1), 1, calendar):%m-%d %H:%M}" == "03-08 01:00"
    assert f"{due_after(NOW, 1, calendar):%m-%d %H:%M}" == "03-10 09:30"


def test_a_calendar_without_any_day_counts_all() -> None:
    assert f"{due_after(NOW, 3, Calendar(CalendarConfig(week={}))):%m-%d %H:%M}" == "03-11 16:00"


def _read(**given: str) -> Filing:
    return taken(form.read(given, BEIJING, once_key="form 1", channel="agent", by="li"))


@pytest.mark.usefixtures("store")
def test_a_form_is_read() -> None:
    who = patient()
    filing = _read(department="77", staff="9", patient=who.number, phone="(010) 6234-5678", text="等了三个小时")
    assert (filing.patient_id, filing.phone, filing.staff_code) == (who.id, "01062345678", "9")


@pytest.mark.usefixtures("store")
def test_what_is_wrong_on_a_form_is_said_at_the_field() -> None:
    given = {"department": "abc", "staff": "123456789", "patient": "404", "phone": "call me", "text": ""}
    outcome = form.read(given, BEIJING, once_key="form 1", channel="agent", by="li")
    expected = {"department": "digits", "staff": "length", "patient": "unknown", "phone": "phone", "text": "required"}
    assert codes(outcome) == expected


@pytest.mark.usefixtures("store")
def test_a_patient_that_is_no_number_has_one_fault() -> None:
    outcome = form.read({"patient": "<b>", "text": "a" * 4_001}, BEIJING, once_key="form 1", channel="web", by="")
    assert codes(outcome) == {"patient": "digits", "text": "too_long"}
