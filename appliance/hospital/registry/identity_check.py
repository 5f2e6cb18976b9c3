"""Whether somebody on the telephone is who they say: facts the desk asks for, before a card's number is told or a card is frozen.

The answers are compared here, so that whoever asks need not see the facts. Inside the caller's transaction; changes nothing.
"""

from collections.abc import Mapping

import msgspec

from appliance.hospital.registry.characters import narrow
from appliance.hospital.registry.form import date_of
from appliance.hospital.registry.patients import name_key, phones_of
from appliance.hospital.registry.telephone import Normalise
from appliance.store.hospital_tables import Patient

RIGHT_LEAST = 2
LAST_DIGITS = 4
FACTS = ("name", "birth_date", "id_number_end", "phone")


class Verified(msgspec.Struct, frozen=True):
    """`right`, `wrong`: facts by name. Only what was answered counts."""

    right: tuple[str, ...]
    wrong: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Enough is right and nothing is wrong; the name, which everybody knows, is not counted."""
        return not self.wrong and len([fact for fact in self.right if fact != "name"]) >= RIGHT_LEAST


def facts_of(patient: Patient) -> tuple[str, ...]:
    """What can be asked of this patient: facts that are known."""
    known = (True, patient.birth_date is not None, bool(patient.id_number), bool(phones_of(patient.id)))
    return tuple(fact for fact, is_known in zip(FACTS, known, strict=True) if is_known)


def verify(patient: Patient, answers: Mapping[str, str], normalise: Normalise) -> Verified:
    """`answers` by fact, as they were said; empty ones were not asked. A fact that is not known cannot be right."""
    given = {fact: narrow(answers.get(fact, "")) for fact in FACTS}
    verdicts = {fact: _is_right(fact, patient, text, normalise) for fact, text in given.items() if text}
    return Verified(
        tuple(fact for fact, is_right in verdicts.items() if is_right),
        tuple(fact for fact, is_right in verdicts.items() if not is_right),
    )


def _is_right(fact: str, patient: Patient, text: str, normalise: Normalise) -> bool:
    match fact:
        case "name":
            return name_key(text) == patient.name_key
        case "birth_date":
            return patient.birth_date is not None and date_of(text) == patient.birth_date
        case "id_number_end":
            return len(text) >= LAST_DIGITS and (patient.id_number or "").endswith(text.upper().replace("*", "X"))
    return normalise(text) in phones_of(patient.id)
