"""What people are told about their bookings without asking: rows for the sending service, in their language. Inside the caller's
transaction."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from appliance.store.booking_tables import Booking, Slot
from appliance.store.hospital_tables import Patient, PatientPhone
from appliance.store.outgoing import enqueue

TEXTS: Mapping[str, tuple[str, str]] = {
    "stopped": (
        "您预约的{when}{where}门诊已取消，预约号{code}。{money}",
        "Your visit on {when} ({where}), booking {code}, has been cancelled by the hospital. {money}",
    ),
    "no_show": (
        "您预约的{when}{where}没有就诊，预约号{code}已失效。{money}",
        "You did not come to your visit on {when} ({where}); booking {code} has lapsed. {money}",
    ),
    "offered": (
        "您候补的{when}{where}现在有号，为您保留到{until}，请致电或上网预约。",
        "There is now a place on {when} ({where}). It is kept for you until {until}: please book by telephone or on the web.",
    ),
}
MONEY = ("费用{yuan}元已退回您的就诊卡。", "The fee of {yuan} yuan has been returned to your card.")


def tell_booking(what: str, booking: Booking, refunded_fen: int, now: datetime, zone: ZoneInfo) -> None:
    """Whoever has the booking, once for each `what` (a key of TEXTS); nobody without a number."""
    language = _language(booking.patient)
    money = MONEY[language].format(yuan=f"{refunded_fen / 100:.2f}") if refunded_fen else ""
    text = TEXTS[what][language].format(**_place(booking.slot, zone, language), code=booking.code, money=money)
    _give(f"{what} {booking.id}", booking.phone or _phone_of(booking.patient), text.strip(), language, now)


def tell_offer(waiting: int, phone: str, patient: Patient, slot: Slot, until: datetime, now: datetime, zone: ZoneInfo) -> None:
    """Whoever waits that a place is kept for them."""
    language = _language(patient)
    text = TEXTS["offered"][language].format(**_place(slot, zone, language), until=f"{until.astimezone(zone):%H:%M}")
    _give(f"offered {waiting} {slot.id} {until.isoformat()}", phone or _phone_of(patient), text, language, now)


def _place(slot: Slot, zone: ZoneInfo, language: int) -> dict[str, str]:
    at, department = slot.at.astimezone(zone), slot.clinic.department
    when = f"{at:%Y-%m-%d %H:%M}" if language else f"{at.month}月{at.day}日{at:%H:%M}"
    return {"when": when, "where": department.name_en if language else department.name_zh}


def _language(patient: Patient | None) -> int:
    return int(patient is not None and patient.language == "en")


def _phone_of(patient: Patient | None) -> str:
    return "" if patient is None else _first_of(patient.id)


def _first_of(patient_id: int) -> str:
    row = PatientPhone.select().where(PatientPhone.patient == patient_id).order_by(PatientPhone.id).first()
    return "" if row is None else row.number


def _give(once_key: str, phone: str, text: str, language: int, now: datetime) -> None:
    if phone:
        enqueue("sms", phone, text, once_key, now, language=("zh", "en")[language])
