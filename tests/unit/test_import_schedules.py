"""Files of clinics: made with their places, never over another of the same doctor."""

from datetime import date

import pytest

from appliance.hospital.imports.trial import FileRead, Trial, compare, read_file, save
from appliance.store.booking_tables import Clinic, Slot
from tests.unit.hospital_rig import BEIJING, NOW, ZONE, department, doctor, store
from tests.unit.test_imports import SETTING, faults

pytestmark = pytest.mark.usefixtures("store")
__all__ = ["store"]
HEADER = "doctor,department,day,starts,ends,minutes,places,fee\n"
assert (SETTING.zone, SETTING.now, SETTING.normalise) == (ZONE, NOW, BEIJING)


def read(text: str) -> FileRead:
    outcome = read_file("schedules", (HEADER + text).encode(), SETTING)
    assert isinstance(outcome, FileRead), outcome
    return outcome


def tried(text: str) -> Trial:
    return compare(read(text))


def imported(text: str) -> Trial:
    return save(read(text), SETTING)


def test_clinics_with_their_places() -> None:
    department("12")
    doctor("1001", fee="50")
    trial = imported("1001,,2026-03-09,08:00,12:00,15,,\n,12,2026-03-09,14:00,17:00,10,6,5\n1001,,2026-03-09,14:00:00,15:00,30,,80\n")
    assert (trial.saved, trial.new) == (True, 3)
    clinics = list(Clinic.select().order_by(Clinic.id))
    assert [(row.day, row.starts, row.ends, row.fee_fen, row.doctor_id is None) for row in clinics] == [
        (date(2026, 3, 9), "08:00", "12:00", 5_000, False),
        (date(2026, 3, 9), "14:00", "17:00", 500, True),
        (date(2026, 3, 9), "14:00", "15:00", 8_000, False),
    ]
    assert [Slot.select().where(Slot.clinic == row).count() for row in clinics] == [16, 6, 2]


def test_the_same_file_again_changes_nothing_and_another_end_is_a_fault() -> None:
    department("12")
    doctor("1001")
    line = "1001,,2026-03-09,08:00,12:00,15,,\n"
    imported(line)
    assert (tried(line).unchanged, tried(line).fault_count) == (1, 0)
    assert imported(line).saved
    assert faults(imported(line.replace("12:00", "11:00"))) == [(2, "starts", "exists")]
    assert Clinic.select().count() == 1


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("1001,,2026-03-09,11:00,13:00,,,", [(2, "starts", "overlap")]),
        ("1001,,2026-03-09,07:00,08:01,,,", [(2, "starts", "overlap")]),
        ("1001,,2026-03-09,12:00,13:00,,,", []),
        ("1001,,2026-03-10,11:00,13:00,,,", []),
        ("1002,,2026-03-10,11:00,13:00,,,", [(2, "doctor", "unknown")]),
        (",99,2026-03-10,11:00,13:00,,,", [(2, "department", "unknown")]),
        (",,2026-03-10,11:00,13:00,,,", [(2, "department", "required")]),
        (",12,2026-03-10,13:00,11:00,,,", [(2, "ends", "order")]),
        (",12,2026-03-10,8am,25:00,,,", [(2, "starts", "clock"), (2, "ends", "clock")]),
        (",12,2026-03-10,08:00,09:00,0,401,-1", [(2, "minutes", "range"), (2, "places", "range"), (2, "fee", "negative")]),
        ("1001,,2026-03-11,08:00,10:00,,,\n1001,,2026-03-11,09:00,11:00,,,", [(3, "starts", "overlap")]),
        ("1001,,2026-03-11,08:00,10:00,,,\n1001,,2026-03-11,08:00,11:00,,,", [(3, "starts", "repeated")]),
    ],
)  # fmt: skip
def test_faults(line: str, expected: list[tuple[int, str, str]]) -> None:
    department("12")
    doctor("1001")
    imported("1001,,2026-03-09,08:00,12:00,15,,\n")
    trial = imported(line)
    assert faults(trial) == expected
    assert Clinic.select().count() == (1 if expected else 2)
