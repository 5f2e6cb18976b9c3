"""USB sticks: which are in, and their files while they are mounted, read-only and for as long as it takes. In careline-system's threads."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from appliance.system.errors import BoxError
from appliance.system.update.places import Places

LIMIT_S = 20.0
COLUMNS = "NAME,PATH,FSTYPE,LABEL,UUID,TRAN,RM,HOTPLUG,MOUNTPOINTS"
FILE_SYSTEMS = ("vfat", "exfat", "ext4", "ext3", "ext2", "iso9660")  # what the image's kernel has


class Stick(msgspec.Struct, frozen=True, kw_only=True):
    """A file system on something that can be pulled out. `device`: "sdb1"."""

    device: str
    path: str
    label: str


def sticks(places: Places) -> tuple[Stick, ...]:
    """Raises: BoxError SYS-080."""
    listed = _run((*places.lsblk, "--json", "--output", COLUMNS))
    return tuple(_found(msgspec.json.decode(listed).get("blockdevices", ()), False))


def _found(devices: list[dict[str, Any]], within: bool, around: str = "") -> Iterator[Stick]:
    """Of the tree that lsblk prints. Not what is mounted already: that is the box's own. `around`: the file system that begins where the
    partitions' disk begins: a stick formatted as a whole may have a table for Windows, whose one partition is the whole stick again."""
    for device in devices:
        own = device.get("uuid") or ""
        loose = within or device.get("tran") == "usb" or bool(device.get("rm")) or bool(device.get("hotplug"))
        yield from _found(device.get("children") or [], loose, own)
        mounted = any(device.get("mountpoints") or ())
        again = bool(own) and own == around
        if loose and device.get("fstype") in FILE_SYSTEMS and not mounted and not again:
            yield Stick(device=device["name"], path=device["path"], label=device.get("label") or "")


def named(places: Places, device: str) -> Stick:
    """Raises: BoxError SYS-080 when it is not in."""
    found = next((stick for stick in sticks(places) if stick.device == device), None)
    if found is None:
        raise BoxError("SYS-080", f"there is no stick {device} in the box", "Put it in again and look anew")
    return found


@contextmanager
def mounted(places: Places, stick: Stick) -> Iterator[Path]:
    """Its folder. Raises: BoxError SYS-080 for one that cannot be read."""
    folder = places.mounts / stick.device
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BoxError("SYS-080", f"cannot make {folder}: {error.strerror}", "Restart careline-system") from error
    _run(("mount", "-o", "ro,nosuid,nodev,noexec", stick.path, str(folder)))
    try:
        yield folder
    finally:
        _run(("umount", "--lazy", str(folder)))


def _run(command: tuple[str, ...]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, stdin=subprocess.DEVNULL, check=True)
    except subprocess.CalledProcessError as error:
        why = (error.stderr or error.stdout or "").strip().splitlines()
        what = f"{' '.join(command[:1])}: {why[-1] if why else error.returncode}"
        raise BoxError("SYS-080", f"the stick cannot be read ({what})", "Format it as FAT32 or exFAT and copy the update again") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BoxError("SYS-080", f"the stick cannot be read ({error})", "Pull it out, put it in again") from error
    return done.stdout
