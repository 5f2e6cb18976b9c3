"""Copies of the store that updates leave beside it, so that going back to the program before works. For files of SQLite's only.

    careline-v8.db           the store as programs of version 8 left it, made before a newer one migrated it
    careline-v8-settled.db   the same, once the newer program has proved itself: taken back only when a person asks for it
    careline-v9-left.db      a newer program's store, put aside by an older one that took its copy back
    careline-v9-left.jsonl   the rows that are only in there (left.py), and careline-v9-left.json, which sums them up

Called by whoever opens the store, before it is migrated. At any power cut there is one whole store of the old or of the new version.
"""

import os
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from appliance.store import left
from appliance.store.errors import StoreError
from appliance.store.opening import alone

BUSY_LIMIT_S = 5.0
FREE_BESIDE_BYTES = 32 << 20
COPIES_MOST = 2
SETTLED = "-settled"

_made: set[Path] = set()  # by this program, which migrates what it has a copy of: a migration that fails each second is not copied for each


def prepare(path: Path, known: int) -> None:
    """Before the store at `path` is migrated to version `known`: keep a copy of an older one; in place of a newer one take the copy back.

    Raises: StoreError STO-010 no copy can be made, STO-012 cannot go back.
    """
    with alone(path):
        version = version_of(path)
        if 0 < version < known:
            _keep(path, version)
        elif version > known:
            _go_back(path, version, known)


def version_of(path: Path) -> int:
    """The version of the program that made the store; 0 for none or an empty one. Raises: StoreError STO-001."""
    if not path.exists():
        return 0
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=BUSY_LIMIT_S)) as store:
            if not store.execute("select 1 from sqlite_master where name = 'schema_version'").fetchone():
                return 0
            row = store.execute("select version from schema_version").fetchone()
    except sqlite3.Error as error:
        raise StoreError("STO-001", f"cannot read the store {path} ({error})", "Check its owner and free space") from error
    return int(row[0]) if row else 0


def copies(path: Path) -> dict[int, Path]:
    """What an older program would take back by itself, by version."""
    return _named(path, "")


def settled(path: Path) -> dict[int, Path]:
    """What is kept for going back by hand, by version."""
    return _named(path, SETTLED)


def settle(path: Path) -> None:
    """The newer program has proved itself: from now on nobody goes back without being asked to, for every day more would be missing."""
    for copy in copies(path).values():
        os.replace(copy, copy.with_stem(copy.stem + SETTLED))
    _forget_older(settled(path))
    _sync(path.parent)


def allow(path: Path) -> None:
    """A person wants to go back: the newest copy may be taken."""
    found = settled(path)
    if found:
        copy = found[max(found)]
        os.replace(copy, copy.with_stem(copy.stem.removesuffix(SETTLED)))
        _sync(path.parent)


def _named(path: Path, mark: str) -> dict[int, Path]:
    named = re.compile(rf"{re.escape(path.stem)}-v(\d+){mark}{re.escape(path.suffix)}")
    found = ((named.fullmatch(file.name), file) for file in path.parent.glob(f"{path.stem}-v*{path.suffix}"))
    return {int(match[1]): file for match, file in found if match}


def copy_for(path: Path, known: int) -> Path | None:
    """The copy that a program of version `known` would take instead of a newer store."""
    found = {version: file for version, file in copies(path).items() if version <= known}
    return found[max(found)] if found else None


def _keep(path: Path, version: int) -> None:
    target = path.with_name(f"{path.stem}-v{version}{path.suffix}")
    if target in _made and target.exists():
        return
    part = target.with_name(target.name + ".part")
    try:
        _check_room(path)
        _copy(path, part)
        os.replace(part, target)
        _sync(path.parent)
    except (OSError, sqlite3.Error) as error:
        part.unlink(missing_ok=True)
        what = f"cannot keep a copy of the store {path} before it is migrated ({error})"
        raise StoreError("STO-010", what, "Free disk space; the store is as it was") from error
    _made.add(target)
    _forget_older(copies(path))


def _check_room(path: Path) -> None:
    needed = path.stat().st_size + FREE_BESIDE_BYTES
    free = shutil.disk_usage(path.parent).free
    if free < needed:
        raise OSError(f"it needs {needed >> 20} MB, {free >> 20} MB are free")


def _copy(path: Path, part: Path) -> None:
    """Consistent, also while others write. Source: sqlite.org/backup."""
    part.unlink(missing_ok=True)
    with closing(sqlite3.connect(path, timeout=BUSY_LIMIT_S)) as store, closing(sqlite3.connect(part)) as copy:
        store.backup(copy)
    part.chmod(0o660)
    _sync(part)


def _forget_older(found: dict[int, Path]) -> None:
    for version in sorted(found)[:-COPIES_MOST]:
        found[version].unlink(missing_ok=True)


def _go_back(path: Path, version: int, known: int) -> None:
    copy = copy_for(path, known)
    if copy is None:
        return  # as migrations.py tells
    aside = _free_name(path, version)
    try:
        left.tell(path, copy, aside, version, known)
        os.link(path, aside)
        os.replace(copy, path)
        _sync(path.parent)
    except (OSError, sqlite3.Error) as error:
        _undo(path, aside)
        what = f"cannot put the store {path} of version {version} aside for its copy {copy.name} ({error})"
        raise StoreError("STO-012", what, "Stop the other programs; free disk space") from error


def _undo(path: Path, aside: Path) -> None:
    """Only while it is a second name of the store itself."""
    if aside.exists() and aside.samefile(path):
        aside.unlink()


def _free_name(path: Path, version: int) -> Path:
    names = (path.with_name(f"{path.stem}-v{version}-left{number}{path.suffix}") for number in ("", *(f"-{n}" for n in range(2, 1000))))
    return next(name for name in names if not name.exists())


def _sync(path: Path) -> None:
    """A file or a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
