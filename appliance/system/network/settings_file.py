"""The network's settings on disk: those kept, those being tried, those before. Blocking on small files; threads of careline-system.

`network.toml` holds what is kept, with who and when; `network/history/000007.toml` is version 7 of it; `network/trying.toml` is there
exactly while a change is tried and not yet kept, so that a box service that starts meanwhile, after a crash or a power cut, knows of it and
goes back.
"""

import contextlib
import difflib
import itertools
import logging
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from appliance.system.errors import BoxError
from appliance.system.network.messages import VersionTold
from appliance.system.network.model import Settings
from appliance.system.network.places import Places
from drivers import settings as toml
from drivers.errors import ConfigError

VERSIONS_KEPT = 100
HEAD = "# Written by careline-system when a change is confirmed; change it on the page Network or the console.\n"
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)

S = TypeVar("S", bound=msgspec.Struct)

log = logging.getLogger("careline.network")


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """Settings that were kept. Number 0: as the box was delivered."""

    number: int = 0
    by: str = ""
    at: datetime = LONG_AGO
    settings: Settings = Settings()


class Trying(msgspec.Struct, frozen=True, kw_only=True):
    """Settings that are tried."""

    number: int
    by: str
    at: datetime
    settings: Settings


def as_toml(settings: Settings) -> str:
    return msgspec.toml.encode(settings).decode()


def diff(before: Settings, after: Settings) -> str:
    """Unified, empty when nothing changes."""
    old, new = as_toml(before).splitlines(), as_toml(after).splitlines()
    return "\n".join(list(difflib.unified_diff(old, new, lineterm="", n=2))[2:])


class SettingsFile:
    """All of these files below `places`."""

    def __init__(self, places: Places) -> None:
        self._places = places

    def kept(self) -> Version | None:
        """None when nothing was ever kept. A damaged file gives way to the last version of the history."""
        for path in (self._places.kept, *reversed(self._versions())):
            if (read := _read(path, Version)) is not None:
                return read
        return None

    def keep(self, version: Version) -> None:
        """From now on. The history has it first: cut between the two, it is a version that was never in use. Raises: BoxError SYS-067."""
        _write(self._places.history / f"{version.number:06d}.toml", version)
        _write(self._places.kept, version)
        self._forget_old()

    def trying(self) -> Trying | None:
        return _read(self._places.trying, Trying)

    def write_trying(self, trying: Trying) -> None:
        """Raises: BoxError SYS-067."""
        _write(self._places.trying, trying)

    def forget_trying(self) -> None:
        with contextlib.suppress(OSError):
            self._places.trying.unlink(missing_ok=True)
            _sync_folder(self._places.trying.parent)

    def version(self, number: int) -> Version:
        """Raises: BoxError SYS-062."""
        found = _read(self._places.history / f"{number:06d}.toml", Version)
        if found is None:
            raise BoxError("SYS-062", f"the history has no version {number}", "Choose one that it shows")
        return found

    def history(self, most: int, until: int) -> tuple[VersionTold, ...]:
        """The newest first, up to version `until`; the oldest there is has nothing to be compared with."""
        paths = [path for path in self._versions() if int(path.stem) <= until][-most - 1 :]
        read = [version for path in paths if (version := _read(path, Version)) is not None]
        told = [
            VersionTold(number=new.number, at=new.at, by=new.by, diff=diff(old.settings, new.settings))
            for old, new in itertools.pairwise(read)
        ]
        return tuple(reversed(told))

    def _versions(self) -> list[Path]:
        return sorted(path for path in self._places.history.glob("[0-9]*.toml") if path.stem.isdecimal())

    def _forget_old(self) -> None:
        for path in self._versions()[:-VERSIONS_KEPT]:
            with contextlib.suppress(OSError):
                path.unlink()


def _read(path: Path, shape: type[S]) -> S | None:
    try:
        return toml.load(path, shape)
    except ConfigError as error:
        if path.exists():
            log.error("SYS-040: %s", error)
        return None


def _write(path: Path, value: msgspec.Struct) -> None:
    """So that a power cut leaves all of it or nothing. Raises: BoxError SYS-067."""
    write_whole(path, HEAD.encode() + msgspec.toml.encode(value))


def write_whole(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Raises: BoxError SYS-067."""
    fresh = path.with_name(f"{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
            os.fchmod(file.fileno(), mode)  # whatever the umask of the service
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise BoxError("SYS-067", f"cannot write {path}: {error.strerror}", "Check the folder's rights and free space") from error


def _sync_folder(folder: Path) -> None:
    """So that the name is there after a power cut too. Source: fsync(2)."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
