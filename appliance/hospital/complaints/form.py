"""A complaint as somebody fills it in. Inside the caller's transaction."""

from collections.abc import Mapping

from appliance.hospital.complaints.filing import Filing
from appliance.hospital.registry.field_fault import Refused
from appliance.hospital.registry.form import Form
from appliance.hospital.registry.telephone import Normalise, is_number
from appliance.store.hospital_tables import Patient

TEXT_MOST = 4_000
CODE_MOST = 8


def read(given: Mapping[str, str], normalise: Normalise, *, once_key: str, channel: str, by: str, call: str = "") -> Filing | Refused:
    """Check a form: department and staff (codes; unknown ones are kept), patient (the hospital's number), phone, text."""
    form = Form(given)
    filing = Filing(
        once_key=once_key,
        channel=channel,
        call=call,
        made_by=by,
        department_code=form.digits("department", 1, CODE_MOST, required=False),
        staff_code=form.digits("staff", 1, CODE_MOST, required=False),
        patient_id=_patient(form),
        phone=_phone(form, normalise),
        text=form.text("text", TEXT_MOST, required=True, lines=True),
    )
    return form.refusal or filing


def _patient(form: Form) -> int | None:
    faults = len(form.faults)
    number = form.digits("patient", 1, 16, required=False)
    if not number or len(form.faults) > faults:
        return None
    found = Patient.get_or_none(Patient.number == number)
    if found is None:
        form.fault("patient", "unknown", value=number)
    return found.id if found else None


def _phone(form: Form, normalise: Normalise) -> str:
    number = normalise(form.text("phone", 32))
    if number and not is_number(number):
        form.fault("phone", "phone")
    return number
