"""One night's work: recordings that have outlived the setting are deleted, oldest first, each in a transaction with the row that says so.

Never: what somebody holds, calls of complaints that are open, messages that nobody heard, calls that go on, what is in no backup (unless
set so), anything outside the recordings folder. At most a tenth of all in one night, whatever the clock says. In a thread of
careline-system.
"""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from peewee import JOIN, fn

from appliance.store import keeping
from appliance.store.case_tables import Complaint
from appliance.store.keeping import Retention
from appliance.store.keeping_tables import DeletedRecording, LegalHold, RetentionNight
from appliance.store.models import CallRecord, Recording, VoiceMessage
from appliance.store.transaction import write_transaction

LEAST_A_NIGHT = 100
SHARE_A_NIGHT = 10
"""A tenth, but LEAST_A_NIGHT in any case."""
FAULTS_MOST = 20
CLOSED = "closed"

log = logging.getLogger("careline.system")


class Old(msgspec.Struct, frozen=True):
    """A recording that may go. `path`: below the recordings folder."""

    path: str
    call: str
    kind: str
    recorded_at: datetime
    days: int


class Night:
    """`is_saved`: whether a backup has a recording. Raises: peewee's errors where the store cannot be used; nothing is deleted unnoted."""

    def __init__(self, database: Any, folder: Path, is_saved: Callable[[str], bool], now: datetime) -> None:
        self._database, self._folder, self._is_saved, self._now = database, folder.resolve(), is_saved, now

    def refuse(self, why: str) -> None:
        log.error("REC-010: no recording is deleted: %s", why)
        with write_transaction(self._database):
            RetentionNight.create(at=self._now, state="refused", code="REC-010", fault=why)

    def run(self, wanted: Retention) -> RetentionNight:
        """What it did, as it is noted."""
        with write_transaction(self._database):
            night = RetentionNight.create(at=self._now, state="begun")
        faults: list[str] = []
        there = Recording.select().count() + VoiceMessage.select().count() - DeletedRecording.select().count()
        room = max(LEAST_A_NIGHT, there // SHARE_A_NIGHT)
        for old in self._old(wanted):
            if wanted.only_saved and not self._is_saved(old.path):
                night.unsaved += 1
            elif night.deleted >= room or len(faults) >= FAULTS_MOST:
                night.left += 1
            else:
                self._try_delete(old, night, faults)
        night.state = "done"
        if faults:
            night.code, night.fault = "REC-011", "; ".join(faults[:3])
        with write_transaction(self._database):
            night.save()
        log.info("recordings: %d deleted, %d in no backup, %d left for later", night.deleted, night.unsaved, night.left)
        return night

    def _try_delete(self, old: Old, night: RetentionNight, faults: list[str]) -> None:
        try:
            size_kb = self._delete(old)
        except OSError as error:
            log.error("REC-011: %s cannot be deleted: %s", old.path, error.strerror or error)
            faults.append(f"{old.path}: {error.strerror or error}")
            return
        if size_kb is not None:
            night.deleted += 1
            night.freed_kb += size_kb

    def _delete(self, old: Old) -> int | None:
        """KB that are free by it; None when somebody holds it meanwhile. Raises: OSError; the row is taken back then."""
        file = self._file(old.path)
        with write_transaction(self._database):
            if keeping.is_held(old.call):
                return None
            size_kb, was_gone = _size_kb(file)
            DeletedRecording.create(
                path=old.path,
                call=old.call,
                kind=old.kind,
                recorded_at=old.recorded_at,
                deleted_at=self._now,
                days=old.days,
                size_kb=size_kb,
                was_gone=was_gone,
            )
            file.unlink(missing_ok=True)
        log.info("recording %s deleted: kind %s, kept %d days", old.path, old.kind, old.days)
        return size_kb

    def _file(self, path: str) -> Path:
        """Raises: PermissionError for what leads out of the folder."""
        file = self._folder / path
        if not file.parent.resolve().is_relative_to(self._folder) or file.parent.resolve() == file.resolve():
            raise PermissionError(1, "it is not in the recordings folder")
        return file

    def _old(self, wanted: Retention) -> Iterator[Old]:
        """Oldest first."""
        found = [old for kind in keeping.KINDS if wanted.days(kind) for old in self._of_kind(kind, wanted.days(kind))]
        return iter(sorted(found, key=lambda old: old.recorded_at))

    def _of_kind(self, kind: str, days: int) -> Iterator[Old]:
        before = self._now - timedelta(days=days)
        if kind == "message":
            heard = VoiceMessage.heard_at.is_null(False) & (VoiceMessage.left_at < before)
            for message in VoiceMessage.select().where(heard, _may_go(VoiceMessage)):
                yield Old(message.path, message.call, kind, message.left_at, days)
            return
        transferred = fn.coalesce(CallRecord.transferred_to, "") != ""
        query = Recording.select().join(CallRecord, JOIN.LEFT_OUTER, on=(CallRecord.call_id == Recording.call))
        ended = Recording.ended_at.is_null(False) & (Recording.ended_at < before)
        for row in query.where(ended, transferred if kind == "operator" else ~transferred, _may_go(Recording)):
            yield Old(row.path, row.call, kind, row.started_at, days)


def _may_go(table: Any) -> Any:
    held = LegalHold.select(LegalHold.call).where(LegalHold.ended_at.is_null())
    complained = Complaint.select(Complaint.call).where(Complaint.state != CLOSED)
    return table.call.not_in(held) & table.call.not_in(complained) & table.path.not_in(DeletedRecording.select(DeletedRecording.path))


def _size_kb(file: Path) -> tuple[int, bool]:
    """And whether it is gone already. Raises: OSError."""
    try:
        return file.stat().st_size // 1024, False
    except FileNotFoundError:
        return 0, True
