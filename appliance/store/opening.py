"""A store is not opened while another program puts another file in its place. The lock is the folder's own. Source: flock(2)."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.store.errors import StoreError

LIMIT_S = 20.0
TRY_EVERY_S = 0.02


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Nobody else opens the store at `path` meanwhile. Raises: StoreError STO-012 after LIMIT_S, STO-001 without a folder."""
    with _locked(path, fcntl.LOCK_EX):
        yield


@contextmanager
def beside_others(path: Path) -> Iterator[None]:
    """Nobody exchanges the store at `path` meanwhile. Raises: as `alone`."""
    with _locked(path, fcntl.LOCK_SH):
        yield


@contextmanager
def _locked(path: Path, how: int) -> Iterator[None]:
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise StoreError("STO-001", f"cannot open the folder of {path}: {error}", "Check [paths] data_dir and who owns it") from error
    try:
        _wait(folder, how, path)
        yield
    finally:
        os.close(folder)


def _wait(folder: int, how: int, path: Path) -> None:
    until_s = time.monotonic() + LIMIT_S
    while True:
        try:
            fcntl.flock(folder, how | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            if time.monotonic() >= until_s:
                what = f"another program has been exchanging the store {path} for {LIMIT_S:.0f} s"
                raise StoreError("STO-012", what, "Restart the other programs of Careline") from error
        time.sleep(TRY_EVERY_S)
