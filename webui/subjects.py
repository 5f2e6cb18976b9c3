"""What the hospital's pages list and edit: each subject as a value, so that one view serves them all. In request threads.

A subject's functions are those of appliance/hospital/registry, inside the view's transaction.
"""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from appliance.hospital.registry import departments, doctors, drugs, notices, vip
from appliance.hospital.registry.field_fault import Refused
from appliance.store.hospital_tables import Department, Doctor, Drug, Notice, Patient, StaffMember, Vip
from webui.fields import Field, flag, yuan
from webui.shared import me, shared

Values = dict[str, str]


class Subject(Struct, frozen=True, kw_only=True):
    """`columns`: of the list, by key of `values`. `found`: a query of the rows that match a text. `values`: a row as its form has it.
    `read`, `save`: as in the registry; a refusal goes back to the form."""

    name: str
    icon: str
    fields: tuple[Field, ...]
    columns: tuple[str, ...]
    table: Any
    found: Callable[[str], Any]
    values: Callable[[Any], Values]
    read: Callable[[Mapping[str, str]], Any]
    save: Callable[[Any, int | None], Any]
    fresh: Mapping[str, str] = {}


def _two(name: str, kind: str = "text", most: int = 64, required: bool = False) -> tuple[Field, Field]:
    """A text in both languages."""
    area = kind == "area"
    if area:
        return Field(name=f"{name}_zh", kind="area", most=most), Field(name=f"{name}_en", kind="area", most=most * 3)
    return Field(name=f"{name}_zh", most=most, required=required), Field(name=f"{name}_en", most=most, required=required)


def _texts(row: Any, *names: str) -> Values:
    return {name: str(getattr(row, name)) for name in names}


def _departments(text: str) -> Any:
    query = Department.select().order_by(Department.code)
    return query.where((Department.code == text) | Department.name_zh.contains(text) | Department.name_en.contains(text)) if text else query


DEPARTMENTS = Subject(
    name="departments",
    icon="building-hospital",
    fields=(
        Field(name="code", kind="digits", most=8, required=True),
        Field(name="closed", kind="flag"),
        *_two("name", required=True),
        *_two("place", most=128),
    ),
    columns=("code", "name_zh", "name_en", "place_zh", "closed"),
    table=Department,
    found=_departments,
    values=lambda row: _texts(row, "code", "name_zh", "name_en", "place_zh", "place_en") | {"closed": flag(row.closed)},
    read=departments.read,
    save=departments.save,
    fresh={"closed": "no"},
)


def _doctors(text: str) -> Any:
    query = Doctor.select(Doctor, StaffMember, Department).join(StaffMember).join(Department).order_by(Doctor.number)
    named = StaffMember.name_zh.contains(text) | StaffMember.name_en.contains(text)
    return query.where((Doctor.number == text) | (Department.code == text) | named) if text else query


def _doctor(row: Doctor) -> Values:
    texts = _texts(row, "number", "initials", "title_zh", "title_en", "profile_zh", "profile_en")
    texts |= {"name_zh": row.staff.name_zh, "name_en": row.staff.name_en, "staff_code": row.staff.code}
    texts |= {"department": row.staff.department.code, "expert": flag(row.expert), "listed": flag(row.listed)}
    return texts | {"fee": yuan(row.fee_fen), "consultation_per_min": yuan(row.consultation_fen_per_min)}


DOCTORS = Subject(
    name="doctors",
    icon="stethoscope",
    fields=(
        Field(name="number", kind="digits", most=8, required=True),
        Field(name="department", kind="digits", most=8, required=True),
        *_two("name", required=True),
        *_two("title"),
        Field(name="initials", most=16),
        Field(name="staff_code", kind="digits", most=8),
        Field(name="fee", kind="money", most=12),
        Field(name="consultation_per_min", kind="money", most=12),
        Field(name="expert", kind="flag"),
        Field(name="listed", kind="flag"),
        *_two("profile", "area", doctors.PROFILE_MOST),
    ),
    columns=("number", "name_zh", "name_en", "department", "title_zh", "fee", "listed"),
    table=Doctor,
    found=_doctors,
    values=_doctor,
    read=doctors.read,
    save=doctors.save,
    fresh={"listed": "yes", "expert": "no"},
)


def _drugs(text: str) -> Any:
    query = Drug.select().order_by(Drug.number)
    return query.where((Drug.number == text) | Drug.name_zh.contains(text) | Drug.name_en.contains(text)) if text else query


def _drug(row: Drug) -> Values:
    names = [f"{name}_{language}" for name in ("name", "use", "caution", "unit") for language in ("zh", "en")]
    return _texts(row, "number", *names) | {"price": yuan(row.price_fen), "listed": flag(row.listed)}


DRUGS = Subject(
    name="drugs",
    icon="pill",
    fields=(
        Field(name="number", kind="digits", most=8, required=True),
        Field(name="price", kind="money", most=12, required=True),
        *_two("name", most=128, required=True),
        *_two("unit", most=32),
        *_two("use", "area", drugs.TEXT_MOST),
        *_two("caution", "area", drugs.TEXT_MOST),
        Field(name="listed", kind="flag"),
    ),
    columns=("number", "name_zh", "name_en", "unit_zh", "price", "listed"),
    table=Drug,
    found=_drugs,
    values=_drug,
    read=drugs.read,
    save=lambda entry, row_id: drugs.save(entry, shared().clock.now(), row_id, me().name),
    fresh={"listed": "yes"},
)


def _notices(text: str) -> Any:
    query = Notice.select().order_by(Notice.kind, Notice.position, Notice.id)
    return query.where(Notice.title_zh.contains(text) | Notice.title_en.contains(text)) if text else query


def _notice(row: Notice) -> Values:
    starts = shared().local(row.starts_at).strftime("%Y-%m-%dT%H:%M")
    ends = shared().local(row.ends_at).strftime("%Y-%m-%dT%H:%M") if row.ends_at else ""
    texts = _texts(row, "kind", "title_zh", "title_en", "text_zh", "text_en", "position")
    return texts | {"starts_at": starts, "ends_at": ends, "open": flag(row.open)}


def _read_notice(given: Mapping[str, str]) -> notices.NoticeEntry | Refused:
    return notices.read(given, shared().clock.now(), shared().zone)


NOTICES = Subject(
    name="notices",
    icon="speakerphone",
    fields=(
        Field(name="kind", kind="choice", choices=notices.KINDS),
        Field(name="position", kind="number", most=4),
        *_two("title", most=128, required=True),
        *_two("text", "area", notices.TEXT_MOST),
        Field(name="starts_at", kind="datetime-local"),
        Field(name="ends_at", kind="datetime-local"),
        Field(name="open", kind="flag"),
    ),
    columns=("kind", "title_zh", "title_en", "starts_at", "ends_at", "open"),
    table=Notice,
    found=_notices,
    values=_notice,
    read=_read_notice,
    save=lambda entry, row_id: notices.save(entry, shared().clock.now(), row_id, me().name),
    fresh={"open": "yes", "position": "0"},
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

SUBJECTS: Mapping[str, Subject] = {subject.name: subject for subject in (DEPARTMENTS, DOCTORS, DRUGS, NOTICES, VIPS)}
