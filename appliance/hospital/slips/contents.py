"""Slips of what the store has: a registration, a work item. Inside the caller's transaction."""

from datetime import datetime
from zoneinfo import ZoneInfo

from appliance.hospital.slips.slip import Code, Language, Line, Pair, Part, Rule, Slip
from appliance.store.booking_tables import Booking
from appliance.store.case_tables import WorkItem
from appliance.store.hospital_tables import Doctor

WORDS: dict[str, tuple[str, str]] = {
    "registration": ("挂号单", "Registration slip"),
    "copy": ("** 补打 **", "** COPY **"),
    "number": ("预约号", "Booking"),
    "name": ("姓名", "Name"),
    "department": ("科室", "Department"),
    "place": ("地点", "Where"),
    "doctor": ("医生", "Doctor"),
    "time": ("就诊时间", "When"),
    "place_in_line": ("序号", "Your number"),
    "fee": ("挂号费", "Fee"),
    "free": ("免费", "free of charge"),
    "cancelled": ("** 已取消 **", "** CANCELLED **"),
    "printed": ("打印时间", "Printed"),
    "task": ("待办", "To do"),
}
CALLED_OFF = ("cancelled", "moved", "no_show")


def booking_slip(row: Booking, hospital: str, zone: ZoneInfo, language: Language, now: datetime) -> Slip:
    """What a patient takes along; a copy when it was printed before. `hospital`: its name in that language. A booking that does not hold
    any more says so in place of its code."""
    clinic, copy = row.slot.clinic, row.printed > 0
    department = clinic.department
    parts: list[Part] = [Line(hospital, large=True, centred=True), Line(_word("registration", language), centred=True)]
    parts += [Line(_word("copy", language), centred=True)] if copy else []
    parts += [Rule(), _pair("number", row.code, language), _pair("name", row.name, language)]
    parts += [_pair("department", _in(language, department.name_zh, department.name_en), language)]
    parts += [_pair("doctor", _doctor(clinic.doctor, language), language)] if clinic.doctor else []
    parts += [_pair("time", _time(row.slot.at, zone), language), _pair("place_in_line", str(row.slot.number), language)]
    place = _in(language, department.place_zh, department.place_en)
    parts += [_pair("place", place, language)] if place else []
    parts += [_pair("fee", f"￥{row.paid_fen / 100:.2f}" if row.paid_fen else _word("free", language), language), Rule()]
    parts += [Line(_word("cancelled", language), centred=True)] if row.state in CALLED_OFF else [Code(row.code)]
    return Slip(language, (*parts, _pair("printed", _time(now, zone), language)), copy)


def work_slip(item: WorkItem, hospital: str, zone: ZoneInfo, language: Language) -> Slip:
    """What somebody must see to, on paper."""
    parts = (
        Line(hospital, centred=True),
        Line(_word("task", language), large=True, centred=True),
        Rule(),
        Line(_in(language, item.text_zh, item.text_en)),
        Line(_time(item.made_at, zone)),
        Code(item.about),
    )
    return Slip(language, parts)


def _doctor(doctor: Doctor, language: Language) -> str:
    name, title = (_in(language, doctor.staff.name_zh, doctor.staff.name_en), _in(language, doctor.title_zh, doctor.title_en))
    return f"{name} {title}".strip()


def _pair(word: str, value: str, language: Language) -> Pair:
    return Pair(_word(word, language), value)


def _word(word: str, language: Language) -> str:
    return _in(language, *WORDS[word])


def _in(language: Language, zh: str, en: str) -> str:
    return en if language == "en" else zh


def _time(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
