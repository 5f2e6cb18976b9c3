"""A box whose store is on a PostgreSQL server: backed up, restored over another store, undone."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.store.database import open_store
from appliance.system.backup import answering, logical, messages
from appliance.system.backup.messages import BackupVerified, RestorePhase
from appliance.system.errors import BoxError
from tests.postgresql import TestServer, toml_of
from tests.unit.backup_rig import SmallBox, backup, fake_systemctl, phase, restore, silent


@pytest.fixture(autouse=True)
def systemctl(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{fake_systemctl(folder)[1]}:{os.environ['PATH']}")


@pytest.fixture
def old(postgresql: TestServer, folder: Path) -> Iterator[SmallBox]:
    with postgresql.own_store() as place:
        box = SmallBox(folder / "old", toml_of(place))
        box.fill()
        box.set_up()
        yield box


@pytest.fixture
def new(postgresql: TestServer, folder: Path) -> Iterator[SmallBox]:
    with postgresql.own_store() as place:
        box = SmallBox(folder / "new", toml_of(place))
        box.fill(calls=3)
        yield box


def test_restored_over_another_store_and_undone(old: SmallBox, new: SmallBox) -> None:
    file, words = backup(old)
    name = file.name
    found = answering.check(old.box, messages.VerifyBackup(target="disk", name=name), silent)
    assert isinstance(found, BackupVerified)
    assert found.about.database == "postgresql"
    wanted, before = logical.of_store(old.places.store), logical.of_store(new.places.store)
    assert wanted != before
    restore(new, file, words)
    assert logical.of_store(new.places.store) == wanted
    open_store(new.places.store).close()
    assert logical.of_store(new.places.store) == wanted, "the call agent finds nothing to do to it"
    answering.undo(new.box, messages.UndoRestore(by="bob"), silent)
    assert logical.of_store(new.places.store) == before
    assert phase(new) is RestorePhase.NONE


def test_a_backup_of_the_other_kind_of_store_is_refused(old: SmallBox, folder: Path) -> None:
    file, words = backup(old)
    with pytest.raises(BoxError, match="SYS-115"):
        restore(SmallBox(folder / "file"), file, words)


def test_a_dump_that_cannot_be_restored_leaves_the_store_as_it_was(old: SmallBox, new: SmallBox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server says no in the middle of it: the transaction has nothing of it."""
    file, words = backup(old)
    before = logical.of_store(new.places.store)
    monkeypatch.setattr("appliance.system.backup.pg_exchange.EMPTY", "drop table posting cascade; select nonsense")
    with pytest.raises(BoxError, match="SYS-114"):
        restore(new, file, words)
    assert logical.of_store(new.places.store) == before
    assert phase(new) is RestorePhase.NONE
    assert not (new.data / ".restore").exists()
