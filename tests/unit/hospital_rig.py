"""A store of its own for each test of the hospital's functions, and the few people most tests need."""

import functools
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import pytest
from peewee import Database, SqliteDatabase

from appliance.hospital.registry import cards, departments, doctors, patients
from appliance.hospital.registry.field_fault import Refused
from appliance.hospital.registry.telephone import normaliser
from appliance.store.database import open_store
from appliance.store.hospital_tables import Card, Department, Doctor, Patient
from appliance.store.models import database
from appliance.store.place import StorePlace
from tests.postgresql import SHARED

NOW = datetime(2026, 3, 8, 2, tzinfo=UTC)
TODAY = date(2026, 3, 8)
ZONE = ZoneInfo("Asia/Shanghai")
BEIJING = normaliser({"numbers": {"area_code": "10"}})

T = TypeVar("T")


@functools.cache
def _fresh() -> bytes:
    """A store without rows, made once: making all its tables takes longer than most tests."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "careline.db"
        open_store(path).close()
        return path.read_bytes()


def new_store(place: StorePlace) -> Database:
    """Without rows. One on a server is so from the beginning (conftest.py)."""
    if isinstance(place, Path):
        place.write_bytes(_fresh())
    return open_store(place)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    """On a server all tests have the same one, and each leaves it as it was."""
    if request.param == "sqlite":
        opened = new_store(tmp_path / "careline.db")
        with database.atomic():
            yield
    else:
        opened = open_store(request.getfixturevalue("postgresql").place(SHARED))
        with database.atomic() as transaction:
            opened.execute_sql(_first_numbers())
            yield
            transaction.rollback()
    opened.close()


@functools.cache
def _first_numbers() -> str:
    """The statement after which all rows are counted from 1 again."""
    found = database.execute_sql("select sequencename from pg_sequences").fetchall()
    return "select " + ", ".join(f"setval('{name}', 1, false)" for (name,) in found)


def fewer(most: int) -> int:
    """So many of what takes many statements; on a server, to which each of them goes a long way, a fifth."""
    return most if isinstance(database.obj, SqliteDatabase) else most // 5


def taken(outcome: T | Refused) -> T:
    """What was saved or read. A refusal ends the test."""
    assert not isinstance(outcome, Refused), outcome
    return outcome


def codes(outcome: Any) -> dict[str, str]:
    """Of a refusal, by field."""
    assert isinstance(outcome, Refused), outcome
    return outcome.codes()


def department(code: str = "12", **more: str) -> Department:
    form = {"code": code, "name_zh": "内科", "name_en": "Internal medicine"} | more
    return taken(departments.save(taken(departments.read(form))))


def doctor(number: str = "1001", name_zh: str = "张伟", **more: str) -> Doctor:
    form = {"number": number, "name_zh": name_zh, "name_en": "Zhang Wei", "department": "12"} | more
    return taken(doctors.save(taken(doctors.read(form))))


def patient(name: str = "李娜", **more: str) -> Patient:
    return taken(patients.save(taken(patients.read({"name": name} | more, BEIJING, TODAY)), NOW))


def card(of: Patient, number: str = "") -> Card:
    return taken(cards.issue(of.id, NOW, "desk", number))
