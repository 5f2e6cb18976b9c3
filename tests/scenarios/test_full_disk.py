"""The disk of records and recordings is full to the last byte and the call agent is killed: callers are answered, led through the menus and
to a person all the same, and every record is there once there is room. Real processes, a real disk.
"""

import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from appliance.control.client import ControlClient
from appliance.control.handset import Handset, dial_message
from appliance.ivr.prompts.library import PromptLibrary
from appliance.ivr.prompts.wav import unwrap, wrap
from appliance.store.database import connect
from appliance.store.models import CallRecord, Recording, VoiceMessage, database
from appliance.store.reserve import path_of
from drivers.errors import CarelineError
from drivers.protocol import HandsetAudio
from drivers.virtual.config import DEFAULT_NUMBER
from tests.small_disk import SmallDisk, small_disk

LIMIT_S = 60.0
LINES = """
[lines.virtual]
spans = [{kind = "fxo", channels = 4}, {kind = "fxs", channels = 1}]
sets = [{channel = 5, answering = "answer", after_ms = 500}]
"""
HEARD_BYTES = 4000  # half a second, anywhere in a prompt


class Processes:
    """Line server and call agent."""

    def __init__(self, folder: Path, disk: SmallDisk) -> None:
        self.run_dir, self.store = folder / "run", disk.folder / "careline.db"
        self._config = folder / "careline.toml"
        self._config.write_text(f'[paths]\nrun_dir = "{self.run_dir}"\ndata_dir = "{disk.folder}"\n{LINES}', "utf-8")
        self._log = (folder / "log").open("ab")
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, module: str, socket: str) -> None:
        command = [sys.executable, "-m", module, "--config", str(self._config)]
        self._running[module] = subprocess.Popen(command, stderr=self._log)
        until((self.run_dir / socket).exists)

    def kill(self, module: str) -> None:
        process = self._running.pop(module)
        process.kill()
        process.wait(LIMIT_S)

    def start_agent(self) -> None:
        (self.run_dir / "control.sock").unlink(missing_ok=True)
        self.start("appliance.main", "control.sock")
        until(lambda: self.checks().get("line_server") == "")  # not named before the first look at it

    def stop(self) -> None:
        for module in list(self._running):
            self.kill(module)
        self._log.close()

    def checks(self) -> dict[str, str]:
        """The code of every check of health, empty for one that is well."""
        try:
            with ControlClient(self.run_dir / "control.sock") as client:
                return {check.name: check.code for check in client.ask_health().health.checks}
        except CarelineError:
            return {"line_server": "APP-030"}

    def call(self) -> Handset:
        return Handset(self.run_dir / "handset.sock", dial_message(DEFAULT_NUMBER, caller="13800138000", stream=True))

    def records(self) -> list[CallRecord]:
        with self._reading():
            return list(CallRecord.select().order_by(CallRecord.started_at))

    def recordings(self) -> list[Recording]:
        with self._reading():
            return list(Recording.select().order_by(Recording.started_at))

    def messages(self) -> list[str]:
        with self._reading():
            return [message.reference for message in VoiceMessage.select()]

    @contextmanager
    def _reading(self) -> Iterator[None]:
        opened = connect(self.store, read_only=True)
        database.initialize(opened)
        try:
            yield
        finally:
            opened.close()


@pytest.fixture
def disk(folder: Path) -> Iterator[SmallDisk]:
    with small_disk(folder / "disk", size_mb=40) as made:
        yield made


@pytest.fixture
def box(folder: Path, disk: SmallDisk) -> Iterator[Processes]:
    processes = Processes(folder, disk)
    try:
        processes.start("drivers.server", "handset.sock")
        processes.start_agent()
        yield processes
    finally:
        processes.stop()


def until(holds: Callable[[], object], limit_s: float = LIMIT_S) -> None:
    deadline_s = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < deadline_s, holds
        time.sleep(0.1)


def prompt(name: str) -> bytes:
    """Half a second of its middle."""
    samples = unwrap(PromptLibrary().path(name, "zh"))
    return samples[len(samples) // 3 :][:HEARD_BYTES]


def hears(caller: Handset, name: str) -> None:
    """Wait until the caller hears that prompt, sample for sample."""
    wanted, heard = prompt(name), b""
    deadline_s = time.monotonic() + LIMIT_S
    for reply in caller.messages(LIMIT_S):
        if isinstance(reply, HandsetAudio):
            heard += reply.samples
            if wanted in heard:
                return
        assert time.monotonic() < deadline_s, name
    raise AssertionError("hung up")


def a_good_call(box: Processes, count: int) -> None:
    """One that is recorded, and stands in the store as the last of `count`."""
    with box.call() as caller:
        hears(caller, "greeting")
    until(lambda: len(box.records()) == count and box.records()[-1].ended_at)
    recording = box.recordings()[-1]
    assert recording.samples > HEARD_BYTES
    assert (recording.error, recording.lost_samples) == ("", 0)


def fold_log(box: Processes) -> None:
    """The store's log takes no room any more, so that the next record needs some."""
    with closing(sqlite3.connect(box.store)) as store:
        until(lambda: store.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0)


def check_recordings(box: Processes, disk: SmallDisk) -> None:
    """Each has ended and says of itself what the disk has of it. What waited in memory until there was room is not lost."""
    for recording in box.recordings():
        file = disk.folder / "recordings" / recording.path
        assert recording.ended_at
        assert recording.samples == max(0, file.stat().st_size - len(wrap(b""))) // 2
        assert recording.samples > HEARD_BYTES or recording.error


def test_killed_on_a_full_disk_with_a_reserve(box: Processes, disk: SmallDisk) -> None:
    a_good_call(box, 1)
    fold_log(box)
    disk.fill()
    with box.call() as caller:
        hears(caller, "greeting")
        box.kill("appliance.main")
        box.start_agent()
        caller.press("22")
        hears(caller, "opening_hours")
    with box.call() as caller:
        hears(caller, "greeting")
        caller.press("0")
        hears(caller, "transferring")
        until(lambda: box.records()[-1].transfer_outcome == "answered")
    until(lambda: len(box.records()) == 3 and all(record.ended_at for record in box.records()))
    until(lambda: box.checks()["store"] == "STO-006")
    assert [record.outcome for record in box.records()] == ["completed", "completed", "operator"]
    assert [record.digits for record in box.records()] == ["", "22", "0"]
    check_recordings(box, disk)
    disk.empty()
    until(lambda: box.checks()["store"] == "")
    a_good_call(box, 4)


def test_what_is_spoken_on_a_full_disk(box: Processes, disk: SmallDisk) -> None:
    """Neither a message nor a complaint is called too short: the caller hears that it cannot be taken, and is led on."""
    a_good_call(box, 1)
    disk.fill()
    with box.call() as caller:
        for keys, name in (("", "greeting"), ("5", "message_instruction"), ("", "message_unavailable")):
            caller.press(keys)
            hears(caller, name)
    with box.call() as caller:
        hears(caller, "greeting")
        for keys, name in (("4", "complaint_menu"), ("1", "complaint_ask_department"), ("#", "complaint_ask_staff")):
            caller.press(keys)
            hears(caller, name)
        caller.press("#")
        hears(caller, "complaint_statement")
        hears(caller, "service_unavailable")
    until(lambda: len(box.records()) == 3 and all(record.ended_at for record in box.records()))
    assert box.messages() == []
    spoken = [recording for recording in box.recordings() if "-s" in recording.recording_id]
    assert [(recording.samples, recording.error) for recording in spoken] == [(0, "No space left on device")]
    check_recordings(box, disk)


def test_killed_on_a_full_disk_without_a_reserve(box: Processes, disk: SmallDisk) -> None:
    """Nothing can be written at all, through three lives of the call agent."""
    a_good_call(box, 1)
    box.kill("appliance.main")
    path_of(box.store).unlink()
    box.store.with_suffix(".db-shm").unlink(missing_ok=True)
    disk.fill()
    box.start_agent()
    assert box.checks()["store"] == "STO-001"
    with box.call() as caller:
        hears(caller, "greeting")
        caller.press("5")
        hears(caller, "message_unavailable")
    box.kill("appliance.main")
    box.start_agent()
    with box.call() as caller:
        hears(caller, "greeting")
        caller.press("0")
        hears(caller, "transferring")
        box.kill("appliance.main")
        box.start_agent()
        disk.empty()
        until(lambda: box.checks()["store"] == "")
    until(lambda: len(box.records()) == 3 and all(record.ended_at for record in box.records()))
    assert [record.digits for record in box.records()] == ["", "5", "0"]
    check_recordings(box, disk)
    assert box.messages() == []
    a_good_call(box, 4)
