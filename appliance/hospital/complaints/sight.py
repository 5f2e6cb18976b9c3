"""Who may see and hear a complaint. Nobody whom it is about may, and nobody of their department: that is decided here, once, and every
query of complaints, their recordings and their calls asks it. What else a person needs is a right of the web.

Inside the caller's transaction.
"""

from typing import Any

from appliance.store.case_tables import Complaint, DepartmentHead
from appliance.store.hospital_tables import StaffMember


def visible_to(account_id: int) -> Any:
    """Condition on `Complaint`: those that this account may see."""
    barred = _departments_of(account_id)
    people = StaffMember.select(StaffMember.id).where((StaffMember.account == account_id) | StaffMember.department.in_(barred))
    department_is_other = Complaint.department.is_null() | Complaint.department.not_in(barred)
    return department_is_other & (Complaint.staff.is_null() | Complaint.staff.not_in(people))


def sees(account_id: int, complaint_id: int) -> bool:
    return bool(Complaint.select().where(Complaint.id == complaint_id, visible_to(account_id)).exists())


def hidden_calls(account_id: int) -> Any:
    """A query of the ids of calls in which something was filed that this account may not see: their recordings, their digits and paths
    are not shown to it either. `CallRecord.call_id.not_in(hidden_calls(account))`."""
    return Complaint.select(Complaint.call).where(Complaint.call != "", ~visible_to(account_id))


def hidden_recordings(account_id: int) -> Any:
    """A query of the files (`Complaint.recording`) that this account may not hear."""
    return Complaint.select(Complaint.recording).where(Complaint.recording != "", ~visible_to(account_id))


def departments_about(complaint: Complaint) -> frozenset[int]:
    """The departments it is about: as keyed, and that of the person."""
    own = complaint.staff.department_id if complaint.staff else None
    return frozenset(each for each in (complaint.department_id, own) if each is not None)


def set_heads(department_id: int, account_ids: list[int]) -> None:
    """Say which accounts answer for a department besides those of its own staff."""
    DepartmentHead.delete().where(DepartmentHead.department == department_id).execute()
    for account_id in dict.fromkeys(account_ids):
        DepartmentHead.create(department=department_id, account=account_id)


def heads_of(department_id: int) -> list[int]:
    rows = DepartmentHead.select(DepartmentHead.account).where(DepartmentHead.department == department_id).order_by(DepartmentHead.id)
    return [row.account_id for row in rows]


def _departments_of(account_id: int) -> list[int]:
    own = StaffMember.select(StaffMember.department).where(StaffMember.account == account_id)
    headed = DepartmentHead.select(DepartmentHead.department).where(DepartmentHead.account == account_id)
    return sorted({row.department_id for row in (*own, *headed)})
