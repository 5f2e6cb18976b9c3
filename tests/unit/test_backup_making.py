"""Backups of a small box: made, read back, thinned; what they leave behind when a place is full, slow, cancelled or gone."""

import os
import sqlite3
import threading
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from appliance.system.backup import answering, checking, history, known, making_jobs, naming, targets, telling, words
from appliance.system.backup import messages as asked
from appliance.system.backup.messages import BackupState, BackupVerified, Outcome
from appliance.system.errors import BoxError
from tests.small_disk import small_disk
from tests.unit.backup_rig import SmallBox, quiet_work, silent


@pytest.fixture
def box(tmp_path: Path) -> SmallBox:
    made = SmallBox(tmp_path)
    made.fill()
    made.set_up()
    return made


def make(box: SmallBox, recordings: bool = False) -> str:
    return making_jobs.by_hand(box.box, "disk", "ann", recordings, None).result(60).name


def state(box: SmallBox) -> BackupState:
    return telling.state(box.box, asked.AskBackupState(), silent)


def names(box: SmallBox) -> set[str]:
    return {path.name for path in box.away.iterdir()}


def verified(box: SmallBox, name: str) -> BackupVerified:
    found = answering.check(box.box, asked.VerifyBackup(target="disk", name=name), silent)
    assert isinstance(found, BackupVerified)
    return found


def test_a_backup_is_made_and_proves_well(box: SmallBox) -> None:
    name = make(box)
    assert name == f"careline-{box.places.box}-20261123T040000Z-by-hand.age"
    found = verified(box, name)
    assert found.about.counts["call_record"] == 40
    assert found.about.database == "sqlite"
    assert found.parts >= 7
    told = state(box)
    assert told.last_good_at == box.clock.now()
    assert [(entry.outcome, entry.by, entry.name) for entry in told.history] == [(Outcome.GOOD, "ann", name)]
    assert not list((box.data / "backup-work").rglob("*")) or not (box.data / "backup-work" / "store").exists()


def test_the_store_is_as_of_one_moment_while_it_is_written(box: SmallBox) -> None:
    """Large enough that its copy takes several steps."""
    stop = threading.Event()
    with closing(sqlite3.connect(box.data / "careline.db")) as database, database:
        for table in ("pair_a", "pair_b"):
            database.execute(f"create table {table} (id integer primary key, text text)")
            database.executemany(f"insert into {table} (text) values (?)", (("y" * 1000,) for _ in range(8_000)))
    thread = threading.Thread(target=_write_pairs, args=(box.data / "careline.db", stop))
    thread.start()
    try:
        found = [make(box) for _ in range(3)]
    finally:
        stop.set()
        thread.join(20)
    for name in found:
        assert verified(box, name).about.counts["pair_a"] == verified(box, name).about.counts["pair_b"]


def _write_pairs(store: Path, stop: threading.Event) -> None:
    with closing(sqlite3.connect(store, timeout=10)) as database:
        while not stop.wait(0.001):
            for table in ("pair_a", "pair_b"):
                database.execute(f"insert into {table} (text) values (?)", ("x" * 500,))
            database.commit()


def test_without_keys_they_are_not_in_it(box: SmallBox, tmp_path: Path) -> None:
    box.set_up(keys=False)
    name = make(box)
    parts = _parts(box, name)
    assert "data/web-secret" not in parts
    assert not [part for part in parts if part.endswith("words.json")]
    assert {"data/lines.toml", "data/music/own.wav", "config/careline.toml", "database/careline.db"} <= parts


def _parts(box: SmallBox, name: str) -> set[str]:
    kept = words.known(box.places.words)
    assert kept is not None
    with (box.away / name).open("rb") as file:
        _, parts = checking.verify(file, 1, kept.words, box.places.work / "shadow", quiet_work())
    return {part.name for part in parts}


def test_old_ones_are_removed_only_after_a_good_one(box: SmallBox) -> None:
    box.set_up(keep_by_hand=2)
    made = []
    for _ in range(4):
        made.append(make(box))
        box.clock._ns += 3_600 * 10**9  # an hour
    assert names(box) == set(made[-2:])


def test_two_in_the_same_second_have_two_names(box: SmallBox) -> None:
    assert len({make(box), make(box)}) == 2


def test_a_full_place_leaves_the_older_ones(box: SmallBox, tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", 2) as disk:
        box.target = asked.Target(name="disk", kind=asked.TargetKind.FOLDER, path=str(disk.folder / "b"))
        box.set_up()
        first = make(box)
        disk.fill()
        with pytest.raises(BoxError, match="SYS-105"):
            make(box)
        assert {path.name for path in (disk.folder / "b").iterdir()} == {first}
        assert state(box).history[0].outcome is Outcome.FAILED
        assert state(box).last_good_at == box.clock.now()
        assert verified(box, first).parts


def test_a_place_that_becomes_full_while_it_is_written_leaves_the_older_ones(
    box: SmallBox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look for room before it is made says there is enough."""
    with small_disk(tmp_path / "small", 1) as disk:
        box.target = asked.Target(name="disk", kind=asked.TargetKind.FOLDER, path=str(disk.folder))
        box.set_up()
        first = make(box)
        (box.data / "music" / "noise.wav").write_bytes(os.urandom(2 << 20))
        monkeypatch.setattr("appliance.system.backup.making.SHRINKS_TO", 0.0)
        with pytest.raises(BoxError, match="SYS-105"):
            make(box)
        assert {path.name for path in disk.folder.iterdir()} == {first}


def test_what_an_interrupted_one_left_is_removed_by_the_next(box: SmallBox) -> None:
    box.away.mkdir()
    left = box.away / f"careline-{box.places.box}-20261122T040000Z-nightly.age.partial"
    others = box.away / "careline-other-20261122T040000Z-nightly.age.partial"
    left.write_bytes(b"half")
    others.write_bytes(b"of another box")
    assert names(box) == {left.name, others.name}
    name = make(box)
    assert names(box) == {name, others.name}


def test_a_cancelled_one_leaves_nothing(box: SmallBox) -> None:
    (box.data / "music" / "long.wav").write_bytes(b"\0" * (64 << 20))
    steps: list[str] = []

    def tell(percent: int, step: str) -> None:
        steps.append(step)
        if step == "writing" and percent > 36 and "cancelled" not in steps:
            steps.append("cancelled")
            answering.cancel(box.box, asked.CancelBackupJob(), silent)

    with pytest.raises(BoxError, match="SYS-117"):
        making_jobs.by_hand(box.box, "disk", "ann", False, tell).result(60)
    assert names(box) == set()
    assert state(box).history[0].outcome is Outcome.CANCELLED
    assert state(box).job.outcome is Outcome.CANCELLED  # type: ignore[union-attr]  # there was one
    with pytest.raises(BoxError, match="SYS-117"):
        answering.cancel(box.box, asked.CancelBackupJob(), silent)


def test_one_job_at_a_time(box: SmallBox) -> None:
    goes_on = threading.Event()
    desk = known.desk(box.box)
    first = desk.start(asked.JobKind.VERIFY, "disk", "", "ann", lambda work: goes_on.wait(20))
    with pytest.raises(BoxError, match="SYS-100"):
        making_jobs.by_hand(box.box, "disk", "ann", False, None)
    goes_on.set()
    assert first.result(20)


def test_health_is_told(box: SmallBox) -> None:
    make(box)
    box.set_up(nightly=True, nightly_to=("disk",))
    answering.set_settings(
        box.box,
        asked.SetBackupSettings(settings=known.settings_of(box.box), revision=2, by="ann"),
        silent,
    )
    found = history.read_brief(box.data)
    assert found is not None
    assert found.expected
    assert found.last_good_at == box.clock.now()
    assert found.next_at == box.clock.now().replace(hour=18, minute=30)  # half past two in Shanghai


def test_a_share_that_is_not_mounted_is_no_place(box: SmallBox) -> None:
    box.target = asked.Target(name="disk", kind=asked.TargetKind.SHARE, path=str(box.root))
    box.set_up()
    with pytest.raises(BoxError, match="SYS-128"):
        make(box)


def test_recordings_are_packed_once(box: SmallBox) -> None:
    for number in range(5):
        box.add_recording(f"2026/11/2{number % 2}/call-{number}.wav", b"sound %d" % number)
    box.add_recording("2026/11/23/running.wav", age_s=10.0)
    first = making_jobs.by_hand(box.box, "disk", "ann", True, None).result(60)
    assert first.recordings == 5
    box.clock._ns += 3_600 * 10**9
    second = making_jobs.by_hand(box.box, "disk", "ann", True, None).result(60)
    assert second.recordings == 1, "the one that ran then"
    for path in (box.data / "recordings").rglob("*.wav"):
        path.unlink()
    kept = words.known(box.places.words)
    assert kept is not None
    found = answering.recordings(box.box, asked.RestoreRecordings(target="disk"), silent)
    assert isinstance(found, asked.RecordingsRestored)
    assert found.recordings == 6
    assert (box.data / "recordings/2026/11/21/call-3.wav").read_bytes() == b"sound 3"


def test_a_recording_that_the_store_knows_as_ended_is_packed_at_once(box: SmallBox) -> None:
    ends = box.clock.now() - timedelta(seconds=5)
    for name, ended_at, error in (("ended", ends, ""), ("running", None, ""), ("unknown", ends, "it is not known how")):
        path = f"2026/11/23/{name}.wav"
        box.add_recording(path, name.encode(), age_s=5.0)
        box.add_ended(path, ended_at, error)
    assert making_jobs.by_hand(box.box, "disk", "ann", True, None).result(60).recordings == 1
    box.clock._ns += 300 * 10**9
    assert making_jobs.by_hand(box.box, "disk", "ann", True, None).result(60).recordings == 2


def test_recordings_are_packed_again_when_their_pack_is_gone(box: SmallBox) -> None:
    box.add_recording("2026/11/20/one.wav")
    making_jobs.by_hand(box.box, "disk", "ann", True, None).result(60)
    with targets.opened(box.target, box.places) as shelf:
        for pack in naming.packs_among(shelf.list()):
            shelf.remove(pack.name)
    box.clock._ns += 10**9 * int(timedelta(hours=1).total_seconds())
    assert making_jobs.by_hand(box.box, "disk", "ann", True, None).result(60).recordings == 1
