"""Statements whose callers have not said yet what is to become of them. Who hangs up having spoken has complained all the same: the case is
filed when the call is over. Inside the caller's transaction.
"""

from datetime import datetime
from typing import Any

from appliance.calendar import Calendar
from appliance.events import MessageDiscarded
from appliance.hospital.complaints.filing import Filing, file
from appliance.hospital.complaints.rules import ComplaintRules
from appliance.store.case_tables import ComplaintStep, PendingStatement
from appliance.store.models import CallRecord, Recording
from appliance.store.projections import events_of

STATEMENT = "-s"  # within the name of a recording. Source: appliance/call/message.py
LEAST_SAMPLES = 8_000
"""A second; less was said by nobody."""
AT_ONCE = 20


def expect(call: str, department_code: str, staff_code: str, phone: str, text: str, now: datetime) -> None:
    """The caller is asked to speak; what was asked for before in this call is forgotten."""
    forget(call)
    PendingStatement.create(call=call, department_code=department_code, staff_code=staff_code, phone=phone, text=text, begun_at=now)


def forget(call: str) -> None:
    """Filed, or taken back."""
    PendingStatement.delete().where(PendingStatement.call == call).execute()


def file_left(rules: ComplaintRules, calendar: Calendar, now: datetime) -> list[str]:
    """File what was spoken in calls that are over, marked as not confirmed; the numbers. Where nothing was spoken nothing is filed."""
    over = (
        PendingStatement.select()
        .join(CallRecord, on=(CallRecord.call_id == PendingStatement.call))
        .where(CallRecord.ended_at.is_null(False))
    )
    filed = []
    for pending in list(over.order_by(PendingStatement.id).limit(AT_ONCE)):
        spoken = _spoken(pending)
        if spoken is not None:
            filed.append(_file(pending, spoken, rules, calendar, now))
        forget(pending.call)
    return filed


def _spoken(pending: PendingStatement) -> Recording | None:
    """The last one that is worth keeping."""
    nothing = {event.recording_id for event in events_of(pending.call) if isinstance(event, MessageDiscarded)}
    asked: Any = (Recording.call == pending.call) & (Recording.started_at >= pending.begun_at) & (Recording.samples >= LEAST_SAMPLES)
    found = Recording.select().where(asked, Recording.recording_id.contains(STATEMENT)).order_by(Recording.started_at.desc())
    return next((row for row in found if row.recording_id not in nothing), None)


def _file(pending: PendingStatement, spoken: Recording, rules: ComplaintRules, calendar: Calendar, now: datetime) -> str:
    filing = Filing(
        once_key=f"statement {spoken.recording_id}",
        channel="ivr",
        call=pending.call,
        department_code=pending.department_code,
        staff_code=pending.staff_code,
        phone=pending.phone,
        text=pending.text,
        recording=spoken.path,
    )
    complaint = file(filing, rules, calendar, now)
    ComplaintStep.create(complaint=complaint, at=now, by="", kind="unconfirmed")
    return str(complaint.number)
