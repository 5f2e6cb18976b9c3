"""Making a backup: snapshot, write under a passing name, read back and compare, only then give it its name; then recordings, then thinning.

Runs in the thread of a job. Killed at any moment it leaves the backups before it as they were, and a rest that the next one removes.
"""

import shutil
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import msgspec

from appliance.store.place import Server, StorePlace
from appliance.system.backup import contents, naming, packing, snapshot
from appliance.system.backup.archive import FORMAT, ArchiveWriter
from appliance.system.backup.messages import About, BackupSettings, Target
from appliance.system.backup.places import Places
from appliance.system.backup.retention import superfluous
from appliance.system.backup.shelf import Shelf
from appliance.system.backup.storing import store
from appliance.system.backup.targets import opened
from appliance.system.backup.work import Work
from appliance.system.errors import BoxError

LEFT_BYTES = 64 << 20
"""What must stay free on the box's own disk beside the snapshot."""
SHRINKS_TO = 0.6
"""Of what is copied; stores shrink to less, prompts and music hardly."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for. kind: naming.NIGHTLY or BY_HAND; at: aware UTC."""

    target: Target
    kind: str
    by: str
    at: datetime
    recordings: bool
    words: str


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """name: of the backup; size: its bytes; recordings: how many were packed beside it."""

    name: str
    size: int
    recordings: int


def make(places: Places, settings: BackupSettings, wanted: Wanted, work: Work) -> Made:
    """Raises: BoxError, StoreError."""
    places.work.mkdir(mode=0o750, parents=True, exist_ok=True)
    copy = places.work / "store"
    try:
        with opened(wanted.target, places) as shelf:
            return _make(shelf, copy, places, settings, wanted, work)
    finally:
        copy.unlink(missing_ok=True)


def _make(shelf: Shelf, copy: Path, places: Places, settings: BackupSettings, wanted: Wanted, work: Work) -> Made:
    work.step("room", 0, 2)
    for name in naming.left_over(shelf.list(), places.box):
        shelf.remove(name)
    store_size = snapshot.size_of(places.store)
    check_own_room(places, store_size)
    files = sum(path.lstat().st_size for _, path in contents.files_of(places.data, settings.keys) if path.exists())
    _check_room(shelf, round((store_size + files) * SHRINKS_TO), wanted.target.name)
    work.step("snapshot", 2, 30, store_size)
    snapshot.take(places.store, copy, work)
    work.step("counting", 30, 35)
    readable = places.store if isinstance(places.store, Server) else copy
    about = _about(places, readable, settings, wanted)
    ended = snapshot.ended_recordings(readable, wanted.at - timedelta(seconds=packing.QUIET_S))
    name = _free_name(shelf, places.box, wanted)
    work.step("writing", 35, 65, copy.stat().st_size + files)
    size = store(shelf, name, wanted.words, work, about, lambda archive: _fill(archive, places, copy, settings), (65, 90))
    copy.unlink()
    packed = packing.pack_new(shelf, places, wanted.target.name, wanted.words, about, ended, work) if wanted.recordings else 0
    work.step("thinning", 98, 100)
    thin(shelf, places, settings)
    work.step("done", 100, 100)
    return Made(name=name, size=size, recordings=packed)


def thin(shelf: Shelf, places: Places, settings: BackupSettings) -> None:
    """Remove what is not to be kept any longer. Only ever after a good one."""
    for backup in superfluous(naming.backups_among(shelf.list(), places.box), settings, places.zone):
        shelf.remove(backup.name)


def check_own_room(places: Places, wanted: int) -> None:
    """Raises: BoxError SYS-122."""
    free = shutil.disk_usage(places.data).free
    if free < wanted + LEFT_BYTES:
        what = f"the box's own disk has {free / 1e6:.0f} MB free, {(wanted + LEFT_BYTES) / 1e6:.0f} MB are needed for a moment"
        raise BoxError("SYS-122", what, "Make room below data_dir: move old recordings away")


def _check_room(shelf: Shelf, wanted: int, where: str) -> None:
    free = shelf.free()
    if free is not None and free < wanted:
        what = f"{where} has {free / 1e6:.0f} MB free, about {wanted / 1e6:.0f} MB are needed; the older backups there are as they were"
        raise BoxError("SYS-105", what, "Make room there, or keep fewer")


def _about(places: Places, readable: StorePlace, settings: BackupSettings, wanted: Wanted) -> About:
    schema, counts = snapshot.counts_of(readable)
    return About(
        format=FORMAT,
        version=version("careline"),
        schema=schema,
        database="postgresql" if isinstance(places.store, Server) else "sqlite",
        box=places.box,
        at=wanted.at,
        kind=wanted.kind,
        by=wanted.by,
        keys=settings.keys,
        counts=counts,
    )


def _free_name(shelf: Shelf, box: str, wanted: Wanted) -> str:
    known, at = {file.name for file in shelf.list()}, wanted.at
    while naming.backup_name(box, at, wanted.kind) in known:
        at += timedelta(seconds=1)
    return naming.backup_name(box, at, wanted.kind)


def _fill(archive: ArchiveWriter, places: Places, copy: Path, settings: BackupSettings) -> None:
    archive.add_file(contents.CONFIGURATION, places.configuration)
    archive.add_file(contents.POSTGRESQL if isinstance(places.store, Server) else contents.SQLITE, copy)
    for name, path in contents.files_of(places.data, settings.keys):
        archive.add_file(name, path)
