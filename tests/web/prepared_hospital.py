"""The hospital of the prepared day: departments, doctors, patients with cards and money, clinics, drugs, notices, a complaint, a desk."""

from datetime import datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from appliance.calendar import Calendar, CalendarConfig
from appliance.hospital.booking import booking, clinics
from appliance.hospital.booking.channel import Channel
from appliance.hospital.booking.clinics import ClinicEntry
from appliance.hospital.complaints import filing
from appliance.hospital.complaints.rules import ComplaintRules
from appliance.hospital.dispatch import desks
from appliance.hospital.ledger.accounts import cash_desk
from appliance.hospital.ledger.posting import Cause, Movement, transfer
from appliance.hospital.registry import cards, departments, doctors, drugs, notices, patients, vip
from appliance.hospital.registry.field_fault import Refused
from appliance.hospital.registry.telephone import normaliser
from appliance.store.booking_tables import Slot
from appliance.store.hospital_tables import Card, HistoryEntry, Patient

ZONE = ZoneInfo("Asia/Shanghai")
BY = "chen"
COMPLAINT_KEY = "prepared complaint"
NORMALISE = normaliser({})

T = TypeVar("T")

DEPARTMENTS = (("12", "内科", "Internal medicine"), ("15", "儿科", "Paediatrics"), ("30", "骨科", "Orthopaedics"))
DOCTORS = (("1001", "张伟", "Zhang Wei", "12", "50"), ("1002", "王芳", "Wang Fang", "12", ""), ("1501", "刘洋", "Liu Yang", "15", "20"))
PATIENTS = (
    ("李娜", "110101198001010010", "13800138000 13911112222"),
    ("赵敏", "", "13800138000"),
    ("欧阳建国", "", "01065551234"),
    ("张伟", "", "15822223333"),
)


def fill_hospital(now: datetime) -> None:
    """In the transaction of whoever fills the day."""
    for code, name_zh, name_en in DEPARTMENTS:
        taken(departments.save(taken(departments.read({"code": code, "name_zh": name_zh, "name_en": name_en}))))
    for number, name_zh, name_en, department, fee in DOCTORS:
        form = {"number": number, "name_zh": name_zh, "name_en": name_en, "department": department, "fee": fee, "title_zh": "主任医师"}
        taken(doctors.save(taken(doctors.read(form | {"title_en": "Chief physician"}))))
    people = [_patient(name, id_number, phones, now) for name, id_number, phones in PATIENTS]
    patients.add_relative(people[0].id, people[1].id, "女儿")
    _money_and_cards(people, now)
    _clinics(people[0], now)
    _texts(now)
    _cases(people[1], now)


def _patient(name: str, id_number: str, phones: str, now: datetime) -> Patient:
    form = {"name": name, "id_number": id_number, "phones": phones}
    return taken(patients.save(taken(patients.read(form, NORMALISE, now.date())), now))


def _money_and_cards(people: list[Patient], now: datetime) -> None:
    for place, person in enumerate(people[:3]):
        card: Card = taken(cards.issue(person.id, now - timedelta(days=30), BY))
        assert card.account is not None
        transfer(Movement.TOP_UP, cash_desk("1"), card.account, 20_000, f"prepared {place}", now - timedelta(days=3), Cause(by=BY))
    HistoryEntry.create(patient=people[0], at=now - timedelta(days=90), kind="visit", subject="内科门诊", detail="复诊", source="HIS")


def _clinics(patient: Patient, now: datetime) -> None:
    today = now.astimezone(ZONE).date()
    for ahead in range(4):
        for doctor, department, fee_fen in ((1, 1, 5_000), (2, 1, 0), (3, 2, 2_000)):
            day = today + timedelta(days=ahead)
            entry = ClinicEntry(department=department, doctor=doctor, day=day, starts="13:00", ends="15:00", minutes=15, fee_fen=fee_fen)
            taken(clinics.make(entry, ZONE))
    free = Slot.select().where(Slot.clinic == 5).order_by(Slot.number).first()
    visitor = booking.Visitor(name=patient.name, channel=Channel.AGENT, patient=patient.id, phone="13800138000", by=BY)
    booking.book(free.id, visitor, "prepared booking", now, ZONE)


def _texts(now: datetime) -> None:
    drug = {
        "number": "1203",
        "name_zh": "阿司匹林肠溶片",
        "name_en": "Aspirin tablets",
        "price": "12.50",
        "unit_zh": "盒",
        "unit_en": "box",
    }
    taken(drugs.save(taken(drugs.read(drug)), now, by=BY))
    notice = {"kind": "notice", "title_zh": "国庆门诊安排", "title_en": "Holiday hours", "text_zh": "国庆期间照常门诊。"}
    taken_notice = taken(notices.read(notice | {"text_en": "The clinics are open as usual."}, now, ZONE))
    notices.save(taken_notice, now, by=BY)
    number = Patient.get_by_id(3).number
    taken(vip.save(taken(vip.read({"patient": number, "level": "1"}, now.date())), BY))


def _cases(patient: Patient, now: datetime) -> None:
    about = filing.Filing(
        once_key=COMPLAINT_KEY, channel="agent", department_code="15", patient_id=patient.id, phone="13800138000", text="等候太久"
    )
    filing.file(about, ComplaintRules(), Calendar(CalendarConfig()), now - timedelta(days=1))
    taken(desks.save(taken(desks.read({"name": "一号台", "kinds": "booking complaint vip callback"}))))


def taken(outcome: T | Refused) -> T:
    """What was saved or read; the prepared day has no faults."""
    assert not isinstance(outcome, Refused), outcome
    return outcome
