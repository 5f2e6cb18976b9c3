"""A small box whose backups are tested: its data folder with a store, prompts, music, line set-up, recordings; places for backups."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from appliance import config as configuration
from appliance.store.database import open_store
from appliance.store.models import CallRecord
from appliance.system.backup import settings
from appliance.system.backup.messages import BackupSettings, Target, TargetKind
from appliance.system.backup.places import Places, places_of
from appliance.system.backup.work import Work
from appliance.system.box import Box
from drivers.clock import VirtualClock

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
"""In Shanghai."""


class SmallBox:
    """Below `root`: data, run, careline.toml, and `away`, where backups go."""

    def __init__(self, root: Path, start: datetime = NOON) -> None:
        self.root, self.data, self.away = root, root / "data", root / "away"
        for folder in (self.data, root / "run"):
            folder.mkdir(parents=True)
        self.file = root / "careline.toml"
        self.file.write_text(f'[paths]\nrun_dir = "{root}/run"\ndata_dir = "{self.data}"\n')
        self.clock = VirtualClock(start)
        self.box = Box(configuration.load(self.file), self.file, self.clock)
        self.target = Target(name="disk", kind=TargetKind.FOLDER, path=str(self.away))

    @property
    def places(self) -> Places:
        return places_of(self.box)

    def fill(self, calls: int = 40) -> None:
        """What a hospital would have after some days."""
        database = open_store(self.data / "careline.db")
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
