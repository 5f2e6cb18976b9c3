"""Where work items go: to a desk that is there and takes them, from one that is gone to another, or to the dead letters."""

from datetime import timedelta

import pytest

from appliance.hospital.dispatch import desks, items, offering, sources
from appliance.hospital.dispatch.items import Outcome, State, Step
from appliance.hospital.dispatch.limits import DispatchLimits
from appliance.hospital.dispatch.offering import Run
from appliance.hospital.dispatch.sources import VipRequest
from appliance.store.case_tables import Desk, WorkItem, WorkStep
from tests.unit.cases_rig import LIMITS, complaint, desk, item, member
from tests.unit.hospital_rig import NOW, codes, department, store

__all__ = ["store"]
pytestmark = pytest.mark.usefixtures("store")


def offer(after_s: float = 0) -> Run:
    return offering.offer_waiting(LIMITS, NOW + timedelta(seconds=after_s))


def beat(row: Desk, after_s: float) -> None:
    desks.beat(row.id, NOW + timedelta(seconds=after_s))


def at(row: Desk) -> list[str]:
    return [each.once_key for each in items.of_desk(row.id)]


def the(key: str) -> WorkItem:
    return WorkItem.get(WorkItem.once_key == key)


def test_items_go_where_there_is_least_to_do_in_order() -> None:
    one, two = desk("1"), desk("2")
    for n in range(5):
        item(str(n), n)
    assert offer() == Run(offered=5, recalled=0, dead=0)
    assert (at(one), at(two)) == (["0", "2", "4"], ["1", "3"])
    assert offer() == Run(offered=0, recalled=0, dead=0)


def test_the_department_first_then_desks_of_none_and_never_another_departments() -> None:
    first, second = department("12"), department("13")
    own, free, other = desk("own", department="12"), desk("free"), desk("other", department="13")
    for n in range(12):
        item(str(n), n, department_id=first.id)
    offer()
    assert (len(at(own)), len(at(free)), at(other)) == (10, 2, [])
    item("any", 20)
    item("theirs", 21, department_id=second.id)
    offer()
    assert (at(free)[-1], at(other)) == ("any", ["theirs"])


def test_a_desk_gets_only_what_it_takes() -> None:
    calls = desk("calls", "callback vip")
    item("a")
    item("b", kind=items.Kind.CALLBACK)
    offer()
    assert (at(calls), the("a").state) == (["b"], "waiting")


def test_what_is_urgent_comes_first_and_to_a_full_desk_too() -> None:
    one = desk("1")
    for n in range(12):
        item(str(n), n)
    offer()
    sources.vip(VipRequest.HELP, "77", "c1", "13800138000", "call c1 vip", NOW + timedelta(seconds=99))
    offer()
    assert (len(at(one)), at(one)[0]) == (11, "call c1 vip")


def test_a_desk_that_is_gone_loses_what_was_offered_there() -> None:
    one, two = desk("1"), desk("2")
    item("a")
    offer()
    beat(two, 19)
    assert offer(19).recalled == 0
    assert offer(20) == Run(offered=1, recalled=1, dead=0)
    assert (at(one), at(two)) == ([], ["a"])
    assert items.take(the("a").id, one.id, "li", NOW) is Outcome.GONE
    assert [step.what for step in WorkStep.select().order_by(WorkStep.id)] == ["added", "offered", "desk_gone", "offered"]


def test_a_closed_desk_is_gone_at_once() -> None:
    one, two = desk("1"), desk("2")
    item("a")
    offer()
    Desk.update(closed=True).where(Desk.id == one.id).execute()
    offer()
    assert at(two) == ["a"]


def test_what_nobody_takes_goes_to_another_desk_unless_that_one_is_at_work() -> None:
    one, two = desk("1"), desk("2", "booking")
    item("a")
    offer()
    for each in (one, two):
        beat(each, 119)
    item("b", 1, kind=items.Kind.CALLBACK)
    offer(59)
    items.take(the("b").id, one.id, "li", NOW + timedelta(seconds=60))
    assert offer(120).recalled == 0
    for each in (one, two):
        beat(each, 179)
    assert offer(180).recalled == 1
    assert at(two) == ["a"]


def test_taken_and_done_and_said_twice_it_is_once() -> None:
    one, two = desk("1"), desk("2")
    a = item("a")
    offer()
    assert items.done(a.id, one.id, "li", NOW) is Outcome.GONE
    assert items.take(a.id, two.id, "li", NOW) is Outcome.GONE
    assert [items.take(a.id, one.id, "li", NOW) for _ in range(2)] == [Outcome.DONE] * 2
    assert [items.done(a.id, one.id, "li", NOW) for _ in range(2)] == [Outcome.DONE] * 2
    assert items.give_back(a.id, one.id, "li", NOW) is Outcome.GONE
    assert items.done(a.id, one.id, "zhao", NOW) is Outcome.GONE
    assert WorkStep.select().where(WorkStep.what == Step.TAKEN).count() == 1
    assert the("a").ended_by == "li"


def test_given_back_it_goes_to_another_desk_and_to_the_same_when_there_is_no_other() -> None:
    one, two = desk("1"), desk("2", "callback")
    a = item("a")
    offer()
    items.give_back(a.id, one.id, "li", NOW, "不归我们")
    offer()
    assert (at(one), the("a").fault) == (["a"], "不归我们")
    Desk.update(kinds="booking").where(Desk.id == two.id).execute()
    items.give_back(a.id, one.id, "li", NOW)
    offer()
    assert at(two) == ["a"]


def test_offered_too_often_it_is_a_dead_letter_and_can_be_sent_again() -> None:
    one = desk("1")
    a = item("a")
    for _ in range(LIMITS.offers_most):
        offer()
        items.give_back(a.id, one.id, "li", NOW)
    assert offer() == Run(offered=0, recalled=0, dead=1)
    assert [each.fault[:7] for each in items.dead_letters()] == ["HOS-221"]
    assert items.resend(a.id, "li", NOW) is Outcome.DONE
    assert items.resend(a.id, "li", NOW) is Outcome.GONE
    offer()
    assert (at(one), the("a").fault) == (["a"], "")


def test_without_any_desk_it_waits_and_then_is_a_dead_letter() -> None:
    item("a")
    assert offer(599).dead == 0
    assert offer(600).dead == 1
    assert the("a").fault.startswith("HOS-222")


def test_a_full_desk_is_a_desk() -> None:
    one = desk("1")
    for n in range(11):
        item(str(n), n)
    offer()
    beat(one, 2_000)
    items.take(the("0").id, one.id, "li", NOW + timedelta(seconds=2_000))
    assert offer(2_000).dead == 0
    assert the("10").state == State.WAITING


def test_what_was_taken_stays_where_it_was_until_that_desk_is_lost() -> None:
    one, two = desk("1"), desk("2")
    a = item("a")
    offer()
    items.take(a.id, one.id, "li", NOW)
    beat(two, 1_799)
    assert offer(1_799) == Run(offered=0, recalled=0, dead=0)
    assert offer(1_800).dead == 1
    assert the("a").fault.startswith("HOS-220")


def test_the_same_thing_is_one_item() -> None:
    for _ in range(2):
        sources.callback("13800138000", "call c1", NOW)
    assert (WorkItem.select().count(), WorkStep.select().count()) == (1, 1)


def test_a_complaint_never_comes_to_the_department_it_is_about() -> None:
    department("12")
    member("104", of="13")
    desk("12", department="12")
    desk("13", department="13")
    complaint(department_code="12", staff_code="104")
    offer()
    assert WorkItem.get().state == State.WAITING
    office = desk("office")
    offer()
    assert WorkItem.get().desk_id == office.id


def test_withdrawn_it_is_nobodys_any_more() -> None:
    one = desk("1")
    item("a")
    offer()
    items.withdraw("a", "li", NOW)
    assert (at(one), items.counts()[State.DONE]) == ([], 1)


def test_a_form_of_a_desk_says_what_is_wrong() -> None:
    desk("1")
    assert codes(desks.read({})) == {"name": "required", "kinds": "required"}
    given = {"name": "p", "printer": "yes", "kinds": "booking parcels", "address": "/etc/passwd", "columns": "7", "department": "x"}
    expected = {"kinds": "choice", "address": "address", "columns": "choice", "department": "digits"}
    assert codes(desks.read(given)) == expected
    assert codes(desks.read({"name": "p", "printer": "yes", "kinds": "booking"})) == {"address": "required"}
    for form, field in (({"name": "1"}, "name"), ({"name": "2", "department": "99"}, "department")):
        entry = desks.read({"kinds": "vip"} | form)
        assert isinstance(entry, desks.DeskEntry)
        assert list(codes(desks.save(entry))) == [field]


def test_limits_are_settings() -> None:
    limits = DispatchLimits(patience_s=1)
    item("a")
    assert offering.offer_waiting(limits, NOW + timedelta(seconds=1)).dead == 1
