"""Who sees to a complaint: of those who may see it, the one of a role with the least on hand. Inside the caller's transaction."""

from collections import Counter
from typing import Any

from peewee import fn

from appliance.hospital.complaints.sight import sees
from appliance.store.case_tables import Complaint
from appliance.store.models import Account

CLOSED = "closed"


def next_owner(complaint_id: int, role: str, but_not: int | None = None) -> Account | None:
    """None when nobody of that role may see it. `but_not`: an account that is chosen only when there is no other."""
    load = _load()
    people = Account.select().where(Account.role == role, ~Account.disabled)
    in_turn = sorted(people, key=lambda each: (each.id == but_not, load[each.id], each.id))
    return next((each for each in in_turn if sees(each.id, complaint_id)), None)


def _load() -> Counter[int]:
    """How many complaints that are not closed each account owns."""
    owned: Any = Complaint.select(Complaint.owner, fn.COUNT(Complaint.id)).where(Complaint.state != CLOSED, Complaint.owner.is_null(False))
    return Counter(dict(owned.group_by(Complaint.owner).tuples()))
