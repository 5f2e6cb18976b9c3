"""Whatever desks and people do: an item is at one desk or none, arrives once, and every desk gets them in order."""

from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from appliance.hospital.dispatch import desks, items, offering
from appliance.hospital.dispatch.items import Outcome, State, Step
from appliance.hospital.dispatch.limits import DispatchLimits
from appliance.store.case_tables import Desk, WorkItem, WorkStep
from appliance.store.database import open_store
from appliance.store.models import database
from tests.unit.cases_rig import desk, item
from tests.unit.hospital_rig import NOW, fewer, store

__all__ = ["store"]

SHORT = DispatchLimits(gone_s=5, untaken_s=8, offers_most=3, patience_s=30, lost_s=40, at_desk_most=3)
DESKS = st.integers(0, 2)
ANY = st.integers(0, 20)


class Dispatching(RuleBasedStateMachine):
    """Three desks that come and go, and people who do what they like at them."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = TemporaryDirectory()
        self._database = open_store(Path(self._folder.name) / "careline.db")
        self._transaction = database.atomic()
        self._transaction.__enter__()
        self.now = NOW
        self.desks = [desk(str(n)) for n in range(3)]
        self.made = 0
        self.done: list[int] = []

    def teardown(self) -> None:
        self._transaction.__exit__(None, None, None)
        self._database.close()
        self._folder.cleanup()

    @rule(urgent=st.booleans())
    def something_comes(self, urgent: bool) -> None:
        item(str(self.made), int((self.now - NOW).total_seconds()), urgent=urgent)
        self.made += 1

    @rule(seconds=st.integers(1, 12))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(which=DESKS)
    def a_desk_is_there(self, which: int) -> None:
        desks.beat(self.desks[which].id, self.now)

    @rule(which=DESKS)
    def a_desk_leaves(self, which: int) -> None:
        desks.leave(self.desks[which].id)

    @rule()
    def what_waits_is_offered(self) -> None:
        before = WorkStep.select().count()
        offering.offer_waiting(SHORT, self.now)
        offers = WorkStep.select().where(WorkStep.what == Step.OFFERED, WorkStep.id > before)
        _offered_in_order(list(offers.order_by(WorkStep.id)))

    @rule(which=DESKS, number=ANY)
    def somebody_takes(self, which: int, number: int) -> None:
        items.take(number, self.desks[which].id, "li", self.now)

    @rule(which=DESKS, number=ANY)
    def somebody_ends(self, which: int, number: int) -> None:
        was = WorkItem.get_or_none(WorkItem.id == number)
        if items.done(number, self.desks[which].id, "li", self.now) is Outcome.DONE and was and was.state == State.TAKEN:
            self.done.append(number)

    @rule(which=DESKS, number=ANY)
    def somebody_gives_back(self, which: int, number: int) -> None:
        items.give_back(number, self.desks[which].id, "li", self.now)

    @rule(number=ANY)
    def somebody_sends_again(self, number: int) -> None:
        if WorkItem.get_or_none(WorkItem.id == number):
            items.resend(number, "li", self.now)

    @invariant()
    def an_item_is_at_one_desk_or_none(self) -> None:
        for row in WorkItem.select():
            assert (row.desk_id is not None) == (row.state in ("offered", "taken", "done")), row.state

    @invariant()
    def it_arrives_once(self) -> None:
        assert len(self.done) == len(set(self.done))
        ended = WorkItem.select().where(WorkItem.state == State.DONE)
        assert {row.id for row in ended} == set(self.done)

    @invariant()
    def none_is_lost(self) -> None:
        assert sum(items.counts().values()) == self.made

    @invariant()
    def steps_tell_where_it_is(self) -> None:
        for row in WorkItem.select():
            steps = WorkStep.select().where(WorkStep.item == row).order_by(WorkStep.id)
            assert _replayed([Step(step.what) for step in steps]) == row.state


def _replayed(steps: list[Step]) -> State:
    """The state after these steps, each of which the table allows."""
    assert steps[0] is Step.ADDED
    state = State.WAITING
    for step in steps[1:]:
        allowed, after = items.TABLE[step]
        assert state in allowed, steps
        state = after
    return state


def _offered_in_order(offers: list[WorkStep]) -> None:
    """Of one run, for each desk."""
    for place in {step.desk_id for step in offers}:
        order = [(not step.item.urgent, step.item.made_at, step.item.id) for step in offers if step.desk_id == place]
        assert order == sorted(order)


Dispatching.TestCase.settings = settings(max_examples=25, stateful_step_count=40, deadline=None)
TestDispatching = Dispatching.TestCase


@pytest.mark.usefixtures("store")
def test_five_hundred_bookings_in_ten_minutes_with_a_desk_pulled() -> None:
    """Four desks that take and end an item every 3 s; the second is pulled after 4 minutes with what it was offered."""
    rows = [desk(str(n)) for n in range(4)]
    arrived: list[int] = []
    count, lasting_s = fewer(500), fewer(600)
    for second in range(lasting_s + 100):
        now = NOW + timedelta(seconds=second)
        if second < lasting_s:
            for n in range(second * count // lasting_s, (second + 1) * count // lasting_s):
                item(f"booking {n}", second)
        offering.offer_waiting(DispatchLimits(), now)
        if second % 3 == 0:
            arrived += [number for row in rows if row is not rows[1] or second < lasting_s * 0.4 for number in _work(row, now)]
    assert len(arrived) == len(set(arrived)) == count
    assert items.counts() == {State.WAITING: 0, State.OFFERED: 0, State.TAKEN: 0, State.DONE: count, State.DEAD: 0}
    assert WorkStep.select().where(WorkStep.what == Step.DESK_GONE).count() > 0
    for row in rows:
        own = [step.item_id for step in WorkStep.select().where(WorkStep.what == Step.DONE, WorkStep.desk == row).order_by(WorkStep.id)]
        late = [step.item_id for step in WorkStep.select().where(WorkStep.what == Step.DESK_GONE)]
        assert [number for number in own if number not in late] == sorted(set(own) - set(late))


def _work(row: Desk, now: datetime) -> list[int]:
    """Somebody at the desk sees to the first on its list. The item's number, if there was one."""
    desks.beat(row.id, now)
    first = items.of_desk(row.id)[:1]
    for each in first:
        assert items.take(each.id, row.id, "li", now) is Outcome.DONE
        assert items.done(each.id, row.id, "li", now) is Outcome.DONE
    return [each.id for each in first]
