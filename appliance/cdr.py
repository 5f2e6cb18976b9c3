"""The call detail record as a pure fold over a call's events: paste the events, assert the record.

No clock, no store, no thread. `fold(None, CallOffered(...))` begins a record; every later event gives the next one.
Events told twice do not reach the fold: the store drops them.
"""

from datetime import datetime
from functools import singledispatch

import msgspec

from appliance.events import (
    CallAnswered,
    CallFailed,
    CallOffered,
    CallReleased,
    DigitPressed,
    Happened,
    LanguageChosen,
    MessageLeft,
    PlaceEntered,
    SecretEntered,
    TransferAnswered,
    TransferFailed,
    TransferStarted,
)

PATH_LIMIT = 200


class Cdr(msgspec.Struct, frozen=True, kw_only=True):
    """Fields as in appliance.store.models.CallRecord; durations in ms of wall time between the events."""

    call_id: str
    direction: str
    group: str
    channel: int
    ani: str | None
    dnis: str | None
    started_at: datetime
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    duration_ms: int = 0
    talk_ms: int = 0
    cause: int | None = None
    ended_by: str = ""
    outcome: str = ""
    language: str = "zh"
    path: str = ""
    digits: str = ""
    operator_channel: int | None = None
    transferred_to: str = ""
    transfer_outcome: str = ""
    presentation: str = ""
    ani_source: str = ""


def fold(cdr: Cdr | None, event: Happened) -> Cdr | None:
    """The record after `event`; None while no CallOffered has been seen."""
    if isinstance(event, CallOffered):
        return _begun(event)
    return None if cdr is None else _next(event, cdr)


def _begun(event: CallOffered) -> Cdr:
    return Cdr(
        call_id=event.call_id,
        direction=event.direction,
        group=event.group,
        channel=event.channel,
        ani=event.ani,
        presentation=event.presentation,
        ani_source=event.ani_source,
        dnis=event.dnis,
        started_at=event.at,
        language=event.language,
    )


@singledispatch
def _next(event: Happened, cdr: Cdr) -> Cdr:
    return cdr


@_next.register
def _(event: CallAnswered, cdr: Cdr) -> Cdr:
    return msgspec.structs.replace(cdr, answered_at=event.at)


@_next.register
def _(event: PlaceEntered, cdr: Cdr) -> Cdr:
    places = [*cdr.path.split(">"), event.place] if cdr.path else [event.place]
    return msgspec.structs.replace(cdr, path=">".join(places[-PATH_LIMIT:]))


@_next.register(DigitPressed | SecretEntered)
def _(event: DigitPressed | SecretEntered, cdr: Cdr) -> Cdr:
    return msgspec.structs.replace(cdr, digits=cdr.digits + event.digit)


@_next.register
def _(event: LanguageChosen, cdr: Cdr) -> Cdr:
    return msgspec.structs.replace(cdr, language=event.language)


@_next.register
def _(event: MessageLeft, cdr: Cdr) -> Cdr:
    return msgspec.structs.replace(cdr, outcome="message")


@_next.register
def _(event: TransferStarted, cdr: Cdr) -> Cdr:
    return msgspec.structs.replace(cdr, transferred_to=event.to, transfer_outcome="")


@_next.register
def _(event: TransferAnswered, cdr: Cdr) -> Cdr:
    return msgspec.structs.replace(cdr, outcome="operator", operator_channel=event.channel, transfer_outcome="answered")


@_next.register
def _(event: TransferFailed, cdr: Cdr) -> Cdr:
    """Also after an answer: then the two could not be joined, and nobody was spoken to."""
    missed = not cdr.outcome or cdr.transfer_outcome == "answered"
    outcome = "operator_missed" if missed else cdr.outcome
    return msgspec.structs.replace(cdr, outcome=outcome, transfer_outcome=event.outcome)


@_next.register
def _(event: CallFailed, cdr: Cdr) -> Cdr:
    return msgspec.structs.replace(cdr, outcome=cdr.outcome or "failed")


@_next.register
def _(event: CallReleased, cdr: Cdr) -> Cdr:
    return msgspec.structs.replace(
        cdr,
        ended_at=event.at,
        cause=event.cause,
        ended_by=event.ended_by,
        duration_ms=_between_ms(cdr.started_at, event.at),
        talk_ms=_between_ms(cdr.answered_at, event.at),
        outcome=cdr.outcome or ("completed" if cdr.answered_at else "abandoned"),
    )


def _between_ms(start: datetime | None, end: datetime) -> int:
    return 0 if start is None else max(0, round((end - start).total_seconds() * 1000))
