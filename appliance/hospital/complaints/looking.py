"""Looking at complaints: lists, one with its steps, its recording, figures. Everything for an account sees what that account may see.

Inside the caller's transaction; nothing is changed.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from peewee import fn

from appliance.hospital.complaints.number import is_number
from appliance.hospital.complaints.owners import CLOSED
from appliance.hospital.complaints.sight import visible_to
from appliance.store.case_tables import Complaint, ComplaintStep
from appliance.store.models import Account


class Which(StrEnum):
    ALL = "all"
    NOT_CLOSED = "not_closed"
    MINE = "mine"
    OVERDUE = "overdue"
    WITHOUT_OWNER = "without_owner"
    CLOSED = "closed"


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """`open` includes what is in hand and what is overdue. `without_owner`: open ones nobody may or does own."""

    open: int
    in_hand: int
    overdue: int
    without_owner: int
    closed: int


class Told(msgspec.Struct, frozen=True):
    """What a caller who keys a case number may hear of it."""

    state: str
    due_at: datetime


def listed(account: Account, now: datetime, which: Which = Which.NOT_CLOSED, text: str = "") -> Any:
    """A query, what is due first coming first; `text`: in number, codes, telephone or what was said."""
    query = Complaint.select().where(visible_to(account.id), _condition(which, account, now))
    if text:
        columns = (Complaint.number, Complaint.department_code, Complaint.staff_code, Complaint.phone, Complaint.text, Complaint.outcome)
        query = query.where(_any(*(column.contains(text) for column in columns)))
    return query.order_by(Complaint.due_at.desc() if which is Which.CLOSED else Complaint.due_at, Complaint.id)


def opened(number: str, account: Account) -> tuple[Complaint, list[ComplaintStep]] | None:
    """A complaint with its steps, in order; None when this account may see none of that number."""
    complaint = Complaint.get_or_none(Complaint.number == number, visible_to(account.id))
    return None if complaint is None else (complaint, _steps_of(complaint))


def _steps_of(complaint: Complaint) -> list[ComplaintStep]:
    return list(ComplaintStep.select().where(ComplaintStep.complaint == complaint).order_by(ComplaintStep.id))


def recording_of(number: str, account: Account) -> str | None:
    """The statement's file under the recordings folder; None when there is none that this account may hear."""
    found = opened(number, account)
    return (found[0].recording or None) if found else None


def of_patient(patient_id: int, account: Account) -> list[Complaint]:
    """Newest first."""
    query = Complaint.select().where(Complaint.patient == patient_id, visible_to(account.id))
    return list(query.order_by(Complaint.made_at.desc(), Complaint.id.desc()))


def counts(now: datetime, account: Account | None = None) -> Counts:
    """Figures of what the account may see; without one those of the whole hospital, for the board that everybody sees."""
    seen = Complaint.id.is_null(False) if account is None else visible_to(account.id)
    grouped: Any = Complaint.select(Complaint.state, fn.COUNT(Complaint.id)).where(seen).group_by(Complaint.state)
    by_state: dict[str, int] = dict(grouped.tuples())
    closed = by_state.pop(CLOSED, 0)
    not_closed = Complaint.select().where(seen, Complaint.state != CLOSED)
    return Counts(
        open=sum(by_state.values()),
        in_hand=by_state.get("in_hand", 0),
        overdue=not_closed.where(Complaint.due_at < now).count(),
        without_owner=not_closed.where(Complaint.owner.is_null()).count(),
        closed=closed,
    )


def told(keyed: str) -> Told | None:
    """For the caller who filed it; None for what is no case number."""
    found = Complaint.get_or_none(Complaint.number == keyed) if is_number(keyed) else None
    return None if found is None else Told(found.state, found.due_at)


def _condition(which: Which, account: Account, now: datetime) -> Any:
    not_closed = Complaint.state != CLOSED
    return {
        Which.ALL: Complaint.id.is_null(False),
        Which.NOT_CLOSED: not_closed,
        Which.MINE: not_closed & (Complaint.owner == account),
        Which.OVERDUE: not_closed & (Complaint.due_at < now),
        Which.WITHOUT_OWNER: not_closed & Complaint.owner.is_null(),
        Which.CLOSED: ~not_closed,
    }[which]


def _any(first: Any, *more: Any) -> Any:
    for condition in more:
        first = first | condition
    return first
