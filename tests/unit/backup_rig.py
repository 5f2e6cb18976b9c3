"""A small box whose backups are tested: its data folder with a store, prompts, music, line set-up, recordings; places for backups."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from appliance import config as configuration
from appliance.store.database import open_store
from appliance.store.models import CallRecord, Recording
from appliance.system.backup import answering, logical, making_jobs, messages, settings, telling, words
from appliance.system.backup.messages import BackupRestored, BackupSettings, RestorePhase, Target, TargetKind
from appliance.system.backup.places import Places, places_of
from appliance.system.backup.work import Work
from appliance.system.box import Box
from drivers.clock import VirtualClock

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
"""In Shanghai."""


class SmallBox:
    """Below `root`: data, run, careline.toml, and `away`, where backups go."""

    def __init__(self, root: Path, store: str = "") -> None:
        """`store`: a line of [paths] that names another one."""
        self.root, self.data, self.away = root, root / "data", root / "away"
        for folder in (self.data, root / "run"):
            folder.mkdir(parents=True)
        self.file = root / "careline.toml"
        self.file.write_text(f'[paths]\nrun_dir = "{root}/run"\ndata_dir = "{self.data}"\n{store}')
        self.clock = VirtualClock(NOON)
        self.box = Box(configuration.load(self.file), self.file, self.clock)
        self.target = Target(name="disk", kind=TargetKind.FOLDER, path=str(self.away))

    @property
    def places(self) -> Places:
        return places_of(self.box)

    def fill(self, calls: int = 40) -> None:
        """What a hospital would have after some days."""
        database = open_store(self.places.store)
        with database.atomic():
            for number in range(calls):
                self.add_call(number)
        database.close()
        for name, content in PARTS.items():
            path = self.data / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def add_call(self, number: int) -> None:
        at = NOON + timedelta(minutes=number)
        CallRecord.create(call_id=f"call-{number}", direction="inbound", group="trunk", channel=1, ani=f"138{number:08}", started_at=at)

    def add_ended(self, name: str, ended_at: datetime | None, error: str = "") -> None:
        """What the store knows of a recording."""
        database = open_store(self.places.store)
        Recording.create(recording_id=name, call="call-1", path=name, started_at=NOON, ended_at=ended_at, error=error)
        database.close()

    def add_recording(self, name: str, content: bytes = b"RIFF sound", age_s: float = 3600.0) -> None:
        path = self.data / "recordings" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        when = self.clock.now().timestamp() - age_s
        os.utime(path, (when, when))

    def set_up(self, **changes: object) -> BackupSettings:
        """One place, a folder."""
        known = settings.load(self.places.settings)
        wanted = msgspec.structs.replace(BackupSettings(targets=(self.target,)), **changes)
        return settings.change(self.places.settings, wanted, known.revision, "test", self.clock).settings

    def contents(self) -> dict[str, bytes]:
        """Of the data folder, but the store and what is the backups' own."""
        found = {str(path.relative_to(self.data)): path for path in sorted(self.data.rglob("*")) if path.is_file()}
        return {
            name: path.read_bytes()
            for name, path in found.items()
            if not name.startswith(("careline.db", "backup-work", "system/backup", ".restore")) and not name.endswith(".lock")
        }


PARTS = {
    "lines.toml": b'[[span]]\nname = "front"\n',
    "music/own.wav": os.urandom(70_000),
    "prompts/zh/hello-1.wav": b"hello" * 3000,
    "web-secret": b"00ff",
    "system/network/settings.toml": b"revision = 3\n",
}


def quiet_work() -> Work:
    return Work(lambda percent, step: None)


def silent(percent: int, step: str) -> None:
    """Nobody listens."""


def fake_systemctl(folder: Path) -> tuple[Path, Path]:
    """Services of ours run, and what is done to them is written down. The log, and the folder for PATH."""
    log = folder / "systemctl.log"
    program = folder / "bin" / "systemctl"
    program.parent.mkdir()
    units = ("careline-calls", "careline-web", "careline-lines", "careline-system", "careline-console@ttyS0", "careline-health")
    listed = "\n".join(f"{unit}.service loaded active running" for unit in units)
    program.write_text(f'#!/bin/sh\nif [ "$1" = list-units ]; then cat <<END\n{listed}\nEND\nelse echo "$@" >> {log}; fi\n')
    program.chmod(0o755)
    return log, program.parent


def in_use(root: Path) -> SmallBox:
    """Another box, in use a little."""
    box = SmallBox(root)
    box.fill(calls=3)
    (box.data / "lines.toml").write_bytes(b"# of the new box\n")
    (box.data / "system" / "extra.toml").write_bytes(b"only here = 1\n")
    (box.data / "system" / "update").mkdir()
    (box.data / "system" / "update" / "state.json").write_bytes(b"{}")
    (box.data / "careline.reserve").write_bytes(bytes(100))
    box.add_recording("2026/11/23/new-call.wav", b"new")
    return box


@contextmanager
def bound(box: SmallBox, source: Path) -> Iterator[None]:
    """As in the image: system/ lies in `source`, which may lie there from before, and is bound to its place in the data."""
    if not source.exists():
        (box.data / "system").rename(source)
        (box.data / "system").mkdir()
    subprocess.run(["mount", "--bind", source, box.data / "system"], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", box.data / "system"], check=True)


def backup(box: SmallBox) -> tuple[Path, str]:
    """Its file and the words."""
    name = making_jobs.by_hand(box.box, "disk", "ann", None, None).result(60).name
    kept = words.known(box.places.words)
    assert kept is not None
    return box.away / name, kept.words


def restore(box: SmallBox, file: Path, said: str, **asked: object) -> BackupRestored:
    request = messages.RestoreBackup(path=str(file), words=said, by="bob", **asked)  # type: ignore[arg-type]  # fields by name
    found = answering.restore(box.box, request, silent)
    assert isinstance(found, BackupRestored)
    return found


def content(box: SmallBox) -> dict[str, object]:
    return {**box.contents(), **logical.of_store(box.data / "careline.db")}


def phase(box: SmallBox) -> RestorePhase:
    return telling.state(box.box, messages.AskBackupState(), silent).restore
