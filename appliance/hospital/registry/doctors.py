"""Doctors patients can ask for, by number, by the keys of their initials, by department. Inside the caller's transaction.

A doctor is a member of the staff; where the form names no code of the staff, the doctor's number is it.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from appliance.hospital.registry import departments, pinyin
from appliance.hospital.registry.field_fault import Refused, refused
from appliance.hospital.registry.form import Form
from appliance.hospital.registry.unique import fields_of, is_taken
from appliance.store.hospital_tables import Department, Doctor, StaffMember

PROFILE_MOST = 600
FEE_FEN_MOST = 1_000_000

DOCTOR_COLUMNS = (
    *("number", "initials", "title_zh", "title_en", "profile_zh", "profile_en"),
    *("expert", "fee_fen", "consultation_fen_per_min", "listed"),
)


class DoctorEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A doctor as filled in; `department` by code, `staff_code` of the member of the staff, `initials` "zw"."""

    number: str
    staff_code: str
    name_zh: str
    name_en: str
    department: str
    initials: str
    title_zh: str = ""
    title_en: str = ""
    profile_zh: str = ""
    profile_en: str = ""
    expert: bool = False
    fee_fen: int = 0
    consultation_fen_per_min: int = 0
    listed: bool = True


def read(given: Mapping[str, str]) -> DoctorEntry | Refused:
    """Check a form: the fields of DoctorEntry, money in yuan under `fee` and `consultation_per_min`. Initials are made where none are
    given."""
    form = Form(given)
    number = form.digits("number", 1, 8)
    entry = DoctorEntry(
        number=number,
        staff_code=form.digits("staff_code", 1, 8, required=False) or number,
        name_zh=(name := form.text("name_zh", 32, required=True)),
        name_en=form.text("name_en", required=True),
        department=form.digits("department", 1, 8),
        initials=_initials(form, name),
        title_zh=form.text("title_zh"),
        title_en=form.text("title_en"),
        profile_zh=form.text("profile_zh", PROFILE_MOST, lines=True),
        profile_en=form.text("profile_en", PROFILE_MOST * 3, lines=True),
        expert=form.flag("expert", default=False),
        fee_fen=form.money_fen("fee", most_fen=FEE_FEN_MOST),
        consultation_fen_per_min=form.money_fen("consultation_per_min", most_fen=FEE_FEN_MOST),
        listed=form.flag("listed", default=True),
    )
    return form.refusal or entry


def _initials(form: Form, name: str) -> str:
    initials = form.text("initials", 16).lower() or pinyin.initials(name)
    name_will_do = name and not any(fault.field == "name_zh" for fault in form.faults)
    if name_will_do and not re.fullmatch("[a-z]{1,16}", initials):
        form.fault("initials", "initials")
    return initials


def entry_of(row: Doctor) -> DoctorEntry:
    return DoctorEntry(
        **fields_of(row, *DOCTOR_COLUMNS),
        **fields_of(row.staff, "name_zh", "name_en"),
        staff_code=row.staff.code,
        department=row.staff.department.code,
    )


def save(entry: DoctorEntry, row_id: int | None = None) -> Doctor | Refused:
    """Make a doctor (and the member of the staff), or change the one of `row_id`."""
    department = departments.by_code(entry.department)
    if department is None:
        return refused("department", "unknown", value=entry.department)
    if is_taken(Doctor.number, entry.number, row_id):
        return refused("number", "duplicate", value=entry.number)
    row = None if row_id is None else Doctor.get_by_id(row_id)
    staff = _staff(entry, department, row)
    if staff is None:
        return refused("staff_code", "duplicate", value=entry.staff_code)
    columns = fields_of(entry, *DOCTOR_COLUMNS)
    if row is None:
        return Doctor.create(staff=staff, **columns)
    Doctor.update(**columns).where(Doctor.id == row.id).execute()
    return Doctor.get_by_id(row.id)


def _staff(entry: DoctorEntry, department: Department, row: Doctor | None) -> StaffMember | None:
    """The doctor's own row of the staff, brought up to date; None when the code is another doctor's or another person's."""
    columns = {"code": entry.staff_code, "name_zh": entry.name_zh, "name_en": entry.name_en, "department": department}
    known = StaffMember.get_or_none(StaffMember.code == entry.staff_code)
    mine = row.staff_id if row else known and known.id
    if mine is None:
        return StaffMember.create(**columns)
    others = Doctor.select().where(Doctor.staff == mine, Doctor.id != (row.id if row else 0))
    if (known is not None and known.id != mine) or others.exists():
        return None
    StaffMember.update(**columns).where(StaffMember.id == mine).execute()
    return StaffMember.get_by_id(mine)


def set_listed(doctor_id: int, *, listed: bool) -> None:
    """Whether patients may ask for this doctor."""
    Doctor.update(listed=listed).where(Doctor.id == doctor_id).execute()


def by_number(number: str) -> Doctor | None:
    """The doctor of that number whom patients may ask for, with staff and department."""
    return next(iter(_offered().where(Doctor.number == number)), None)


def by_keys(keyed: str, most: int = 9) -> list[Doctor]:
    """Doctors whose initials begin with the letters on these keys: whole initials first, then by number."""
    found = [row for row in _offered() if keyed and pinyin.keys(row.initials).startswith(keyed)]
    return sorted(found, key=lambda row: (len(row.initials) != len(keyed), row.number))[:most]


def by_name(text: str, most: int = 20) -> list[Doctor]:
    """Doctors whose name holds the text, or whose initials begin with it, by number."""
    matches = StaffMember.name_zh.contains(text) | StaffMember.name_en.contains(text) | Doctor.initials.startswith(text.lower())
    return list(_offered().where(matches).limit(most)) if text else []


def of_department(department_id: int, *, experts_only: bool = False) -> list[Doctor]:
    """Doctors of a department whom patients may ask for, by number."""
    found = _offered().where(StaffMember.department == department_id)
    return list(found.where(Doctor.expert) if experts_only else found)


def _offered() -> Any:
    query = Doctor.select(Doctor, StaffMember, Department).join(StaffMember).join(Department)
    return query.where(Doctor.listed, ~StaffMember.left, ~Department.closed).order_by(Doctor.number)
