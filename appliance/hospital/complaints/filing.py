"""Filing a complaint, by telephone or by form. Inside the caller's transaction.

Codes nobody has are kept as they were keyed, and the complaint is filed all the same: its owner finds out whom it means (`say_whom`).
"""

from datetime import datetime

import msgspec

from appliance.calendar import Calendar
from appliance.hospital.complaints.number import number_of
from appliance.hospital.complaints.owners import next_owner
from appliance.hospital.complaints.rules import ComplaintRules, due_after
from appliance.hospital.complaints.sight import departments_about
from appliance.hospital.dispatch import sources
from appliance.hospital.errors import HospitalError
from appliance.hospital.registry import departments, staff
from appliance.store.case_tables import Complaint
from appliance.store.hospital_tables import Department, StaffMember

ATTEMPTS = 20


class Filing(msgspec.Struct, frozen=True, kw_only=True):
    """What is complained of. `once_key`: of the call and place, or of the form; filed again under it nothing changes. `channel`: ivr,
    agent, web, sms. `recording`: the spoken statement, a file under the recordings folder."""

    once_key: str
    channel: str
    call: str = ""
    department_code: str = ""
    staff_code: str = ""
    patient_id: int | None = None
    phone: str = ""
    text: str = ""
    recording: str = ""
    made_by: str = ""


class Named(msgspec.Struct, frozen=True):
    """Whom codes mean: what is to be said back to the caller before the statement. None: nobody known."""

    department: Department | None
    staff: StaffMember | None


def named(department_code: str, staff_code: str) -> Named:
    """Whom the codes mean; those of people who have left and of departments that are closed too."""
    return Named(departments.by_code(department_code), staff.by_code(staff_code))


def file(filing: Filing, rules: ComplaintRules, calendar: Calendar, now: datetime) -> Complaint:
    """The complaint of that key: filed now, with a number, an owner, a day it is due and a work item; or before.

    Raises: HospitalError HOS-200 when no number is free.
    """
    before = Complaint.get_or_none(Complaint.once_key == filing.once_key)
    if before is not None:
        return before
    complaint = _entered(filing, due_after(now, rules.days, calendar), now)
    owner = next_owner(complaint.id, rules.owner_role)
    Complaint.update(owner=owner).where(Complaint.id == complaint.id, Complaint.owner.is_null()).execute()
    sources.complaint(complaint, departments_about(complaint), now)
    return Complaint.get_by_id(complaint.id)


def _entered(filing: Filing, due_at: datetime, now: datetime) -> Complaint:
    columns = msgspec.structs.asdict(filing)
    meant = named(filing.department_code, filing.staff_code)
    columns |= {"patient": columns.pop("patient_id"), "department": meant.department, "staff": meant.staff}
    for attempt in range(ATTEMPTS):
        number = number_of(filing.once_key, attempt)
        Complaint.insert(**columns, number=number, made_at=now, due_at=due_at).on_conflict_ignore().execute()
        found = Complaint.get_or_none(Complaint.once_key == filing.once_key)
        if found is not None:
            return found
    what = f"no number is free for the complaint {filing.once_key}"
    raise HospitalError("HOS-200", what, "File it again under another key; look for a fault in the table of complaints")
