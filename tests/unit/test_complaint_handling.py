"""What is done about a complaint: no case closes before somebody tried to tell the caller; what is overdue goes up the ladder once."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from appliance.hospital.complaints import handling, looking
from appliance.hospital.complaints.escalation import escalate
from appliance.hospital.complaints.handling import Contact, Handled
from appliance.hospital.complaints.looking import Counts, Which
from appliance.hospital.complaints.rules import ComplaintRules
from appliance.hospital.dispatch import items
from appliance.store.case_tables import Complaint, ComplaintStep, WorkItem
from appliance.store.outgoing import OutgoingMessage
from tests.unit.cases_rig import CALENDAR, RULES, account, complaint, desk, member
from tests.unit.hospital_rig import NOW, store

__all__ = ["store"]
pytestmark = pytest.mark.usefixtures("store")

LATER = NOW + timedelta(days=30)


def again(row: Complaint) -> Complaint:
    return Complaint.get_by_id(row.id)


def test_it_is_closed_only_after_an_attempt_to_tell_the_caller() -> None:
    li, row = account("li"), complaint()
    assert handling.close(row.number, li, "已道歉", NOW) is Handled.NO_CONTACT
    assert handling.note(row.number, li, "问过护士长", NOW) is Handled.DONE
    assert handling.close(row.number, li, "已道歉", NOW) is Handled.NO_CONTACT
    assert handling.contact(row.number, li, Contact.NOT_REACHED, "没人接", NOW) is Handled.DONE
    assert handling.close(row.number, li, "  ", NOW) is Handled.NO_TEXT
    assert handling.close(row.number, li, "已道歉", NOW) is Handled.DONE
    assert handling.close(row.number, li, "已道歉", NOW) is Handled.CLOSED_BEFORE
    assert (again(row).state, again(row).outcome, again(row).closed_at) == ("closed", "已道歉", NOW)


def test_opened_again_it_takes_another_attempt() -> None:
    li, row = account("li"), complaint()
    assert handling.reopen(row.number, li, "不满意", RULES, CALENDAR, NOW) is Handled.NOT_CLOSED
    handling.contact(row.number, li, Contact.REACHED, "说了", NOW)
    handling.close(row.number, li, "已道歉", NOW)
    assert handling.reopen(row.number, li, "", RULES, CALENDAR, LATER) is Handled.NO_TEXT
    assert handling.reopen(row.number, li, "不满意", RULES, CALENDAR, LATER) is Handled.DONE
    assert again(row).due_at > LATER
    assert handling.close(row.number, li, "已道歉", LATER) is Handled.NO_CONTACT
    handling.contact(row.number, li, Contact.REACHED, "又说了", LATER)
    assert handling.close(row.number, li, "已道歉", LATER) is Handled.DONE


def test_a_message_to_the_caller_is_an_attempt_and_is_sent_once() -> None:
    li, row = account("li"), complaint(phone="13800138000")
    for _ in range(2):
        assert handling.send_outcome(row.number, li, "我们已处理", "m1", NOW) is Handled.DONE
    assert [(each.to, each.text) for each in OutgoingMessage.select()] == [("13800138000", "我们已处理")]
    assert ComplaintStep.select().where(ComplaintStep.kind == "contact").count() == 1
    assert handling.close(row.number, li, "已处理", NOW) is Handled.DONE
    assert handling.send_outcome(complaint("b").number, li, "x", "m2", NOW) is Handled.NO_PHONE


def test_its_work_item_ends_with_it() -> None:
    li, row = account("li"), complaint()
    handling.contact(row.number, li, Contact.REACHED, "说了", NOW)
    handling.close(row.number, li, "已道歉", NOW)
    assert (WorkItem.get().state, WorkItem.get().ended_by) == ("done", "li")


def test_another_owner_must_be_there_and_may_not_be_whom_it_is_about() -> None:
    li, wang = account("li"), account("wang")
    member("104", person=wang)
    row = complaint(staff_code="104")
    assert handling.assign(row.number, li, "nobody", NOW) is Handled.UNKNOWN_ACCOUNT
    assert handling.assign(row.number, li, "wang", NOW) is Handled.OWNER_MAY_NOT_SEE
    zhao = account("zhao", "business")
    assert handling.assign(row.number, li, "zhao", NOW) is Handled.DONE
    assert again(row).owner == zhao


def test_the_day_it_is_due_is_changed_with_a_reason() -> None:
    li, row = account("li"), complaint()
    assert handling.set_due(row.number, li, LATER, "", NOW) is Handled.NO_TEXT
    assert handling.set_due(row.number, li, NOW, "快", NOW) is Handled.PAST
    assert handling.set_due(row.number, li, LATER, "要等专家", NOW) is Handled.DONE
    assert again(row).due_at == LATER


LONG = "长" * 4_001


@pytest.mark.parametrize("act", [handling.note, handling.close])
@pytest.mark.parametrize(("text", "outcome"), [("", Handled.NO_TEXT), (" \n", Handled.NO_TEXT), (LONG, Handled.TEXT_TOO_LONG)])
def test_a_text_that_will_not_do_changes_nothing(act: Callable[..., Handled], text: str, outcome: Handled) -> None:
    li, row = account("li"), complaint()
    assert act(row.number, li, text, NOW) is outcome
    assert ComplaintStep.select().count() == 0


def test_nothing_is_done_to_a_closed_one() -> None:
    li, row = account("li"), complaint()
    handling.contact(row.number, li, Contact.REACHED, "说了", NOW)
    handling.close(row.number, li, "已道歉", NOW)
    assert handling.note(row.number, li, "x", NOW) is Handled.CLOSED_BEFORE
    assert handling.assign(row.number, li, "li", NOW) is Handled.CLOSED_BEFORE
    assert handling.say_whom(row.number, li, "", "", NOW) is Handled.CLOSED_BEFORE


def test_those_with_the_least_to_do_own_the_next() -> None:
    li, zhao = account("li"), account("zhao")
    assert [complaint(str(n)).owner for n in range(4)] == [li, zhao, li, zhao]


def test_without_anybody_it_has_no_owner_and_is_counted() -> None:
    wang = account("wang")
    member("104", person=wang)
    assert complaint(staff_code="104").owner is None
    assert looking.counts(NOW).without_owner == 1


def test_what_is_overdue_goes_up_one_rung_each_time() -> None:
    li, zhao, chief = account("li"), account("zhao"), account("chief", "administrator")
    row = complaint()
    assert (row.owner, escalate(RULES, CALENDAR, row.due_at)) == (li, [])
    first = row.due_at + timedelta(minutes=1)
    assert escalate(RULES, CALENDAR, first) == [row.number]
    assert escalate(RULES, CALENDAR, first) == []
    assert (again(row).owner, again(row).escalation) == (zhao, 1)
    second = again(row).due_at + timedelta(minutes=1)
    assert escalate(RULES, CALENDAR, second) == [row.number]
    assert again(row).owner == chief
    assert escalate(RULES, CALENDAR, LATER) == []
    assert looking.counts(LATER).overdue == 1
    assert [each.text for each in ComplaintStep.select().where(ComplaintStep.kind == "escalated")] == ["zhao", "chief"]
    urgent = WorkItem.select().where(WorkItem.urgent)
    assert sorted(each.once_key for each in urgent) == [f"complaint {row.number} overdue {n}" for n in (1, 2)]


def test_after_a_week_off_it_still_goes_up_one_rung_at_a_time() -> None:
    account("chief", "administrator")
    row = complaint()
    assert [escalate(RULES, CALENDAR, LATER) for _ in range(3)] == [[row.number], [], []]


def test_a_rung_nobody_of_whom_may_see_it_leaves_the_owner() -> None:
    li, boss = account("li"), account("boss", "administrator")
    member("104", person=boss)
    row = complaint(staff_code="104")
    rules = ComplaintRules(ladder=RULES.ladder[1:])
    assert escalate(rules, CALENDAR, LATER) == [row.number]
    assert again(row).owner == li


def test_a_closed_one_is_not_overdue() -> None:
    li, row = account("li"), complaint()
    handling.contact(row.number, li, Contact.REACHED, "说了", NOW)
    handling.close(row.number, li, "已道歉", NOW)
    assert escalate(RULES, CALENDAR, LATER) == []
    assert looking.counts(LATER) == Counts(open=0, in_hand=0, overdue=0, without_owner=0, closed=1)


def test_lists_find_what_is_asked_for() -> None:
    li, row = account("li"), complaint(staff_code="8812", text="护士态度不好")
    complaint("call 2", text="等得太久")
    found = {which: looking.listed(li, LATER, which).count() for which in Which}
    assert found == {"all": 2, "not_closed": 2, "mine": 2, "overdue": 2, "without_owner": 0, "closed": 0}
    assert [each.number for each in looking.listed(li, NOW, text="8812")] == [row.number]
    assert looking.listed(li, NOW, text="%").count() == 0


def test_a_caller_hears_how_it_stands() -> None:
    row = complaint()
    told = looking.told(row.number)
    assert told is not None
    assert (told.state, told.due_at) == ("open", row.due_at)
    assert looking.told("12345678") is None


def test_a_desk_of_the_department_loses_the_item_when_it_is_found_out() -> None:
    li, row = account("li"), complaint()
    member("104")
    of_them = desk("12", department="12")
    items.move(WorkItem.get(), items.Step.OFFERED, NOW, desk_id=of_them.id)
    handling.say_whom(row.number, li, "12", "", NOW)
    moved = WorkItem.get()
    assert (moved.state, moved.desk_id, moved.kept_from) == ("waiting", None, str(of_them.department_id))
