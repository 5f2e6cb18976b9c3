"""Backups in the booted image, as a program of its own would ask the box service for them. `python -m tests.image.inside.backup NAME …`.

make             to the one USB disk: prints its name, the recovery words and how many calls the store has, as JSON
restore NAME WORDS
content          as JSON: a hash for each table of the store and each folder of what staff made; below "grown", for what grows as soon as
                 a box runs (its calls to itself, the ends of days), a short hash for each row or file
"""

import contextlib
import hashlib
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from appliance import config as configuration
from appliance.store.database import connect
from appliance.store.place import place_of
from appliance.system.backup import logical
from appliance.system.backup.messages import (
    AskBackupSettings,
    AskBackupWords,
    BackupMade,
    BackupRestored,
    BackupSettings,
    BackupSettingsTold,
    BackupWords,
    MakeBackup,
    RestoreBackup,
    SetBackupSettings,
    Target,
    TargetKind,
)
from appliance.system.client import SystemClient
from drivers.settings import Paths

TARGET = "stick"
GROWING = {"call_record": "call_id", "call_event": "call_id || ' ' || seq", "day_end": "day"}
"""Tables that a running box writes to of itself, and what tells their rows apart."""
LIMIT_S = 300.0


def make() -> dict[str, object]:
    with SystemClient(Paths().system_socket, "test") as client:
        _set_target(client, recordings=True)
        words = client.ask(AskBackupWords(by="test"), BackupWords).words
        made = client.ask(MakeBackup(target=TARGET, by="test"), BackupMade, LIMIT_S)
    return {"name": made.name, "words": words, "calls": _calls()}


def restore(name: str, words: str) -> dict[str, object]:
    with SystemClient(Paths().system_socket, "test") as client:
        _set_target(client, recordings=False)
        told = client.ask(RestoreBackup(target=TARGET, name=name, words=words, by="test"), BackupRestored, LIMIT_S)
    return {"calls": told.about.counts["call_record"], "recordings": told.recordings}


def _calls() -> int:
    with contextlib.closing(connect(place_of(Paths()), read_only=True)) as database:
        count: int = database.execute_sql("select count(*) from call_record").fetchone()[0]
    return count


def content() -> dict[str, object]:
    paths = configuration.load(Path("/etc/careline/careline.toml")).paths
    same: dict[str, object] = {**logical.of_store(place_of(paths)), **logical.of_folders(Path(paths.data_dir))}
    with contextlib.closing(connect(place_of(paths), read_only=True)) as database:
        grown = {table: _rows(database.execute_sql(f"select {key}, * from {table}")) for table, key in GROWING.items()}
    recordings = Path(paths.data_dir) / "recordings"
    grown["recordings"] = {str(path.relative_to(recordings)): _short(path.read_bytes()) for path in recordings.rglob("*.wav")}
    return {name: each for name, each in same.items() if name not in grown} | {"grown": grown}


def _rows(rows: Iterable[tuple[object, ...]]) -> dict[str, str]:
    return {str(key): _short(repr(row).encode()) for key, *row in rows}


def _short(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def _set_target(client: SystemClient, *, recordings: bool) -> None:
    revision = client.ask(AskBackupSettings(by="test"), BackupSettingsTold).revision
    settings = BackupSettings(targets=(Target(name=TARGET, kind=TargetKind.USB),), recordings=recordings)
    client.do(SetBackupSettings(settings=settings, revision=revision, by="test"))


def main() -> None:
    asked, *given = sys.argv[1:]
    commands: dict[str, Callable[..., dict[str, object]]] = {"make": make, "restore": restore, "content": content}
    print(json.dumps(commands[asked](*given)))


if __name__ == "__main__":
    main()
