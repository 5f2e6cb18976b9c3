"""Back to the factory's state, in two steps: a code is shown, and only with it a mark is left and the box restarts; what the mark names is
deleted before anything of ours runs (`python -m appliance.system.services.reset`, careline-reset.service). A power cut on the way is no
harm: the mark goes last.
"""

import argparse
import contextlib
import os
import secrets
import shutil
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec

from appliance.system.box import Box, Tell
from appliance.system.errors import BoxError
from appliance.system.services.messages import FactoryReset, PrepareReset, ResetPart, ResetPrepared
from appliance.system.services.programs import run
from drivers.settings import Paths

GOOD_FOR = timedelta(minutes=5)
TRIES = 3
MARK = "factory-reset"
SETTINGS_NAMES = ("system", "lines.toml", "lines.toml.trying")
RECORDINGS_NAMES = ("recordings",)
KEPT_FOLDERS = ("system", "recordings")  # made with their owners, or mounted, by the system: emptied


class Mark(msgspec.Struct, frozen=True):
    """What is to be deleted, on the disk until it is. `by`: who asked for it."""

    parts: tuple[ResetPart, ...]
    by: str


class _Shown:
    """The code that was shown last. Actions run in threads."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.prepared: ResetPrepared | None = None
        self.tries_left = 0


_shown = _Shown()


def prepare(box: Box, request: PrepareReset, tell: Tell) -> ResetPrepared:
    """Raises: BoxError SYS-140 nothing chosen, SYS-141 the records are on another machine."""
    if not request.parts:
        raise BoxError("SYS-140", "nothing was chosen to be deleted", "Choose settings, records or recordings")
    if ResetPart.RECORDS in request.parts and box.config.paths.database_url:
        raise BoxError("SYS-141", "the records are in a database on a server", "Empty that database there, or choose other parts")
    code = "".join(secrets.choice("0123456789") for _ in range(6))
    size = sum(_size(path) for path in doomed(box.config.paths, request.parts))
    prepared = ResetPrepared(code=code, parts=request.parts, until=box.clock.now() + GOOD_FOR, bytes=size)
    with _shown.lock:
        _shown.prepared, _shown.tries_left = prepared, TRIES
    return prepared


def factory_reset(box: Box, request: FactoryReset, tell: Tell) -> None:
    """Raises: BoxError SYS-142 not the code, or too late; SYS-143 the mark cannot be written; SYS-010, SYS-011 the box cannot restart."""
    prepared = _taken(box, request.code)
    mark = Path(box.config.paths.data_dir) / MARK
    try:
        write_whole(mark, msgspec.json.encode(Mark(parts=prepared.parts, by=request.by)))
        run(["systemctl", "--no-block", "reboot"])
    except OSError as error:
        raise BoxError("SYS-143", f"cannot write {mark} ({error.strerror})", "Free disk space; nothing was deleted") from error
    except BoxError:
        mark.unlink(missing_ok=True)
        raise


def _taken(box: Box, code: str) -> ResetPrepared:
    """What was prepared, once and for the right code only."""
    with _shown.lock:
        prepared = _shown.prepared
        if prepared is None or box.clock.now() > prepared.until:
            raise BoxError("SYS-142", "no factory reset was prepared, or its code is too old", "Begin again")
        _shown.tries_left -= 1
        right = secrets.compare_digest(code.encode(), prepared.code.encode())
        if right or not _shown.tries_left:
            _shown.prepared = None
        if not right:
            raise BoxError("SYS-142", "this is not the code that was shown", "Type the six digits; nothing was deleted")
        return prepared


def doomed(paths: Paths, parts: tuple[ResetPart, ...]) -> Iterator[Path]:
    """What a reset of these parts deletes. What belongs to neither settings nor recordings is a record."""
    folder = Path(paths.data_dir)
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name in (MARK, f".{MARK}") or _part(path.name) not in parts:
            continue
        if path.name in KEPT_FOLDERS and path.is_dir():
            yield from sorted(path.iterdir())
        else:
            yield path


def _part(name: str) -> ResetPart:
    if name in SETTINGS_NAMES:
        return ResetPart.SETTINGS
    return ResetPart.RECORDINGS if name in RECORDINGS_NAMES else ResetPart.RECORDS


def carry_out(paths: Paths) -> bool:
    """Delete what the mark names, if there is one; again and again the same. Raises: OSError, msgspec.DecodeError."""
    mark = Path(paths.data_dir) / MARK
    if not mark.exists():
        return False
    read = msgspec.json.decode(mark.read_bytes(), type=Mark)
    for path in doomed(paths, read.parts):
        _delete(path)
    os.sync()
    mark.unlink()
    return True


def write_whole(path: Path, content: bytes) -> None:
    """Whole and lasting, or not at all. Raises: OSError."""
    aside = path.with_name(f".{path.name}")
    with aside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _size(path: Path) -> int:
    files = (path,) if not path.is_dir() or path.is_symlink() else path.rglob("*")
    total = 0
    for file in files:
        with contextlib.suppress(OSError):
            total += file.lstat().st_size
    return total


class _File(msgspec.Struct):
    """Of careline.toml only where things are."""

    paths: Paths = Paths()


def main() -> int:
    """Before anything of ours runs: see careline-reset.service. A configuration that cannot be read leaves everything as it is."""
    parser = argparse.ArgumentParser(prog="careline-reset", description="Delete what a factory reset left a mark for.")
    parser.add_argument("--config", type=Path, default=Path("/etc/careline/careline.toml"))
    paths = msgspec.toml.decode(parser.parse_args().config.read_bytes(), type=_File).paths
    print("deleted" if carry_out(paths) else "nothing to delete")
    return 0


if __name__ == "__main__":
    sys.exit(main())
