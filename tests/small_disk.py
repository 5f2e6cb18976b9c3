"""A small disk in memory that a test can fill to its last byte. Mounting needs root, as the machines have that tests run on."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

LIMIT_S = 20


class SmallDisk:
    """`folder` is the root of a file system of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filling = folder / "filling"

    def fill(self) -> None:
        """Not one block is free afterwards."""
        file = os.open(self._filling, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            for size in (1 << 20, 4096):
                with contextlib.suppress(OSError):
                    while os.write(file, bytes(size)) == size:
                        pass
        finally:
            os.close(file)
        assert self.free_bytes() == 0

    def empty(self) -> None:
        self._filling.unlink()

    def mount_again(self, how: str) -> None:
        """`how`: ro, as after errors of a disk, or rw."""
        subprocess.run(["mount", "-o", f"remount,{how}", str(self.folder)], check=True, timeout=LIMIT_S)

    def free_bytes(self) -> int:
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize


@contextlib.contextmanager
def small_disk(folder: Path, size_mb: int) -> Iterator[SmallDisk]:
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "careline-test", str(folder)], check=True, timeout=LIMIT_S)
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True, timeout=LIMIT_S)
