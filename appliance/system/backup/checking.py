"""What a backup is worth: all of it read, its store put into a shadow beside the real one and looked at as the program would use it.

Runs in the thread of a job, or in `careline backup verify`, which needs no service.
"""

import contextlib
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

from appliance.store import migrations
from appliance.store.database import FAULTS, connect
from appliance.store.errors import StoreError
from appliance.system.backup import contents, snapshot
from appliance.system.backup.archive import Entry, Part, read_archive
from appliance.system.backup.messages import About
from appliance.system.backup.shelf import Readable
from appliance.system.backup.work import Work, counted
from appliance.system.errors import BoxError

ANOTHER = "Restore an older backup; then make a new one and look what is wrong with this one's place"


def verify(read: Readable, size: int, words: str, shadow: Path, work: Work) -> tuple[About, tuple[Part, ...]]:
    """Raises: BoxError SYS-108 to SYS-114. `shadow` is a folder of our own, empty again afterwards."""
    shutil.rmtree(shadow, ignore_errors=True)
    shadow.mkdir(mode=0o700, parents=True)
    try:
        work.step("unpacking", 0, 70, size)
        about, parts = read_archive(partial(counted, read, work), words, check_known, partial(_store_alone, shadow))
        work.step("shadow", 70, 90)
        look_at_store(shadow, about)
        work.step("migrating", 90, 100)
        if about.database == "sqlite":
            migrate(shadow / "careline.db")
        return about, parts
    finally:
        shutil.rmtree(shadow, ignore_errors=True)


def check_known(about: About) -> None:
    """Raises: BoxError SYS-112 when a newer program made it."""
    if about.schema > len(migrations.STEPS):
        what = f"the backup is of program {about.version}, whose store is of version {about.schema}; this one knows {len(migrations.STEPS)}"
        raise BoxError("SYS-112", what, "Upgrade this box first, then restore")


def look_at_store(folder: Path, about: About) -> None:
    """Raises: BoxError SYS-114 saying what is wrong with it."""
    if about.database == "sqlite":
        _look_at_file(folder / Path(contents.SQLITE).name, about)
    else:
        _look_at_dump(folder / Path(contents.POSTGRESQL).name)


def _look_at_file(path: Path, about: About) -> None:
    if not path.exists():
        raise _bad("it is not in the backup")
    try:
        with contextlib.closing(sqlite3.connect(path)) as store:
            said = [row[0] for row in store.execute("pragma integrity_check(3)")]
            broken = store.execute("pragma foreign_key_check").fetchone()
    except sqlite3.Error as error:
        raise _bad(str(error)) from error
    if said != ["ok"]:
        raise _bad(said[0])
    if broken:
        raise _bad(f"a row of {broken[0]} refers to a {broken[2]} that is not there")
    _compare_counts(path, about)


def _compare_counts(path: Path, about: About) -> None:
    try:
        schema, counts = snapshot.counts_of(path)
    except (StoreError, *FAULTS) as error:
        raise _bad(str(error)) from error
    if schema != about.schema:
        raise _bad(f"it is of version {schema}, not {about.schema}")
    wrong = next((name for name in sorted(counts.keys() | about.counts.keys()) if counts.get(name) != about.counts.get(name)), None)
    if wrong is not None:
        raise _bad(f"{wrong} has {counts.get(wrong)} rows, not {about.counts.get(wrong)}")


def _look_at_dump(path: Path) -> None:
    """pg_restore reads all of it and restores it nowhere."""
    if not path.exists():
        raise _bad("it is not in the backup")
    try:
        done = subprocess.run(
            ["pg_restore", "--file=/dev/null", str(path)], check=False, capture_output=True, timeout=snapshot.DUMP_LIMIT_S
        )
    except FileNotFoundError as error:
        raise BoxError("SYS-127", "there is no pg_restore on this box", snapshot.NO_TOOLS) from error
    except subprocess.TimeoutExpired as error:
        raise _bad("pg_restore did not end") from error
    if done.returncode:
        raise _bad(done.stderr.decode(errors="replace").strip()[:200])


def migrate(path: Path) -> None:
    """That store to this program's version. Raises: BoxError SYS-114."""
    try:
        database = connect(path)
        try:
            migrations.migrate(database, path)
        finally:
            database.close()
    except (StoreError, *FAULTS) as error:
        raise _bad(f"it cannot be brought to this program's version ({error})") from error


def _bad(what: str) -> BoxError:
    return BoxError("SYS-114", f"the store in the backup is not well: {what}", ANOTHER)


def _store_alone(shadow: Path, entry: Entry) -> "_File | None":
    return _File(shadow / Path(entry.name).name) if entry.name in (contents.SQLITE, contents.POSTGRESQL) else None


class _File:
    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self.write: Callable[[bytes], int] = self._file.write

    def close(self) -> None:
        self._file.close()
