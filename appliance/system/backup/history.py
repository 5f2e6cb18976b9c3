"""Which backups were tried and what came of it, and the little of it that the health service reads. Any thread."""

import threading
from datetime import datetime
from pathlib import Path

import msgspec

from appliance.system.backup.files import kept_json, read_json
from appliance.system.backup.messages import History, Outcome

KEPT = 200

_lock = threading.Lock()


class _Told(msgspec.Struct, frozen=True):
    newest_first: tuple[History, ...] = ()


class BackupBrief(msgspec.Struct, frozen=True, kw_only=True):
    """state.json below data_dir/system/backup, for whoever watches. expected: one every night is wanted. last: how the newest try ended."""

    expected: bool
    last_good_at: datetime | None
    last_at: datetime | None = None
    last: Outcome | None = None
    code: str = ""
    what: str = ""
    remedy: str = ""
    next_at: datetime | None = None


def read(path: Path) -> tuple[History, ...]:
    """Newest first. Raises: BoxError."""
    found = read_json(path, _Told)
    return found.newest_first if found else ()


def add(path: Path, entry: History) -> None:
    with _lock:
        kept_json(path, _Told((entry, *read(path))[:KEPT]))


def last_good(entries: tuple[History, ...]) -> datetime | None:
    return max((entry.at for entry in entries if entry.outcome is Outcome.GOOD), default=None)


def brief(entries: tuple[History, ...], expected: bool, next_at: datetime | None) -> BackupBrief:
    last = entries[0] if entries else None
    if last is None:
        return BackupBrief(expected=expected, last_good_at=None, next_at=next_at)
    return BackupBrief(
        expected=expected,
        last_good_at=last_good(entries),
        last_at=last.at,
        last=last.outcome,
        code=last.code,
        what=last.what,
        remedy=last.remedy,
        next_at=next_at,
    )


def read_brief(data_dir: Path) -> BackupBrief | None:
    """For the health service; None while no backup was ever thought of. Raises: BoxError."""
    return read_json(data_dir / "system" / "backup" / "state.json", BackupBrief)
