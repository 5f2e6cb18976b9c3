"""Patients: who they are, their telephone numbers, their families. Inside the caller's transaction; looking for them: patient_search.py."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import msgspec
from peewee import fn

from appliance.hospital.registry import identity
from appliance.hospital.registry.field_fault import Refused, refused
from appliance.hospital.registry.form import Form
from appliance.hospital.registry.telephone import Normalise, is_number
from appliance.hospital.registry.unique import fields_of, is_taken
from appliance.store.hospital_tables import Family, Patient, PatientPhone

PHONES_MOST = 8
NUMBER_DIGITS = 8
FIRST_NUMBER = 10_000_001
SEXES = {"m": "m", "f": "f", "male": "m", "female": "f", "男": "m", "女": "f", "未知": "", "unknown": ""}
LANGUAGES = {"zh": "zh", "en": "en", "中文": "zh", "英文": "en", "chinese": "zh", "english": "en"}
COLUMNS = ("name", "birth_date", "sex", "language", "note")


class PatientEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A patient as filled in. `number` empty: the next free one. `id_number`: None when not known. `phones` in the box's one form."""

    number: str = ""
    name: str
    birth_date: date | None = None
    sex: str = ""
    id_number: str | None = None
    language: str = "zh"
    note: str = ""
    phones: tuple[str, ...] = ()


def read(given: Mapping[str, str], normalise: Normalise, today: date) -> PatientEntry | Refused:
    """Check a form: number, name, birth_date, sex, id_number, language, note, phones (several, with spaces or commas between). Birthday and
    sex are taken from the identity number where they are not given."""
    form = Form(given)
    id_number = form.identity_number("id_number")
    told = identity.birth_date(id_number)
    birth_date = form.day("birth_date")
    _check_birthday(form, birth_date or told, told, today)
    entry = PatientEntry(
        number=form.digits("number", 1, 16, required=False),
        name=form.text("name", required=True),
        birth_date=birth_date or told,
        sex=form.choice("sex", SEXES, "") or identity.sex(id_number),
        id_number=id_number or None,
        language=form.choice("language", LANGUAGES, "zh"),
        note=form.text("note", 1_000, lines=True),
        phones=read_phones(form, "phones", normalise),
    )
    return form.refusal or entry


def _check_birthday(form: Form, birth_date: date | None, told: date | None, today: date) -> None:
    if birth_date is not None and birth_date > today:
        form.fault("birth_date", "future")
    elif told is not None and birth_date != told:
        form.fault("birth_date", "id_birthday")


def read_phones(form: Form, field: str, normalise: Normalise) -> tuple[str, ...]:
    """Several numbers in their one form, each once, as they were given."""
    phones = tuple(dict.fromkeys(normalise(written) for written in form.listed(field)))
    if any(not is_number(phone) for phone in phones):
        form.fault(field, "phone")
    elif len(phones) > PHONES_MOST:
        form.fault(field, "too_many", most=PHONES_MOST)
    return phones


def entry_of(row: Patient, phones: Sequence[str] | None = None) -> PatientEntry:
    """`phones`: where they are known already."""
    return PatientEntry(
        **fields_of(row, *COLUMNS, "number", "id_number"),
        phones=tuple(phones_of(row.id) if phones is None else phones),
    )


def save(entry: PatientEntry, now: datetime, row_id: int | None = None) -> Patient | Refused:
    """Make a patient, or change the one of `row_id`."""
    if entry.id_number and is_taken(Patient.id_number, entry.id_number, row_id):
        return refused("id_number", "duplicate", value=entry.id_number)
    if entry.number and is_taken(Patient.number, entry.number, row_id):
        return refused("number", "duplicate", value=entry.number)
    if row_id is None:
        row_id = Patient.create(**columns_of(entry, entry.number or next_number()), created_at=now).id
    else:
        change(row_id, entry)
    set_phones(row_id, entry.phones)
    return Patient.get_by_id(row_id)


def change(row_id: int, entry: PatientEntry) -> None:
    """All but the telephone numbers; number and identity number must be nobody else's. Without a number it keeps its own."""
    columns = columns_of(entry, entry.number)
    if not entry.number:
        del columns["number"]
    Patient.update(**columns).where(Patient.id == row_id).execute()


def columns_of(entry: PatientEntry, number: str) -> dict[str, object]:
    """Columns of `Patient`, under this number."""
    return {
        **fields_of(entry, *COLUMNS, "id_number"),
        "number": number,
        "name_key": name_key(entry.name),
    }


def name_key(name: str) -> str:
    """What a name is looked for by."""
    return "".join(name.split()).lower().replace("·", "")


def next_number() -> str:
    """The first number of NUMBER_DIGITS digits after all there are."""
    of_this_length = Patient.select(Patient.number).where(fn.length(Patient.number) == NUMBER_DIGITS)
    last = of_this_length.order_by(Patient.number.desc()).first()
    return str(max(FIRST_NUMBER, int(last.number) + 1 if last else 0))


def phones_of(patient_id: int) -> list[str]:
    query = PatientPhone.select(PatientPhone.number).where(PatientPhone.patient == patient_id).order_by(PatientPhone.id)
    return [row.number for row in query]


def set_phones(patient_id: int, numbers: Sequence[str]) -> None:
    """Exactly these numbers, normalised; those that stay keep their label."""
    there = set(phones_of(patient_id))
    gone = there - set(numbers)
    if gone:
        PatientPhone.delete().where(PatientPhone.patient == patient_id, PatientPhone.number.in_(sorted(gone))).execute()
    for number in numbers:
        if number not in there:
            PatientPhone.create(patient=patient_id, number=number)


def add_relative(patient_id: int, relative_id: int, relation: str = "") -> Family | Refused:
    """`relative` may be booked for under the patient's numbers. Done again it changes the relation."""
    if patient_id == relative_id:
        return refused("relative", "itself")
    both = (Family.patient == patient_id, Family.relative == relative_id)
    row = Family.get_or_none(*both)
    if row is None:
        return Family.create(patient=patient_id, relative=relative_id, relation=relation)
    Family.update(relation=relation).where(*both).execute()
    return Family.get(*both)


def remove_relative(patient_id: int, relative_id: int) -> None:
    Family.delete().where(Family.patient == patient_id, Family.relative == relative_id).execute()


def relatives_of(patient_id: int) -> list[Family]:
    """With the relative's row, by name."""
    query = Family.select(Family, Patient).join(Patient, on=Family.relative == Patient.id)
    return list(query.where(Family.patient == patient_id).order_by(Patient.name_key, Patient.id))
