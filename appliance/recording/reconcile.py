"""What a crash of both processes, or of the machine, leaves behind: records without an end, files without a record,
records without a file. Looks at what was recent only; a walk over years of recordings is the night's work.

`unfinished`, `recent_rows` run in the store's writer thread; `compare` reads a few folders.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from appliance.events import AnyHappened, CallFailed, CallReleased, RecordingEnded
from appliance.store.models import CallEvent, CallRecord, Recording, VoiceMessage
from drivers.protocol import Cause

LOOK_BACK = timedelta(days=2)
OF_MESSAGE = re.compile(r"-m\d+\.wav$")  # one that was discarded has an event in its call, but no row


class Unfinished(msgspec.Struct, frozen=True):
    """A call whose record has no end, and its recordings that have none."""

    call_id: str
    last_seq: int
    last_at: datetime
    recordings: tuple[tuple[str, str], ...]


def unfinished(before: datetime, alive: frozenset[str]) -> list[Unfinished]:
    """Calls begun before that time, without an end, that the line server does not know any more."""
    rows = CallRecord.select(CallRecord.call_id).where(CallRecord.ended_at.is_null(), CallRecord.started_at < before)
    return [_unfinished(row.call_id) for row in rows if row.call_id not in alive]


def _unfinished(call_id: str) -> Unfinished:
    last = CallEvent.select().where(CallEvent.call == call_id).order_by(CallEvent.seq.desc()).first()
    open_rows = Recording.select().where(Recording.call == call_id, Recording.ended_at.is_null())
    return Unfinished(call_id, last.seq, last.at, tuple((row.recording_id, row.path) for row in open_rows))


def closing_events(call: Unfinished, recordings_dir: Path) -> list[AnyHappened]:
    """The end of such a call: at the last moment known of it, its recordings as long as their files."""
    where: dict[str, Any] = {"call_id": call.call_id, "at": call.last_at}
    events: list[AnyHappened] = [
        RecordingEnded(
            recording_id=recording_id,
            path=path,
            samples=_samples(recordings_dir / path),
            error="the line server was lost while it recorded",
            seq=0,
            **where,
        )
        for recording_id, path in call.recordings
    ]
    events.append(
        CallFailed(
            code="APP-007",
            what="the line server does not know this call any more",
            remedy="See the log of careline-lines",
            seq=0,
            **where,
        )
    )
    events.append(CallReleased(cause=Cause.TEMPORARY_FAILURE, ended_by="box", seq=0, **where))
    return [msgspec.structs.replace(event, seq=call.last_seq + place) for place, event in enumerate(events, 1)]


def _samples(path: Path) -> int:
    """Length of a stereo A-law file by its size. Source: WAVE, 2 bytes per sample of both sides."""
    try:
        return max(0, path.stat().st_size - 58) // 2
    except OSError:
        return 0


class Difference(msgspec.Struct, frozen=True):
    """Paths relative to the recordings folder."""

    files_without_record: tuple[str, ...]
    records_without_file: tuple[str, ...]


def recent_rows(since: datetime) -> list[str]:
    """Paths of recordings and messages begun since then, from the store."""
    recordings = Recording.select(Recording.path).where(Recording.started_at >= since)
    messages = VoiceMessage.select(VoiceMessage.path).where(VoiceMessage.left_at >= since)
    return [row.path for row in [*recordings, *messages]]


def compare(recordings_dir: Path, days: Iterable[date], rows: Sequence[str]) -> Difference:
    """Files of those days against rows of the store; a row of another day is looked up singly."""
    files = {str(path.relative_to(recordings_dir)) for day in days for path in (recordings_dir / folder_of(day)).glob("*.wav")}
    known = set(rows)
    missing = sorted(row for row in known - files if not (recordings_dir / row).exists())
    strange = sorted(file for file in files - known if OF_MESSAGE.sub(".wav", file) not in known)
    return Difference(tuple(strange), tuple(missing))


def folder_of(day: date) -> str:
    """The folder of a day's recordings."""
    return f"{day:%Y/%m/%d}"
