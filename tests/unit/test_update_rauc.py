"""Updates with RAUC itself: what is taken and refused, what is written where, how a version proves itself and how the box goes back."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from appliance.config import Config
from appliance.store import migrations
from appliance.system.box import Box
from appliance.system.errors import BoxError
from appliance.system.update import actions, bundles, rauc, restart, state
from appliance.system.update.install import COPYING, Installation, interrupted
from appliance.system.update.messages import AskUpdate, Event, InstallUpdate, Job, RestartWhenQuiet, UpdateTold
from appliance.system.update.proof import KEEP, RESTART, Proof
from drivers.clock import RealClock
from drivers.settings import Paths
from tests.unit.rauc_rig import Rig


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    """Bundles of it are made once."""
    rig = Rig(tmp_path_factory.mktemp("rauc"))
    for version in ("1.1", "0.9"):
        rig.bundle(version)
    rig.bundle("1.2", name="foreign", keys="other-keys")
    whole = (rig.folder / "1.1.raucb").read_bytes()
    (rig.folder / "cut.raucb").write_bytes(whole[: len(whole) // 2])
    (rig.folder / "changed.raucb").write_bytes(whole[:50_000] + b"x" + whole[50_001:])
    return rig


@pytest.fixture
def rig(made: Rig, tmp_path: Path) -> Rig:
    """A box in slot A, with version 1.0."""
    fresh = Rig(tmp_path)
    for name in ("keys", *(path.name for path in made.folder.glob("*.raucb"))):
        (tmp_path / name).symlink_to(made.folder / name)
    return fresh


@pytest.fixture
def served(rig: Rig) -> Iterator[Rig]:
    with rig.serving():
        yield rig


def box(rig: Rig) -> Box:
    paths = Paths(run_dir=str(rig.places.run), data_dir=str(rig.places.data))
    return Box(Config(paths=paths), rig.folder / "careline.toml", RealClock())


def install(rig: Rig, name: str, *, older: bool = False) -> list[tuple[int, str]]:
    told: list[tuple[int, str]] = []
    asked = InstallUpdate(bundle=str(rig.folder / f"{name}.raucb"), older=older, by="anna")
    Installation(box(rig), rig.places, asked, lambda percent, step: told.append((percent, step))).run()
    return told


def proof(rig: Rig, wrong: str | None) -> int:
    return Proof(rig.places, RealClock(), lambda before: wrong, 0.0, 0.0).run()


def events(rig: Rig) -> list[tuple[Event, str]]:
    return [(note.event, note.code) for note in state.history(rig.places)]


def test_an_update_goes_into_the_other_slot_and_starts_next(served: Rig) -> None:
    told = install(served, "1.1")
    percents = [percent for percent, _ in told]
    assert percents == sorted(percents)
    assert percents[-1] == 100
    assert list(dict.fromkeys(step for _, step in told)) == ["checking", "copying", "done"]
    grub = served.grub()
    assert (grub["ORDER"], grub["B_OK"], grub["B_TRY"], grub["B_GOOD"]) == ("B A", "1", "0", "0")
    assert (served.folder / "slot-b").read_bytes()[: 8 << 20] == (
        Path(served.folder / "1.1.raucb").resolve().parent / "1.1.ext4"
    ).read_bytes()
    here = rauc.state(served.places.rauc)
    assert (here.booted.name, here.other.name, here.other.version, here.other.next) == ("A", "B", "1.1", True)
    trial = state.read(served.places).trial
    assert trial is not None
    assert (trial.version, trial.slot, trial.from_version, trial.by) == ("1.1", "B", "1.0", "anna")
    assert events(served) == [(Event.INSTALLED, "")]


def test_slots_are_told_while_rauc_copies_and_tells_nothing(served: Rig) -> None:
    seen: list[UpdateTold] = []
    desk = box(served)
    asked = InstallUpdate(bundle=str(served.folder / "1.1.raucb"), by="anna")

    def tell(percent: int, step: str) -> None:
        if step == "copying" and percent > COPYING[0]:
            seen.append(actions.told(desk, AskUpdate(by="anna"), tell))

    Installation(desk, served.places, asked, tell).run()
    assert seen
    assert {(told.fault, *((slot.name, slot.booted, slot.good, slot.next) for slot in told.slots)) for told in seen} == {
        ("", ("A", True, True, True), ("B", False, False, False))
    }
    assert state.read(served.places).slots == ()


@pytest.mark.parametrize(
    ("name", "code"), [("foreign", "SYS-072"), ("cut", "SYS-072"), ("changed", "SYS-072"), ("0.9", "SYS-074"), ("none", "SYS-071")]
)
def test_what_is_refused_leaves_the_box_as_it_was(served: Rig, name: str, code: str) -> None:
    before = served.grub()
    with pytest.raises(BoxError, match=code):
        install(served, name)
    assert served.grub() == before
    assert not any((served.folder / "slot-b").read_bytes())
    assert state.read(served.places).job is None
    assert events(served) == [(Event.NOT_INSTALLED, code)]


def test_an_update_for_another_box_is_refused(rig: Rig) -> None:
    rig.write_config("somebody-elses")
    with rig.serving(), pytest.raises(BoxError, match=r"SYS-073.*careline-amd64, this box is somebody-elses"):
        install(rig, "1.1")


def test_an_older_version_is_installed_when_asked_for(served: Rig) -> None:
    install(served, "0.9", older=True)
    assert rauc.state(served.places.rauc).other.version == "0.9"


def test_a_bundle_tells_which_store_it_works_with(served: Rig) -> None:
    checked = bundles.check(served.places, "x", served.folder / "1.1.raucb")
    assert (checked.version, checked.newer, checked.store) == ("1.1", True, len(migrations.STEPS))


def test_one_installation_at_a_time_and_no_restart_meanwhile(served: Rig) -> None:
    with state.installing(served.places):
        with pytest.raises(BoxError, match="SYS-076"):
            install(served, "1.1")
        with pytest.raises(BoxError, match="SYS-076"):
            restart.ask(box(served), served.places, RestartWhenQuiet(by="anna"))
    install(served, "1.1")


def test_an_installation_that_was_cut_off_is_told(served: Rig) -> None:
    job = Job(bundle="x", by="anna", started_at=RealClock().now(), version="1.1", percent=40)
    state.change(served.places, lambda was: state.Standing(job=job))
    interrupted(served.places, box(served))
    assert state.read(served.places).job is None
    assert events(served) == [(Event.INTERRUPTED, "SYS-092")]


def test_a_new_version_that_is_well_is_kept(rig: Rig) -> None:
    with rig.serving():
        install(rig, "1.1")
    rig.start("B")
    rig.set_grub("B_TRY=1")
    with rig.serving():
        assert proof(rig, None) == KEEP
        assert rauc.state(rig.places.rauc).booted.good
    assert rig.grub()["B_TRY"] == "0"
    assert state.read(rig.places).trial is None
    assert events(rig)[0] == (Event.PROVED, "")


def test_a_new_version_that_is_not_well_restarts_the_box_and_says_why(rig: Rig) -> None:
    with rig.serving():
        install(rig, "1.1")
    rig.start("B")
    rig.set_grub("B_TRY=1")
    with rig.serving():
        assert proof(rig, "the pages do not answer") == RESTART
    rig.start("A")
    with rig.serving():
        assert proof(rig, None) == KEEP
    assert rig.grub()["B_TRY"] == "1"  # GRUB does not start it again
    (note, *_) = state.history(rig.places)
    assert (note.event, note.code, note.version) == (Event.NOT_HEALTHY, "SYS-091", "1.1")
    assert note.what == "version 1.1 was not well within 0 s: the pages do not answer"


def test_a_new_version_that_did_not_come_up_is_told_by_the_one_before(rig: Rig) -> None:
    with rig.serving():
        install(rig, "1.1")
    rig.start("A")
    rig.set_grub("B_TRY=1", "A_TRY=1")
    with rig.serving():
        assert proof(rig, None) == KEEP
        assert rauc.state(rig.places.rauc).booted.next
    assert (rig.grub()["ORDER"], rig.grub()["A_TRY"]) == ("A B", "0")
    (note, *_) = state.history(rig.places)
    assert (note.event, note.code) == (Event.DID_NOT_START, "SYS-090")
    assert "went back to 1.0" in note.what


def test_until_the_box_has_restarted_nothing_is_judged(served: Rig) -> None:
    install(served, "1.1")
    assert proof(served, None) == KEEP
    assert state.read(served.places).trial is not None
    assert events(served) == [(Event.INSTALLED, "")]


def test_a_start_with_nothing_on_trial_never_restarts_the_box(served: Rig) -> None:
    served.set_grub("A_TRY=1")
    assert proof(served, "no card") == KEEP
    assert served.grub()["A_TRY"] == "0"
    assert events(served) == []


def test_an_older_version_that_finds_the_newer_ones_data_changes_back_once(rig: Rig) -> None:
    with rig.serving():
        install(rig, "1.1")
    rig.start("B")
    with rig.serving():
        assert proof(rig, None) == KEEP
    rig.places.store.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(rig.places.store)) as store, store:
        store.execute("create table schema_version (version integer)")
        store.execute("insert into schema_version values (99)")
    rig.start("A")  # by a power cut too many
    rig.set_grub("ORDER=A B")
    with rig.serving():
        assert proof(rig, "STO-003") == KEEP
        assert (rig.folder / "restarted").exists()
        assert rauc.state(rig.places.rauc).other.next
        assert proof(rig, "STO-003") == KEEP  # it came back nevertheless: it stays
    assert [event for event, _ in events(rig)[:2]] == [Event.SWITCHED, Event.PROVED]


def test_without_slots_nothing_happens(rig: Rig) -> None:
    assert proof(rig, None) == KEEP  # nobody serves


@pytest.mark.parametrize(
    ("version", "than", "newer"),
    [
        ("1.10", "1.9", True),
        ("1.9", "1.10", False),
        ("1.1", "1.1", False),
        ("1.1.1", "1.1", True),
        ("0.1.0+20261123.abc", "0.1.0+20261122.def", True),
    ],
)
def test_versions_are_compared_by_their_numbers(version: str, than: str, newer: bool) -> None:
    assert bundles.is_newer(version, than) is newer
