"""What is done about a complaint, each thing with a step of its own. Inside the caller's transaction.

Whoever acts must be able to see it; to anybody else, and to whom it is about, there is no such complaint.
"""

from datetime import datetime
from enum import StrEnum

from appliance.calendar import Calendar
from appliance.hospital.complaints.filing import named
from appliance.hospital.complaints.owners import CLOSED, next_owner
from appliance.hospital.complaints.rules import ComplaintRules, due_after
from appliance.hospital.complaints.sight import departments_about, sees, visible_to
from appliance.hospital.dispatch import items
from appliance.store.case_tables import Complaint, ComplaintStep
from appliance.store.models import Account
from appliance.store.outgoing import enqueue

TEXT_MOST = 4_000


class Handled(StrEnum):
    """What became of it."""

    DONE = "done"
    UNKNOWN = "unknown"  # there is none of that number that this account may see
    NO_TEXT = "no_text"  # what was done, or what came of it, has to be said
    TEXT_TOO_LONG = "text_too_long"
    CLOSED_BEFORE = "closed_before"
    NOT_CLOSED = "not_closed"
    NO_CONTACT = "no_contact"  # nobody has tried to reach the caller since it was opened
    NO_PHONE = "no_phone"
    UNKNOWN_CODE = "unknown_code"
    UNKNOWN_ACCOUNT = "unknown_account"
    OWNER_MAY_NOT_SEE = "owner_may_not_see"
    PAST = "past"


class Contact(StrEnum):
    """How an attempt to tell the caller ended. `SENT`: a message, by `send_outcome`."""

    REACHED = "reached"
    NOT_REACHED = "not_reached"
    SENT = "sent"


def note(number: str, by: Account, text: str, now: datetime) -> Handled:
    """Something worth remembering."""
    complaint = _open(number, by, text)
    return complaint if isinstance(complaint, Handled) else _done(complaint, by.name, "note", now, text)


def contact(number: str, by: Account, result: Contact, text: str, now: datetime) -> Handled:
    """Somebody tried to tell the caller."""
    complaint = _open(number, by, text)
    return complaint if isinstance(complaint, Handled) else _done(complaint, by.name, "contact", now, text, result)


def send_outcome(number: str, by: Account, text: str, once_key: str, now: datetime) -> Handled:
    """Tell the caller by a message; that is an attempt too. Once for every key."""
    complaint = _open(number, by, text)
    if isinstance(complaint, Handled):
        return complaint
    if not complaint.phone:
        return Handled.NO_PHONE
    if not enqueue("sms", complaint.phone, text, once_key, now):
        return Handled.DONE
    return _done(complaint, by.name, "contact", now, text, Contact.SENT)


def say_whom(number: str, by: Account, department_code: str, staff_code: str, now: datetime) -> Handled:
    """Whom it is about, where the codes as keyed did not say so (those stay as they are). An owner of that department loses it to another,
    and its desks do not get its work item."""
    complaint = _open(number, by)
    if isinstance(complaint, Handled):
        return complaint
    meant = named(department_code, staff_code)
    if (department_code and meant.department is None) or (staff_code and meant.staff is None):
        return Handled.UNKNOWN_CODE
    Complaint.update(department=meant.department, staff=meant.staff).where(Complaint.id == complaint.id).execute()
    _step(complaint, by.name, "about", now, f"{department_code} {staff_code}".strip())
    _keep_from_them(complaint.id, now)
    return Handled.DONE


def _keep_from_them(complaint_id: int, now: datetime) -> None:
    complaint = Complaint.get_by_id(complaint_id)
    items.keep_from(f"complaint {complaint.number}", departments_about(complaint), now)
    if complaint.owner is not None and not sees(complaint.owner.id, complaint_id):
        give_to(complaint, next_owner(complaint_id, complaint.owner.role), "", now)


def assign(number: str, by: Account, owner_name: str, now: datetime) -> Handled:
    """Another owner, who must be able to see it."""
    complaint = _open(number, by)
    if isinstance(complaint, Handled):
        return complaint
    owner = Account.get_or_none(Account.name == owner_name, ~Account.disabled)
    if owner is None:
        return Handled.UNKNOWN_ACCOUNT
    if not sees(owner.id, complaint.id):
        return Handled.OWNER_MAY_NOT_SEE
    give_to(complaint, owner, by.name, now)
    return Handled.DONE


def give_to(complaint: Complaint, owner: Account | None, by: str, now: datetime) -> None:
    """`by` empty: nobody did, the box."""
    Complaint.update(owner=owner).where(Complaint.id == complaint.id).execute()
    _step(complaint, by, "owner", now, owner.name if owner else "")


def set_due(number: str, by: Account, due_at: datetime, reason: str, now: datetime) -> Handled:
    """It takes longer, or must be quicker; the reason stays on record."""
    complaint = _open(number, by, reason)
    if isinstance(complaint, Handled):
        return complaint
    if due_at <= now:
        return Handled.PAST
    Complaint.update(due_at=due_at).where(Complaint.id == complaint.id).execute()
    return _done(complaint, by.name, "due", now, reason)


def close(number: str, by: Account, outcome: str, now: datetime) -> Handled:
    """It is dealt with. Refused unless somebody tried to reach the caller since it was opened (or opened again)."""
    complaint = _open(number, by, outcome)
    if isinstance(complaint, Handled):
        return complaint
    if not _was_contacted(complaint):
        return Handled.NO_CONTACT
    if not _change(complaint, Complaint.state != CLOSED, state=CLOSED, outcome=outcome, closed_at=now):
        return Handled.CLOSED_BEFORE
    _step(complaint, by.name, "closed", now, outcome)
    items.withdraw(f"complaint {complaint.number}", by.name, now)
    return Handled.DONE


def reopen(number: str, by: Account, reason: str, rules: ComplaintRules, calendar: Calendar, now: datetime) -> Handled:
    """The caller is not content: it is due anew, its owner stays, and it is closed again only after another contact."""
    complaint = _of(number, by)
    if complaint is None:
        return Handled.UNKNOWN
    if refusal := _text_fault(reason):
        return refusal
    due_at = due_after(now, rules.days, calendar)
    if not _change(complaint, Complaint.state == CLOSED, state="in_hand", closed_at=None, outcome="", due_at=due_at, escalation=0):
        return Handled.NOT_CLOSED
    _step(complaint, by.name, "reopened", now, reason)
    return Handled.DONE


def _of(number: str, by: Account) -> Complaint | None:
    return Complaint.get_or_none(Complaint.number == number, visible_to(by.id))


def _open(number: str, by: Account, text: str = "-") -> Complaint | Handled:
    """The complaint, if it is not closed and the text will do."""
    complaint = _of(number, by)
    if complaint is None:
        return Handled.UNKNOWN
    refusal = Handled.CLOSED_BEFORE if complaint.state == CLOSED else _text_fault(text)
    return refusal or complaint


def _text_fault(text: str) -> Handled | None:
    if not text.strip():
        return Handled.NO_TEXT
    return Handled.TEXT_TOO_LONG if len(text) > TEXT_MOST else None


def _was_contacted(complaint: Complaint) -> bool:
    reopened = ComplaintStep.select(ComplaintStep.id).where(ComplaintStep.complaint == complaint, ComplaintStep.kind == "reopened")
    last = max((row.id for row in reopened), default=0)
    attempts = ComplaintStep.select().where(ComplaintStep.complaint == complaint, ComplaintStep.kind == "contact", ComplaintStep.id > last)
    return bool(attempts.exists())


def _done(complaint: Complaint, by: str, kind: str, now: datetime, text: str, result: str = "") -> Handled:
    _change(complaint, Complaint.state == "open", state="in_hand")
    _step(complaint, by, kind, now, text, result)
    return Handled.DONE


def _change(complaint: Complaint, only_where: object, **columns: object) -> bool:
    return bool(Complaint.update(**columns).where(Complaint.id == complaint.id, only_where).execute())


def _step(complaint: Complaint, by: str, kind: str, now: datetime, text: str = "", result: str = "") -> None:
    ComplaintStep.create(complaint=complaint, at=now, by=by, kind=kind, text=text, result=result)
