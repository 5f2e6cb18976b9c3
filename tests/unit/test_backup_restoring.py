"""Restoring: the same content on an empty box and on one in use, the way back, what is refused, and death at every step."""

import os
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from appliance.store import migrations
from appliance.system.backup import answering, logical, messages, swap, words
from appliance.system.backup.messages import RestorePhase
from appliance.system.errors import BoxError
from tests.unit.backup_rig import PARTS, SmallBox, backup, bound, content, fake_systemctl, in_use, phase, restore, silent

NOBODY = 65534


@pytest.fixture
def systemctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A systemd at the wire: four services of ours run, and what is done to them is written down. Its log."""
    log, programs = fake_systemctl(tmp_path)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return log


@pytest.fixture
def old(tmp_path: Path, systemctl: Path) -> SmallBox:
    """The box that was."""
    box = SmallBox(tmp_path / "old")
    box.fill()
    box.set_up()
    return box


@pytest.fixture
def new(tmp_path: Path, systemctl: Path) -> SmallBox:
    """Another one, in use a little."""
    return in_use(tmp_path / "new")


def test_the_same_content_on_an_empty_box(old: SmallBox, tmp_path: Path) -> None:
    before = logical.of_box(old.places.store, old.data)
    file, said = backup(old)
    empty = SmallBox(tmp_path / "empty")
    found = restore(empty, file, said.lower())
    assert found.about.counts["call_record"] == 40
    assert logical.of_box(empty.places.store, empty.data) == before
    assert empty.contents() == {**old.contents(), "careline.toml.restored": old.file.read_bytes()}
    assert found.configuration_beside == str(empty.data / "careline.toml.restored")
    kept = words.known(empty.places.words)
    assert kept is not None
    assert kept.words == said, "older backups open with them, too"


def test_services_stop_before_and_start_after(old: SmallBox, new: SmallBox, systemctl: Path) -> None:
    restore(new, *backup(old))
    order = ["health", "web", "calls", "lines"]
    stops = [f"stop careline-{name}.service" for name in order]
    assert systemctl.read_text().splitlines() == [*stops, *(line.replace("stop", "start") for line in reversed(stops))]


def test_a_folder_bound_from_beside_the_data_is_exchanged_and_given_back(old: SmallBox, new: SmallBox) -> None:
    file, said = backup(old)
    beside = new.root / "of root"
    with bound(new, beside):
        as_it_was = content(new)
        restore(new, file, said)
        assert content(new)["call_record"] == content(old)["call_record"]
        assert (new.data / "system/backup/settings.toml").read_bytes() == (old.data / "system/backup/settings.toml").read_bytes()
        assert not (beside / "extra.toml").exists()
        assert (beside / "update/state.json").read_bytes() == b"{}"
        answering.undo(new.box, messages.UndoRestore(by="bob"), silent)
        assert content(new) == as_it_was
        assert phase(new) is RestorePhase.NONE


def test_a_mount_of_another_disk_is_refused_before_a_service_stops(old: SmallBox, new: SmallBox, systemctl: Path) -> None:
    file, said = backup(old)
    before = content(new)
    subprocess.run(["mount", "-t", "tmpfs", "none", new.data / "system"], check=True)
    try:
        with pytest.raises(BoxError, match="SYS-116"):
            restore(new, file, said)
        assert not systemctl.exists() or systemctl.read_text() == ""
        assert phase(new) is RestorePhase.NONE
    finally:
        subprocess.run(["umount", new.data / "system"], check=True)
    assert content(new) == before


def test_on_a_box_in_use_recordings_and_the_reserve_stay(old: SmallBox, new: SmallBox) -> None:
    restore(new, *backup(old))
    assert (new.data / "recordings/2026/11/23/new-call.wav").read_bytes() == b"new"
    assert (new.data / "careline.reserve").exists()
    assert not (new.data / "system/extra.toml").exists()
    assert (new.data / "system/update/state.json").read_bytes() == b"{}", "which slot is good is of the machine"
    assert (new.data / "lines.toml").read_bytes() == (old.data / "lines.toml").read_bytes()
    assert phase(new) is RestorePhase.UNCONFIRMED


def test_keys_that_the_backup_lacks_stay(old: SmallBox, new: SmallBox) -> None:
    old.set_up(keys=False)
    certificate = new.data / "system" / "tls" / "web.crt"
    certificate.parent.mkdir()
    certificate.write_bytes(b"of this machine")
    restore(new, *backup(old))
    assert certificate.read_bytes() == b"of this machine"
    assert (new.data / "web-secret").read_bytes() == PARTS["web-secret"]
    mine, theirs = words.known(new.places.words), words.known(old.places.words)
    assert mine is not None
    assert theirs is not None
    assert mine.words == theirs.words


def test_what_is_restored_belongs_to_the_services(old: SmallBox, tmp_path: Path) -> None:
    """The box service is root, they are not; the data folder's owner tells who they are. Run by root, as the box service is."""
    empty = SmallBox(tmp_path / "empty")
    os.chown(empty.data, NOBODY, NOBODY)
    empty.data.chmod(0o2770)
    restore(empty, *backup(old))
    for name in ("careline.db", "calls.lock", "music"):
        found = (empty.data / name).stat()
        assert (found.st_uid, found.st_gid, found.st_mode & 0o660) == (NOBODY, NOBODY, 0o660), name
    assert (empty.data / "system" / "backup" / "words.json").stat().st_mode & 0o777 == 0o600


def test_undone_it_is_as_before(old: SmallBox, new: SmallBox) -> None:
    before = content(new)
    restore(new, *backup(old))
    assert content(new) != before
    answering.undo(new.box, messages.UndoRestore(by="bob"), silent)
    assert content(new) == before
    assert phase(new) is RestorePhase.NONE
    assert not (new.data / ".restore").exists()


def test_confirmed_the_old_data_are_gone(old: SmallBox, new: SmallBox) -> None:
    file, said = backup(old)
    restore(new, file, said)
    with pytest.raises(BoxError, match="SYS-119"):
        restore(new, file, said)
    answering.confirm(new.box, messages.ConfirmRestore(by="bob"), silent)
    assert not (new.data / ".restore").exists()
    assert phase(new) is RestorePhase.NONE
    with pytest.raises(BoxError, match="SYS-119"):
        answering.undo(new.box, messages.UndoRestore(by="bob"), silent)


def test_careline_toml_of_the_same_folders_is_taken_and_given_back(old: SmallBox) -> None:
    old.file.write_text(old.file.read_text() + '[hospital]\nname_zh = "一"\n')
    first = old.file.read_text()
    file, said = backup(old)
    old.file.write_text(first.replace("一", "二"))
    found = restore(old, file, said)
    assert found.configuration_beside == ""
    assert old.file.read_text() == first
    answering.undo(old.box, messages.UndoRestore(by="bob"), silent)
    assert old.file.read_text() == first.replace("一", "二")


def _spoil_words(file: Path, said: str) -> tuple[Path, str]:
    return file, words.new_words()


def _mistype(file: Path, said: str) -> tuple[Path, str]:
    return file, said[:-1] + ("2" if said[-1] != "2" else "3")


def _cut(file: Path, said: str) -> tuple[Path, str]:
    file.write_bytes(file.read_bytes()[:-1])
    return file, said


def _change(file: Path, said: str) -> tuple[Path, str]:
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 1
    file.write_bytes(raw)
    return file, said


def _other_file(file: Path, said: str) -> tuple[Path, str]:
    file.write_bytes(b"RIFF" + bytes(1000))
    return file, said


@pytest.mark.parametrize(
    ("spoil", "code"),
    [(_spoil_words, "SYS-111"), (_mistype, "SYS-110"), (_cut, "SYS-109"), (_change, "SYS-109"), (_other_file, "SYS-108")],
)
def test_what_cannot_be_restored_changes_nothing(
    spoil: Callable[[Path, str], tuple[Path, str]], code: str, old: SmallBox, new: SmallBox, systemctl: Path
) -> None:
    before = content(new)
    with pytest.raises(BoxError, match=code):
        restore(new, *spoil(*backup(old)))
    assert content(new) == before
    assert not (new.data / ".restore").exists()
    assert not systemctl.exists(), "no service was stopped"


def test_a_newer_store_is_refused_before_it_is_unpacked(old: SmallBox, new: SmallBox, monkeypatch: pytest.MonkeyPatch) -> None:
    file, said = backup(old)
    monkeypatch.setattr(migrations, "STEPS", migrations.STEPS[:-1])
    with pytest.raises(BoxError, match=r"SYS-112.*[Uu]pgrade"):
        restore(new, file, said)


def test_an_older_store_is_brought_forward(old: SmallBox, tmp_path: Path) -> None:
    """As a program of two versions ago left it: without what the last steps made."""
    with closing(sqlite3.connect(old.data / "careline.db")) as store, store:
        store.execute("drop table outgoing_message")
        store.execute(f"update schema_version set version = {migrations.STEPS.index(migrations._one_way_out)}")
    empty = SmallBox(tmp_path / "empty")
    restore(empty, *backup(old))
    with closing(sqlite3.connect(empty.data / "careline.db")) as store:
        assert store.execute("select version from schema_version").fetchone() == (len(migrations.STEPS),)
        assert store.execute("select count(*) from outgoing_message").fetchone() == (0,)
        assert store.execute("select count(*) from call_record").fetchone() == (40,)


def test_while_a_call_agent_works_nothing_is_exchanged(old: SmallBox, new: SmallBox, systemctl: Path) -> None:
    before = content(new)
    with swap.alone(new.places), pytest.raises(BoxError, match="SYS-118"):
        restore(new, *backup(old))
    assert content(new) == before
    assert systemctl.read_text().splitlines()[-1] == "start careline-health.service", "what was stopped runs again"
    assert phase(new) is RestorePhase.NONE
