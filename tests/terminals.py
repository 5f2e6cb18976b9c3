"""Pairs of terminals (pseudo-terminals), also where nothing is mounted at /dev/pts, as in a plain chroot: there from a devpts of the tests'
own, which needs root.

Source: pty(7), the kernel's Documentation/filesystems/devpts.rst.
"""

import atexit
import fcntl
import os
import struct
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import NamedTuple

TIOCGPTN, TIOCSPTLCK = 0x80045430, 0x40045431
MOUNT_LIMIT_S = 10


class TerminalPair(NamedTuple):
    """Both ends, open, and the path of the slave."""

    master: int
    slave: int
    path: str


def terminal_pair() -> TerminalPair:
    """Raises: OSError without devpts and without root."""
    try:
        master, slave = os.openpty()
    except OSError:
        return _own_pair(_own_devpts())
    return TerminalPair(master, slave, os.ttyname(slave))


def _own_pair(folder: Path) -> TerminalPair:
    master = os.open(folder / "ptmx", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    fcntl.ioctl(master, TIOCSPTLCK, struct.pack("i", 0))
    (number,) = struct.unpack("I", fcntl.ioctl(master, TIOCGPTN, struct.pack("I", 0)))
    path = str(folder / str(number))
    return TerminalPair(master, os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC), path)


@cache
def _own_devpts() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="devpts-"))
    mount = ["mount", "-t", "devpts", "-o", "newinstance,ptmxmode=0600,mode=0600", "devpts", str(folder)]
    if subprocess.run(mount, capture_output=True, timeout=MOUNT_LIMIT_S, check=False).returncode:
        raise OSError("no terminals: nothing is mounted at /dev/pts, and devpts cannot be mounted")
    atexit.register(_put_away, folder)
    return folder


def _put_away(folder: Path) -> None:
    subprocess.run(["umount", "--lazy", str(folder)], capture_output=True, timeout=MOUNT_LIMIT_S, check=False)
    folder.rmdir()
