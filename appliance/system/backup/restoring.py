"""Restoring: all is unpacked, checked and brought to this program's version beside the data in use; only then the services stop, the data
are exchanged (swap.py) and the services start again. Runs in the thread of a job; `finish` at the start of the box service.
"""

import logging
import os
import shutil
import tomllib
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

import msgspec

from appliance.store.place import Server
from appliance.system.backup import beneath, checking, contents, outage, pg_exchange, swap
from appliance.system.backup.archive import read_archive
from appliance.system.backup.files import kept_json, write_whole
from appliance.system.backup.messages import About
from appliance.system.backup.places import Places
from appliance.system.backup.shelf import Readable
from appliance.system.backup.swap import NEW, OLD, Journal, Phase
from appliance.system.backup.unpacking import Unpacking
from appliance.system.backup.words import KeptWords
from appliance.system.backup.work import Work, counted
from appliance.system.errors import BoxError

LEFT_BYTES = 64 << 20
BESIDE = "careline.toml.restored"

log = logging.getLogger("careline.system")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """name: of the backup; size: its bytes; at: now; configuration: careline.toml, too."""

    name: str
    size: int
    words: str
    by: str
    at: datetime
    configuration: bool


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """beside: where careline.toml lies if it was not taken, else empty."""

    about: About
    beside: str


def restore(places: Places, asked: Asked, read: Readable, work: Work) -> Restored:
    """Raises: BoxError; before the step "stopping" nothing has changed then."""
    if swap.journal_of(places) is not None:
        what = "what was restored before waits for somebody to confirm or undo it"
        raise BoxError("SYS-119", what, "Confirm or undo that first")
    _look_at_mounts(places)
    swap.clear(places)
    try:
        about, beside = _prepare(places, asked, read, work)
        work.step("stopping", 80, 85)
        work.is_final()
    except BaseException:
        swap.clear(places)
        raise
    _exchange(places, asked, work)
    return Restored(about=about, beside=beside)


def _look_at_mounts(places: Places) -> None:
    """What cannot be exchanged is known before any service stops. Raises: BoxError SYS-116."""
    for name in beneath.mounted_in(places.data, contents.entries_of(places.data)):
        beneath.place_of(places.data, name)


def _prepare(places: Places, asked: Asked, read: Readable, work: Work) -> tuple[About, str]:
    """.restore/new is complete and on the disk."""
    free = shutil.disk_usage(places.data).free
    if free < asked.size + LEFT_BYTES:
        what = f"the box's own disk has {free / 1e6:.0f} MB free, the backup alone is {asked.size / 1e6:.0f} MB"
        raise BoxError("SYS-122", what, "Make room below data_dir: move old recordings away")
    new = places.restore / NEW
    work.step("unpacking", 0, 60, asked.size)
    unpacking = Unpacking(places, new)
    about, _ = read_archive(partial(counted, read, work), asked.words, partial(_check, places), unpacking.sink)
    work.step("shadow", 60, 70)
    checking.look_at_store(new, about)
    work.step("migrating", 70, 80)
    if about.database == "sqlite":
        checking.migrate(new / "careline.db")
    unpacking.carry_over()
    unpacking.settle()
    _keep_words(new, asked)
    beside = _configuration(places, asked)
    os.sync()
    return about, beside


def _check(places: Places, about: About) -> None:
    """Raises: BoxError SYS-112, SYS-115."""
    checking.check_known(about)
    here = "postgresql" if isinstance(places.store, Server) else "sqlite"
    if about.database != here:
        what = f"the backup's store is of {about.database}, this box's of {here}"
        raise BoxError("SYS-115", what, "Set [paths] database of this box as it was on the other, then restore")


def _keep_words(new: Path, asked: Asked) -> None:
    """The words that open this backup are the box's words from now on, so that those made before it open, too."""
    path = new / "system" / "backup" / "words.json"
    if not path.exists():
        kept_json(path, KeptWords(words=asked.words, made_at=asked.at, seen=True), 0o600)


def _configuration(places: Places, asked: Asked) -> str:
    """careline.toml is taken when it speaks of the same folders and the same database; else where it lies now."""
    waiting = swap.configuration_in(places, NEW)
    if not waiting.exists():
        return ""
    if asked.configuration and _paths_of(waiting) == _paths_of(places.configuration) and os.access(places.configuration.parent, os.W_OK):
        return ""
    waiting.rename(places.restore / NEW / BESIDE)
    return str(places.data / BESIDE)


def _paths_of(file: Path) -> object:
    try:
        return tomllib.loads(file.read_text("utf-8")).get("paths")
    except (OSError, ValueError):
        return None


def _exchange(places: Places, asked: Asked, work: Work) -> None:
    units = outage.running()
    journal = Journal(phase=Phase.STOPPING, name=asked.name, at=asked.at, by=asked.by, services=units)
    swap.keep(places, journal)
    try:
        outage.stop(units)
        _ready(places, OLD, work)
    except BaseException:
        _let_go(units)
        swap.forget(places)
        raise
    work.step("exchanging", 85, 95)
    _carry(places, _naming(places, journal, NEW), work)


def undo(places: Places, by: str, work: Work) -> None:
    """As it was before. Raises: BoxError SYS-119 when there is nothing to undo."""
    before = _unconfirmed(places)
    work.step("stopping", 0, 40)
    work.is_final()
    units = outage.running() or before.services
    journal = swap.keep(places, msgspec.structs.replace(before, phase=Phase.STOPPING, by=by, services=units, back=True))
    try:
        outage.stop(units)
    except BaseException:
        _let_go(units)
        swap.keep(places, before)
        raise
    work.step("exchanging", 40, 80)
    _carry(places, _naming(places, journal, OLD), work)


def confirm(places: Places) -> None:
    """The old data are deleted. Raises: BoxError SYS-119."""
    _unconfirmed(places)
    swap.forget(places)


def _unconfirmed(places: Places) -> Journal:
    journal = swap.journal_of(places)
    if journal is None or journal.phase is not Phase.UNCONFIRMED:
        raise BoxError("SYS-119", "nothing that was restored waits to be confirmed or undone", "See the state of backups")
    return journal


def _ready(places: Places, folder: str, work: Work) -> None:
    """What the way back needs beside what is moved."""
    with swap.alone(places):
        if isinstance(places.store, Server):
            pg_exchange.keep_back(places.store, places.restore / folder, work)
        if swap.configuration_in(places, NEW).exists() and places.configuration.exists():
            write_whole(swap.configuration_in(places, folder), places.configuration.read_bytes(), 0o640)


def _naming(places: Places, journal: Journal, folder: str) -> Journal:
    """What comes in and what goes out, now that nobody makes anything new."""
    names = {"coming": swap.names_in(places, places.restore / folder), "going": swap.names_in(places, places.data)}
    named = msgspec.structs.replace(journal, phase=Phase.EXCHANGING, configuration=swap.configuration_in(places, folder).exists(), **names)
    return swap.keep(places, named)


def _carry(places: Places, journal: Journal, work: Work) -> None:
    journal = _exchanged(places, journal, partial(outage.start, journal.services))
    work.step("starting", 95, 100)
    _start(places, journal, partial(outage.start, journal.services))
    work.step("done", 100, 100)


def _exchanged(places: Places, journal: Journal, start: Callable[[], None]) -> Journal:
    """A server that refuses the store has taken nothing of it, and nothing else was exchanged yet: all goes on as before then."""
    try:
        return swap.exchange(places, journal)
    except BoxError as error:
        if error.code == "SYS-114":
            _give_up(places, journal)
            start()
        raise


def _give_up(places: Places, journal: Journal) -> None:
    if journal.back:
        swap.keep(places, msgspec.structs.replace(journal, phase=Phase.UNCONFIRMED, back=False))
    else:
        swap.forget(places)


def _start(places: Places, journal: Journal, start: Callable[[], None]) -> None:
    if journal.back:
        swap.forget(places)
    else:
        swap.keep(places, msgspec.structs.replace(journal, phase=Phase.UNCONFIRMED))
    start()


def _let_go(units: tuple[str, ...]) -> None:
    try:
        outage.start(units)
    except BoxError as error:
        log.error("%s", error)


def finish(places: Places) -> str:
    """Carry on what a power cut or a kill interrupted: at the start of the box, before anything else works with the data. What was done,
    for the log. Raises: BoxError; then it is to be tried again."""
    journal = swap.journal_of(places)
    if journal is None:
        swap.clear(places)
        return ""
    start = partial(outage.start, journal.services, wait=False)
    match journal.phase:
        case Phase.STOPPING:
            _give_up(places, journal)
            start()
            return f"the {'undoing' if journal.back else 'restoring'} of {journal.name}, which had exchanged nothing yet, was dropped"
        case Phase.EXCHANGING:
            outage.stop(tuple(unit for unit in outage.running() if unit in journal.services))
            _start(places, _exchanged(places, journal, start), start)
            return f"the restoring of {journal.name} was carried to its end"
        case Phase.STARTING:
            _start(places, journal, start)
            return f"the services were started after the restoring of {journal.name}"
        case Phase.UNCONFIRMED:
            return ""
