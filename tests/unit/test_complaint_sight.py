"""Nobody sees or hears a complaint about them or their department: every query, over all that may be made of people and complaints."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.hospital.complaints import handling, looking, sight
from appliance.hospital.complaints.handling import Contact, Handled
from appliance.hospital.complaints.looking import Which
from appliance.store.case_tables import Complaint
from appliance.store.hospital_tables import Department
from appliance.store.models import Account, CallRecord, database
from tests.unit.cases_rig import CALENDAR, RULES, account, complaint, member
from tests.unit.hospital_rig import NOW, department, patient, store

__all__ = ["store"]

DEPARTMENTS = ("11", "12", "13")
# A person: of which department's staff (None: of none), the departments it answers for besides.
HEADS = st.sets(st.sampled_from(DEPARTMENTS), max_size=1)
PEOPLE = st.lists(st.tuples(st.sampled_from((None, *DEPARTMENTS)), HEADS), min_size=1, max_size=5)
# A complaint: which department's code was keyed (or none, or one nobody has), which person's of the staff (by place; 9: unknown).
FILED = st.lists(st.tuples(st.sampled_from(("", "99", *DEPARTMENTS)), st.sampled_from((0, 1, 2, 3, 9))), min_size=1, max_size=6)


class Made:
    """People and complaints, and who must not see which: said without any query."""

    def __init__(self, people: Sequence[tuple[str | None, set[str]]], filed: Sequence[tuple[str, int]]) -> None:
        ids = {code: department(code).id for code in DEPARTMENTS}
        self.accounts = [account(f"person {n}") for n in range(len(people))]
        staff = [member(str(100 + n), of, self.accounts[n]) if of else None for n, (of, _heads) in enumerate(people)]
        for code in DEPARTMENTS:
            sight.set_heads(ids[code], [self.accounts[n].id for n, (_of, heads) in enumerate(people) if code in heads])
        self.patient = patient()
        self.complaints: list[Complaint] = []
        self.hidden: set[tuple[int, int]] = set()
        for place, (code, whom) in enumerate(filed):
            named = staff[whom] if whom < len(staff) else None
            keyed = named.code if named else "999"
            row = complaint(
                f"call {place}",
                call=f"c{place}",
                department_code=code,
                staff_code=keyed,
                patient_id=self.patient.id,
                recording=f"{place}.wav",
            )
            self.complaints.append(row)
            about = {code, people[whom][0] if named else ""}
            self.hidden |= {(n, row.id) for n, (of, heads) in enumerate(people) if about & (heads | {of or "-"})}

    def seen(self, person: int) -> set[str]:
        return {row.number for row in self.complaints if (person, row.id) not in self.hidden}


@pytest.mark.usefixtures("store")
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(people=PEOPLE, filed=FILED)
def test_every_query_shows_what_the_account_may_see_and_nothing_else(
    people: list[tuple[str | None, set[str]]], filed: list[tuple[str, int]]
) -> None:
    with database.atomic() as attempt:
        made = Made(people, filed)
        for person, viewer in enumerate(made.accounts):
            _check(made, person, viewer)
        for row in made.complaints:
            owner = next((n for n, each in enumerate(made.accounts) if row.owner_id == each.id), None)
            assert (owner, row.id) not in made.hidden
        attempt.rollback()


def _check(made: Made, person: int, viewer: Account) -> None:
    seen = made.seen(person)
    hidden = [row for row in made.complaints if row.number not in seen]
    later = NOW + timedelta(days=60)
    for which in (Which.ALL, Which.NOT_CLOSED, Which.OVERDUE):
        assert {row.number for row in looking.listed(viewer, later, which)} == seen
    assert {row.number for row in looking.of_patient(made.patient.id, viewer)} == seen
    assert looking.counts(NOW, viewer).open == len(seen)
    assert {row.number for row in made.complaints if looking.opened(row.number, viewer)} == seen
    assert {row.number for row in made.complaints if looking.recording_of(row.number, viewer)} == seen
    assert {row.number for row in made.complaints for found in looking.listed(viewer, NOW, text=row.number) if found == row} == seen
    assert {row.call for row in Complaint.select(Complaint.call).where(Complaint.call.in_(sight.hidden_calls(viewer.id)))} == {
        row.call for row in hidden
    }
    files = Complaint.select().where(Complaint.recording.in_(sight.hidden_recordings(viewer.id)))
    assert {row.recording for row in files} == {row.recording for row in hidden}
    for row in hidden:
        _cannot_touch(row, viewer)


def _cannot_touch(row: Complaint, viewer: Account) -> None:
    outcomes = {
        handling.note(row.number, viewer, "x", NOW),
        handling.contact(row.number, viewer, Contact.REACHED, "x", NOW),
        handling.send_outcome(row.number, viewer, "x", "k", NOW),
        handling.say_whom(row.number, viewer, "", "", NOW),
        handling.assign(row.number, viewer, viewer.name, NOW),
        handling.set_due(row.number, viewer, NOW + timedelta(days=9), "x", NOW),
        handling.close(row.number, viewer, "x", NOW),
        handling.reopen(row.number, viewer, "x", RULES, CALENDAR, NOW),
    }
    assert outcomes == {Handled.UNKNOWN}


@pytest.mark.usefixtures("store")
def test_their_calls_are_left_out_of_the_list_of_calls() -> None:
    person = account("wang")
    member("104", person=person)
    for call in ("c1", "c2"):
        CallRecord.create(call_id=call, direction="inbound", group="trunk", channel=1, started_at=NOW)
    complaint(call="c1", staff_code="104")
    shown = CallRecord.select().where(CallRecord.call_id.not_in(sight.hidden_calls(person.id)))
    assert [row.call_id for row in shown] == ["c2"]


@pytest.mark.usefixtures("store")
def test_who_has_left_or_moved_still_does_not_see_what_is_about_them() -> None:
    person = account("wang")
    row = member("104", person=person)
    mine = complaint("a", staff_code="104")
    row.left, row.department = True, Department.create(code="20", name_zh="外科", name_en="Surgery")
    row.save()
    assert not sight.sees(person.id, mine.id)


@pytest.mark.usefixtures("store")
def test_found_out_whom_it_is_about_it_is_hidden_from_them_and_goes_to_another_owner() -> None:
    owner = account("li")
    department("30")
    member("104", of="30", person=owner)
    row = complaint(staff_code="140")
    other = account("zhao")
    assert (row.owner, handling.say_whom(row.number, other, "", "104", NOW)) == (owner, Handled.DONE)
    assert not sight.sees(owner.id, row.id)
    assert Complaint.get_by_id(row.id).owner == other
    assert handling.say_whom(row.number, other, "", "77", NOW) is Handled.UNKNOWN_CODE
