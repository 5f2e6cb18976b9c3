"""A shelf: one flat folder somewhere that backups lie in. What every kind of it can do, and the kind that is a folder of this machine.

Names are ours alone (naming.py). Raises: BoxError SYS-105 full, SYS-107 not there, SYS-116 another fault. Used by one thread at a time.
"""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import msgspec

from appliance.system.errors import BoxError


class Stored(msgspec.Struct, frozen=True):
    """A file on a shelf. size: bytes."""

    name: str
    size: int


class Written(Protocol):
    """A file being written."""

    def write(self, content: bytes, /) -> object: ...


class Readable(Protocol):
    """A file being read: `read(n)` gives at most n bytes, none at the end."""

    def read(self, size: int, /) -> bytes: ...


class Shelf(Protocol):
    """`writing` has everything on the medium when it is left; `reading` reads from the medium, not from memory, where that can be had."""

    def list(self) -> list[Stored]: ...

    def writing(self, name: str) -> contextlib.AbstractContextManager[Written]: ...

    def reading(self, name: str) -> contextlib.AbstractContextManager[Readable]: ...

    def rename(self, name: str, to: str) -> None: ...

    def remove(self, name: str) -> None:
        """Also when it is not there."""

    def free(self) -> int | None:
        """Bytes; None where nobody says."""


class FolderShelf:
    """A folder, made when it is not there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with told(str(folder)):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def list(self) -> list[Stored]:
        with told(str(self._folder)), os.scandir(self._folder) as found:
            return [Stored(entry.name, entry.stat().st_size) for entry in found if entry.is_file(follow_symlinks=False)]

    @contextlib.contextmanager
    def writing(self, name: str) -> Iterator[Written]:
        path = self._folder / name
        with told(str(path)):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with open(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fsync(descriptor)
            self._sync()

    @contextlib.contextmanager
    def reading(self, name: str) -> Iterator[Readable]:
        path = self._folder / name
        with told(str(path)), open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            yield file

    def rename(self, name: str, to: str) -> None:
        with told(str(self._folder / to)):
            os.replace(self._folder / name, self._folder / to)
            self._sync()

    def remove(self, name: str) -> None:
        with told(str(self._folder / name)):
            (self._folder / name).unlink(missing_ok=True)

    def free(self) -> int | None:
        with told(str(self._folder)):
            found = os.statvfs(self._folder)
        return found.f_bavail * found.f_frsize

    def _sync(self) -> None:
        """Network file systems have no such thing for a folder."""
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            with contextlib.suppress(OSError):
                os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def told(where: str) -> Iterator[None]:
    """Faults of files as ours."""
    try:
        yield
    except OSError as error:
        raise fault_of(where, error) from error


def fault_of(where: str, error: OSError) -> BoxError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return BoxError("SYS-105", f"no room left at {where}; the older backups there are as they were", "Make room there, or keep fewer")
    if error.errno == errno.EFBIG:
        return BoxError("SYS-105", f"{where} takes no file that large (FAT32: 4 GB)", "Format that disk as exFAT or ext4")
    if error.errno == errno.ENOENT:
        return BoxError("SYS-107", f"there is no {where}", "Look at the list of backups again; is the disk the right one?")
    what = f"{where} cannot be used: {error.strerror or error}"
    return BoxError("SYS-116", what, "Check the disk, the network and who may write there")
