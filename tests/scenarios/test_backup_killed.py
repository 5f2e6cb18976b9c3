"""Death at every step of a restoring: the box is the old one or the new one at its next start, and the way back works from there."""

import os
import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing, nullcontext
from functools import partial
from pathlib import Path
from typing import Literal

import pytest

from appliance.system.backup import restoring
from appliance.system.backup.messages import RestorePhase
from tests.unit.backup_rig import PARTS, SmallBox, backup, bound, content, fake_systemctl, in_use, phase, quiet_work, restore

DIED = 9


@pytest.fixture(autouse=True)
def systemctl(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A systemd at the wire."""
    monkeypatch.setenv("PATH", f"{fake_systemctl(folder)[1]}:{os.environ['PATH']}")


@pytest.fixture
def old(folder: Path) -> SmallBox:
    """The box that was."""
    box = SmallBox(folder / "old")
    box.fill()
    box.set_up()
    return box


@pytest.fixture
def new(folder: Path) -> SmallBox:
    return in_use(folder / "new")


def die_at(number: int, act: Callable[[], object]) -> bool:
    """`act` in a child that ends, as by SIGKILL, just before it asks the system for the `number`th time. False: it came to its end."""
    child = os.fork()
    if child == 0:
        left = [number]

        def hook(event: str, arguments: tuple[object, ...]) -> None:
            if event.partition(".")[0] in ("os", "open", "shutil", "subprocess", "sqlite3", "fcntl"):
                left[0] -= 1
                if left[0] < 0:
                    os._exit(DIED)

        try:
            sys.addaudithook(hook)
            act()
            os._exit(0)
        except BaseException as fault:
            os.write(2, f"{fault!r}\n".encode())
            os._exit(1)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, DIED), f"the child failed with {code}"
    return code == DIED


@pytest.mark.parametrize("system", ["a folder", "bound from beside"])
def test_killed_anywhere_while_data_are_exchanged_it_is_the_old_or_the_new(
    old: SmallBox, new: SmallBox, folder: Path, system: Literal["a folder", "bound from beside"]
) -> None:
    file, said = backup(old)
    before = content(new)
    asked = _prepared(new, file, said)
    arranged = nullcontext if system == "a folder" else partial(bound, new, new.root / "of root")
    with arranged():
        pass  # what lies beside stays there
    begin = _kept(new, folder / "begin")

    def once(number: int) -> tuple[bool, str]:
        with arranged():
            died = die_at(number, lambda: restoring._exchange(new.places, asked, quiet_work()))
            return died, _outcome(new, before)

    outcomes, number = [], 0
    while (found := once(number))[0]:
        outcomes.append(found[1])
        begin()
        number += 1
    assert found[1] == "new", "as it goes when nobody dies"
    assert outcomes == sorted(outcomes, reverse=True), "first the old, from some step on the new"
    assert {"old", "new"} == set(outcomes)
    assert number > 50


def _outcome(box: SmallBox, before: dict[str, object]) -> str:
    """After the next start: old or new; and undone it is the old."""
    restoring.finish(box.places)
    found = content(box)
    assert "call_record" in found
    if phase(box) is RestorePhase.NONE:
        assert found == before
        return "old"
    assert found["lines.toml"] == PARTS["lines.toml"]
    assert {name: found.get(name) for name in PARTS} == PARTS
    with closing(sqlite3.connect(box.data / "careline.db")) as store:
        assert store.execute("select count(*) from call_record").fetchone() == (40,)
    restoring.undo(box.places, "bob", quiet_work())
    assert content(box) == before
    return "new"


def _kept(box: SmallBox, copy: Path) -> Callable[[], None]:
    """Makes the box as it is now, as often as wanted."""
    shutil.copytree(box.root, copy, symlinks=True)

    def again() -> None:
        shutil.rmtree(box.root)
        shutil.copytree(copy, box.root, symlinks=True)

    return again


def _prepared(box: SmallBox, file: Path, said: str) -> restoring.Asked:
    asked = restoring.Asked(name=file.name, size=1, words=said, by="bob", at=box.clock.now(), configuration=False)
    with file.open("rb") as opened:
        restoring._prepare(box.places, asked, opened, quiet_work())
    return asked


def test_killed_anywhere_while_it_is_undone_it_is_the_new_or_the_old(old: SmallBox, new: SmallBox, folder: Path) -> None:
    before = content(new)
    restore(new, *backup(old), configuration=False)
    restored = content(new)
    begin = _kept(new, folder / "begin")
    outcomes, number = set(), 0
    while die_at(number, lambda: restoring.undo(new.places, "bob", quiet_work())):
        restoring.finish(new.places)
        is_back = phase(new) is RestorePhase.NONE
        assert content(new) == (before if is_back else restored), f"halves after {number} steps"
        outcomes.add(is_back)
        begin()
        number += 2
    assert outcomes == {True, False}


def test_killed_anywhere_before_nothing_has_changed(old: SmallBox, folder: Path) -> None:
    file, said = backup(old)
    box = in_use(folder / "new")
    before = content(box)
    for number in range(1, 200, 23):
        die_at(number, lambda: _prepared(box, file, said))
        restoring.finish(box.places)
        assert content(box) == before
        assert not (box.data / ".restore").exists()
