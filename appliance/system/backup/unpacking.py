"""The parts of a backup onto the disk, with the modes and owners they had, as far as this box knows them. Thread of a job."""

import grp
import os
import pwd
import shutil
from pathlib import Path, PurePosixPath

from appliance.system.backup import contents, swap
from appliance.system.backup.archive import Entry
from appliance.system.backup.pg_exchange import DUMP
from appliance.system.backup.places import Places
from appliance.system.backup.shelf import fault_of
from appliance.system.errors import BoxError

STORES = {contents.SQLITE: "careline.db", contents.POSTGRESQL: DUMP}
STORE_MODE = 0o660
DIRECTORY_MODE = 0o2770


class Unpacking:
    """Into `new`; careline.toml beside it."""

    def __init__(self, places: Places, new: Path) -> None:
        self._places, self._new = places, new
        self._like = places.data.stat()
        new.mkdir(mode=0o700, parents=True)

    def sink(self, entry: Entry) -> "_Unpacked | None":
        """None for what this program does not know."""
        if entry.name == contents.CONFIGURATION:
            return self._file(swap.configuration_in(self._places, self._new.name), entry, 0o640)
        if entry.name in STORES:
            return self._file(self._new / STORES[entry.name], entry, STORE_MODE)
        name = entry.name.removeprefix(contents.DATA)
        top = PurePosixPath(name).parts[0]
        if name == entry.name or top in contents.STORE or contents.is_here_only(top):
            return None
        return self._file(self._new / name, entry, entry.mode)

    def _file(self, path: Path, entry: Entry, mode: int) -> "_Unpacked":
        self._folders(path.parent)
        return _Unpacked(path, mode, self._owner(entry))

    def _owner(self, entry: Entry) -> tuple[int, int]:
        """Those of the data folder for a name that this box does not know, and for the store."""
        user, group = self._like.st_uid, self._like.st_gid
        if entry.name in STORES:
            return user, group
        try:
            user = pwd.getpwnam(entry.owner).pw_uid
            group = grp.getgrnam(entry.group).gr_gid
        except KeyError:
            return self._like.st_uid, self._like.st_gid
        return user, group

    def _folders(self, folder: Path) -> None:
        if not folder.is_dir():
            self._folders(folder.parent)
            folder.mkdir(mode=0o700)

    def carry_over(self) -> None:
        """What is of this machine and not of its data, and keys that the backup lacks: without its certificate the web does not start."""
        for name in contents.OF_THIS_MACHINE:
            here = self._places.data / name
            for path in [here, *sorted(here.rglob("*"))] if here.is_dir() and not here.is_symlink() else []:
                _like(path, self._new / path.relative_to(self._places.data), name.endswith("incoming"))

        for name in contents.keys_of(self._places.data):
            if not (self._new / name).exists() and not name.endswith("/words.json"):
                self._folders((self._new / name).parent)
                _like(self._places.data / name, self._new / name, only_folders=False)

    def settle(self) -> None:
        """Folders are as this box has them, or as its data folder; whatever made the store afterwards, it is the data folder's owner's."""
        for folder in [path for path in self._new.rglob("*") if path.is_dir()]:
            counterpart = self._places.data / folder.relative_to(self._new)
            found = counterpart.stat() if counterpart.is_dir() and not counterpart.is_symlink() else None
            own = folder.is_relative_to(self._new / "system")
            _give(folder, (0, self._like.st_gid) if own and found is None else _owner_of(found or self._like))
            folder.chmod(found.st_mode & 0o7777 if found else 0o750 if own else DIRECTORY_MODE)
        for name in STORES.values():
            if (self._new / name).exists():
                _give(self._new / name, _owner_of(self._like))
                (self._new / name).chmod(STORE_MODE)


class _Unpacked:
    def __init__(self, path: Path, mode: int, owner: tuple[int, int]) -> None:
        self._path = path
        try:
            self._file = open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb")  # noqa: SIM115  # until close
            _give(path, owner)
            os.fchmod(self._file.fileno(), mode)
        except OSError as error:
            raise _fault(path, error) from error

    def write(self, content: bytes) -> None:
        try:
            self._file.write(content)
        except OSError as error:
            raise _fault(self._path, error) from error

    def close(self) -> None:
        try:
            self._file.close()
        except OSError as error:
            raise _fault(self._path, error) from error


def _like(path: Path, copy: Path, only_folders: bool) -> None:
    if path.is_symlink() or not (path.is_dir() or (path.is_file() and not only_folders)):
        return
    if path.is_dir():
        copy.mkdir(parents=True, exist_ok=True)
    else:
        shutil.copyfile(path, copy)
    found = path.stat()
    _give(copy, _owner_of(found))
    copy.chmod(found.st_mode & 0o7777)


def _fault(path: Path, error: OSError) -> BoxError:
    found = fault_of(str(path), error)
    if found.code == "SYS-105":
        return BoxError(
            "SYS-122", "the box's own disk is too full for what is to be restored", "Make room below data_dir; nothing was changed"
        )
    return found


def _owner_of(found: os.stat_result) -> tuple[int, int]:
    return found.st_uid, found.st_gid


def _give(path: Path, owner: tuple[int, int]) -> None:
    if os.geteuid() == 0:
        os.chown(path, *owner, follow_symlinks=False)
