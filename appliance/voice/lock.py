"""One `careline voice` for each data folder: a locked file with its number in it. Any process may look."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from drivers.errors import CarelineError

LOCK = "voice.lock"


class VoiceError(CarelineError):
    """`careline voice` cannot run."""


@contextmanager
def only_instance(data_dir: Path) -> Iterator[None]:
    """Hold the lock of this data folder. Raises: VoiceError APP-180."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = (data_dir / LOCK).open("a+")
    except OSError as error:
        raise VoiceError("APP-180", f"{data_dir} cannot be used ({error.strerror})", "Check [paths] data_dir and who owns it.") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise VoiceError("APP-180", f"another careline voice works on {data_dir}", "Stop it first.") from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def holder_of(data_dir: Path) -> int | None:
    """The process that holds the lock; None: nobody does."""
    try:
        with (data_dir / LOCK).open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(lock.read() or 0)
    except (OSError, ValueError):
        return None
    return None
