"""Offering: what waits goes to a desk, what a desk that is gone was offered waits again. Inside the caller's transaction.

The call agent alone runs this, again and again; whenever it is broken off the next run goes on from what the store has.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from appliance.hospital.dispatch.items import AT_A_DESK, Outcome, State, Step, in_order, move, waiting
from appliance.hospital.dispatch.limits import DispatchLimits
from appliance.store.case_tables import Desk, WorkItem

AT_ONCE = 500  # items looked at in a run, the first ones: calls wait for the same writer of the store


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What one run did: how many items it offered, took from desks, and gave up."""

    offered: int
    recalled: int
    dead: int


def offer_waiting(limits: DispatchLimits, now: datetime) -> Run:
    """Bring every item to the desk it belongs to now."""
    recalled, lost = _recall(limits, now)
    items = waiting(AT_ONCE)
    desks = _desks_there(limits, now) if items else []
    load = _load()
    outcomes = [_place(item, desks, load, limits, now) for item in items]
    return Run(offered=outcomes.count(Step.OFFERED), recalled=recalled, dead=lost + outcomes.count(Step.DEAD))


def is_there(desk: Desk, limits: DispatchLimits, now: datetime) -> bool:
    return not desk.closed and desk.seen_at is not None and desk.seen_at > now - timedelta(seconds=limits.gone_s)


def _recall(limits: DispatchLimits, now: datetime) -> tuple[int, int]:
    """How many items wait again, and how many are given up."""
    at_desks = in_order(WorkItem.select(WorkItem, Desk).join(Desk, on=WorkItem.desk == Desk.id).where(WorkItem.state.in_(AT_A_DESK)))
    steps = [_recalled(item, step, now) for item in at_desks if (step := _must_leave(item, limits, now))]
    return len(steps) - steps.count(Step.DEAD), steps.count(Step.DEAD)


def _must_leave(item: WorkItem, limits: DispatchLimits, now: datetime) -> Step | None:
    desk = _desk_of(item)
    if item.state == State.TAKEN:
        lost = now - timedelta(seconds=limits.lost_s)
        return Step.DEAD if desk.closed or (desk.seen_at or item.made_at) <= lost else None
    if not is_there(desk, limits, now):
        return Step.DESK_GONE
    idle_since = max(item.offered_at or item.made_at, desk.acted_at or item.made_at)
    return Step.NOT_TAKEN if idle_since <= now - timedelta(seconds=limits.untaken_s) else None


def _recalled(item: WorkItem, step: Step, now: datetime) -> Step:
    move(item, step, now, fault=f"HOS-220: {_desk_of(item).name} took it and is gone" if step is Step.DEAD else item.fault)
    return step


def _desk_of(item: WorkItem) -> Desk:
    """Of an item that is at one."""
    assert item.desk is not None
    return item.desk


def _place(item: WorkItem, desks: list[Desk], load: Counter[int], limits: DispatchLimits, now: datetime) -> Step | None:
    """Offer one, or give it up; None: it waits on."""
    if item.offers >= limits.offers_most:
        return _give_up(item, f"HOS-221: offered {item.offers} times and never taken", now)
    fitting = [desk for desk in desks if _takes(desk, item)]
    if not fitting:
        patient = item.waiting_since > now - timedelta(seconds=limits.patience_s)
        return None if patient else _give_up(item, f"HOS-222: no desk that takes it was there for {limits.patience_s} s", now)
    desk = _best(fitting, item, load, limits)
    if desk is None or move(item, Step.OFFERED, now, desk_id=desk.id, offered_at=now, offers=item.offers + 1) is Outcome.GONE:
        return None
    load[desk.id] += 1
    return Step.OFFERED


def _give_up(item: WorkItem, fault: str, now: datetime) -> Step:
    move(item, Step.DEAD, now, fault=fault)
    return Step.DEAD


def _takes(desk: Desk, item: WorkItem) -> bool:
    """A desk of a department gets what belongs there, and what belongs to none."""
    if item.kind not in desk.kinds.split() or str(desk.department_id) in item.kept_from.split():
        return False
    return desk.department_id is None or item.department_id is None or desk.department_id == item.department_id


def _best(desks: Iterable[Desk], item: WorkItem, load: Counter[int], limits: DispatchLimits) -> Desk | None:
    """Rather not where it came back from; of the item's department rather than of none; where there is least to do."""
    free = [desk for desk in desks if item.urgent or load[desk.id] < limits.at_desk_most]
    return min(
        free,
        key=lambda desk: (desk.id == item.last_desk_id, desk.department_id != item.department_id, load[desk.id], desk.id),
        default=None,
    )


def _desks_there(limits: DispatchLimits, now: datetime) -> list[Desk]:
    return [desk for desk in Desk.select().where(~Desk.closed) if is_there(desk, limits, now)]


def _load() -> Counter[int]:
    rows = WorkItem.select(WorkItem.desk).where(WorkItem.state.in_(AT_A_DESK))
    return Counter(row.desk_id for row in rows if row.desk_id is not None)
