"""Files of patients, cards and VIPs. Inside the caller's transaction."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from appliance.hospital.imports.subjects import Line, Setting, Subject, There, accepted
from appliance.hospital.registry import patients, vip
from appliance.hospital.registry.card_accounts import open_accounts
from appliance.hospital.registry.cards import CardState
from appliance.hospital.registry.field_fault import FieldFault, Refused
from appliance.hospital.registry.form import Form
from appliance.hospital.registry.patients import PatientEntry
from appliance.hospital.registry.vip import VipEntry
from appliance.store.hospital_tables import Card, Patient, PatientPhone, Vip


class CardEntry(msgspec.Struct, frozen=True):
    """A card that is printed and handed out already; `patient` by the hospital's number. Money and password come by other ways."""

    number: str
    patient: str


class Patients(Subject):
    name = "patients"
    columns: Mapping[str, tuple[str, str]] = {
        "number": ("病历号", "Number"),
        "name": ("姓名", "Name"),
        "birth_date": ("出生日期", "Birthday"),
        "sex": ("性别", "Sex"),
        "id_number": ("证件号码", "Identity number"),
        "language": ("语言", "Language"),
        "note": ("备注", "Note"),
        "phones": ("电话", "Telephones"),
    }
    required = frozenset({"number", "name"})
    rows_most = 20_000

    def read(self, given: Mapping[str, str], setting: Setting) -> PatientEntry | Refused:
        entry = patients.read(given, setting.normalise, setting.today)
        if isinstance(entry, PatientEntry) and not entry.number:
            return Refused((FieldFault("number", "required"),))
        return entry

    def keys(self, entry: PatientEntry) -> dict[str, str]:
        return {"number": entry.number, "id_number": entry.id_number or ""}

    def there(self, keys: Sequence[str]) -> dict[str, There]:
        rows = list(Patient.select().where(Patient.number.in_(keys)))
        phones: dict[int, list[str]] = {}
        for phone in PatientPhone.select().where(PatientPhone.patient.in_([row.id for row in rows])).order_by(PatientPhone.id):
            phones.setdefault(phone.patient_id, []).append(phone.number)
        return {row.number: There(row.id, patients.entry_of(row, phones.get(row.id, ()))) for row in rows}

    def count(self) -> int:
        return int(Patient.select().count())

    def conflicts(self, lines: Sequence[Line], there: Mapping[str, There]) -> Iterable[tuple[int, FieldFault]]:
        """Identity numbers that are another patient's."""
        claimed = [line.entry.id_number for line in lines if line.entry.id_number]
        owners = {row.id_number: row.number for row in Patient.select().where(Patient.id_number.in_(claimed))}
        for line in lines:
            if owners.get(line.entry.id_number, line.entry.number) != line.entry.number:
                yield line.line, FieldFault("id_number", "duplicate", {"value": line.entry.id_number})

    def insert(self, entries: Sequence[PatientEntry], setting: Setting) -> None:
        add_patients(entries, setting)

    def update(self, found: There, entry: PatientEntry, setting: Setting) -> None:
        before, after = (patients.columns_of(one, one.number) for one in (found.entry, entry))
        differing = {name: value for name, value in after.items() if before[name] != value}
        if differing:
            Patient.update(**differing).where(Patient.id == found.row_id).execute()
        if entry.phones != found.entry.phones:
            patients.set_phones(found.row_id, entry.phones)


def add_patients(entries: Sequence[PatientEntry], setting: Setting) -> None:
    """New ones, many at once; each has a number, which is nobody's."""
    Patient.insert_many([patients.columns_of(entry, entry.number) | {"created_at": setting.now} for entry in entries]).execute()
    ids = ids_of(entry.number for entry in entries)
    phones = [{"patient": ids[entry.number], "number": phone} for entry in entries for phone in entry.phones]
    if phones:
        PatientPhone.insert_many(phones).execute()


def ids_of(numbers: Iterable[str]) -> dict[str, int]:
    """Rows of patients by the hospital's number."""
    return {row.number: row.id for row in Patient.select(Patient.id, Patient.number).where(Patient.number.in_(list(numbers)))}


class Cards(Subject):
    name = "cards"
    columns: Mapping[str, tuple[str, str]] = {"number": ("卡号", "Card number"), "patient": ("病历号", "Patient number")}
    required = frozenset({"number", "patient"})
    rows_most = 20_000

    def read(self, given: Mapping[str, str], setting: Setting) -> CardEntry | Refused:
        form = Form(given)
        entry = CardEntry(form.digits("number", 4, 16), form.digits("patient", 1, 16))
        return form.refusal or entry

    def keys(self, entry: CardEntry) -> dict[str, str]:
        return {"number": entry.number}

    def there(self, keys: Sequence[str]) -> dict[str, There]:
        rows = Card.select(Card, Patient).join(Patient).where(Card.number.in_(keys))
        return {row.number: There(row.id, CardEntry(row.number, row.patient.number)) for row in rows}

    def count(self) -> int:
        return int(Card.select().count())

    def conflicts(self, lines: Sequence[Line], there: Mapping[str, There]) -> Iterable[tuple[int, FieldFault]]:
        """Patients nobody knows, cards that are another's."""
        known = ids_of(line.entry.patient for line in lines)
        for line in lines:
            found = there.get(line.entry.number)
            if line.entry.patient not in known:
                yield line.line, FieldFault("patient", "unknown", {"value": line.entry.patient})
            elif found and found.entry != line.entry:
                yield line.line, FieldFault("number", "duplicate", {"value": line.entry.number})

    def insert(self, entries: Sequence[CardEntry], setting: Setting) -> None:
        add_cards(entries, setting)


def add_cards(entries: Sequence[CardEntry], setting: Setting) -> None:
    """New ones, many at once, each with an account and without a password."""
    owners, accounts = ids_of(entry.patient for entry in entries), open_accounts([entry.number for entry in entries])
    same = {"state": CardState.ACTIVE, "state_at": setting.now, "state_by": setting.by, "issued_at": setting.now}
    rows = [{"number": entry.number, "patient": owners[entry.patient], "account": accounts[entry.number]} | same for entry in entries]
    Card.insert_many(rows).execute()


class Vips(Subject):
    """The key is patient and first day together."""

    name = "vip"
    columns: Mapping[str, tuple[str, str]] = {
        "patient": ("病历号", "Patient number"),
        "level": ("级别", "Level"),
        "valid_from": ("开始日期", "Valid from"),
        "valid_until": ("结束日期", "Valid until"),
        "note": ("备注", "Note"),
    }
    required = frozenset({"patient", "level", "valid_from"})
    rows_most = 10_000

    def read(self, given: Mapping[str, str], setting: Setting) -> VipEntry | Refused:
        return vip.read(given, setting.today)

    def keys(self, entry: VipEntry) -> dict[str, str]:
        return {"patient": f"{entry.patient} {entry.valid_from}"}

    def there(self, keys: Sequence[str]) -> dict[str, There]:
        numbers = [key.partition(" ")[0] for key in keys]
        entries = [
            (row.id, vip.entry_of(row, row.patient.number))
            for row in Vip.select(Vip, Patient).join(Patient).where(Patient.number.in_(numbers))
        ]
        found = {self.keys(entry)["patient"]: There(row_id, entry) for row_id, entry in entries}
        return {key: found[key] for key in keys if key in found}

    def count(self) -> int:
        return int(Vip.select().count())

    def conflicts(self, lines: Sequence[Line], there: Mapping[str, There]) -> Iterable[tuple[int, FieldFault]]:
        known = ids_of(line.entry.patient for line in lines)
        for line in lines:
            if line.entry.patient not in known:
                yield line.line, FieldFault("patient", "unknown", {"value": line.entry.patient})

    def insert(self, entries: Sequence[VipEntry], setting: Setting) -> None:
        for entry in entries:
            accepted(vip.save(entry, setting.by))

    def update(self, found: There, entry: VipEntry, setting: Setting) -> None:
        accepted(vip.save(entry, setting.by, found.row_id))
