"""Disks that are plugged in and network shares: found, mounted for as long as they are used, let go. By lsblk, mount and umount, as root.

Mounts are the box service's own (its mount namespace), without programs, devices and set-user-id. Every wait has a limit.
"""

import contextlib
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from appliance.system.backup.messages import Target, UsbDisk
from appliance.system.errors import BoxError

LIMIT_S = 60
COLUMNS = "PATH,TYPE,LABEL,UUID,FSTYPE,SIZE,MODEL,HOTPLUG,TRAN,MOUNTPOINTS"
SAFE = "nosuid,nodev,noexec"
NO_OWNERS = {"vfat": "umask=0077", "exfat": "umask=0077", "ntfs": "umask=0077"}
NETWORK = {"nfs": "soft,timeo=100,retrans=3", "nfs4": "soft,timeo=100,retrans=3", "cifs": "file_mode=0600,dir_mode=0700"}
"""Options without which a share that is away would hold us for ever, or that no owner exists for."""


class Device(msgspec.Struct, frozen=True):
    """A line of lsblk's. Source: lsblk(8), JSON."""

    path: str
    type: str = ""
    label: str | None = None
    uuid: str | None = None
    fstype: str | None = None
    size: int = 0
    model: str | None = None
    hotplug: bool = False
    tran: str | None = None
    mountpoints: tuple[str | None, ...] = ()
    children: tuple["Device", ...] = ()


class _Found(msgspec.Struct, frozen=True):
    blockdevices: tuple[Device, ...] = ()


def usb_disks(ours: Path) -> list[UsbDisk]:
    """File systems on disks that can be pulled, but for disks the box itself runs from. `ours`: below it are our own mounts."""
    said = _run("lsblk", "--json", "--bytes", "--output", COLUMNS)
    try:
        found = msgspec.json.decode(said, type=_Found).blockdevices
    except msgspec.DecodeError as error:
        raise BoxError("SYS-104", f"lsblk says what is not understood: {error}", "Mount the disk yourself and name its folder") from error
    return [_disk(part, device, ours) for device in found if _is_pulled(device, ours) for part in _file_systems(device)]


def _is_pulled(device: Device, ours: Path) -> bool:
    if not (device.hotplug or device.tran == "usb"):
        return False
    points = [point for part in (device, *_all_below(device)) for point in part.mountpoints if point]
    return not any(point in ("/", "/boot", "/boot/efi", "/var", "[SWAP]") or Path(point) in ours.parents for point in points)


def _all_below(device: Device) -> Iterator[Device]:
    for child in device.children:
        yield child
        yield from _all_below(child)


def _file_systems(device: Device) -> Iterator[Device]:
    """A disk formatted as a whole may have a table for Windows, whose one partition is the same file system again: once."""
    again = (part for part in _all_below(device) if not device.uuid or part.uuid != device.uuid)
    return (part for part in (device, *again) if part.fstype and part.fstype not in ("swap", "crypto_LUKS", "LVM2_member"))


def _disk(part: Device, disk: Device, ours: Path) -> UsbDisk:
    return UsbDisk(
        device=part.path,
        label=part.label or "",
        uuid=part.uuid or "",
        file_system=part.fstype or "",
        size=part.size,
        model=(disk.model or "").strip(),
        mounted=any(point for point in part.mountpoints) or os.path.ismount(_point(ours, part.path)),
    )


def disk_of(target: Target, ours: Path) -> UsbDisk:
    """Raises: BoxError SYS-126 none, or more than one."""
    found = [disk for disk in usb_disks(ours) if not target.label or target.label in (disk.label, disk.uuid)]
    if len(found) != 1:
        which = f" {target.label}" if target.label else ""
        what = f"{'more than one disk is' if found else f'no disk{which} is'} plugged in"
        raise BoxError("SYS-126", what, "Plug it in, or say by its label which one it is")
    return found[0]


@contextlib.contextmanager
def mounted_disk(target: Target, ours: Path) -> Iterator[Path]:
    """Its root folder. Raises: BoxError SYS-104, SYS-126."""
    disk = disk_of(target, ours)
    options = ",".join(filter(None, (SAFE, NO_OWNERS.get(disk.file_system, ""))))
    with _mounted(disk.device, _point(ours, disk.device), ("-o", options)) as point:
        yield point


@contextlib.contextmanager
def mounted_share(target: Target, password: str, ours: Path) -> Iterator[Path]:
    """Its root folder. The password is in a file of root's while it is mounted, on no command line. Raises: BoxError SYS-104."""
    point = _point(ours, target.name)
    options = [SAFE, NETWORK.get(target.file_system, ""), target.options]
    secret = point.with_name(f"{point.name}.password")
    try:
        if target.file_system == "cifs":
            point.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            secret.touch(mode=0o600)
            secret.write_text(f"username={target.user}\npassword={password}\n")
            options.append(f"credentials={secret}")
        with _mounted(target.source, point, ("-t", target.file_system, "-o", ",".join(filter(None, options)))) as root:
            yield root
    finally:
        secret.unlink(missing_ok=True)


@contextlib.contextmanager
def _mounted(what: str, point: Path, how: Sequence[str]) -> Iterator[Path]:
    point.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.path.ismount(point):  # left by one that was killed
        _run("umount", str(point))
    _run("mount", *how, "--", what, str(point))
    try:
        yield point
    finally:
        let_go(point)


def let_go(point: Path) -> None:
    """All is written when it returns; a share that is away is let go of later. Raises: BoxError SYS-104."""
    if not os.path.ismount(point):
        return
    try:
        _run("umount", str(point))
    except BoxError:
        _run("umount", "--lazy", str(point))
        raise
    with contextlib.suppress(OSError):
        point.rmdir()


def eject(device: str, ours: Path) -> None:
    """Raises: BoxError SYS-126 no such disk, SYS-104 still in use."""
    disk = next((disk for disk in usb_disks(ours) if disk.device == device), None)
    if disk is None:
        raise BoxError("SYS-126", f"there is no disk {device} to be pulled", "Look at the list of disks again")
    let_go(_point(ours, device))
    _run("blockdev", "--flushbufs", device)


def _point(ours: Path, what: str) -> Path:
    return ours / what.strip("/").replace("/", "-")


def _run(*command: str) -> bytes:
    try:
        done = subprocess.run(command, check=False, capture_output=True, stdin=subprocess.DEVNULL, timeout=LIMIT_S)
    except FileNotFoundError as error:
        raise BoxError("SYS-104", f"there is no {command[0]} on this box", "Choose another kind of place for backups") from error
    except subprocess.TimeoutExpired as error:
        raise BoxError("SYS-104", f"{command[0]} {command[-1]} did not end within {LIMIT_S} s", "Check the disk and the network") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        what = f"{command[0]} {command[-1]}: {said[0] if said else f'failed with {done.returncode}'}"
        raise BoxError("SYS-104", what, "Check the disk or the share, its file system, user and password")
    return done.stdout
