"""The register of VIPs: a level for a time, days in the hospital's time. Inside the caller's transaction."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

import msgspec

from appliance.hospital.registry.field_fault import Refused, refused
from appliance.hospital.registry.form import Form
from appliance.hospital.registry.unique import fields_of
from appliance.store.hospital_tables import Patient, Vip

LEVELS = (1, 2, 3)
LAPSE_TOLD = timedelta(days=60)
"""How long somebody who was a VIP is told so."""
COLUMNS = ("level", "valid_from", "valid_until", "note")


class VipEntry(msgspec.Struct, frozen=True, kw_only=True):
    """`patient` by the hospital's number. Level 1 is the highest. Valid to the end of `valid_until`; None: without end."""

    patient: str
    level: int
    valid_from: date
    valid_until: date | None = None
    note: str = ""


def read(given: Mapping[str, str], today: date) -> VipEntry | Refused:
    """Check a form: patient, level, valid_from (empty: today), valid_until, note."""
    form = Form(given)
    entry = VipEntry(
        patient=form.digits("patient", 1, 16),
        level=form.number("level", LEVELS[0], LEVELS[-1], LEVELS[-1]),
        valid_from=(begins := form.day("valid_from") or today),
        valid_until=(ends := form.day("valid_until")),
        note=form.text("note", 255),
    )
    if ends is not None and ends < begins:
        form.fault("valid_until", "order")
    return form.refusal or entry


def entry_of(row: Vip, patient_number: str) -> VipEntry:
    return VipEntry(patient=patient_number, **fields_of(row, *COLUMNS))


def save(entry: VipEntry, by: str, row_id: int | None = None) -> Vip | Refused:
    """Enter a patient, or change the row of `row_id`."""
    patient = Patient.get_or_none(Patient.number == entry.patient)
    if patient is None:
        return refused("patient", "unknown", value=entry.patient)
    columns = fields_of(entry, *COLUMNS) | {"patient": patient, "granted_by": by}
    if row_id is None:
        return Vip.create(**columns)
    Vip.update(**columns).where(Vip.id == row_id).execute()
    return Vip.get_by_id(row_id)


def remove(row_id: int) -> None:
    Vip.delete().where(Vip.id == row_id).execute()


def levels_of(patient_ids: Iterable[int], today: date) -> dict[int, int]:
    """The highest level valid today (in the hospital's time) of each of these patients who has one."""
    valid = (Vip.valid_from <= today) & (Vip.valid_until.is_null() | (Vip.valid_until >= today))
    levels: dict[int, int] = {}
    for row in Vip.select().where(Vip.patient.in_(list(patient_ids)), valid):
        levels[row.patient_id] = min(row.level, levels.get(row.patient_id, row.level))
    return levels


def have_lapsed(patient_ids: Iterable[int], today: date) -> bool:
    """Whether one of them was a VIP until a day not long before today."""
    ended = (Vip.valid_until < today) & (Vip.valid_until >= today - LAPSE_TOLD)
    return bool(Vip.select().where(Vip.patient.in_(list(patient_ids)), ended).exists())
