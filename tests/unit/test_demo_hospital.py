"""The demo hospital: the same from the same seed, believable, nobody real, and filled in once whenever it is stopped."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from peewee import AutoField, Field, ForeignKeyField, Model, SqliteDatabase

from appliance.hospital.demo import PASSWORD, SEED, departments, filling, medicine, people, staff
from appliance.hospital.demo.filling import batches
from appliance.hospital.imports.subjects import Setting
from appliance.hospital.registry import card_password, identity
from appliance.hospital.registry.card_password import Password
from appliance.hospital.registry.characters import fault_of
from appliance.store.booking_tables import Booking, Clinic, Slot
from appliance.store.hospital_tables import Card, Doctor, Drug, Family, HistoryEntry, Notice, Patient, PatientPhone, Vip
from appliance.store.models import database
from appliance.store.money_tables import LedgerAccount
from appliance.store.place import StorePlace
from tests.unit.hospital_rig import BEIJING, NOW, ZONE, new_store

SETTING = Setting(now=NOW, zone=ZONE, by="demo", normalise=BEIJING)
TABLES = (Doctor, Drug, Patient, PatientPhone, Family, Card, HistoryEntry, Notice, Vip, Clinic, Slot, Booking, LedgerAccount)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer of everything: what is tested is the same for all."""
    monkeypatch.setattr(people, "BLOCK", 50)
    monkeypatch.setattr(people, "PATIENTS", 150)
    monkeypatch.setattr(medicine, "DRUGS", 120)
    monkeypatch.setattr(staff, "DOCTORS", 190)
    monkeypatch.setattr(filling, "DAYS_AHEAD", 4)


def fill(place: StorePlace, random: Random | None = None) -> dict[str, list[Any]]:
    """Fill a store; with `random` now and then everything stops, the batch undone. What is in it then, by table."""
    opened = new_store(place)
    stops = 20 if random else 0
    while True:
        try:
            for batch in batches(SEED, SETTING, "hash"):
                with database.atomic():
                    if not batch.is_there():
                        batch.fill()
                    if random and stops and random.random() < 0.3:
                        stops -= 1
                        raise InterruptedError
            break
        except InterruptedError:
            continue
    found = {table.__name__: list(table.select(*_told(table)).order_by(table.id).tuples()) for table in TABLES}
    opened.close()
    return found


def _told(table: type[Model]) -> list[Field]:
    """Columns that are the same however often it stopped: in a store that counts on after a batch was undone, rows' ids are not."""
    fields: list[Field] = table._meta.sorted_fields
    return [field for field in fields if not isinstance(field, AutoField | ForeignKeyField)]


def test_the_numbers_that_were_promised() -> None:
    assert (len(departments.entries()), len(staff.doctors(SEED)), len(medicine.drugs(SEED)), people.PATIENTS) == (40, 300, 5_000, 20_000)


def test_doctors_and_drugs_are_told_apart() -> None:
    doctors, drugs = staff.doctors(SEED), medicine.drugs(SEED)
    assert len({doctor.name_zh for doctor in doctors}) == len({doctor.number for doctor in doctors}) == 300
    assert len({drug.name_zh for drug in drugs}) == len({drug.number for drug in drugs}) == 5_000
    assert {doctor.department for doctor in doctors} == {entry.code for entry in departments.entries()}
    assert all(doctor.initials and doctor.profile_en and doctor.profile_zh for doctor in doctors)


def test_every_text_would_pass_a_form() -> None:
    texts = [
        text for drug in medicine.drugs(SEED)[::50] for text in (drug.name_zh, drug.name_en, drug.use_zh, drug.use_en, drug.caution_zh)
    ]
    texts += [text for doctor in staff.doctors(SEED) for text in (doctor.name_zh, doctor.name_en, doctor.profile_zh, doctor.profile_en)]
    assert [text for text in texts if fault_of(text) or not text] == []


def test_nobody_is_real() -> None:
    for place in (0, 1, people.PATIENTS // people.BLOCK - 1):
        for one in people.block(SEED, place):
            assert one.entry.id_number is not None
            assert one.entry.id_number.startswith(("99", "P"))
            assert identity.fault_of(one.entry.id_number) is None
            assert all(phone.startswith(("154", "0101")) and BEIJING(phone) == phone for phone in one.entry.phones)


def test_households_stay_in_their_block() -> None:
    made = people.block(SEED, 3)
    assert len(made) == people.BLOCK
    for place, one in enumerate(made):
        for other, _ in one.relatives:
            assert 0 <= other < people.BLOCK
            assert other != place
    assert any(len(one.relatives) == 3 for one in made)


def test_the_same_seed_makes_the_same_people_and_another_others() -> None:
    assert people.block(1, 2) == people.block(1, 2)
    assert people.block(1, 2) != people.block(2, 2)
    assert staff.doctors(1) == staff.doctors(1) != staff.doctors(2)


@pytest.mark.usefixtures("few")
def test_filled_in_once_whenever_it_stops(store_places: Callable[[], StorePlace]) -> None:
    whole = fill(store_places())
    assert all(whole.values())
    for seed in range(2 if isinstance(database.obj, SqliteDatabase) else 1):
        assert fill(store_places(), Random(seed)) == whole


@pytest.mark.usefixtures("few")
def test_the_card_that_is_told_works(store_place: StorePlace) -> None:
    opened = new_store(store_place)
    hashed = card_password.hashed(PASSWORD)
    with database.atomic():
        for batch in batches(SEED, SETTING, hashed):
            batch.fill()
    check = card_password.begin(people.first_card())
    outcome = card_password.finish(check, card_password.is_right(check, PASSWORD), NOW)
    assert outcome.result is Password.RIGHT
    holder = Patient.get_by_id(outcome.patient_id)
    assert (holder.name, [phone.number for phone in PatientPhone.select().where(PatientPhone.patient == holder)]) == (
        "王小雨",
        ["15400000001"],
    )
    assert LedgerAccount.get(LedgerAccount.code == f"card {people.first_card()}").balance_fen == 50_000
    assert card_password.fault_of(PASSWORD, PASSWORD, Card.get(Card.number == people.first_card())) is None
    opened.close()
