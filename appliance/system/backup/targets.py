"""From a target of the settings to a shelf that is open: mounted or connected, and let go afterwards. Runs in the thread of a job."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from appliance.system.backup import mounting
from appliance.system.backup.files import kept_json, read_json
from appliance.system.backup.messages import Target, TargetKind
from appliance.system.backup.places import Places
from appliance.system.backup.shelf import FolderShelf, Shelf, told
from appliance.system.errors import BoxError

FOLDER = "careline-backups"
"""On a disk or a share, where no other folder is named."""
PROBE = b"careline looks whether backups can be written here\n"
PROBE_NAME = "careline-probe.partial"


class Passwords(msgspec.Struct, frozen=True):
    """By the name of the target."""

    by_target: dict[str, str] = {}


def passwords(places: Places) -> dict[str, str]:
    found = read_json(places.passwords, Passwords)
    return found.by_target if found else {}


def keep_password(places: Places, target: str, password: str) -> None:
    known = {name: each for name, each in passwords(places).items() if name != target}
    kept_json(places.passwords, Passwords(known | ({target: password} if password else {})), 0o600)


@contextlib.contextmanager
def opened(target: Target, places: Places) -> Iterator[Shelf]:
    """Raises: BoxError SYS-104 cannot be mounted or reached, SYS-120, SYS-121, SYS-126, SYS-128."""
    match target.kind:
        case TargetKind.FOLDER:
            yield FolderShelf(Path(target.path))
        case TargetKind.USB:
            with mounting.mounted_disk(target, places.mounts) as root:
                yield FolderShelf(root / (target.path or FOLDER))
        case TargetKind.SHARE:
            with _share(target, places) as folder:
                yield FolderShelf(folder)
        case TargetKind.SFTP:
            from appliance.system.backup.sftp import connected  # 15 MB that most boxes never need

            with connected(target, passwords(places).get(target.name, ""), places.ssh_key) as shelf:
                yield shelf


def probe(shelf: Shelf) -> None:
    """A small file is written, read back and removed. Raises: BoxError."""
    try:
        with shelf.writing(PROBE_NAME) as file:
            file.write(PROBE)
        with shelf.reading(PROBE_NAME) as read:
            if read.read(len(PROBE) + 1) != PROBE:
                raise BoxError("SYS-113", "what was written there was read back differently", "Take another disk or another machine")
    finally:
        shelf.remove(PROBE_NAME)


@contextlib.contextmanager
def _share(target: Target, places: Places) -> Iterator[Path]:
    if target.source:
        with mounting.mounted_share(target, passwords(places).get(target.name, ""), places.mounts) as root:
            yield root / (target.path or FOLDER)
        return
    folder = Path(target.path)
    with told(target.path):
        if folder.stat().st_dev in {os.stat(own).st_dev for own in ("/", places.data)}:
            what = f"nothing is mounted at {target.path}: that is the box's own disk"
            raise BoxError("SYS-128", what, "Mount the share; on the box's own disk only a place of kind folder can be")
    yield folder
