"""`careline printers` as a process: prints what it is offered, ends when it is told to; killed on the way it leaves doubt, and no copy."""

import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.hospital.dispatch import desks, items, offering
from appliance.store.case_tables import Desk, WorkItem
from appliance.store.database import open_store
from appliance.store.place import StorePlace
from tests.postgresql import toml_of
from tests.unit.cases_rig import LIMITS, desk, item
from tests.unit.fake_printer import FakePrinter, printer

LIMIT_S = 30.0


def started(folder: Path, place: StorePlace) -> "subprocess.Popen[bytes]":
    config = folder / "careline.toml"
    config.write_text(f'[paths]\ndata_dir = "{folder}"\nrun_dir = "{folder}"\n{toml_of(place)}')
    return subprocess.Popen([sys.executable, "-m", "appliance.printing", "--config", str(config)])


def offered_to(fake: FakePrinter) -> None:
    """One work item, at that printer."""
    items_waiting(desk("p", printer="yes", address=fake.address))


def wait_until(state: items.State) -> None:
    until = time.monotonic() + LIMIT_S
    while WorkItem.get().state != state and time.monotonic() < until:
        time.sleep(0.05)
    assert WorkItem.get().state == state


def ended(process: "subprocess.Popen[bytes]", by: signal.Signals) -> int:
    process.send_signal(by)
    return process.wait(LIMIT_S)


def test_what_is_offered_is_printed_and_the_process_ends_when_told_to(tmp_path: Path, store_place: StorePlace) -> None:
    store = open_store(store_place)
    with printer() as fake:
        offered_to(fake)
        process = started(tmp_path, store_place)
        try:
            wait_until(items.State.DONE)
            second = subprocess.run(process.args, capture_output=True, text=True, timeout=LIMIT_S, check=False)
        finally:
            status = ended(process, signal.SIGTERM)
        assert ([paper.codes for paper in fake.papers], status) == ([["a"]], 0)
        assert (second.returncode, "HOS-237" in second.stderr) == (1, True)
    store.close()


def test_killed_while_it_prints_the_slip_is_in_doubt_and_not_printed_again(tmp_path: Path, store_place: StorePlace) -> None:
    store = open_store(store_place)
    with printer(answers_done=False) as fake:
        offered_to(fake)
        process = started(tmp_path, store_place)
        try:
            wait_until(items.State.TAKEN)
        finally:
            ended(process, signal.SIGKILL)
        process = started(tmp_path, store_place)
        try:
            wait_until(items.State.DEAD)
        finally:
            ended(process, signal.SIGTERM)
        assert WorkItem.get().fault.startswith("HOS-236")
        assert len(fake.papers) <= 1
    store.close()


def test_where_no_printer_is_set_up_it_ends_under_systemd_which_starts_it_again(
    tmp_path: Path, store_place: StorePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(store_place)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    assert started(tmp_path, store_place).wait(LIMIT_S) == 0
    with printer() as fake:
        of = desk("p", printer="yes", address=fake.address)
        process = started(tmp_path, store_place)
        try:
            items_waiting(of)
            wait_until(items.State.DONE)
            assert process.poll() is None
            Desk.update(closed=True).execute()
            assert process.wait(LIMIT_S) == 0
        finally:
            process.kill()
            process.wait()
    store.close()


def items_waiting(of: Desk) -> None:
    now = datetime.now(UTC)
    item("a")
    desks.beat(of.id, now)
    offering.offer_waiting(LIMITS, now)
