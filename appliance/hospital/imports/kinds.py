"""The kinds of files there are: which columns they have, and how their rows meet the store. Inside the caller's transaction."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from appliance.hospital import prices
from appliance.hospital.imports.people import Cards, Patients, Vips
from appliance.hospital.imports.schedules import Schedules
from appliance.hospital.imports.subjects import Line, Setting, Subject, There, accepted
from appliance.hospital.prices import Held
from appliance.hospital.registry import departments, doctors, drugs, spoken
from appliance.hospital.registry.departments import DepartmentEntry
from appliance.hospital.registry.doctors import DoctorEntry
from appliance.hospital.registry.drugs import DrugEntry
from appliance.hospital.registry.field_fault import FieldFault, Refused
from appliance.hospital.registry.unique import fields_of
from appliance.store.hospital_tables import Department, Doctor, Drug, StaffMember, TextVersion


class Departments(Subject):
    name = "departments"
    columns: Mapping[str, tuple[str, str]] = {
        "code": ("科室编号", "Code"),
        "name_zh": ("科室名称", "Chinese name"),
        "name_en": ("英文名称", "English name"),
        "place_zh": ("位置", "Chinese place"),
        "place_en": ("英文位置", "English place"),
        "closed": ("停用", "Closed"),
    }
    required = frozenset({"code", "name_zh", "name_en"})
    rows_most = 1_000

    def read(self, given: Mapping[str, str], setting: Setting) -> DepartmentEntry | Refused:
        return departments.read(given)

    def keys(self, entry: DepartmentEntry) -> dict[str, str]:
        return {"code": entry.code}

    def there(self, keys: Sequence[str]) -> dict[str, There]:
        rows = Department.select().where(Department.code.in_(keys))
        return {row.code: There(row.id, departments.entry_of(row)) for row in rows}

    def count(self) -> int:
        return int(Department.select().count())

    def insert(self, entries: Sequence[DepartmentEntry], setting: Setting) -> None:
        for entry in entries:
            accepted(departments.save(entry))

    def update(self, found: There, entry: DepartmentEntry, setting: Setting) -> None:
        accepted(departments.save(entry, found.row_id))


class Doctors(Subject):
    name = "doctors"
    columns: Mapping[str, tuple[str, str]] = {
        "number": ("医生编号", "Number"),
        "staff_code": ("工号", "Staff code"),
        "name_zh": ("姓名", "Chinese name"),
        "name_en": ("英文姓名", "English name"),
        "department": ("科室编号", "Department"),
        "initials": ("拼音首字母", "Initials"),
        "title_zh": ("职称", "Chinese title"),
        "title_en": ("英文职称", "English title"),
        "profile_zh": ("简介", "Chinese profile"),
        "profile_en": ("英文简介", "English profile"),
        "expert": ("专家", "Expert"),
        "fee": ("挂号费", "Fee"),
        "consultation_per_min": ("咨询费每分钟", "Consultation per minute"),
        "listed": ("可预约", "Listed"),
    }
    required = frozenset({"number", "name_zh", "name_en", "department"})
    derived = frozenset({"initials"})
    rows_most = 5_000

    def read(self, given: Mapping[str, str], setting: Setting) -> DoctorEntry | Refused:
        return doctors.read(given)

    def keys(self, entry: DoctorEntry) -> dict[str, str]:
        return {"number": entry.number, "staff_code": entry.staff_code}

    def there(self, keys: Sequence[str]) -> dict[str, There]:
        rows = Doctor.select(Doctor, StaffMember, Department).join(StaffMember).join(Department).where(Doctor.number.in_(keys))
        return {row.number: There(row.id, doctors.entry_of(row)) for row in rows}

    def count(self) -> int:
        return int(Doctor.select().count())

    def conflicts(self, lines: Sequence[Line], there: Mapping[str, There]) -> Iterable[tuple[int, FieldFault]]:
        """Departments nobody knows, codes of the staff that are another's."""
        known = {row.code for row in Department.select(Department.code)}
        codes = [line.entry.staff_code for line in lines]
        rows = Doctor.select(Doctor.number, StaffMember.code).join(StaffMember).where(StaffMember.code.in_(codes))
        owners = {row.staff.code: row.number for row in rows}
        named = {row.code for row in StaffMember.select(StaffMember.code).where(StaffMember.code.in_(codes))}
        for line in lines:
            entry = line.entry
            if entry.department not in known:
                yield line.line, FieldFault("department", "unknown", {"value": entry.department})
            is_other = owners.get(entry.staff_code, entry.number) != entry.number
            if is_other or (entry.number in there and entry.staff_code in named - owners.keys()):
                yield line.line, FieldFault("staff_code", "duplicate", {"value": entry.staff_code})

    def insert(self, entries: Sequence[DoctorEntry], setting: Setting) -> None:
        for entry in entries:
            self._save(entry, None, setting)

    def update(self, found: There, entry: DoctorEntry, setting: Setting) -> None:
        self._save(entry, Doctor.get_by_id(found.row_id), setting)

    def _save(self, entry: DoctorEntry, row: Doctor | None, setting: Setting) -> None:
        held: list[Held] = []
        if setting.four_eyes.registration_fees:
            entry, held = prices.hold_back(entry, prices.DOCTOR, row)
        saved = accepted(doctors.save(entry, row.id if row else None))
        setting.held.extend(msgspec.structs.replace(each, row=saved.id) for each in held)


class Drugs(Subject):
    name = "drugs"
    columns: Mapping[str, tuple[str, str]] = {
        "number": ("药品编号", "Number"),
        "name_zh": ("药品名称", "Chinese name"),
        "name_en": ("英文名称", "English name"),
        "use_zh": ("用途", "Chinese use"),
        "use_en": ("英文用途", "English use"),
        "caution_zh": ("注意事项", "Chinese caution"),
        "caution_en": ("英文注意事项", "English caution"),
        "unit_zh": ("单位", "Chinese unit"),
        "unit_en": ("英文单位", "English unit"),
        "price": ("价格", "Price"),
        "listed": ("可查询", "Listed"),
    }
    required = frozenset({"number", "name_zh", "name_en", "price"})
    rows_most = 20_000

    def read(self, given: Mapping[str, str], setting: Setting) -> DrugEntry | Refused:
        return drugs.read(given)

    def keys(self, entry: DrugEntry) -> dict[str, str]:
        return {"number": entry.number}

    def there(self, keys: Sequence[str]) -> dict[str, There]:
        return {row.number: There(row.id, drugs.entry_of(row)) for row in Drug.select().where(Drug.number.in_(keys))}

    def count(self) -> int:
        return int(Drug.select().count())

    def insert(self, entries: Sequence[DrugEntry], setting: Setting) -> None:
        if not setting.four_eyes.drug_prices:
            add_drugs(entries, setting)
            return
        both = [prices.hold_back(entry, prices.DRUG, None) for entry in entries]
        add_drugs([entry for entry, _ in both], setting)
        rows = {row.number: row.id for row in Drug.select(Drug.id, Drug.number).where(Drug.number.in_([entry.number for entry in entries]))}
        setting.held.extend(msgspec.structs.replace(each, row=rows[each.item]) for _, held in both for each in held)

    def update(self, found: There, entry: DrugEntry, setting: Setting) -> None:
        row = Drug.get_by_id(found.row_id)
        if setting.four_eyes.drug_prices:
            entry, held = prices.hold_back(entry, prices.DRUG, row)
            setting.held.extend(held)
        drugs.change(row, entry, setting.now, setting.by)


def add_drugs(entries: Sequence[DrugEntry], setting: Setting) -> None:
    """New ones, many at once; their numbers are nobody's."""
    rows: list[dict[str, Any]] = [fields_of(entry, *drugs.SPOKEN, "number", "listed") | {"changed_at": setting.now} for entry in entries]
    Drug.insert_many(rows).execute()
    said = [spoken.row(f"drug {entry.number}", 1, fields_of(entry, *drugs.SPOKEN), setting.now, setting.by) for entry in entries]
    TextVersion.insert_many(said).execute()


KINDS: Mapping[str, Subject] = {
    subject.name: subject for subject in (Departments(), Doctors(), Drugs(), Patients(), Cards(), Vips(), Schedules())
}
