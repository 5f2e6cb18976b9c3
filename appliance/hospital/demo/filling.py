"""Fills a store with the demo hospital, batch by batch: each is a transaction of its own, and is left out where it is there already.

So it can be stopped and started at any moment, and run every day: then only the new days' clinics are made.
"""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import partial
from random import Random
from typing import Any

import msgspec

from appliance.hospital.booking.booking import Visitor, book
from appliance.hospital.booking.channel import Channel
from appliance.hospital.booking.clinics import ClinicEntry, by_timetable, make_many
from appliance.hospital.demo import departments, medicine, notices, people, staff
from appliance.hospital.imports.kinds import add_drugs
from appliance.hospital.imports.people import CardEntry, add_cards, add_patients, ids_of
from appliance.hospital.imports.subjects import CHUNK, Setting
from appliance.hospital.ledger.accounts import cash_desk
from appliance.hospital.ledger.posting import Cause, Movement, transfer
from appliance.hospital.registry import departments as department_registry
from appliance.hospital.registry import doctors
from appliance.hospital.registry import notices as notice_registry
from appliance.hospital.registry.patients import FIRST_NUMBER
from appliance.store.booking_tables import Booking, Clinic, Slot
from appliance.store.hospital_tables import Card, Department, Doctor, Drug, Family, HistoryEntry, Notice, Patient, StaffMember, Vip
from appliance.store.money_tables import LedgerAccount

DAYS_AHEAD = 14
VISIT_MIN = 15
SUNDAY = 7
BOOKINGS = 40
BY = "demo"


class Batch(msgspec.Struct, frozen=True):
    """`is_there`: whether it was filled in before; both run in one transaction."""

    name: str
    is_there: Callable[[], bool]
    fill: Callable[[], None]


def batches(seed: int, setting: Setting, password_hash: str) -> Iterator[Batch]:
    """In the order in which they need each other. `password_hash`: of every card."""
    yield Batch("departments", Department.select().exists, _departments)
    everybody = staff.doctors(seed)
    for first in range(0, len(everybody), 50):
        some = everybody[first : first + 50]
        yield Batch("doctors", partial(_has, Doctor, some[0].number), partial(_doctors, some))
    yield Batch("notices", Notice.select().exists, partial(_notices, setting))
    for day in (setting.today + timedelta(days=ahead) for ahead in range(DAYS_AHEAD)):
        if day.isoweekday() == SUNDAY:
            continue
        yield Batch("clinics", Clinic.select().where(Clinic.day == day).exists, partial(_clinics, seed, day, setting))
    yield from _patients(seed, setting, password_hash)
    yield Batch("VIPs", Vip.select().exists, partial(_vips, seed, setting.today))
    yield Batch("bookings", Booking.select().exists, partial(_bookings, seed, setting))
    drugs = medicine.drugs(seed)
    for first in range(0, len(drugs), CHUNK):
        lot = drugs[first : first + CHUNK]
        yield Batch("drugs", partial(_has, Drug, lot[0].number), partial(add_drugs, lot, setting))


def _patients(seed: int, setting: Setting, password_hash: str) -> Iterator[Batch]:
    for place in range(people.PATIENTS // people.BLOCK):
        number = str(FIRST_NUMBER + place * people.BLOCK)
        yield Batch("patients", partial(_has, Patient, number), partial(_block, seed, place, setting, password_hash))


def _has(table: Any, number: str) -> bool:
    return bool(table.select().where(table.number == number).exists())


def _departments() -> None:
    for entry in departments.entries():
        department_registry.save(entry)


def _doctors(entries: list[doctors.DoctorEntry]) -> None:
    for entry in entries:
        doctors.save(entry)


def _notices(setting: Setting) -> None:
    for position, (kind, title_zh, title_en, text_zh, text_en) in enumerate(notices.NOTICES):
        entry = notice_registry.NoticeEntry(
            kind=kind,
            title_zh=title_zh,
            title_en=title_en,
            text_zh=text_zh,
            text_en=text_en,
            starts_at=setting.now,
            position=position,
        )
        notice_registry.save(entry, setting.now, by=BY)


def _clinics(seed: int, day: date, setting: Setting) -> None:
    entries = []
    for row in Doctor.select(Doctor, StaffMember).join(StaffMember).order_by(Doctor.number):
        like = ClinicEntry(
            department=row.staff.department_id, doctor=row.id, day=day, starts="", ends="", minutes=VISIT_MIN, fee_fen=row.fee_fen
        )
        entries += by_timetable(staff.timetable(seed, row.number), day, day, like)
    make_many(entries, setting.zone)


def _block(seed: int, place: int, setting: Setting, password_hash: str) -> None:
    made = people.block(seed, place)
    add_patients([one.entry for one in made], setting)
    ids = ids_of(one.entry.number for one in made)
    rows = [ids[one.entry.number] for one in made]
    _families(made, rows)
    held = [CardEntry(one.card, one.entry.number) for one in made if one.card]
    add_cards(held, setting)
    Card.update(password_hash=password_hash).where(Card.number.in_([entry.number for entry in held])).execute()
    _histories(made, rows)
    _top_up(Random(f"{seed} money {place}"), [entry.number for entry in held], setting)


def _families(made: list[people.DemoPatient], rows: list[int]) -> None:
    kin = [
        {"patient": rows[n], "relative": rows[other], "relation": relation}
        for n, one in enumerate(made)
        for other, relation in one.relatives
    ]
    Family.insert_many(kin).execute()


def _histories(made: list[people.DemoPatient], rows: list[int]) -> None:
    entries = [
        {"patient": row, "at": at, "kind": kind, "subject": subject, "source": BY}
        for row, one in zip(rows, made, strict=True)
        for at, kind, subject in one.history
    ]
    HistoryEntry.insert_many(entries).execute()


def _top_up(random: Random, held: list[str], setting: Setting) -> None:
    """Money on the first card and on some others."""
    desk = cash_desk(BY)
    for number in [held[0], *random.sample(held[1:], 20)]:
        account = LedgerAccount.get(LedgerAccount.code == f"card {number}")
        amount_fen = 50_000 if number == people.first_card() else random.randrange(5_000, 60_000, 1_000)
        transfer(Movement.TOP_UP, desk, account, amount_fen, f"demo top-up {number}", setting.now, Cause(by=BY))


def _vips(seed: int, today: date) -> None:
    """The second known patient, and thirty others."""
    random = Random(f"{seed} vip")
    numbers = [str(FIRST_NUMBER + place) for place in (1, *random.sample(range(100, people.PATIENTS), 30))]
    ids = ids_of(numbers)
    until = today + timedelta(days=365)
    rows = [
        {
            "patient": ids[number],
            "level": 1 if number == numbers[0] else random.choice((1, 2, 3, 3)),
            "valid_from": today,
            "valid_until": until,
        }
        for number in numbers
    ]
    Vip.insert_many([row | {"granted_by": BY} for row in rows]).execute()


def _bookings(seed: int, setting: Setting) -> None:
    """Some free ones in the days to come; the rules may refuse one or the other."""
    random = Random(f"{seed} bookings")
    soon = (Clinic.fee_fen == 0) & (Clinic.day > setting.today) & (Clinic.day <= setting.today + timedelta(days=5))
    slots = [row.id for row in Slot.select(Slot.id).join(Clinic).where(soon).order_by(Slot.id)]
    visitors = list(Patient.select().order_by(Patient.id).limit(BOOKINGS))
    for place, (slot_id, patient) in enumerate(zip(random.sample(slots, min(len(slots), BOOKINGS)), visitors, strict=False)):
        visitor = Visitor(name=patient.name, patient=patient.id, channel=Channel.AGENT, by=BY)
        book(slot_id, visitor, f"demo booking {place}", setting.now, setting.zone)
