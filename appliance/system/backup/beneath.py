"""Folders of the data that are mounts of their own, as in the box from an image: `system` is bound there from beside data_dir, so that none
of the services' group puts another in its place. Such a folder cannot be renamed; what lies in it can, where the disk shows it beneath the
mount. Reads the kernel's table of mounts, changes nothing.
"""

import re
from pathlib import Path

import msgspec

from appliance.system.errors import BoxError

MOUNTS = Path("/proc/self/mountinfo")
ESCAPED = re.compile(r"\\([0-7]{3})")


class Mount(msgspec.Struct, frozen=True):
    """device: major:minor; root: the folder of that file system which is seen at `at`. Source: proc(5), mountinfo."""

    device: str
    root: Path
    at: Path


def mounts() -> list[Mount]:
    """In the order in which they were mounted."""
    lines = (line.split(" ") for line in MOUNTS.read_text("utf-8", "surrogateescape").splitlines())
    return [Mount(fields[2], Path(_plain(fields[3])), Path(_plain(fields[4]))) for fields in lines]


def mounted_in(data: Path, names: list[str]) -> list[str]:
    """Which of these at the top of `data` are mounts."""
    found = {mount.at for mount in mounts()}
    return [name for name in names if data / name in found]


def place_of(data: Path, name: str) -> Path:
    """Where `name`, at the top of `data`, can be exchanged with the rest of `data`: there, or where the mount of `data` shows what is
    bound to it. Raises: BoxError SYS-116, it is of another disk."""
    table = mounts()
    bound = next((mount for mount in reversed(table) if mount.at == data / name), None)
    if bound is None:
        return data / name
    around = max((mount for mount in reversed(table) if data.is_relative_to(mount.at)), key=lambda mount: len(mount.at.parts))
    if bound.device == around.device and bound.root.is_relative_to(around.root):
        beneath = around.at / bound.root.relative_to(around.root)
        if beneath.is_dir() and beneath.samefile(data / name):
            return beneath
    what = f"{data / name} is a mount of another disk and cannot be exchanged; nothing was changed, calls go on"
    raise BoxError("SYS-116", what, f"Unmount it, or bind it from a folder of the disk that {data} is on, then restore again")


def _plain(field: str) -> str:
    return ESCAPED.sub(lambda found: chr(int(found[1], 8)), field)
