"""Room for the store on a full disk: a file beside it that is cut shorter, piece by piece, whenever the store cannot be written.

Only a piece at a time, and the store writes into it at once: a recording that runs takes whatever else becomes free.
Used by whoever has the store: the thread that opens it, then store-writer.
"""

import errno
import os
import shutil
import sqlite3
from pathlib import Path

from appliance.store.place import StorePlace

RESERVE_BYTES = 8 << 20  # some hundred calls: 1 MB for the write-ahead log, 5 kB of records for each call, and what recordings take of it
PIECE_BYTES = 32 << 10  # about one transaction
LEFT_BYTES = RESERVE_BYTES  # what must still be free for others when the reserve is made, or it would be given away again at once
_WITHOUT_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)


class NoReserve:
    """Of a store on a server: what it lacks there, no file here gives it."""

    is_whole = True

    def give(self, pieces: int = 1) -> bool:
        return False

    def fill(self) -> None:
        """Nothing is kept."""


class Reserve:
    """The reserve of the store at `store`."""

    def __init__(self, store: Path) -> None:
        self.path = path_of(store)
        self._bytes = held_bytes(self.path)

    @property
    def is_whole(self) -> bool:
        return self._bytes >= RESERVE_BYTES

    def give(self, pieces: int = 1) -> bool:
        """Let the disk have so many pieces. False when there is none left, or the disk does not even take that."""
        if not self._bytes:
            return False
        left = max(0, self._bytes - pieces * PIECE_BYTES)
        try:
            os.truncate(self.path, left)
        except OSError:
            self._bytes = held_bytes(self.path)
            return False
        self._bytes = left
        return True

    def fill(self) -> None:
        """Make it whole, if the disk has room for it and for others; else it stays as it is."""
        if self.is_whole:
            return
        try:
            if shutil.disk_usage(self.path.parent).free >= RESERVE_BYTES - self._bytes + LEFT_BYTES:
                self._allocate()
        except OSError:
            self._bytes = held_bytes(self.path)

    def _allocate(self) -> None:
        """Real blocks, not a hole in the file."""
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            os.posix_fallocate(file, 0, RESERVE_BYTES)
        finally:
            os.close(file)
        self._bytes = RESERVE_BYTES


def reserve_of(place: StorePlace) -> Reserve | NoReserve:
    return Reserve(place) if isinstance(place, Path) else NoReserve()


def path_of(store: Path) -> Path:
    return store.with_suffix(".reserve")


def held_bytes(path: Path) -> int:
    """How much of a reserve is left; 0 when there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def lacks_room(error: BaseException | None) -> bool:
    """Whether room on the disk may be what the store lacked: SQLite has more than one word for it. Source: sqlite.org/rescode."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        if isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF in _WITHOUT_ROOM:
            return True
        error = error.__cause__ or error.__context__
    return False
