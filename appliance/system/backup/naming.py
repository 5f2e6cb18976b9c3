"""The names of backups, which say what they are: careline-BOX-20261123T183000Z-nightly.age. Pure."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from appliance.system.backup.messages import BackupFile
from appliance.system.backup.shelf import Stored

NIGHTLY, BY_HAND = "nightly", "by-hand"
PARTIAL = ".partial"
"""What is being written has this behind its name."""
_BACKUP = re.compile(r"careline-(?P<box>[a-z0-9-]{1,40})-(?P<at>\d{8}T\d{6}Z)-(?P<kind>nightly|by-hand)\.age")
_PACK = re.compile(r"careline-(?P<box>[a-z0-9-]{1,40})-(?P<at>\d{8}T\d{6}Z)-recordings-(?P<number>\d{4})\.age")
_STAMP = "%Y%m%dT%H%M%SZ"


class Pack(msgspec.Struct, frozen=True):
    """A file with recordings."""

    name: str
    box: str
    at: datetime
    number: int
    size: int


def backup_name(box: str, at: datetime, kind: str) -> str:
    return f"careline-{box}-{at.astimezone(UTC):{_STAMP}}-{kind}.age"


def pack_name(box: str, at: datetime, number: int) -> str:
    return f"careline-{box}-{at.astimezone(UTC):{_STAMP}}-recordings-{number:04}.age"


def backups_among(files: Iterable[Stored], box: str | None = None) -> list[BackupFile]:
    """Newest first; those of one box, or of all."""
    found = [_backup(file) for file in files]
    return sorted((each for each in found if each and box in (None, each.box)), key=lambda each: (each.at, each.name), reverse=True)


def packs_among(files: Iterable[Stored], box: str | None = None) -> list[Pack]:
    """Oldest first."""
    found = [_pack(file) for file in files]
    return sorted((each for each in found if each and box in (None, each.box)), key=lambda each: (each.at, each.number))


def left_over(files: Iterable[Stored], box: str) -> list[str]:
    """What this box began and did not end."""
    return [file.name for file in files if file.name.startswith(f"careline-{box}-") and file.name.endswith(PARTIAL)]


def _backup(file: Stored) -> BackupFile | None:
    match = _BACKUP.fullmatch(file.name)
    at = _time(match["at"]) if match else None
    return BackupFile(name=file.name, at=at, box=match["box"], kind=match["kind"], size=file.size) if match and at else None


def _pack(file: Stored) -> Pack | None:
    match = _PACK.fullmatch(file.name)
    at = _time(match["at"]) if match else None
    return Pack(file.name, match["box"], at, int(match["number"]), file.size) if match and at else None


def _time(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
