"""Files of clinics: who sees patients when. Inside the caller's transaction.

A clinic that is there already is left as it is: patients may have places in it. One that differs from the file is a fault.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import groupby, pairwise
from typing import Any

import msgspec

from appliance.hospital import prices
from appliance.hospital.booking.clinics import PLACES_MOST, ClinicEntry, make_many
from appliance.hospital.booking.rules import CLOCK
from appliance.hospital.imports.subjects import Line, Setting, Subject, There
from appliance.hospital.registry.field_fault import FieldFault, Refused
from appliance.hospital.registry.form import Form
from appliance.store.booking_tables import Clinic
from appliance.store.hospital_tables import Department, Doctor, StaffMember


class ScheduleEntry(msgspec.Struct, frozen=True, kw_only=True):
    """`doctor` by number, or `department` by code. `fee_fen` None: the doctor's own."""

    doctor: str = ""
    department: str = ""
    day: date
    starts: str
    ends: str
    minutes: int = 10
    places: int = 0
    fee_fen: int | None = None


class Schedules(Subject):
    name = "schedules"
    columns: Mapping[str, tuple[str, str]] = {
        "doctor": ("医生编号", "Doctor"),
        "department": ("科室编号", "Department"),
        "day": ("日期", "Day"),
        "starts": ("开始时间", "Starts"),
        "ends": ("结束时间", "Ends"),
        "minutes": ("每人分钟", "Minutes"),
        "places": ("号数", "Places"),
        "fee": ("挂号费", "Fee"),
    }
    required = frozenset({"day", "starts", "ends"})
    fixed = frozenset({"ends", "minutes", "places", "fee"})
    rows_most = 5_000

    def read(self, given: Mapping[str, str], setting: Setting) -> ScheduleEntry | Refused:
        form = Form(given)
        doctor = form.digits("doctor", 1, 8, required=False)
        entry = ScheduleEntry(
            doctor=doctor,
            department="" if doctor else form.digits("department", 1, 8),
            day=form.day("day", required=True) or setting.today,
            starts=_clock(form, "starts"),
            ends=_clock(form, "ends"),
            minutes=form.number("minutes", 1, 240, 10),
            places=form.number("places", 1, PLACES_MOST, 0),
            fee_fen=form.money_fen("fee") if given.get("fee", "").strip() else None,
        )
        if not form.faults and not 1 <= _visits(entry) <= PLACES_MOST:
            form.fault("ends", "order")
        return form.refusal or entry

    def keys(self, entry: ScheduleEntry) -> dict[str, str]:
        return {"starts": f"{entry.doctor}/{entry.department} {entry.day} {entry.starts}"}

    def there(self, keys: Sequence[str]) -> dict[str, There]:
        days = {date.fromisoformat(key.split()[1]) for key in keys}
        found = {self.keys(entry)["starts"]: There(row_id, entry) for row_id, entry in _on(days)}
        return {key: found[key] for key in keys if key in found}

    def count(self) -> int:
        return int(Clinic.select().where(~Clinic.cancelled).count())

    def conflicts(self, lines: Sequence[Line], there: Mapping[str, There]) -> Iterable[tuple[int, FieldFault]]:
        doctors, departments = _doctors(lines), _departments(lines)
        for line in lines:
            entry, found = line.entry, there.get(self.keys(line.entry)["starts"])
            if entry.doctor and entry.doctor not in doctors:
                yield line.line, FieldFault("doctor", "unknown", {"value": entry.doctor})
            if entry.department and entry.department not in departments:
                yield line.line, FieldFault("department", "unknown", {"value": entry.department})
            if found and (found.entry.ends != entry.ends or entry.fee_fen not in (None, found.entry.fee_fen)):
                yield line.line, FieldFault("starts", "exists")

    def together(self, lines: Sequence[Line], there: Mapping[str, There]) -> Iterable[tuple[int, FieldFault]]:
        """A doctor sees patients in one place at a time."""
        new = [(line.line, line.entry) for line in lines if line.entry.doctor and self.keys(line.entry)["starts"] not in there]
        old = [(0, entry) for _, entry in _on({entry.day for _, entry in new}) if entry.doctor]
        for _, of_day in groupby(sorted([*new, *old], key=_order), key=lambda one: _order(one)[:2]):
            for (line_before, before), (line, entry) in pairwise(of_day):
                if entry.starts < before.ends and (line or line_before):
                    value = f"{before.day} {before.starts}-{before.ends}"
                    yield line or line_before, FieldFault("starts", "overlap", {"value": value})

    def insert(self, entries: Sequence[ScheduleEntry], setting: Setting) -> None:
        lines = [Line(0, entry) for entry in entries]
        doctors, departments = _doctors(lines), _departments(lines)
        before = prices.last_clinic()
        made, refusals = make_many([_clinic(entry, doctors, departments) for entry in entries], setting.zone)
        assert made == len(entries), refusals  # `together` has found what overlaps
        setting.held.extend(prices.hold_clinics(before) if setting.four_eyes.registration_fees else ())


def _order(one: tuple[int, ScheduleEntry]) -> tuple[str, date, str]:
    return one[1].doctor, one[1].day, one[1].starts


def _clock(form: Form, field: str) -> str:
    text = form.text(field, required=True)
    text = text[:5] if text.endswith(":00") and len(text) == len("08:00:00") else text  # as spreadsheets have it
    if text and not CLOCK.fullmatch(text):
        form.fault(field, "clock")
    return text


def _visits(entry: ScheduleEntry) -> int:
    begin, end = (int(clock[:2]) * 60 + int(clock[3:]) for clock in (entry.starts, entry.ends))
    return min((end - begin) // entry.minutes, entry.places or PLACES_MOST + 1)


def _on(days: Iterable[date]) -> list[tuple[int, ScheduleEntry]]:
    """The clinics of these days: row and entry, as far as it can be told."""
    query = Clinic.select(Clinic, Department, Doctor).join(Department).switch(Clinic).left_outer_join(Doctor)
    return [
        (
            row.id,
            ScheduleEntry(
                doctor=row.doctor.number if row.doctor else "",
                department="" if row.doctor else row.department.code,
                day=row.day,
                starts=row.starts,
                ends=row.ends,
                fee_fen=row.fee_fen,
            ),
        )
        for row in query.where(Clinic.day.in_(sorted(days)), ~Clinic.cancelled)
    ]


def _doctors(lines: Sequence[Line]) -> dict[str, Any]:
    numbers = {line.entry.doctor for line in lines}
    return {row.number: row for row in Doctor.select(Doctor, StaffMember).join(StaffMember).where(Doctor.number.in_(sorted(numbers)))}


def _departments(lines: Sequence[Line]) -> dict[str, int]:
    codes = {line.entry.department for line in lines}
    return {row.code: row.id for row in Department.select().where(Department.code.in_(sorted(codes)))}


def _clinic(entry: ScheduleEntry, doctors: Mapping[str, Any], departments: Mapping[str, int]) -> ClinicEntry:
    doctor = doctors[entry.doctor] if entry.doctor else None
    own_fee_fen = doctor.fee_fen if doctor else 0
    return ClinicEntry(
        department=doctor.staff.department_id if doctor else departments[entry.department],
        doctor=doctor.id if doctor else None,
        day=entry.day,
        starts=entry.starts,
        ends=entry.ends,
        minutes=entry.minutes,
        places=entry.places,
        fee_fen=own_fee_fen if entry.fee_fen is None else entry.fee_fen,
    )
