"""Looking for patients: by card, number, identity number, telephone, name and birthday. Inside the caller's transaction; changes nothing.

Every look-up by a person is audited by whoever shows the result.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

import msgspec

from appliance.hospital.registry import identity
from appliance.hospital.registry.characters import narrow
from appliance.hospital.registry.form import date_of
from appliance.hospital.registry.patients import name_key
from appliance.hospital.registry.telephone import Normalise, is_number
from appliance.store.hospital_tables import Card, Patient, PatientPhone

MOST = 50
LAST_LETTER = "\U0010ffff"  # what begins with a name comes before that name and this


class FoundPatients(msgspec.Struct, frozen=True):
    """`by`: card, number, id_number, phone, name, or "" for nothing asked. `more`: there are others beyond MOST."""

    by: str
    ids: tuple[int, ...] = ()
    more: bool = False

    def rows(self) -> list[Patient]:
        """In the order found."""
        rows = {row.id: row for row in Patient.select().where(Patient.id.in_(self.ids))}
        return [rows[number] for number in self.ids]


def find(text: str, normalise: Normalise, birth_date: date | None = None) -> FoundPatients:
    """What somebody typed into the one field: whatever it may be, in the order card, patient's number, identity number, telephone, name.
    A name may have a birthday after it ("张伟 1980-05-06")."""
    plain = narrow(text)
    if not plain:
        return FoundPatients("")
    for found in _by_numbers(plain.replace(" ", ""), normalise):
        if found.ids:
            return found
    name, _, last = plain.rpartition(" ")
    day = date_of(last)
    return by_name(name, day) if name and day else by_name(plain, birth_date)


def _by_numbers(plain: str, normalise: Normalise) -> Iterator[FoundPatients]:
    """Each way a number is looked for, only as far as it is needed."""
    if any(letter.isdigit() for letter in plain):
        yield by_card(plain)
        yield by_number(plain)
        yield by_id_number(plain.upper())
        yield by_phone(normalise(plain))


def by_card(number: str) -> FoundPatients:
    card = Card.get_or_none(Card.number == number)
    return FoundPatients("card", (card.patient_id,) if card else ())


def by_number(number: str) -> FoundPatients:
    return _found("number", Patient.select(Patient.id).where(Patient.number == number))


def by_id_number(number: str) -> FoundPatients:
    return _found("id_number", Patient.select(Patient.id).where(Patient.id_number == number))


def by_phone(number: str) -> FoundPatients:
    """`number` normalised."""
    if not is_number(number):
        return FoundPatients("phone")
    query = Patient.select(Patient.id).join(PatientPhone).where(PatientPhone.number == number)
    return _found("phone", query.order_by(Patient.name_key, Patient.id))


def by_name(name: str, birth_date: date | None = None) -> FoundPatients:
    """The whole name; when nobody has it, names that begin so."""
    key = name_key(name)
    if not key:
        return FoundPatients("name")
    query = Patient.select(Patient.id).order_by(Patient.birth_date.asc(nulls="FIRST"), Patient.id)
    if birth_date is not None:
        query = query.where(Patient.birth_date == birth_date)
    whole = _found("name", query.where(Patient.name_key == key))
    return whole if whole.ids else _found("name", query.where(Patient.name_key >= key, Patient.name_key < f"{key}{LAST_LETTER}"))


def by_identity_keys(keyed: str, phone: str) -> int | None:
    """The one patient whose identity number was keyed so (star for X) and who has that number; None for nobody, or several."""
    query = Patient.select(Patient.id).join(PatientPhone).where(PatientPhone.number == phone)
    known = [row.id for row in query.where(Patient.id_number == keyed.replace(identity.keyed("X"), "X"))]
    return known[0] if len(known) == 1 else None


def _found(by: str, query: Any) -> FoundPatients:
    ids = tuple(row.id for row in query.limit(MOST + 1))
    return FoundPatients(by, ids[:MOST], len(ids) > MOST)
