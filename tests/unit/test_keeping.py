"""Recordings that have outlived the setting: which go, which never, and what a wrong clock, a full disk or a missing file make of it."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from peewee import Database, OperationalError

from appliance.config import Config
from appliance.store import keeping
from appliance.store.case_tables import Complaint
from appliance.store.database import open_store
from appliance.store.keeping import KeepingError, Retention
from appliance.store.keeping_tables import DeletedRecording, RetentionNight, RetentionSetting
from appliance.store.models import CallRecord, Recording, VoiceMessage
from appliance.system.backup.packing import packed_ever
from appliance.system.backup.places import places_of
from appliance.system.box import Box
from appliance.system.recordings import clock, nights
from appliance.system.recordings.expiry import LEAST_A_NIGHT, Night
from drivers.clock import VirtualClock
from drivers.settings import Paths
from tests.postgresql import TestServer
from tests.small_disk import SmallDisk, small_disk

NOW = datetime(2026, 6, 1, 20, 30, tzinfo=UTC)
"""04:30 in the hospital."""
MONTH = Retention(operator=30, box=30, message=30, only_saved=False)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Database]:
    database = open_store(tmp_path / "careline.db")
    with database.connection_context():
        yield database


@pytest.fixture
def server(postgresql: TestServer) -> Iterator[Database]:
    """A store on PostgreSQL."""
    with postgresql.own_store() as place:
        database = open_store(place)
        with database.connection_context():
            yield database


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "recordings"


def recorded(folder: Path, name: str, days: float, transferred_to: str = "", ended: bool = True) -> Path:
    """A call with a recording, so many days ago."""
    at = NOW - timedelta(days=days)
    CallRecord.create(call_id=name, direction="inbound", group="trunk", channel=1, started_at=at, transferred_to=transferred_to)
    Recording.create(recording_id=name, call=name, path=f"2026/{name}.wav", started_at=at, ended_at=at if ended else None)
    return file_of(folder, name)


def file_of(folder: Path, name: str) -> Path:
    file = folder / "2026" / f"{name}.wav"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(bytes(4096))
    return file


def night(
    store: Database, folder: Path, wanted: Retention = MONTH, now: datetime = NOW, saved: frozenset[str] = frozenset()
) -> RetentionNight:
    return Night(store, folder, saved.__contains__, now).run(wanted)


def left(folder: Path) -> set[str]:
    return {file.stem for file in folder.rglob("*.wav")}


def test_what_is_older_goes_and_is_written_down(store: Database, folder: Path) -> None:
    recorded(folder, "old", 31)
    recorded(folder, "young", 29)
    recorded(folder, "operator", 31, transferred_to="8001")
    done = night(store, folder, Retention(box=30, operator=60, only_saved=False))
    assert left(folder) == {"young", "operator"}
    assert (done.state, done.deleted, done.freed_kb, done.code) == ("done", 1, 4, "")
    row = DeletedRecording.get()
    assert (row.path, row.call, row.kind, row.days, row.was_gone) == ("2026/old.wav", "old", "box", 30, False)
    assert night(store, folder).deleted == 1, "the operator's, now that it may"
    assert night(store, folder).deleted == 0


def test_on_a_server_as_in_a_file(server: Database, folder: Path) -> None:
    for name, days in (("old", 40), ("held", 40), ("young", 5)):
        recorded(folder, name, days)
    recorded(folder, "operator", 40, transferred_to="8001")
    keeping.hold("held", "court", "chen", NOW)
    assert keeping.set_retention(MONTH, "chen", NOW)
    assert clock.doubt(NOW, False)
    done = night(server, folder, Retention(box=30, message=30, only_saved=False))
    assert (done.deleted, left(folder)) == (1, {"held", "young", "operator"})
    assert night(server, folder).deleted == 1
    assert left(folder) == {"held", "young"}


def test_what_never_goes(store: Database, folder: Path) -> None:
    for name in ("held", "complained", "closed"):
        recorded(folder, name, 400)
    recorded(folder, "going_on", 400, ended=False)
    for name, heard in (("unheard", None), ("heard", NOW)):
        at = NOW - timedelta(days=400)
        VoiceMessage.create(call=name, reference=name, path=f"2026/{name}.wav", language="zh", left_at=at, duration_ms=1, heard_at=heard)
        file_of(folder, name)
    for name, state in (("complained", "open"), ("closed", "closed")):
        Complaint.create(number=name, once_key=name, channel="web", call=name, state=state, made_at=NOW, due_at=NOW)
    keeping.hold("held", "court", "chen", NOW)
    night(store, folder)
    assert left(folder) == {"held", "complained", "going_on", "unheard"}
    night(store, folder, Retention())
    assert left(folder) == {"held", "complained", "going_on", "unheard"}


def test_a_hold_that_is_over_keeps_nothing(store: Database, folder: Path) -> None:
    recorded(folder, "held", 400)
    keeping.hold("held", "court", "chen", NOW)
    number = keeping.holds_of("held")[0].id
    for reason, code in (("", "REC-002"), ("over", "")):
        if code:
            with pytest.raises(KeepingError, match=code):
                keeping.end_hold(number, reason, "chen", NOW)
        else:
            assert keeping.end_hold(number, reason, "chen", NOW) == "held"
    with pytest.raises(KeepingError, match="REC-004"):
        keeping.end_hold(number, "again", "chen", NOW)
    assert not keeping.is_held("held")
    night(store, folder)
    assert left(folder) == set()


def test_a_hold_that_comes_while_the_night_works(store: Database, folder: Path) -> None:
    recorded(folder, "first", 50)
    recorded(folder, "second", 40)

    def is_saved(path: str) -> bool:
        if path == "2026/second.wav" and not keeping.is_held("second"):
            keeping.hold("second", "court", "chen", NOW)
        return True

    Night(store, folder, is_saved, NOW).run(Retention(box=30))
    assert left(folder) == {"second"}


def test_what_is_in_no_backup_is_kept_unless_told(store: Database, folder: Path) -> None:
    recorded(folder, "saved", 40)
    recorded(folder, "unsaved", 40)
    done = night(store, folder, Retention(box=30), saved=frozenset({"2026/saved.wav"}))
    assert (left(folder), done.deleted, done.unsaved) == ({"unsaved"}, 1, 1)


def test_no_night_deletes_more_than_a_tenth(store: Database, folder: Path) -> None:
    with store.atomic():
        for number in range(LEAST_A_NIGHT + 20):
            recorded(folder, f"r{number:03}", 400 - number)
    done = night(store, folder)
    assert (done.deleted, done.left) == (LEAST_A_NIGHT, 20)
    assert min(left(folder)) == f"r{LEAST_A_NIGHT:03}", "the oldest went first"


def test_a_file_that_is_gone_already_is_noted_as_gone(store: Database, folder: Path) -> None:
    recorded(folder, "gone", 40).unlink()
    assert night(store, folder).deleted == 1
    assert DeletedRecording.get().was_gone


def test_what_cannot_be_deleted_is_told_and_not_noted_as_deleted(store: Database, folder: Path) -> None:
    file = recorded(folder, "stays", 40)
    file.unlink()
    file.mkdir()  # whoever may delete files, may not delete this so
    recorded(folder, "goes", 39)
    done = night(store, folder)
    assert (done.deleted, done.code) == (1, "REC-011")
    assert "2026/stays.wav" in done.fault
    assert [row.path for row in DeletedRecording.select()] == ["2026/goes.wav"]


@pytest.mark.parametrize("path", ["../careline.db", "/etc/hostname", "2026/../../careline.db", "", "."])
def test_nothing_outside_the_folder_is_touched(store: Database, folder: Path, tmp_path: Path, path: str) -> None:
    folder.mkdir()
    recorded(folder, "x", 40)
    Recording.update(path=path).execute()
    done = night(store, folder)
    assert (done.deleted, done.code) == (0, "REC-011")
    assert (tmp_path / "careline.db").exists()
    assert DeletedRecording.select().count() == 0


def use_up(disk: SmallDisk) -> None:
    """Also what SQLite had reserved for its log. Raises: OperationalError when nothing more can be written."""
    disk.fill()
    while True:
        RetentionNight.create(at=NOW, state="refused", fault="x" * 4000)


def test_a_full_disk_deletes_nothing_that_is_not_noted(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", size_mb=8) as disk:
        database = open_store(disk.folder / "careline.db")
        with database.connection_context():
            recorded(disk.folder / "recordings", "old", 40)
            with pytest.raises(OperationalError):
                use_up(disk)
            with pytest.raises(OperationalError):
                night(database, disk.folder / "recordings")
            assert left(disk.folder / "recordings") == {"old"}
            disk.empty()
            assert night(database, disk.folder / "recordings").deleted == 1


# --- the clock ------------------------------------------------------------------------------------------------------------


def test_a_clock_is_believed_while_it_goes_on_evenly(store: Database) -> None:
    assert clock.doubt(NOW, True) == ""
    assert "nobody has said" in clock.doubt(NOW, False)
    keeping.vouch("chen", NOW)
    assert clock.doubt(NOW + timedelta(hours=24), False) == ""
    RetentionNight.create(at=NOW + timedelta(hours=24), state="done")
    assert clock.doubt(NOW + timedelta(hours=48), False) == ""


@pytest.mark.parametrize("step", [timedelta(days=400), timedelta(days=3), timedelta(days=-4000)])
def test_a_clock_that_jumped_is_not_until_somebody_says_so(store: Database, step: timedelta) -> None:
    keeping.vouch("chen", NOW)
    later = NOW + step
    for hours in (0, 24, 48):  # nor when it has gone on evenly from there
        assert clock.doubt(later + timedelta(hours=hours), False)
        RetentionNight.create(at=later + timedelta(hours=hours), state="refused")
    keeping.vouch("chen", later)
    assert clock.doubt(later + timedelta(hours=24), False) == ""


def box_at(tmp_path: Path, at: datetime) -> Box:
    return Box(Config(paths=Paths(data_dir=str(tmp_path), run_dir=str(tmp_path / "run"))), tmp_path / "careline.toml", VirtualClock(at))


def test_a_night_of_the_box_service(store: Database, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a time server: refused once, vouched for, and done the night after; once a night."""
    monkeypatch.setenv("PATH", os.devnull)
    recorded(folder, "old", 40)
    nights.work(box_at(tmp_path, NOW))
    assert RetentionNight.select().count() == 0, "nothing is set"
    keeping.set_retention(Retention(box=30, only_saved=False), "chen", NOW)
    for _ in range(2):
        nights.work(box_at(tmp_path, NOW))
    assert [(row.state, row.code) for row in RetentionNight.select()] == [("refused", "REC-010")]
    assert left(folder) == {"old"}
    keeping.vouch("chen", NOW + timedelta(hours=4))
    for _ in range(2):
        nights.work(box_at(tmp_path, NOW + timedelta(hours=24)))
    assert [row.state for row in RetentionNight.select().where(RetentionNight.by == "")] == ["refused", "done"]
    assert left(folder) == set()


def test_a_store_that_is_damaged_is_left_for_the_next_night(tmp_path: Path) -> None:
    (tmp_path / "careline.db").write_bytes(b"this is no database, and longer than a header of one is" * 40)
    nights.work(box_at(tmp_path, NOW))


def test_only_in_the_small_hours() -> None:
    zone = places_of(box_at(Path("/nonexistent"), NOW)).zone
    hours = [hour for hour in range(24) if nights.is_night(datetime(2026, 6, 1, hour, tzinfo=UTC), zone)]
    assert hours == [20, 21]


def test_what_was_packed_is_known_by_day(tmp_path: Path) -> None:
    places = places_of(box_at(tmp_path, NOW))
    is_packed = packed_ever(places)
    assert not is_packed("2026/03/08/a.wav")
    index = places.saved / "nas"
    index.mkdir(parents=True)
    (index / "2026-03-08.txt").write_text("2026/03/08/a.wav\tpack-1\nhalf a line")
    is_packed = packed_ever(places)
    assert [is_packed(f"2026/03/08/{name}.wav") for name in ("a", "b")] == [True, False]


# --- the setting ----------------------------------------------------------------------------------------------------------


def test_the_setting_has_its_history_and_comes_back(store: Database) -> None:
    assert not keeping.retention().is_on
    assert not keeping.undo_retention("chen", NOW)
    assert keeping.set_retention(MONTH, "chen", NOW)
    assert not keeping.set_retention(MONTH, "wang", NOW)
    longer = Retention(box=365)
    keeping.set_retention(longer, "wang", NOW)
    assert keeping.undo_retention("li", NOW)
    assert keeping.retention() == MONTH
    assert [row.by for row, _ in keeping.versions()] == ["li", "wang", "chen"]
    RetentionSetting.create(at=NOW, by="an older program", body="nonsense")
    assert not keeping.retention().is_on, "what cannot be read deletes nothing"


def test_a_setting_that_cannot_be_and_a_call_that_is_not_there(store: Database) -> None:
    with pytest.raises(KeepingError, match="REC-001"):
        keeping.set_retention(Retention(box=6), "chen", NOW)
    with pytest.raises(KeepingError, match="REC-003"):
        keeping.hold("nobody", "court", "chen", NOW)
    with pytest.raises(KeepingError, match="REC-002"):
        keeping.hold("nobody", "  ", "chen", NOW)
