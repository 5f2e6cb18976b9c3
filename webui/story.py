"""A call's events told in plain words, in order. Each step knows where in the recording it lies."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from appliance.store.models import CallEvent
from webui import page
from webui.shared import say, shared


@dataclass(frozen=True)
class Step:
    """One thing that happened. `since_start_ms` counts from the first ring; `in_recording_ms` is None before the recording began."""

    kind: str
    at: datetime
    since_start_ms: int
    in_recording_ms: int | None
    text: str
    detail: str
    icon: str
    colour: str


LOOKS: dict[str, tuple[str, str]] = {
    "CallOffered": ("phone-incoming", "azure"),
    "CallRouted": ("route", "secondary"),
    "CallAnswered": ("phone", "green"),
    "PlaceEntered": ("map-pin", "secondary"),
    "PromptPlayed": ("volume", "secondary"),
    "DigitPressed": ("dialpad", "blue"),
    "SecretEntered": ("password", "blue"),
    "KeyRefused": ("square-x", "orange"),
    "CallerSilent": ("zzz", "orange"),
    "LanguageChosen": ("language", "blue"),
    "MessageLeft": ("message", "green"),
    "MessageDiscarded": ("message-off", "orange"),
    "TransferStarted": ("phone-outgoing", "azure"),
    "TransferAnswered": ("headset", "green"),
    "TransferFailed": ("headset-off", "orange"),
    "CallBridged": ("arrows-join", "green"),
    "CallUnbridged": ("arrows-split", "secondary"),
    "CallHeld": ("player-pause", "orange"),
    "CallUnheld": ("player-play", "green"),
    "CallHandedOver": ("arrow-guide", "green"),
    "CallPutBack": ("arrow-back-up", "green"),
    "CallConferred": ("users-group", "green"),
    "RecordingStarted": ("player-record", "red"),
    "RecordingGapped": ("cut", "red"),
    "RecordingEnded": ("player-stop", "secondary"),
    "CallRecovered": ("refresh", "orange"),
    "CallFailed": ("alert-triangle", "red"),
    "CallReleased": ("phone-off", "secondary"),
}
UNKNOWN_LOOK = ("point", "secondary")


def tell(events: Iterable[CallEvent], started_at: datetime, recorded_from: datetime | None) -> list[Step]:
    """The steps of a call. An event of a kind these texts do not know is shown by its name and fields."""
    return [_step(event, started_at, recorded_from) for event in events]


def _step(event: CallEvent, started_at: datetime, recorded_from: datetime | None) -> Step:
    body: dict[str, Any] = msgspec.json.decode(event.body)
    icon, colour = LOOKS.get(event.kind, UNKNOWN_LOOK)
    within = None if recorded_from is None else _ms(event.at - recorded_from)
    return Step(
        kind=event.kind,
        at=event.at,
        since_start_ms=_ms(event.at - started_at),
        in_recording_ms=within if within is not None and within >= 0 else None,
        text=_text(event.kind, body),
        detail=_detail(event.kind, body),
        icon=icon,
        colour=colour,
    )


def _text(kind: str, body: dict[str, Any]) -> str:
    key = "call.recording_stuck" if kind == "RecordingGapped" and not body.get("lost_samples") else f"story.{kind}"
    if not shared().wording.has(key):
        return kind
    try:
        return say(key, **_in_words(body))
    except KeyError:
        return kind


def _detail(kind: str, body: dict[str, Any]) -> str:
    """What stands small below: the fault's remedy, or the fields of an event without words."""
    if kind == "CallFailed":
        return page.remedy_here(str(body.get("code", "")), str(body.get("remedy", "")))
    if not shared().wording.has(f"story.{kind}"):
        return ", ".join(f"{name}={value}" for name, value in body.items() if name not in ("call_id", "seq", "at", "type"))
    return ""


def _in_words(body: dict[str, Any]) -> dict[str, str]:
    words = {name: str(value) for name, value in body.items()}
    words |= {name: WORDS[name](value) for name, value in body.items() if name in WORDS}
    return words


def _listed(prompts: list[str]) -> str:
    """Prompts by their names; the small pieces of numbers and times together as one."""
    known = [say(f"prompt.{name}") if shared().wording.has(f"prompt.{name}") else say("prompt.pieces") for name in prompts]
    return say("prompt.comma").join(dict.fromkeys(known))


def _word(group: str) -> Callable[[Any], str]:
    return lambda value: page.say_or(f"{group}.{value}", str(value))


def _ms(span: timedelta) -> int:
    return round(span.total_seconds() * 1000)


WORDS: dict[str, Callable[[Any], str]] = {
    "ani": page.number,
    "dnis": lambda value: value or "–",
    "direction": _word("direction"),
    "service": _word("service"),
    "place": page.place,
    "prompts": _listed,
    "end": _word("play_end"),
    "language": _word("language"),
    "reason": lambda value: page.say_or(f"reason.{value}", page.told(str(value))),
    "what": lambda value: page.told(str(value)),
    "outcome": _word("transfer_outcome"),
    "ended_by": _word("ended_by"),
    "cause": lambda value: page.cause(value),
    "duration_ms": page.length,
    "samples": lambda value: page.length(value / 8),
    "lost_samples": lambda value: str(round(value / 8)),
}
