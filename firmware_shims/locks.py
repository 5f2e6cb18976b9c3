"""One loader for a card at a time: a locked file each, below run_dir. The kernel lets go of it when its process ends."""

import contextlib
import fcntl
from collections.abc import Callable, Iterator
from pathlib import Path

from firmware_shims.errors import BUSY, FILE_UNWRITABLE, FirmwareError

LOOK_S = 0.2


@contextlib.contextmanager
def card_lock(folder: Path, where: str, limit_s: float, sleep: Callable[[float], object]) -> Iterator[None]:
    """Raises: FirmwareError CRD-015 when another loader has the card for longer than `limit_s`."""
    path = folder / f"card-{where.replace('/', '_')}.lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = path.open("w")
    except OSError as error:
        raise FirmwareError(FILE_UNWRITABLE, f"cannot make {path}: {error.strerror}", "Is this root?") from error
    with file:
        _wait(file.fileno(), where, limit_s, sleep)
        yield


def _wait(fd: int, where: str, limit_s: float, sleep: Callable[[float], object]) -> None:
    waited_s = 0.0
    while True:
        try:
            return fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waited_s >= limit_s:
                what = f"another loader has the card at {where} for more than {limit_s:.0f} s"
                raise FirmwareError(BUSY, what, "Wait until it is done; see the log of careline-firmware") from None
        sleep(LOOK_S)
        waited_s += LOOK_S
