"""Backups in the booted image, as a program of its own would ask the box service for them. `python -m tests.image.inside.backup NAME …`.

make             to the one USB disk: prints its name, the recovery words and how many calls the store has, as JSON
restore NAME WORDS
content          a hash for each table of the store and each folder of what staff made, as JSON
"""

import contextlib
import json
import sys
from collections.abc import Callable
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
    return {"calls": told.about.counts["call_record"]}


def _calls() -> int:
    with contextlib.closing(connect(place_of(Paths()), read_only=True)) as database:
        count: int = database.execute_sql("select count(*) from call_record").fetchone()[0]
    return count


def content() -> dict[str, object]:
    paths = configuration.load(Path("/etc/careline/careline.toml")).paths
    return {**logical.of_store(place_of(paths)), **logical.of_folders(Path(paths.data_dir))}


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
