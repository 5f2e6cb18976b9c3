"""Who and where: departments, the staff, doctors, VIPs. In request threads, inside the view's transaction."""

from collections.abc import Mapping
from typing import Any

from appliance.hospital import prices
from appliance.hospital.complaints import sight
from appliance.hospital.registry import departments, doctors, staff, vip
from appliance.hospital.registry.departments import DepartmentEntry
from appliance.hospital.registry.doctors import DoctorEntry
from appliance.hospital.registry.field_fault import Refused, refused
from appliance.hospital.registry.staff import StaffEntry
from appliance.store.hospital_tables import Department, Doctor, Patient, StaffMember, Vip
from appliance.store.models import Account
from webui.fields import Field, flag, yuan
from webui.page import named
from webui.shared import me, shared
from webui.subjects.subject import Subject, Values, texts_of, two


def _departments(text: str) -> Any:
    query = Department.select().order_by(Department.code)
    return query.where((Department.code == text) | Department.name_zh.contains(text) | Department.name_en.contains(text)) if text else query


def _accounts(field: str, names: list[str]) -> list[int] | Refused:
    """The accounts of these names."""
    ids = {row.name: row.id for row in Account.select().where(Account.name.in_(names))}
    unknown = next((name for name in names if name not in ids), None)
    return [ids[name] for name in names] if unknown is None else refused(field, "unknown", value=unknown[:32])


def _names(ids: list[int]) -> str:
    return " ".join(row.name for row in Account.select().where(Account.id.in_(ids)).order_by(Account.name))


def _read_department(given: Mapping[str, str]) -> tuple[DepartmentEntry, list[int]] | Refused:
    """With the accounts of its heads, from whom complaints about it are kept too."""
    entry = departments.read(given)
    heads = _accounts("heads", given.get("heads", "").split())
    if isinstance(entry, Refused):
        return entry
    return heads if isinstance(heads, Refused) else (entry, heads)


def _save_department(read: tuple[DepartmentEntry, list[int]], row_id: int | None) -> Department | Refused:
    outcome = departments.save(read[0], row_id)
    if isinstance(outcome, Department):
        sight.set_heads(outcome.id, read[1])
    return outcome


def _department(row: Department) -> Values:
    texts = texts_of(row, "code", "name_zh", "name_en", "place_zh", "place_en")
    return texts | {"closed": flag(row.closed), "heads": _names(sight.heads_of(row.id))}


DEPARTMENTS = Subject(
    name="departments",
    icon="building-hospital",
    fields=(
        Field(name="code", kind="digits", most=8, required=True),
        Field(name="closed", kind="flag"),
        *two("name", required=True),
        *two("place", most=128),
        Field(name="heads", most=200, wide=True),
    ),
    columns=("code", "name_zh", "name_en", "place_zh", "closed"),
    table=Department,
    found=_departments,
    values=_department,
    read=_read_department,
    save=_save_department,
    fresh={"closed": "no"},
)


def _staff(text: str) -> Any:
    query = StaffMember.select(StaffMember, Department).join(Department).order_by(StaffMember.code)
    named = StaffMember.name_zh.contains(text) | StaffMember.name_en.contains(text)
    return query.where((StaffMember.code == text) | (Department.code == text) | named) if text else query


def _member(row: StaffMember) -> Values:
    texts = texts_of(row, "code", "name_zh", "name_en") | {"department": row.department.code, "left": flag(row.left)}
    texts |= {"department_name": named(row.department)}
    return texts | {"account": row.account.name if row.account else ""}


def _read_member(given: Mapping[str, str]) -> tuple[StaffEntry, int | None] | Refused:
    """With the account this person uses, so that complaints about them are kept from it."""
    entry = staff.read(given)
    accounts = _accounts("account", given.get("account", "").split()[:1])
    if isinstance(entry, Refused):
        return entry
    return accounts if isinstance(accounts, Refused) else (entry, accounts[0] if accounts else None)


def _save_member(read: tuple[StaffEntry, int | None], row_id: int | None) -> StaffMember | Refused:
    entry, account_id = read
    other = staff.of_account(account_id) if account_id is not None else None
    if other is not None and other.id != row_id:
        return refused("account", "duplicate", value=other.code)
    outcome = staff.save(entry, row_id)
    if isinstance(outcome, StaffMember):
        staff.link_account(outcome.id, account_id)
    return outcome


STAFF = Subject(
    name="staff",
    icon="id-badge",
    fields=(
        Field(name="code", kind="digits", most=8, required=True),
        Field(name="department", kind="digits", most=8, required=True),
        *two("name", required=True),
        Field(name="account", most=32),
        Field(name="left", kind="flag"),
    ),
    columns=("code", "name_zh", "name_en", "department_name", "account", "left"),
    table=StaffMember,
    found=_staff,
    values=_member,
    read=_read_member,
    save=_save_member,
    fresh={"left": "no"},
)


def _doctors(text: str) -> Any:
    query = Doctor.select(Doctor, StaffMember, Department).join(StaffMember).join(Department).order_by(Doctor.number)
    named = StaffMember.name_zh.contains(text) | StaffMember.name_en.contains(text)
    return query.where((Doctor.number == text) | (Department.code == text) | named) if text else query


def _doctor(row: Doctor) -> Values:
    texts = texts_of(row, "number", "initials", "title_zh", "title_en", "profile_zh", "profile_en")
    texts |= {"name_zh": row.staff.name_zh, "name_en": row.staff.name_en, "staff_code": row.staff.code}
    texts |= {"department_name": named(row.staff.department)}
    texts |= {"department": row.staff.department.code, "expert": flag(row.expert), "listed": flag(row.listed)}
    return texts | {"fee": yuan(row.fee_fen), "consultation_per_min": yuan(row.consultation_fen_per_min)}


def _save_doctor(entry: DoctorEntry, row_id: int | None) -> Doctor | Refused:
    """A price that takes two persons is asked for."""
    if not shared().config.hospital.four_eyes.registration_fees:
        return doctors.save(entry, row_id)
    kept, held = prices.hold_back(entry, prices.DOCTOR, Doctor.get_or_none(Doctor.id == row_id))
    outcome = doctors.save(kept, row_id)
    if isinstance(outcome, Doctor):
        prices.ask(held, prices.FORM, me().name, shared().clock.now(), outcome.id)
    return outcome


DOCTORS = Subject(
    name="doctors",
    icon="stethoscope",
    fields=(
        Field(name="number", kind="digits", most=8, required=True),
        Field(name="department", kind="digits", most=8, required=True),
        *two("name", required=True),
        *two("title"),
        Field(name="initials", most=16),
        Field(name="staff_code", kind="digits", most=8),
        Field(name="fee", kind="money", most=12),
        Field(name="consultation_per_min", kind="money", most=12),
        Field(name="expert", kind="flag"),
        Field(name="listed", kind="flag"),
        *two("profile", "area", doctors.PROFILE_MOST),
    ),
    columns=("number", "name_zh", "name_en", "department_name", "title_zh", "fee", "listed"),
    table=Doctor,
    found=_doctors,
    values=_doctor,
    read=doctors.read,
    save=_save_doctor,
    fresh={"listed": "yes", "expert": "no"},
)


def _vips(text: str) -> Any:
    query = Vip.select(Vip, Patient).join(Patient).order_by(Vip.level, Patient.name_key)
    return query.where((Patient.number == text) | Patient.name.contains(text)) if text else query


def _vip(row: Vip) -> Values:
    texts = {"patient": row.patient.number, "name": row.patient.name, "level": str(row.level), "note": row.note}
    return texts | {"valid_from": row.valid_from.isoformat(), "valid_until": row.valid_until.isoformat() if row.valid_until else ""}


VIPS = Subject(
    name="vips",
    icon="star",
    fields=(
        Field(name="patient", kind="digits", most=16, required=True),
        Field(name="level", kind="choice", choices=tuple(str(level) for level in vip.LEVELS), labels={str(n): str(n) for n in vip.LEVELS}),
        Field(name="valid_from", kind="date"),
        Field(name="valid_until", kind="date"),
        Field(name="note", most=255, wide=True),
    ),
    columns=("level", "patient", "name", "valid_from", "valid_until", "note"),
    table=Vip,
    found=_vips,
    values=_vip,
    read=lambda given: vip.read(given, shared().day()),
    save=lambda entry, row_id: vip.save(entry, me().name, row_id),
    fresh={"level": str(vip.LEVELS[-1])},
)
