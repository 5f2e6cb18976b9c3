"""Clinics: when a doctor (or a department) sees patients, made with their places. Inside the caller's transaction."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from peewee import chunked

from appliance.calendar import WEEKDAYS, Weekday
from appliance.hospital.booking.rules import CLOCK, at_clock
from appliance.hospital.booking.slots import FREE
from appliance.hospital.registry.field_fault import Refused, refused
from appliance.hospital.registry.form import Form
from appliance.store.booking_tables import Clinic, Slot
from appliance.store.hospital_tables import Department, Doctor

PLACES_MOST = 400
ROWS_AT_ONCE = 100


class ClinicEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A clinic to be made: from `starts` to before `ends` ("08:00", the hospital's time), a visit every `minutes`; `places`: how many
    patients in all, 0: one for each visit. `doctor`: None where patients come to the department."""

    department: int
    doctor: int | None = None
    day: date
    starts: str
    ends: str
    minutes: int = 10
    places: int = 0
    fee_fen: int = 0


class Half(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a timetable: every `weekday`."""

    weekday: Weekday
    starts: str
    ends: str


def read(given: Mapping[str, str]) -> ClinicEntry | Refused:
    """Check a form: doctor (number) or department (code), day, starts, ends, minutes, places, fee (yuan; empty: the doctor's)."""
    form = Form(given)
    number = form.digits("doctor", 1, 8, required=False)
    doctor = _doctor(form, number)
    department = None if number else _department(form, form.digits("department", 1, 8))
    entry = ClinicEntry(
        department=doctor.staff.department_id if doctor else department.id if department else 0,
        doctor=doctor.id if doctor else None,
        day=form.day("day", required=True) or date.min,
        starts=_clock(form, "starts"),
        ends=_clock(form, "ends"),
        minutes=form.number("minutes", 1, 240, 10),
        places=form.number("places", 1, PLACES_MOST, 0),
        fee_fen=form.money_fen("fee") if given.get("fee", "").strip() or doctor is None else doctor.fee_fen,
    )
    return form.refusal or entry


def _doctor(form: Form, number: str) -> Doctor | None:
    doctor = Doctor.get_or_none(Doctor.number == number) if number else None
    if number and doctor is None:
        form.fault("doctor", "unknown", value=number)
    return doctor


def _department(form: Form, code: str) -> Department | None:
    department = Department.get_or_none(Department.code == code)
    if code and department is None:
        form.fault("department", "unknown", value=code)
    return department


def _clock(form: Form, field: str) -> str:
    text = form.text(field, required=True)
    if text and not CLOCK.fullmatch(text):
        form.fault(field, "clock")
    return text


def make(entry: ClinicEntry, zone: ZoneInfo) -> Clinic | Refused:
    """A clinic with its places, all free; refused where the doctor sees patients elsewhere at that time."""
    if refusal := _fault_of(entry):
        return refusal
    clinic = Clinic.create(**_columns(entry))
    Slot.insert_many(_places(clinic.id, entry, zone)).execute()
    return clinic


def _fault_of(entry: ClinicEntry) -> Refused | None:
    if entry.starts >= entry.ends:
        return refused("ends", "order")
    if not 1 <= len(_times(entry)) <= PLACES_MOST:
        return refused("places", "range", lowest=1, highest=PLACES_MOST)
    other = None if entry.doctor is None else _overlapping(entry, entry.doctor)
    return None if other is None else refused("starts", "overlap", value=f"{other.day} {other.starts}-{other.ends}")


def _overlapping(entry: ClinicEntry, doctor_id: int) -> Clinic | None:
    # Takes the doctor's row, so that of two processes one sees what the other made.
    Doctor.update(number=Doctor.number).where(Doctor.id == doctor_id).execute()
    same_day = (Clinic.doctor == doctor_id) & (Clinic.day == entry.day) & ~Clinic.cancelled
    found: Clinic | None = Clinic.select().where(same_day, Clinic.starts < entry.ends, Clinic.ends > entry.starts).first()
    return found


def _columns(entry: ClinicEntry) -> dict[str, Any]:
    fields = msgspec.structs.asdict(entry)
    return {name: fields[name] for name in ("department", "doctor", "day", "starts", "ends", "fee_fen")}


def _places(clinic_id: int, entry: ClinicEntry, zone: ZoneInfo) -> list[dict[str, Any]]:
    begin = at_clock(entry.day, entry.starts, zone).astimezone(UTC)
    times = enumerate(_times(entry), start=1)
    return [{"clinic": clinic_id, "number": number, "at": begin + timedelta(minutes=after), "state": FREE} for number, after in times]


def _times(entry: ClinicEntry) -> list[int]:
    """Minutes after the beginning, one for each place: spread over the visits."""
    visits = (_minutes(entry.ends) - _minutes(entry.starts)) // entry.minutes
    places = entry.places or visits
    return [place * visits // places * entry.minutes for place in range(places)] if visits > 0 else []


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def make_many(entries: Sequence[ClinicEntry], zone: ZoneInfo) -> tuple[int, list[tuple[int, Refused]]]:
    """All that can be made; those that cannot by their place in `entries`. Fast enough for a hospital's month."""
    refusals: list[tuple[int, Refused]] = []
    rows: list[dict[str, Any]] = []
    for place, entry in enumerate(entries):
        fault = _fault_of(entry)
        if fault is not None:
            refusals.append((place, fault))
            continue
        rows += _places(Clinic.insert(**_columns(entry)).execute(), entry, zone)
    for batch in chunked(rows, ROWS_AT_ONCE):
        Slot.insert_many(batch).execute()
    return len(entries) - len(refusals), refusals


def by_timetable(halves: Iterable[Half], first: date, last: date, like: ClinicEntry) -> list[ClinicEntry]:
    """One clinic for each line of a timetable and each of its days from `first` to `last`, otherwise like `like`."""
    days = [first + timedelta(days=ahead) for ahead in range((last - first).days + 1)]
    wanted = [(day, half) for day in days for half in halves if WEEKDAYS[day.weekday()] == half.weekday]
    return [msgspec.structs.replace(like, day=day, starts=half.starts, ends=half.ends) for day, half in wanted]
