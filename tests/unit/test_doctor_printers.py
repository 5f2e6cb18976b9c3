"""What `careline doctor` says of printers: those of desks and kiosks, asked at the wire; and whether anybody prints."""

import fcntl
from pathlib import Path

import pytest

from appliance.control.messages import Grade
from appliance.doctor.printers import examine_printers
from appliance.hospital.dispatch import desks
from appliance.printing.lock import LOCK
from tests.unit.fake_printer import printer
from tests.unit.hospital_rig import new_store, taken


def with_printer(folder: Path, address: str) -> Path:
    path = folder / "careline.db"
    database = new_store(path)
    taken(desks.save(taken(desks.read({"name": "大厅", "printer": "yes", "kinds": "booking", "address": address}))))
    database.close()
    return path


def test_without_a_printer_nothing_is_said(tmp_path: Path) -> None:
    new_store(tmp_path / "careline.db").close()
    assert examine_printers(tmp_path, tmp_path / "careline.db", {}) == []
    assert examine_printers(tmp_path, tmp_path / "none.db", {"kiosks": "wrong"}) == []


def test_a_printer_that_is_well_and_nobody_who_prints(tmp_path: Path) -> None:
    with printer() as fake:
        running, found = examine_printers(tmp_path, with_printer(tmp_path, fake.address), {})
    assert (running.grade, running.code) == (Grade.WARNING, "HOS-239")
    assert found.grade is Grade.OK
    assert "大厅" in found.about["zh"]


def test_somebody_prints(tmp_path: Path) -> None:
    with printer() as fake, (tmp_path / LOCK).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        running, _ = examine_printers(tmp_path, with_printer(tmp_path, fake.address), {})
    assert running.grade is Grade.OK


@pytest.mark.parametrize(("paper", "cause", "code"), [(0x72, 0x12, "HOS-231"), (0x12, 0x16, "HOS-232")])
def test_faults_of_a_kiosks_printer(tmp_path: Path, paper: int, cause: int, code: str) -> None:
    with printer() as fake:
        fake.paper_status, fake.cause_status = paper, cause
        (found,) = examine_printers(tmp_path, tmp_path / "none.db", {"kiosks": [{"name": "hall", "printer": fake.address}]})
    assert (found.grade, found.code) == (Grade.FAILED, code)


def test_a_printer_that_is_not_there(tmp_path: Path) -> None:
    kiosks = [{"name": "hall", "printer": "127.0.0.1:9"}, {"name": "browser prints"}, "no kiosk"]
    (found,) = examine_printers(tmp_path, tmp_path / "none.db", {"kiosks": kiosks})
    assert (found.grade, found.code) == (Grade.FAILED, "HOS-230")
