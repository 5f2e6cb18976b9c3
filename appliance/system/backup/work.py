"""What a job in progress tells and hears: how far it is, and whether somebody cancelled it. One thread works, any thread may cancel."""

import threading
from collections.abc import Callable
from typing import Protocol

from appliance.system.errors import BoxError

Tell = Callable[[int, str], None]


class Work:
    """`tell`: percent and step, as in messages.STEPS."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._cancelled = threading.Event()
        self._told = (-1, "")
        self._step, self._from, self._to, self._size, self._done = "waiting", 0, 0, 0, 0
        self._is_final = False

    def cancel(self) -> bool:
        """False when it is too late."""
        if self._is_final:
            return False
        self._cancelled.set()
        return True

    def is_final(self) -> None:
        """From here on it is carried through. Raises: BoxError SYS-117."""
        self.check()
        self._is_final = True

    def may_cancel(self) -> None:
        """What must not be left half done is done."""
        self._is_final = False

    def check(self) -> None:
        """Raises: BoxError SYS-117 when it was cancelled."""
        if self._cancelled.is_set() and not self._is_final:
            raise BoxError("SYS-117", "cancelled", "Start it again when you like; nothing was changed")

    def step(self, name: str, from_percent: int, to_percent: int, size: int = 0) -> None:
        """A step begins; `size`: bytes that `moved` will count."""
        self._step, self._from, self._to, self._size, self._done = name, from_percent, to_percent, size, 0
        self.moved(0)

    def moved(self, size: int) -> None:
        """Raises: BoxError SYS-117."""
        self.check()
        self._done += size
        part = min(1.0, self._done / self._size) if self._size else 0.0
        percent = round(self._from + (self._to - self._from) * part)
        if self._told != (percent, self._step):
            self._told = (percent, self._step)
            self._tell(percent, self._step)


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def counted(file: Readable, work: Work, size: int) -> bytes:
    """At most `size` bytes of `file`, told as progress. Raises: BoxError SYS-117."""
    found = file.read(size)
    work.moved(len(found))
    return found
