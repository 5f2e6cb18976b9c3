"""The run over complaints that are overdue: each goes one rung up the ladder, once for every time it is overdue.

Inside the caller's transaction; run twice, or broken off and run again, it does nothing twice.
"""

from datetime import datetime

from appliance.calendar import Calendar
from appliance.hospital.complaints.owners import CLOSED, next_owner
from appliance.hospital.complaints.rules import ComplaintRules, Rung, due_after
from appliance.hospital.complaints.sight import departments_about
from appliance.hospital.dispatch.sources import overdue as add_overdue
from appliance.store.case_tables import Complaint, ComplaintStep


def escalate(rules: ComplaintRules, calendar: Calendar, now: datetime) -> list[str]:
    """The numbers of those that went up now."""
    overdue = Complaint.select().where(Complaint.state != CLOSED, Complaint.due_at < now, Complaint.escalation < len(rules.ladder))
    return [row.number for row in overdue.order_by(Complaint.id) if _climb(row, rules.ladder[row.escalation], calendar, now)]


def _climb(complaint: Complaint, rung: Rung, calendar: Calendar, now: datetime) -> bool:
    still_there = (Complaint.id == complaint.id) & (Complaint.escalation == complaint.escalation) & (Complaint.state != CLOSED)
    owner = next_owner(complaint.id, rung.role, but_not=complaint.owner_id) or complaint.owner
    columns = {"escalation": Complaint.escalation + 1, "due_at": due_after(now, rung.days, calendar), "owner": owner}
    if not Complaint.update(**columns).where(still_there).execute():
        return False
    name = owner.name if owner else ""
    ComplaintStep.create(complaint=complaint, at=now, by="", kind="escalated", text=name)
    add_overdue(complaint, complaint.escalation + 1, departments_about(complaint), now)
    return True
