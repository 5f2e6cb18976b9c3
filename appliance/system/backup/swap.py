"""Exchanging the box's data for others, so that a power cut at any moment leaves the old or the new, never halves of both.

A journal says what is to come in and what is to go out. Every single move is a rename, done or not; whoever finds a journal (the box
service at its start, careline-restore.service before the others start) carries it to its end. Callers have stopped everything that works
with the data.

    .restore/journal.json   how far it is
    .restore/new, new.toml  what comes in, complete and on the disk before the journal says EXCHANGING
    .restore/old, old.toml  what went out, kept until it is confirmed
    .restore/undone         what an undoing moved out
"""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import msgspec

from appliance.store.place import Server
from appliance.system.backup import beneath, contents, pg_exchange
from appliance.system.backup.files import kept_json, read_json, sync_folder, write_whole
from appliance.system.backup.places import Places
from appliance.system.errors import BoxError

NEW, OLD, UNDONE = "new", "old", "undone"


class Phase(StrEnum):
    """STOPPING: services are being stopped, the data are the old ones. EXCHANGING: to be carried to its end. STARTING: the data are
    exchanged, services are to be started. UNCONFIRMED: all is done, the old data are kept."""

    STOPPING = "stopping"
    EXCHANGING = "exchanging"
    STARTING = "starting"
    UNCONFIRMED = "unconfirmed"


class Journal(msgspec.Struct, frozen=True, kw_only=True):
    """coming, going: names at the top of data_dir, and one below where that is a mount. back: this is an undoing. name, at, by: which
    backup, of when, asked by whom. services: to be started again. configuration: careline.toml is exchanged, too."""

    phase: Phase
    name: str
    at: datetime
    by: str
    coming: tuple[str, ...] = ()
    going: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    configuration: bool = False
    back: bool = False


def journal_of(places: Places) -> Journal | None:
    """Raises: BoxError SYS-125."""
    return read_json(_file(places), Journal)


def keep(places: Places, journal: Journal) -> Journal:
    """Raises: BoxError SYS-116."""
    kept_json(_file(places), journal, 0o640)
    return journal


def forget(places: Places) -> None:
    """First the journal, then what it spoke of: what is left without a journal is nobody's."""
    _file(places).unlink(missing_ok=True)
    if places.restore.exists():
        sync_folder(places.restore)
    clear(places)


def clear(places: Places) -> None:
    """Remove what no journal speaks of."""
    if not _file(places).exists():
        shutil.rmtree(places.restore, ignore_errors=True)


def exchange(places: Places, journal: Journal) -> Journal:
    """Carry a journal that says EXCHANGING to its end. May be called again after any interruption. Raises: BoxError SYS-116, SYS-118."""
    coming, going = _folders(places, journal)
    with alone(places), _told(places):
        going.mkdir(mode=0o700, exist_ok=True)
        if isinstance(places.store, Server):
            pg_exchange.exchange(places.store, coming)
        for name in sorted({*journal.coming, *journal.going}):
            _move(_place_of(places, name), coming / name, going / name, name in journal.coming)
        for folder in (going, coming, places.data):
            sync_folder(folder)
        if journal.configuration:
            _configure(places, coming)
    return keep(places, msgspec.structs.replace(journal, phase=Phase.STARTING))


def _move(place: Path, waiting: Path, leaving: Path, comes: bool) -> None:
    """Out, if it is not out already; then in. What is in has left `waiting`, so nothing is done twice."""
    waits = os.path.lexists(waiting)
    if comes and not waits:
        return
    if os.path.lexists(place):
        leaving.parent.mkdir(mode=0o700, exist_ok=True)
        is_out = os.path.lexists(leaving)  # then somebody made it anew while we were interrupted
        os.rename(place, leaving.with_name(f"{leaving.name}.later") if is_out else leaving)
        sync_folder(leaving.parent)
        sync_folder(place.parent)
    if waits:
        os.rename(waiting, place)
        sync_folder(place.parent)


def _place_of(places: Places, name: str) -> Path:
    top, _, below = name.partition("/")
    return beneath.place_of(places.data, top) / below


def _configure(places: Places, coming: Path) -> None:
    """Copied, since it may lie on another disk."""
    waiting = configuration_in(places, coming.name)
    if waiting.exists():
        found = places.configuration.stat() if places.configuration.exists() else None
        write_whole(places.configuration, waiting.read_bytes(), 0o640)
        if found is not None and os.geteuid() == 0:
            os.chown(places.configuration, found.st_uid, found.st_gid)


def configuration_in(places: Places, folder: str) -> Path:
    """The careline.toml that belongs to what lies in `folder` (NEW, OLD)."""
    return places.restore / f"{folder}.toml"


def names_in(places: Places, folder: Path) -> tuple[str, ...]:
    """What of it is exchanged: of what is a mount in the data the content, since no mount can be renamed."""
    names = contents.entries_of(folder) if folder.exists() else []
    mounted = beneath.mounted_in(places.data, names)
    inner = (f"{name}/{below}" for name in mounted if (folder / name).is_dir() for below in sorted(os.listdir(folder / name)))
    return (*(name for name in names if name not in mounted), *inner)


def folder_of(places: Places, journal: Journal) -> Path:
    """What comes in lies there."""
    return _folders(places, journal)[0]


def _folders(places: Places, journal: Journal) -> tuple[Path, Path]:
    names = (OLD, UNDONE) if journal.back else (NEW, OLD)
    return places.restore / names[0], places.restore / names[1]


@contextlib.contextmanager
def alone(places: Places) -> Iterator[None]:
    """No call agent works, and none can begin to. Raises: BoxError SYS-118."""
    with contextlib.ExitStack() as stack:
        for name in ("calls.lock", "voice.lock", "printers.lock"):
            path = places.data / name
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o660)
            stack.callback(os.close, descriptor)
            _give_to_services(descriptor, places)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                what = f"a service still works with {places.data} (it holds {name})"
                raise BoxError("SYS-118", what, "Stop it, then restore again; nothing was changed") from error
        yield


def _give_to_services(lock: int, places: Places) -> None:
    """One that we made is theirs all the same: they are no root."""
    if os.geteuid() == 0 and os.fstat(lock).st_uid == 0:
        like = places.data.stat()
        os.fchown(lock, like.st_uid, like.st_gid)
        os.fchmod(lock, 0o660)


@contextlib.contextmanager
def _told(places: Places) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        what = f"the data in {places.data} cannot be exchanged: {error}"
        raise BoxError("SYS-116", what, "See to that disk, then restart careline-system: it goes on where it was") from error


def _file(places: Places) -> Path:
    return places.restore / "journal.json"
