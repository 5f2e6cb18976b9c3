"""Work items: how they come to be, and the table of what may become of them. Inside the caller's transaction.

Every change is one guarded update of one row, so that of two who want an item one gets it; every change leaves a `WorkStep`.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from peewee import fn

from appliance.store import statements
from appliance.store.case_tables import Desk, WorkItem, WorkStep


class Kind(StrEnum):
    BOOKING = "booking"
    COMPLAINT = "complaint"
    VIP = "vip"
    CALLBACK = "callback"


class State(StrEnum):
    WAITING = "waiting"
    OFFERED = "offered"
    TAKEN = "taken"
    DONE = "done"
    DEAD = "dead"


class Step(StrEnum):
    """What happened to an item."""

    ADDED = "added"
    OFFERED = "offered"
    TAKEN = "taken"
    DONE = "done"
    GIVEN_BACK = "given_back"
    DESK_GONE = "desk_gone"
    NOT_TAKEN = "not_taken"
    MOVED = "moved"  # from a desk that may not have it
    DEAD = "dead"
    RESENT = "resent"
    WITHDRAWN = "withdrawn"


class Outcome(StrEnum):
    """`GONE`: it is not, or no more, at that desk in that state; another desk has it, another person there, or nobody."""

    DONE = "done"
    GONE = "gone"


# From which states a step leads where. An item in any other state stays as it is.
TABLE: dict[Step, tuple[tuple[State, ...], State]] = {
    Step.OFFERED: ((State.WAITING,), State.OFFERED),
    Step.TAKEN: ((State.OFFERED,), State.TAKEN),
    Step.DONE: ((State.TAKEN,), State.DONE),
    Step.GIVEN_BACK: ((State.OFFERED, State.TAKEN), State.WAITING),
    Step.DESK_GONE: ((State.OFFERED,), State.WAITING),
    Step.NOT_TAKEN: ((State.OFFERED,), State.WAITING),
    Step.MOVED: ((State.OFFERED, State.TAKEN), State.WAITING),
    Step.DEAD: ((State.WAITING, State.OFFERED, State.TAKEN), State.DEAD),
    Step.RESENT: ((State.DEAD,), State.WAITING),
    Step.WITHDRAWN: ((State.WAITING, State.OFFERED, State.TAKEN, State.DEAD), State.DONE),
}
AT_A_DESK = (State.OFFERED, State.TAKEN)
_STANDING = """
SELECT (SELECT COUNT(*) FROM desk WHERE NOT closed), (SELECT COUNT(*) FROM work_item WHERE state = 'waiting'),
    (SELECT COUNT(*) FROM work_item WHERE state IN ('offered', 'taken')), (SELECT COUNT(*) FROM work_item WHERE state = 'dead')
"""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody must see to. `about` "booking 00412233" says where the rest stands; the texts name no patient. `kept_from`: departments
    whose desks must not get it."""

    once_key: str
    kind: Kind
    about: str
    text_zh: str
    text_en: str
    urgent: bool = False
    department_id: int | None = None
    kept_from: frozenset[int] = frozenset()


def add(request: Request, now: datetime) -> WorkItem:
    """The item of that key; made now, or before."""
    before = WorkItem.get_or_none(WorkItem.once_key == request.once_key)
    if before is not None:
        return before
    columns = msgspec.structs.asdict(request) | {"kept_from": _listed(request.kept_from), "department": request.department_id}
    del columns["department_id"]
    made = WorkItem.insert(**columns, made_at=now, waiting_since=now).on_conflict_ignore().as_rowcount().execute()
    item = WorkItem.get(WorkItem.once_key == request.once_key)
    if made:  # otherwise another process did, in the meantime
        _step(item.id, Step.ADDED, now)
    return item


def take(item_id: int, desk_id: int, by: str, now: datetime) -> Outcome:
    """Somebody at the desk sees to it from now on. Said twice it is done once."""
    return at_desk(item_id, desk_id, Step.TAKEN, by, now)


def done(item_id: int, desk_id: int, by: str, now: datetime) -> Outcome:
    """It was seen to."""
    return at_desk(item_id, desk_id, Step.DONE, by, now, ended_at=now, ended_by=by)


def give_back(item_id: int, desk_id: int, by: str, now: datetime, reason: str = "") -> Outcome:
    """Not for this desk: it goes to another one, if there is any."""
    return at_desk(item_id, desk_id, Step.GIVEN_BACK, by, now, fault=reason)


def resend(item_id: int, by: str, now: datetime) -> Outcome:
    """Off the list of dead letters, to be offered anew."""
    return move(WorkItem.get_by_id(item_id), Step.RESENT, now, by=by, offers=0, fault="")


def at_desk(item_id: int, desk_id: int, step: Step, by: str, now: datetime, **columns: Any) -> Outcome:
    """A step that only the desk makes which has it; made twice, by the same person there, it is made once."""
    item = WorkItem.get_or_none(WorkItem.id == item_id, WorkItem.desk == desk_id)
    if item is None:
        return Outcome.GONE
    if item.state == TABLE[step][1]:
        return Outcome.DONE if _made_by(item_id, step) == by else Outcome.GONE
    Desk.update(acted_at=now).where(Desk.id == desk_id).execute()  # the others on its list are not overdue
    return move(item, step, now, by=by, **columns)


def move(item: WorkItem, step: Step, now: datetime, *, by: str = "", desk_id: int | None = None, **columns: Any) -> Outcome:
    """Make a step by the table, if the row is still as `item` has it; `desk_id`: to which it is offered."""
    allowed, state = TABLE[step]
    if state is State.WAITING:
        columns |= {"desk": None, "last_desk": item.desk_id or item.last_desk_id, "waiting_since": now, "offered_at": None}
    elif state is State.DEAD:
        columns |= {"desk": None}
    elif desk_id is not None:
        columns |= {"desk": desk_id}
    same_desk = WorkItem.desk.is_null() if item.desk_id is None else WorkItem.desk == item.desk_id
    guard = (WorkItem.id == item.id) & WorkItem.state.in_(allowed) & (WorkItem.state == item.state) & same_desk
    if not WorkItem.update(state=state, **columns).where(guard).execute():
        return Outcome.GONE
    _step(item.id, step, now, desk_id or item.desk_id, by)
    return Outcome.DONE


def withdraw(about: str, by: str, now: datetime) -> None:
    """What it is about is settled: nobody need see to it any more."""
    for item in WorkItem.select().where(WorkItem.about == about, WorkItem.state != State.DONE):
        move(item, Step.WITHDRAWN, now, by=by, ended_at=now, ended_by=by)


def keep_from(about: str, departments: Iterable[int], now: datetime) -> None:
    """Desks of these departments do not get it, and no longer have it."""
    listed = _listed(departments)
    for item in WorkItem.select().where(WorkItem.about == about, WorkItem.state != State.DONE):
        WorkItem.update(kept_from=listed).where(WorkItem.id == item.id).execute()
        if item.desk is not None and str(item.desk.department_id) in listed.split():
            move(item, Step.MOVED, now)


def of_desk(desk_id: int) -> list[WorkItem]:
    """What is there to see to, in order: what is urgent first, then what came first."""
    return list(in_order(WorkItem.select().where(WorkItem.desk == desk_id, WorkItem.state.in_(AT_A_DESK))))


def in_order(query: Any) -> Any:
    return query.order_by(WorkItem.urgent.desc(), WorkItem.made_at, WorkItem.id)


def waiting(most: int | None = None) -> list[WorkItem]:
    """What is at no desk, in order; the first so many, or all."""
    return list(in_order(WorkItem.select().where(WorkItem.state == State.WAITING)).limit(most))


def dead_letters() -> Any:
    """A query of what nobody could take, the latest first."""
    return WorkItem.select().where(WorkItem.state == State.DEAD).order_by(WorkItem.id.desc())


class Standing(msgspec.Struct, frozen=True):
    """How many desks are open, and how many items are waiting, at desks and dead."""

    desks: int
    waiting: int
    at_desks: int
    dead: int


def standing() -> Standing:
    """Asked again and again, mostly in vain, so as one statement."""
    return Standing(*statements.run(_STANDING).fetchone())


def counts() -> dict[State, int]:
    """How many items are in each state; 0 for those that are missing."""
    grouped: Any = WorkItem.select(WorkItem.state, fn.COUNT(WorkItem.id)).group_by(WorkItem.state)
    return dict.fromkeys(State, 0) | {State(state): count for state, count in grouped.tuples()}


def _listed(departments: Iterable[int]) -> str:
    return " ".join(str(each) for each in sorted(departments))


def _made_by(item_id: int, step: Step) -> str:
    last = WorkStep.select().where(WorkStep.item == item_id, WorkStep.what == step).order_by(WorkStep.id.desc()).first()
    return str(last.by) if last else ""


def _step(item_id: int, step: Step, now: datetime, desk_id: int | None = None, by: str = "") -> None:
    WorkStep.create(item=item_id, at=now, what=step, desk=desk_id, by=by)
