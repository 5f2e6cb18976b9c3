"""The patient record: the person, and what there is of them in every part of the hospital, newest first, page by page (record_sections.py).

Inside the caller's transaction; changes nothing. Whoever shows it writes it into the audit (`AUDIT_ACTION`, `subject`).
"""

from datetime import date, datetime

import msgspec

from appliance.hospital import masking
from appliance.hospital.record_sections import Line, Page, Viewer, first_pages
from appliance.hospital.registry import cards, patients
from appliance.store.hospital_tables import Patient, Vip
from appliance.store.models import Account, Audit
from appliance.store.money_tables import LedgerAccount

AUDIT_ACTION = "patient_opened"


class CardShown(msgspec.Struct, frozen=True):
    card_id: int
    number: str
    state: str
    state_at: datetime
    issued_at: datetime
    has_password: bool
    balance_fen: int


class RelativeShown(msgspec.Struct, frozen=True):
    patient_id: int
    number: str
    name: str
    relation: str


class VipShown(msgspec.Struct, frozen=True):
    level: int
    valid_from: date
    valid_until: date | None


class PatientRecord(msgspec.Struct, frozen=True, kw_only=True):
    """`sections`: first pages by name, as in record_sections.SECTIONS. Masked where the viewer may not see all."""

    patient_id: int
    number: str
    name: str
    birth_date: date | None
    sex: str
    id_number: str
    language: str
    note: str
    phones: tuple[str, ...]
    cards: tuple[CardShown, ...]
    family: tuple[RelativeShown, ...]
    vip: tuple[VipShown, ...]
    sections: dict[str, Page[Line]]


class Look(msgspec.Struct, frozen=True):
    """Somebody looked at the record."""

    at: datetime
    account: str


def open_record(patient_id: int, viewer: Viewer) -> PatientRecord | None:
    """Everything of a patient on one page; None for nobody."""
    row = Patient.get_or_none(Patient.id == patient_id)
    if row is None:
        return None
    masked = not viewer.unmask
    return PatientRecord(
        patient_id=row.id,
        number=row.number,
        name=row.name,
        birth_date=row.birth_date,
        sex=row.sex,
        id_number=masking.identity_number(row.id_number, masked=masked),
        language=row.language,
        note=row.note,
        phones=tuple(masking.phone(number, masked=masked) for number in patients.phones_of(patient_id)),
        cards=_cards(patient_id, masked=masked),
        family=tuple(
            RelativeShown(kin.relative_id, kin.relative.number, kin.relative.name, kin.relation)
            for kin in patients.relatives_of(patient_id)
        ),
        vip=tuple(VipShown(entry.level, entry.valid_from, entry.valid_until) for entry in Vip.select().where(Vip.patient == patient_id)),
        sections=first_pages(patient_id, viewer),
    )


def _cards(patient_id: int, *, masked: bool) -> tuple[CardShown, ...]:
    rows = cards.of_patient(patient_id)
    accounts = LedgerAccount.select().where(LedgerAccount.id.in_([row.account_id for row in rows if row.account_id]))
    balances: dict[int | None, int] = {account.id: account.balance_fen for account in accounts}
    return tuple(
        CardShown(
            row.id,
            masking.card(row.number, masked=masked),
            row.state,
            row.state_at,
            row.issued_at,
            bool(row.password_hash),
            balances.get(row.account_id, 0),
        )
        for row in rows
    )


def subject(patient_id: int) -> str:
    """How the audit names a patient."""
    return f"patient {patient_id}"


def looked_by(patient_id: int, most: int = 100) -> list[Look]:
    """Who opened the record, newest first: what the patient may ask."""
    query = Audit.select(Audit, Account).join(Account).where(Audit.subject == subject(patient_id), Audit.action == AUDIT_ACTION)
    return [Look(row.at, row.account.name) for row in query.order_by(Audit.id.desc()).limit(most) if row.account]
