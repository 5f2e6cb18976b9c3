"""Statements of callers who hung up before they said what is to become of them."""

from datetime import timedelta

import pytest

from appliance.events import AnyHappened, MessageDiscarded
from appliance.hospital.complaints import statements
from appliance.store.case_tables import Complaint, ComplaintStep, PendingStatement, WorkItem
from appliance.store.models import CallRecord, Recording
from appliance.store.projections import store_events
from tests.unit.cases_rig import CALENDAR, RULES, account, member
from tests.unit.hospital_rig import NOW, store

__all__ = ["store"]
pytestmark = pytest.mark.usefixtures("store")


def call(number: str = "c1", over: bool = True) -> None:
    ended_at = NOW + timedelta(minutes=1) if over else None
    CallRecord.create(call_id=number, direction="inbound", group="trunk", channel=1, started_at=NOW, ended_at=ended_at)


def spoken(name: str, after_s: int = 5, samples: int = 40_000) -> None:
    at = NOW + timedelta(seconds=after_s)
    Recording.create(recording_id=name, call=name[:2], path=f"2026-03-08/{name}.wav", started_at=at, ended_at=at, samples=samples)


def left() -> list[str]:
    return statements.file_left(RULES, CALENDAR, NOW + timedelta(minutes=2))


def expect(number: str = "c1") -> None:
    statements.expect(number, "12", "104", "13800138000", "", NOW)


def test_what_was_spoken_is_filed_and_says_that_nobody_confirmed_it() -> None:
    account("li")
    person = member("104")
    call()
    expect()
    spoken("c1-s1")
    numbers = left()
    case = Complaint.get()
    assert [case.number] == numbers
    assert (case.staff, case.recording, case.phone, case.call) == (person, "2026-03-08/c1-s1.wav", "13800138000", "c1")
    assert [step.kind for step in ComplaintStep.select()] == ["unconfirmed"]
    assert WorkItem.get().about == f"complaint {case.number}"
    assert (left(), Complaint.select().count(), PendingStatement.select().count()) == ([], 1, 0)


def test_a_call_that_goes_on_is_waited_for() -> None:
    call(over=False)
    expect()
    spoken("c1-s1")
    assert (left(), PendingStatement.select().count()) == ([], 1)


def test_without_a_statement_there_is_nothing_to_file() -> None:
    call()
    expect()
    spoken("c1-s1", samples=7_999)
    spoken("c1")
    assert (left(), Complaint.select().count(), PendingStatement.select().count()) == ([], 0, 0)


def test_what_was_taken_back_or_filed_before_stays_so() -> None:
    call()
    expect()
    spoken("c1-s1")
    statements.forget("c1")
    assert left() == []
    statements.expect("c1", "", "", "", "", NOW + timedelta(seconds=30))
    assert (left(), Complaint.select().count()) == ([], 0)


def test_of_two_statements_the_last_one_counts_and_one_that_was_empty_does_not() -> None:
    call()
    expect()
    for number, after_s in enumerate((5, 15, 25), 1):
        spoken(f"c1-s{number}", after_s)
    discarded: AnyHappened = MessageDiscarded(
        call_id="c1", seq=9, at=NOW, recording_id="c1-s3", path="2026-03-08/c1-s3.wav", duration_ms=5_000, reason="empty"
    )
    store_events([discarded])
    left()
    assert Complaint.get().recording == "2026-03-08/c1-s2.wav"
