"""What becomes a work item: bookings, complaints, requests of VIPs, callbacks. Inside the caller's transaction; the same thing is one item.

The texts stand on every desk's screen: they name no patient, and nothing of a complaint but its number.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from appliance.hospital.dispatch.desks import is_taken_anywhere
from appliance.hospital.dispatch.items import Kind, Request, add
from appliance.store.booking_tables import Booking
from appliance.store.case_tables import Complaint, WorkItem


class VipRequest(StrEnum):
    """What a VIP may ask for."""

    REGISTRATION = "registration"
    HOME_NURSING = "home_nursing"
    HELP = "help"


VIP_TEXTS = {
    VipRequest.REGISTRATION: ("贵宾挂号", "VIP registration"),
    VipRequest.HOME_NURSING: ("贵宾上门护理", "VIP home nursing"),
    VipRequest.HELP: ("贵宾求助", "VIP asks for help"),
}


def booking(row: Booking, now: datetime) -> WorkItem | None:
    """A booking: to the desk or printer of its department. None where no desk takes bookings: then it is no work for anybody."""
    if not is_taken_anywhere(Kind.BOOKING):
        return None
    department, number = row.slot.clinic.department, row.slot.number
    request = Request(
        once_key=f"booking {row.code}",
        kind=Kind.BOOKING,
        about=f"booking {row.code}",
        text_zh=f"挂号 {row.code} {department.name_zh} {row.day:%m-%d} {number}号",
        text_en=f"Booking {row.code} {department.name_en} {row.day:%m-%d} no. {number}",
        department_id=department.id,
    )
    return add(request, now)


def complaint(row: Complaint, kept_from: Iterable[int], now: datetime) -> WorkItem:
    """A complaint: to any desk but those of the departments it is about."""
    return add(_complaint(row, f"complaint {row.number}", ("投诉", "Complaint"), kept_from, urgent=False), now)


def overdue(row: Complaint, times: int, kept_from: Iterable[int], now: datetime) -> WorkItem:
    """A complaint that is overdue, for that many times."""
    key = f"complaint {row.number} overdue {times}"
    return add(_complaint(row, key, ("投诉逾期", "Overdue complaint"), kept_from, urgent=True), now)


def vip(asked: VipRequest, patient_number: str, call: str, phone: str, once_key: str, now: datetime) -> WorkItem:
    """What a VIP asked for; before everything that is not urgent. `phone`: where to ring back, `call` empty: asked otherwise."""
    text_zh, text_en = VIP_TEXTS[asked]
    request = Request(
        once_key=once_key,
        kind=Kind.VIP,
        about=f"patient {patient_number}",
        text_zh=f"{text_zh} {phone}".strip(),
        text_en=f"{text_en} {phone}".strip(),
        urgent=True,
    )
    return add(request, now)


def callback(phone: str, once_key: str, now: datetime, department_id: int | None = None, call: str = "") -> WorkItem:
    """Somebody wants to be rung back."""
    request = Request(
        once_key=once_key,
        kind=Kind.CALLBACK,
        about=f"call {call}" if call else f"phone {phone}",
        text_zh=f"回电 {phone}",
        text_en=f"Ring back {phone}",
        department_id=department_id,
    )
    return add(request, now)


def _complaint(row: Complaint, once_key: str, words: tuple[str, str], kept_from: Iterable[int], *, urgent: bool) -> Request:
    return Request(
        once_key=once_key,
        kind=Kind.COMPLAINT,
        about=f"complaint {row.number}",
        text_zh=f"{words[0]} {row.number}",
        text_en=f"{words[1]} {row.number}",
        urgent=urgent,
        kept_from=frozenset(kept_from),
    )
