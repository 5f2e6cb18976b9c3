"""The parts of a patient record that grow: bookings, calls, complaints, money, history. Each newest first, page by page.

Inside the caller's transaction; changes nothing. A page's cursor is opaque text for the next one.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec
from peewee import JOIN, AutoField, Field

from appliance.hospital import masking
from appliance.hospital.complaints import sight
from appliance.hospital.registry import patients
from appliance.store.booking_tables import Booking, Clinic, Slot
from appliance.store.case_tables import Complaint
from appliance.store.hospital_tables import Card, Department, Doctor, HistoryEntry, StaffMember
from appliance.store.models import CallRecord, Recording
from appliance.store.money_tables import LedgerTransaction, Posting

PAGE = 20


class Viewer(msgspec.Struct, frozen=True, kw_only=True):
    """Who looks. `account_id`: of the web, None for a program. `unmask`: sees whole numbers."""

    account_id: int | None = None
    unmask: bool = False


class BookingLine(msgspec.Struct, frozen=True, kw_only=True):
    """`visit_at`: the slot's time. Doctor's names are empty for a clinic of the department alone."""

    id: int
    at: datetime
    code: str
    state: str
    channel: str
    visit_at: datetime
    department_zh: str
    department_en: str
    doctor_zh: str
    doctor_en: str
    paid_fen: int


class CallLine(msgspec.Struct, frozen=True, kw_only=True):
    """A call from one of the patient's numbers: perhaps somebody else's of the family. `recordings`: ids."""

    id: str
    at: datetime
    ani: str
    outcome: str
    duration_ms: int
    path: str
    transferred_to: str
    recordings: tuple[str, ...]


class ComplaintLine(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    at: datetime
    number: str
    state: str
    text: str
    recording: str


class PostingLine(msgspec.Struct, frozen=True, kw_only=True):
    """`amount_fen` > 0: the card has more since then."""

    id: int
    at: datetime
    kind: str
    memo: str
    amount_fen: int
    balance_after_fen: int


class HistoryLine(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    at: datetime
    kind: str
    subject: str
    detail: str
    source: str


Line = BookingLine | CallLine | ComplaintLine | PostingLine | HistoryLine
L = TypeVar("L", covariant=True)


class Page(msgspec.Struct, Generic[L], frozen=True):
    """`next`: the cursor of the page after this one, empty when there is none."""

    lines: tuple[L, ...]
    next: str = ""


def first_pages(patient_id: int, viewer: Viewer, size: int = PAGE) -> dict[str, Page[Line]]:
    return {name: section(patient_id, viewer, "", size) for name, section in SECTIONS.items()}


def bookings(patient_id: int, viewer: Viewer, cursor: str, size: int = PAGE) -> Page[BookingLine]:
    query = Booking.select(Booking, Slot, Clinic, Department, Doctor, StaffMember).join(Slot, on=Booking.slot == Slot.id).join(Clinic)
    query = query.join(Department).switch(Clinic).join(Doctor, JOIN.LEFT_OUTER).join(StaffMember, JOIN.LEFT_OUTER)
    rows = _after(query.where(Booking.patient == patient_id), Booking.made_at, Booking.id, cursor, size)
    return _page([_booking(row) for row in rows], size)


def _booking(row: Any) -> BookingLine:
    clinic = row.slot.clinic
    staff = clinic.doctor and clinic.doctor.staff
    return BookingLine(
        id=row.id,
        at=row.made_at,
        code=row.code,
        state=row.state,
        channel=row.channel,
        visit_at=row.slot.at,
        department_zh=clinic.department.name_zh,
        department_en=clinic.department.name_en,
        doctor_zh=staff.name_zh if staff else "",
        doctor_en=staff.name_en if staff else "",
        paid_fen=row.paid_fen,
    )


def calls(patient_id: int, viewer: Viewer, cursor: str, size: int = PAGE) -> Page[CallLine]:
    """Not those in which somebody complained about the viewer."""
    query = CallRecord.select().where(CallRecord.ani.in_(patients.phones_of(patient_id)))
    if viewer.account_id is not None:
        query = query.where(CallRecord.call_id.not_in(sight.hidden_calls(viewer.account_id)))
    rows = list(_after(query, CallRecord.started_at, CallRecord.call_id, cursor, size))
    kept: dict[str, list[str]] = {}
    for recording in Recording.select(Recording.recording_id, Recording.call).where(Recording.call.in_([row.call_id for row in rows])):
        kept.setdefault(recording.call, []).append(recording.recording_id)
    return _page([_call(row, tuple(kept.get(row.call_id, ())), masked=not viewer.unmask) for row in rows], size)


def _call(row: CallRecord, recordings: tuple[str, ...], *, masked: bool) -> CallLine:
    return CallLine(
        id=row.call_id,
        at=row.started_at,
        ani=masking.phone(row.ani or "", masked=masked),
        outcome=row.outcome,
        duration_ms=row.duration_ms,
        path=row.path,
        transferred_to=row.transferred_to,
        recordings=recordings,
    )


def complaints(patient_id: int, viewer: Viewer, cursor: str, size: int = PAGE) -> Page[ComplaintLine]:
    """Those that the viewer may see."""
    query = Complaint.select().where(Complaint.patient == patient_id)
    if viewer.account_id is not None:
        query = query.where(sight.visible_to(viewer.account_id))
    rows = _after(query, Complaint.made_at, Complaint.id, cursor, size)
    return _page([_complaint(row) for row in rows], size)


def _complaint(row: Complaint) -> ComplaintLine:
    return ComplaintLine(id=row.id, at=row.made_at, number=row.number, state=row.state, text=row.text, recording=row.recording)


def money(patient_id: int, viewer: Viewer, cursor: str, size: int = PAGE) -> Page[PostingLine]:
    """Of all the patient's cards."""
    accounts = [card.account_id for card in Card.select(Card.account).where(Card.patient == patient_id) if card.account_id]
    query = (
        Posting.select(Posting, LedgerTransaction).join(LedgerTransaction).where(Posting.account.in_(accounts)).order_by(Posting.id.desc())
    )
    rows = (query.where(Posting.id < int(cursor)) if cursor.isdecimal() else query).limit(size + 1)
    lines = [_posting(row) for row in rows]
    return Page(tuple(lines[:size]), str(lines[size - 1].id) if len(lines) > size else "")


def _posting(row: Any) -> PostingLine:
    return PostingLine(
        id=row.id,
        at=row.transaction.at,
        kind=row.transaction.kind,
        memo=row.transaction.memo,
        amount_fen=row.amount_fen,
        balance_after_fen=row.balance_after_fen,
    )


def history(patient_id: int, viewer: Viewer, cursor: str, size: int = PAGE) -> Page[HistoryLine]:
    rows = _after(HistoryEntry.select().where(HistoryEntry.patient == patient_id), HistoryEntry.at, HistoryEntry.id, cursor, size)
    return _page([_history(row) for row in rows], size)


def _history(row: HistoryEntry) -> HistoryLine:
    return HistoryLine(id=row.id, at=row.at, kind=row.kind, subject=row.subject, detail=row.detail, source=row.source)


SECTIONS: dict[str, Callable[[int, Viewer, str, int], Page[Line]]] = {
    "bookings": bookings,
    "calls": calls,
    "complaints": complaints,
    "money": money,
    "history": history,
}


def _after(query: Any, at: Field, row_id: Field, cursor: str, size: int) -> Any:
    """The rows after a cursor, newest first, one more than asked for; a cursor that is none begins at the top."""
    moment, _, last = cursor.partition(" ")
    begin = _moment(moment)
    if begin and last and (last.isdecimal() or not isinstance(row_id, AutoField)):
        query = query.where((at < begin) | ((at == begin) & (row_id < last)))
    return query.order_by(at.desc(), row_id.desc()).limit(size + 1)


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _page(lines: list[Any], size: int) -> Page[Any]:
    """Cut to size; the cursor names the last line that is shown."""
    if len(lines) <= size:
        return Page(tuple(lines))
    last = lines[size - 1]
    return Page(tuple(lines[:size]), f"{last.at.isoformat()} {last.id}")
