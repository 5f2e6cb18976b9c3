"""Departments: their code is keyed by callers. Inside the caller's transaction."""

from collections.abc import Mapping

import msgspec

from appliance.hospital.registry.field_fault import Refused, refused
from appliance.hospital.registry.form import Form
from appliance.hospital.registry.unique import is_taken
from appliance.store.hospital_tables import Department


class DepartmentEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A department as filled in: columns of `Department` by name."""

    code: str
    name_zh: str
    name_en: str
    place_zh: str = ""
    place_en: str = ""
    closed: bool = False


def read(given: Mapping[str, str]) -> DepartmentEntry | Refused:
    """Check a form: code, name_zh, name_en, place_zh, place_en, closed."""
    form = Form(given)
    entry = DepartmentEntry(
        code=form.digits("code", 1, 8),
        name_zh=form.text("name_zh", required=True),
        name_en=form.text("name_en", required=True),
        place_zh=form.text("place_zh", 128),
        place_en=form.text("place_en", 128),
        closed=form.flag("closed", default=False),
    )
    return form.refusal or entry


def entry_of(row: Department) -> DepartmentEntry:
    return msgspec.convert(row.__data__, DepartmentEntry)


def save(entry: DepartmentEntry, row_id: int | None = None) -> Department | Refused:
    """Make a department, or change the one of `row_id`."""
    if is_taken(Department.code, entry.code, row_id):
        return refused("code", "duplicate", value=entry.code)
    columns = msgspec.structs.asdict(entry)
    if row_id is None:
        return Department.create(**columns)
    Department.update(**columns).where(Department.id == row_id).execute()
    return Department.get_by_id(row_id)


def by_code(code: str) -> Department | None:
    """Whatever its state: closed ones are asked about too."""
    return Department.get_or_none(Department.code == code)


def offered() -> list[Department]:
    """Those that are open, by code."""
    return list(Department.select().where(~Department.closed).order_by(Department.code))
