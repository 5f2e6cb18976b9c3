"""The real box: backed up while callers are led, restored in an empty folder: the same content, the same prompts heard. And the box service
killed while it backs up and while it restores.
"""

import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from appliance.ivr.prompts.library import PromptLibrary
from appliance.store.database import connect, open_store
from appliance.store.models import CallRecord, database
from appliance.system.backup import logical
from appliance.system.backup.messages import (
    AskBackupState,
    BackupMade,
    BackupRestored,
    BackupState,
    BackupVerified,
    MakeBackup,
    RestoreBackup,
    RestorePhase,
    UndoRestore,
    VerifyBackup,
)
from drivers.errors import CarelineError
from tests.scenarios.backup_rig import AGENT, LINE_SERVER, SERVICE, RealBox, hears, until
from tests.scenarios.hotline_rig import fill
from tests.unit.booking_rig import ledger_balances

CALLERS = 3
BETWEEN_S = 0.3
"""Between two backups while calls run: a fast machine would make more than are kept."""
KILLS = 6


@pytest.fixture
def box(folder: Path) -> Iterator[RealBox]:
    """With a hospital in its store and a prompt of its own."""
    made = RealBox(folder / "box", folder / "away")
    opened = open_store(made.data / "careline.db")
    with database.atomic():
        fill(4)
    opened.close()
    own = made.data / "prompts" / "zh"
    own.mkdir(parents=True)
    (own / "of_our_own-1.wav").write_bytes(PromptLibrary().path("greeting", "zh").read_bytes())
    yield made
    made.stop()


@pytest.fixture
def empty(folder: Path) -> Iterator[RealBox]:
    made = RealBox(folder / "empty", folder / "away")
    yield made
    made.stop()


def records(box: RealBox) -> int:
    """Calls that are over and written down."""
    with closing(connect(box.data / "careline.db", read_only=True)) as opened, opened.bind_ctx([CallRecord]):
        return CallRecord.select().where(CallRecord.ended_at.is_null(False)).count()


def a_call(box: RealBox, number: int) -> None:
    with box.call(f"1380013{number:04}") as caller:
        hears(caller, PromptLibrary().path("greeting", "zh"))
        caller.press("0")
        hears(caller, PromptLibrary().path("transferring", "zh"))


def backed_up(box: RealBox) -> BackupMade:
    with box.service() as client:
        return client.ask(MakeBackup(target="disk", by="test"), BackupMade)


def test_backed_up_while_calls_run_and_restored_on_an_empty_box(box: RealBox, empty: RealBox) -> None:
    for module in (LINE_SERVER, AGENT, SERVICE):
        box.start(module)
    words = box.set_up()
    during = _while_calls_run(box)
    assert {made.name for made in during} <= {path.name for path in box.away.iterdir()}
    until(lambda: records(box) == CALLERS)
    box.kill(AGENT)
    before = logical.of_box(box.data / "careline.db", box.data)
    last = backed_up(box)
    with box.service() as client:
        for made in (*during, last):
            assert client.ask(VerifyBackup(target="disk", name=made.name), BackupVerified).parts
    empty.start(SERVICE)
    with empty.service() as client:
        restored = client.ask(RestoreBackup(path=str(box.away / last.name), words=words, by="test"), BackupRestored)
    assert restored.about.counts["call_record"] == CALLERS
    assert _without_recordings(box) == _without_recordings(empty)
    assert logical.of_box(box.data / "careline.db", box.data) == before
    _is_a_working_hospital(empty)


def _while_calls_run(box: RealBox) -> list[BackupMade]:
    calling = threading.Thread(target=_call_after_call, args=(box,))
    calling.start()
    made = [backed_up(box)]
    while calling.is_alive():
        calling.join(BETWEEN_S)
        made.append(backed_up(box))
    return made


def _call_after_call(box: RealBox) -> None:
    for number in range(CALLERS):
        a_call(box, number)


def _without_recordings(box: RealBox) -> dict[str, str]:
    folders = {name: each for name, each in logical.of_folders(box.data).items() if name != "recordings"}
    return {**logical.of_store(box.data / "careline.db"), **folders}


def _is_a_working_hospital(box: RealBox) -> None:
    """Balances add up, and a caller hears the prompts."""
    with closing(connect(box.data / "careline.db", read_only=True)) as opened:
        database.initialize(opened)
        assert ledger_balances()
    for module in (LINE_SERVER, AGENT):
        box.start(module)
    a_call(box, 99)
    until(lambda: records(box) == CALLERS + 1)


def test_killed_while_it_backs_up(box: RealBox) -> None:
    box.start(SERVICE)
    box.set_up()
    good = {backed_up(box).name}
    long_s = _lasts_s(box)
    good = {path.name for path in box.away.iterdir()}
    chance = random.Random(5)
    for _ in range(KILLS):
        _in_the_background(box, MakeBackup(target="disk", by="test"))
        time.sleep(chance.uniform(0.0, long_s))
        box.kill(SERVICE)
        assert good <= {path.name for path in box.away.iterdir()}
        box.start(SERVICE)
    good.add(backed_up(box).name)
    assert not [path for path in box.away.iterdir() if path.name.endswith(".partial")]
    with box.service() as client:
        for path in box.away.iterdir():
            assert client.ask(VerifyBackup(target="disk", name=path.name), BackupVerified).parts


def _lasts_s(box: RealBox) -> float:
    begun_s = time.monotonic()
    backed_up(box)
    return time.monotonic() - begun_s


def _in_the_background(box: RealBox, asked: MakeBackup | RestoreBackup) -> None:
    """It goes on in the service when the client has left."""

    def ask() -> None:
        try:
            with box.service() as client:
                client.do(asked)
        except CarelineError:
            return  # the service was killed

    threading.Thread(target=ask, daemon=True).start()


def test_killed_while_it_restores(box: RealBox, empty: RealBox) -> None:
    box.start(SERVICE)
    words = box.set_up()
    wanted = _without_recordings(box)
    file = box.away / backed_up(box).name
    empty.start(SERVICE)
    asked = RestoreBackup(path=str(file), words=words, by="test")
    chance = random.Random(7)
    lasting_s, seen = _restored_s(empty, asked), set()
    for place in range(KILLS):
        _in_the_background(empty, asked)
        time.sleep(lasting_s * (place + chance.random()) / KILLS)
        empty.kill(SERVICE)
        empty.start(SERVICE)
        until(lambda: _phase(empty) is not RestorePhase.SWAPPING)
        if _phase(empty) is RestorePhase.UNCONFIRMED:
            assert _without_recordings(empty) == wanted
            with empty.service() as client:
                client.do(UndoRestore(by="test"))
            seen.add("new")
        else:
            seen.add("old")
        assert not (empty.data / "careline.db").exists(), "it was empty before"
    assert "old" in seen


def _restored_s(box: RealBox, asked: RestoreBackup) -> float:
    begun_s = time.monotonic()
    with box.service() as client:
        client.ask(asked, BackupRestored)
        lasted_s = time.monotonic() - begun_s
        client.do(UndoRestore(by="test"))
    return lasted_s


def _phase(box: RealBox) -> RestorePhase:
    with box.service() as client:
        return client.ask(AskBackupState(), BackupState).restore


def test_a_call_agent_that_works_is_stopped_and_started(box: RealBox) -> None:
    for module in (LINE_SERVER, AGENT, SERVICE):
        box.start(module)
    words = box.set_up()
    file = box.away / backed_up(box).name
    with box.service() as client:
        client.ask(RestoreBackup(path=str(file), words=words, by="test"), BackupRestored)
    box.reap_agent()
    assert (box.folder / "agent.wanted").exists()
    box.start(AGENT)
    a_call(box, 1)


def test_a_backup_is_proved_without_any_service(box: RealBox) -> None:
    box.start(SERVICE)
    words = box.set_up()
    file = box.away / backed_up(box).name
    command = [sys.executable, "-m", "appliance.system.backup", "verify", str(file)]
    done = subprocess.run(command, input=words.lower(), text=True, capture_output=True, timeout=60, check=False)
    assert (done.returncode, "well" in done.stdout) == (0, True), done.stderr
    wrong = subprocess.run(command, input="AAAA", text=True, capture_output=True, timeout=60, check=False)
    assert (wrong.returncode, "SYS-110" in wrong.stderr) == (1, True)
