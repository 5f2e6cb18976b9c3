"""For whom a patient may book on their own pages: themselves and the relatives the hospital has on record. In request threads.

Who was chosen is kept in the session, and looked up anew with every request: a relative who was taken off is no choice any more.
"""

from flask import session

from appliance.hospital.registry import patients
from appliance.store.hospital_tables import Family, Patient
from webui.patient_session import my_card


def relatives() -> list[Family]:
    """With the relative's row, by name."""
    return patients.relatives_of(my_card().patient_id)


def ids() -> list[int]:
    """The patient's own first."""
    return [my_card().patient_id, *(row.relative_id for row in relatives())]


def member(patient_id: int) -> Patient | None:
    """One of the family; None for anybody else."""
    return Patient.get_by_id(patient_id) if patient_id in ids() else None


def choose(patient_id: int) -> bool:
    """From now on pages book for this one; False for anybody else than the family."""
    if member(patient_id) is None:
        return False
    session["visitor"] = patient_id
    return True


def chosen() -> Patient:
    """For whom is being booked: the patient, until somebody else was chosen."""
    found = member(session.get("visitor", 0))
    return found or Patient.get_by_id(my_card().patient_id)


def phone_of(patient_id: int) -> str:
    """Where messages about a visit go: the visitor's own number, or the card holder's."""
    numbers = [*patients.phones_of(patient_id), *patients.phones_of(my_card().patient_id)]
    return next(iter(numbers), "")
