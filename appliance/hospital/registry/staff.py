"""Whoever may be named by code. Inside the caller's transaction."""

from collections.abc import Mapping

import msgspec

from appliance.hospital.registry import departments
from appliance.hospital.registry.field_fault import Refused, refused
from appliance.hospital.registry.form import Form
from appliance.hospital.registry.unique import is_taken
from appliance.store.hospital_tables import StaffMember


class StaffEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A member of the staff as filled in; `department` by code."""

    code: str
    name_zh: str
    name_en: str
    department: str
    left: bool = False


def read(given: Mapping[str, str]) -> StaffEntry | Refused:
    """Check a form: code, name_zh, name_en, department (its code), left."""
    form = Form(given)
    entry = StaffEntry(
        code=form.digits("code", 1, 8),
        name_zh=form.text("name_zh", required=True),
        name_en=form.text("name_en", required=True),
        department=form.digits("department", 1, 8),
        left=form.flag("left", default=False),
    )
    return form.refusal or entry


def save(entry: StaffEntry, row_id: int | None = None) -> StaffMember | Refused:
    """Make a member, or change the one of `row_id`."""
    department = departments.by_code(entry.department)
    if department is None:
        return refused("department", "unknown", value=entry.department)
    if is_taken(StaffMember.code, entry.code, row_id):
        return refused("code", "duplicate", value=entry.code)
    columns = msgspec.structs.asdict(entry) | {"department": department}
    if row_id is None:
        return StaffMember.create(**columns)
    StaffMember.update(**columns).where(StaffMember.id == row_id).execute()
    return StaffMember.get_by_id(row_id)


def by_code(code: str) -> StaffMember | None:
    return StaffMember.get_or_none(StaffMember.code == code)


def of_account(account_id: int) -> StaffMember | None:
    """Who works under that account of the web."""
    return StaffMember.get_or_none(StaffMember.account == account_id)


def link_account(staff_id: int, account_id: int | None) -> None:
    """Say which account of the web is this person's; it is nobody else's then."""
    StaffMember.update(account=None).where(StaffMember.account == account_id).execute()
    StaffMember.update(account=account_id).where(StaffMember.id == staff_id).execute()
