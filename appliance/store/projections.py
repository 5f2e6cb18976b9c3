"""How one event becomes rows: the event itself, the call's record, its recordings and messages. Runs inside the writer's transaction."""

from collections.abc import Iterable
from functools import singledispatch
from itertools import chain

import msgspec

from appliance.cdr import Cdr, fold
from appliance.events import (
    AnyHappened,
    CallAnswered,
    CallOffered,
    CallReleased,
    DigitPressed,
    Happened,
    MessageLeft,
    RecordingEnded,
    RecordingGapped,
    RecordingStarted,
    TransferAnswered,
    TransferFailed,
    TransferStarted,
)
from appliance.store import statements
from appliance.store.models import CallEvent, Recording, VoiceMessage, database
from appliance.store.transaction import savepoint

_ONCE_A_CALL = (CallOffered, CallAnswered, CallReleased)


def once_key(event: Happened) -> str | None:
    """What makes an event unique within its call, for those that can happen only once; None for the others."""
    kind = type(event).__name__
    if isinstance(event, _ONCE_A_CALL):
        return kind
    if isinstance(event, DigitPressed):
        return f"{kind}:{event.leg}:{event.leg_seq}"
    if isinstance(event, MessageLeft | RecordingStarted | RecordingEnded):
        return f"{kind}:{event.recording_id}"
    if isinstance(event, TransferStarted | TransferAnswered | TransferFailed):
        return f"{kind}:{event.leg}"
    return None


def store_events(events: Iterable[Happened]) -> None:
    """Write events and what follows from them; the record of each call once, with all of them. Those that are there already
    (told again after a crash) change nothing."""
    fresh = tuple(_new_of(tuple(events)))
    before = statements.load_records({event.call_id for event in fresh})
    after: dict[str, Cdr | None] = {**before}
    for event in fresh:
        after[event.call_id] = fold(after.get(event.call_id), event)
        _rows(event)
    for call_id, record in after.items():
        if record is not None and record != before.get(call_id):
            statements.save_record(record)


def _new_of(events: tuple[Happened, ...]) -> Iterable[Happened]:
    """Store them; those that were not there yet. Nearly always that is all of them, and one statement."""
    if _all_inserted(events):
        return events
    return filter(_inserted, events)


def _all_inserted(events: tuple[Happened, ...]) -> bool:
    """False, and nothing done, when one of them, or its number, is there already."""
    values = chain.from_iterable((event.call_id, event.seq, event.at, *_told(event)) for event in events)
    try:
        with savepoint(database, "events"):
            if statements.run(statements.insert_events(len(events)), *values).rowcount != len(events):
                raise _KnownError
    except _KnownError:
        return False
    return True


class _KnownError(Exception):
    """One of the events was there already."""


def _inserted(event: Happened) -> bool:
    """False for one that is there already; else it gets its number, or the next free one: after a crash the agent may count on from
    an older one."""
    kind, body, key = _told(event)
    highest, happened, told = statements.run(statements.KNOWN, key, event.seq, body, event.call_id).fetchone()
    if happened or told:
        return False
    seq = max(event.seq, (highest or 0) + 1)
    statements.run(statements.insert_events(1), event.call_id, seq, event.at, kind, body, key)
    return True


def _told(event: Happened) -> tuple[str, str, str | None]:
    """Its kind, body and once_key."""
    return type(event).__name__, msgspec.json.encode(event).decode(), once_key(event)


def events_of(call_id: str) -> list[Happened]:
    """A call's events in order."""
    rows = CallEvent.select(CallEvent.body).where(CallEvent.call == call_id).order_by(CallEvent.seq)
    return [msgspec.json.decode(row.body, type=AnyHappened) for row in rows]


def fold_call(call_id: str) -> Cdr | None:
    """The call's record, computed anew from its events."""
    cdr: Cdr | None = None
    for event in events_of(call_id):
        cdr = fold(cdr, event)
    return cdr


def last_seq(call_id: str) -> int:
    """The highest number an event of this call has, 0 for none."""
    row = CallEvent.select(CallEvent.seq).where(CallEvent.call == call_id).order_by(CallEvent.seq.desc()).first()
    return row.seq if row else 0


@singledispatch
def _rows(event: Happened) -> None:
    """Most events touch the call's record only."""


@_rows.register
def _(event: RecordingStarted) -> None:
    statements.run(statements.BEGIN_RECORDING, event.recording_id, event.call_id, event.path, event.at)


@_rows.register
def _(event: RecordingEnded) -> None:
    Recording.update(ended_at=event.at, samples=event.samples, lost_samples=event.lost_samples, error=event.error).where(
        Recording.recording_id == event.recording_id
    ).execute()


@_rows.register
def _(event: RecordingGapped) -> None:
    Recording.update(lost_samples=Recording.lost_samples + event.lost_samples, error=event.reason).where(
        Recording.recording_id == event.recording_id
    ).execute()


@_rows.register
def _(event: MessageLeft) -> None:
    VoiceMessage.insert(
        call=event.call_id,
        reference=event.reference,
        path=event.path,
        language=event.language,
        ani=event.ani,
        left_at=event.at,
        duration_ms=event.duration_ms,
    ).execute()
