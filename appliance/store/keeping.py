"""How long recordings are kept: the setting with its history, and calls that must be kept. Works on the store; callers give the time."""

from datetime import datetime
from typing import Annotated

import msgspec

from appliance.store.keeping_tables import DeletedRecording, LegalHold, RetentionNight, RetentionSetting
from appliance.store.models import CallRecord, database
from appliance.store.transaction import write_transaction
from drivers.errors import CarelineError

KINDS = ("operator", "box", "message")
LEAST_DAYS, MOST_DAYS = 7, 36_500
REASON_MOST = 500
Days = Annotated[int, msgspec.Meta(ge=0, le=MOST_DAYS)]


class KeepingError(CarelineError):
    """REC-001 a setting that cannot be, REC-002 a reason is missing, REC-003 no such call, REC-004 no such hold."""


class Retention(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Days until a recording is deleted, 0: never. operator: calls put through to a person; box: all other calls; message: messages of
    callers, once heard. only_saved: what lies in no backup is kept."""

    operator: Days = 0
    box: Days = 0
    message: Days = 0
    only_saved: bool = True

    def days(self, kind: str) -> int:
        return int(getattr(self, kind))

    @property
    def is_on(self) -> bool:
        return any(self.days(kind) for kind in KINDS)


def retention() -> Retention:
    """As it holds; nothing is ever deleted when it was never saved, or cannot be read."""
    row = RetentionSetting.select().order_by(RetentionSetting.id.desc()).first()
    return _read(row.body) if row else Retention()


def _read(body: str) -> Retention:
    try:
        return msgspec.json.decode(body, type=Retention)
    except msgspec.MsgspecError:
        return Retention()


def set_retention(wanted: Retention, by: str, at: datetime) -> bool:
    """False when it is so already. Raises: KeepingError REC-001."""
    for kind in KINDS:
        if 0 < wanted.days(kind) < LEAST_DAYS:
            what = f"recordings of kind {kind} cannot be deleted after {wanted.days(kind)} days"
            raise KeepingError("REC-001", what, f"Allowed are 0 (never) and {LEAST_DAYS} to {MOST_DAYS}")
    with write_transaction(database):
        if retention() == wanted:
            return False
        RetentionSetting.create(at=at, by=by, body=msgspec.json.encode(wanted).decode())
    return True


def versions(most: int = 10) -> list[tuple[RetentionSetting, Retention]]:
    """The newest first."""
    rows = RetentionSetting.select().order_by(RetentionSetting.id.desc()).limit(most)
    return [(row, _read(row.body)) for row in rows]


def undo_retention(by: str, at: datetime) -> bool:
    """Save the version before anew; the default when there is none before. False when it was never changed."""
    found = versions(2)
    return bool(found) and set_retention(found[1][1] if len(found) > 1 else Retention(), by, at)


def hold(call: str, reason: str, by: str, at: datetime) -> None:
    """Keep the recordings of a call. Raises: KeepingError REC-002, REC-003."""
    reason = _reason(reason)
    with write_transaction(database):
        if not CallRecord.select().where(CallRecord.call_id == call).exists():
            raise KeepingError("REC-003", f"there is no call {call}", "Look at the list of calls")
        LegalHold.create(call=call, reason=reason, by=by, at=at)


def end_hold(number: int, why: str, by: str, at: datetime) -> str:
    """The call it was about. Raises: KeepingError REC-002, REC-004 when it is not there, or over."""
    why = _reason(why)
    with write_transaction(database):
        row = LegalHold.get_or_none(LegalHold.id == number, LegalHold.ended_at.is_null())
        if row is None:
            raise KeepingError("REC-004", f"hold {number} is over, or never was", "Look at the page again")
        row.ended_at, row.ended_by, row.ended_why = at, by, why
        row.save()
    return str(row.call)


def _reason(text: str) -> str:
    text = text.strip()
    if not text:
        raise KeepingError("REC-002", "there is no reason", "Say why, for whoever looks later")
    return text[:REASON_MOST]


def holds_of(call: str) -> list[LegalHold]:
    """All there ever were, those that hold first."""
    return list(LegalHold.select().where(LegalHold.call == call).order_by(LegalHold.ended_at.is_null().desc(), LegalHold.id.desc()))


def is_held(call: str) -> bool:
    return bool(LegalHold.select().where(LegalHold.call == call, LegalHold.ended_at.is_null()).exists())


def vouch(by: str, at: datetime) -> None:
    """Somebody says that the clock is right now: the next night works by it."""
    RetentionNight.create(at=at, state="done", by=by)


def deleted_of(call: str) -> list[DeletedRecording]:
    return list(DeletedRecording.select().where(DeletedRecording.call == call))
