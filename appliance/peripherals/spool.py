"""Lines that the store does not take now, in a file that was made in its full size when there was room: it works on a full disk too.

One thread uses it. Each line stands in it with the moment it came, which is what keeps it from being stored twice after a kill.
"""

import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import msgspec

SPOOL_BYTES = 1 << 20  # some 8 000 lines
APART = b"\t"
END = b"\n"


class Came(msgspec.Struct, frozen=True):
    """A line and when it came."""

    at: datetime
    line: str


class Spool:
    """Where no room is for the whole of it, it takes what it has room for, which may be nothing.

    Raises: OSError when the file cannot be opened or written.
    """

    def __init__(self, path: Path, most_bytes: int = SPOOL_BYTES) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660)
        with suppress(OSError):
            os.posix_fallocate(self._file, 0, most_bytes)
        self._most = min(most_bytes, os.fstat(self._file).st_size)
        self._used = len(self._content())

    @property
    def is_empty(self) -> bool:
        return self._used == 0

    def put(self, lines: list[Came]) -> bool:
        """All of them, on the disk; False: they do not fit, and none is in it."""
        octets = b"".join(came.at.isoformat().encode() + APART + came.line.encode("utf-8", "surrogateescape") + END for came in lines)
        if self._used + len(octets) > self._most:
            return False
        os.pwrite(self._file, octets, self._used)
        os.fsync(self._file)
        self._used += len(octets)
        return True

    def lines(self) -> list[Came]:
        """Oldest first. A line that a power cut left half is not one."""
        whole = self._content().split(END)[:-1]
        parts = (line.partition(APART) for line in whole)
        return [Came(datetime.fromisoformat(at.decode()), text.decode("utf-8", "surrogateescape")) for at, apart, text in parts if apart]

    def clear(self) -> None:
        os.pwrite(self._file, b"\0" * self._used, 0)
        os.fsync(self._file)
        self._used = 0

    def close(self) -> None:
        os.close(self._file)

    def _content(self) -> bytes:
        return os.pread(self._file, self._most, 0).partition(b"\0")[0]
