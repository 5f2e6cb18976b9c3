"""People, complaints and desks as most tests of cases need them, in the store of tests/unit/hospital_rig.py."""

from datetime import timedelta
from typing import Any

from appliance.calendar import Calendar, CalendarConfig
from appliance.hospital.complaints.filing import Filing, file
from appliance.hospital.complaints.rules import ComplaintRules
from appliance.hospital.dispatch import desks, items
from appliance.hospital.dispatch.limits import DispatchLimits
from appliance.hospital.registry import departments, staff
from appliance.store.case_tables import Complaint, Desk, WorkItem
from appliance.store.hospital_tables import StaffMember
from appliance.store.models import Account
from tests.unit.hospital_rig import NOW, department, taken

CALENDAR = Calendar(CalendarConfig())
RULES = ComplaintRules()
LIMITS = DispatchLimits()


def account(name: str, role: str = "supervisor") -> Account:
    return Account.create(name=name, password_hash="-", role=role, created_at=NOW)


def member(code: str, of: str = "12", person: Account | None = None) -> StaffMember:
    """Of the staff, in the department of that code (made when there is none)."""
    if departments.by_code(of) is None:
        department(of)
    form = {"code": code, "name_zh": "王强", "name_en": "Wang Qiang", "department": of}
    row = taken(staff.save(taken(staff.read(form))))
    if person:
        staff.link_account(row.id, person.id)
    return row


def complaint(once_key: str = "call 1", after: timedelta = timedelta(0), **more: Any) -> Complaint:
    return file(Filing(once_key=once_key, channel="ivr", **more), RULES, CALENDAR, NOW + after)


def desk(name: str, kinds: str = "booking complaint vip callback", **more: str) -> Desk:
    """A desk that is there."""
    row = taken(desks.save(taken(desks.read({"name": name, "kinds": kinds} | more))))
    desks.beat(row.id, NOW)
    return row


def item(key: str, after_s: int = 0, **more: Any) -> WorkItem:
    request = items.Request(once_key=key, about=key, text_zh=key, text_en=key, **({"kind": items.Kind.BOOKING} | more))
    return items.add(request, NOW + timedelta(seconds=after_s))
