"""Ends what an earlier scenario left running, so that the next one finds the cards free. Guest only: it kills whoever has them.

Scenarios of the whole product use one box after another, as a hospital does, and only they.
"""

import os
import shutil
import signal
import time
from pathlib import Path

from tests.lab.product import MODULES, PATHS, STATE, is_alive

SHARED_BOX = ("product_", "killing_", "speed.")
DEVICES = "/dev/dahdi/"
GONE_LIMIT_S = 10.0


def shares_box(earlier: str, name: str) -> bool:
    """True when the later of two scenarios goes on with the box of the earlier."""
    return earlier.startswith(SHARED_BOX) and name.startswith(SHARED_BOX)


def end_leftovers() -> None:
    """Daemons, their holder, whatever else has a channel open; and the state they kept. Raises: AssertionError."""
    pids = (_daemons() | _users_of_cards()) - {os.getpid()}
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    deadline_s = time.monotonic() + GONE_LIMIT_S
    while left := [pid for pid in pids if is_alive(pid)]:
        assert time.monotonic() < deadline_s, f"processes {left} do not end"
        time.sleep(0.01)
    for program in MODULES:
        (STATE / f"{program}.pid").unlink(missing_ok=True)
    shutil.rmtree(PATHS.run_dir, ignore_errors=True)


def _daemons() -> set[int]:
    files = (STATE / f"{program}.pid" for program in MODULES)
    return {pid for pid in (int(file.read_text()) for file in files if file.exists()) if is_alive(pid)}


def _users_of_cards() -> set[int]:
    return {int(process.name) for process in Path("/proc").glob("[0-9]*") if _has_card_open(process)}


def _has_card_open(process: Path) -> bool:
    try:
        return any(os.readlink(each).startswith(DEVICES) for each in os.scandir(process / "fd"))
    except OSError:
        return False  # it has just ended
