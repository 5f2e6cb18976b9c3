"""The form of the lines' set-up: what the line server told made into fields, and what a browser sends made into a set-up. Pure.

A set-up is a dict as the line server reads it (JSON); keys the form does not know stay as they are. Nothing is judged here: the line server
checks, a number that is none is sent to it as it was typed.
"""

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from drivers.protocol import FieldFound, PortFound, SetupTold, SpanFound

Setup = dict[str, list[dict[str, Any]]]
Form = Mapping[str, str]

ANALOG = ("fxsks", "fxsls", "fxoks", "fxols")
USES = ("pri", "r2", "")
WHOLE_NUMBER = re.compile(r"-?\d{1,18}")
HIGHEST_CHANNEL = 1024  # of DAHDI; whoever types more is told by the line server
SIGNALLINGS = (*ANALOG, "bchan", "dchan", "cas")
# Keys of [[lines.pri]] and [[lines.r2]] that say which span the table is about; the form knows.
ABOUT = ("span", "d_channel", "channels", "name")


def read(told: SetupTold) -> Setup:
    """The set-up as it is told."""
    return parsed(told.setup)


def parsed(text: bytes | str) -> Setup:
    """Raises: msgspec.MsgspecError for what is none."""
    return msgspec.json.decode(text, type=Setup)


def as_json(setup: Setup) -> bytes:
    return msgspec.json.encode(setup)


def use_of(setup: Setup, span: SpanFound) -> str:
    """pri, r2 or empty, of a digital span."""
    plan = plan_of(setup, span.number)
    return "pri" if plan.get("bchan") else "r2" if plan.get("cas") else ""


def signalling_of(setup: Setup, span: int) -> dict[int, str]:
    """What each channel of that span is used for."""
    plan = plan_of(setup, span)
    return {number: name for name in SIGNALLINGS for number in numbers(str(plan.get(name, "")))}


def table_of(setup: Setup, name: str, span: int) -> dict[str, Any]:
    """The table of `pri` or `r2` that is about that span, or one for all spans."""
    tables = setup.get(name, [])
    own = (table for table in tables if table.get("span") == span)
    common = (table for table in tables if not table.get("span") and not table.get("d_channel") and not table.get("channels"))
    return next(own, None) or next(common, {})


def fields_of(told: SetupTold, name: str) -> list[FieldFound]:
    """Those a person fills in."""
    return [field for field in told.fields.get(name, ()) if field.name not in ABOUT or name == "groups"]


def from_form(told: SetupTold, form: Form) -> Setup:
    """The set-up in use with what the browser sent in its place."""
    setup = copy.deepcopy(read(told))
    plans = [_plan_from(told, setup, span, form) for span in told.found]
    tables = {name: _tables_from(told, setup, name, form) for name in ("pri", "r2")}
    there = {span.number for span in told.found}
    away = [plan for plan in setup.get("spans", []) if plan.get("span") not in there]  # of a card that is pulled
    return {**setup, "spans": plans + away, "groups": list(_groups_from(told, setup, form)), **tables}


def groups_shown(setup: Setup) -> list[dict[str, Any]]:
    """The groups there are, and an empty row for a new one."""
    return [*setup.get("groups", []), {}]


def numbers(text: str) -> list[int]:
    """Channels of "1-15,17"; none where that cannot be read, the line server will say so."""
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        if WHOLE_NUMBER.fullmatch(first) and WHOLE_NUMBER.fullmatch(last or first):
            found.extend(range(int(first), min(int(last or first), HIGHEST_CHANNEL) + 1))
    return found


def channel_text(channels: list[int]) -> str:
    runs: list[list[int]] = []
    for number in sorted(channels):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(f"{first}-{last}" if last > first else str(first) for first, last in runs)


# --- parts --------------------------------------------------------------------------------------------------------


def plan_of(setup: Setup, span: int) -> dict[str, Any]:
    return next((plan for plan in setup.get("spans", []) if plan.get("span") == span), {})


def _plan_from(told: SetupTold, setup: Setup, span: SpanFound, form: Form) -> dict[str, Any]:
    kept = {key: value for key, value in plan_of(setup, span.number).items() if key not in SIGNALLINGS}
    wanted = _digital_from(span, form) if span.digital else _ports_from(span, form)
    used = {name: channel_text([number for number, use in wanted.items() if use == name]) for name in SIGNALLINGS}
    more = {"timing", "crc4"} if span.digital else {"echo_canceller"}
    fields = (field for field in told.fields.get("spans", ()) if field.name in more)
    values = _values(fields, f"span-{span.number}", form)
    return {**kept, "span": span.number, **{name: text for name, text in used.items() if text}, **values}


def _ports_from(span: SpanFound, form: Form) -> dict[int, str]:
    return {port.number: form.get(f"port-{port.number}", "") for port in span.ports}


def _digital_from(span: SpanFound, form: Form) -> dict[int, str]:
    """All timeslots of a span are used for one thing; the signalling timeslot follows from it. Source: G.704 (16 of an E1), T1.403 (24)."""
    use, slot = form.get(f"use-{span.number}", ""), signalling_slot(span)
    if use == "pri":
        return {port.number: "dchan" if port.timeslot == slot else "bchan" for port in span.ports}
    if use == "r2":
        return {port.number: "cas" for port in span.ports if port.timeslot != slot or slot == 24}
    return {}


def signalling_slot(span: SpanFound) -> int:
    return 24 if len(span.ports) == 24 else 16


def _tables_from(told: SetupTold, setup: Setup, name: str, form: Form) -> list[dict[str, Any]]:
    """One table for each span that is used so; tables about single channels or D-channels stay."""
    spans = [span for span in told.found if span.digital and form.get(f"use-{span.number}") == name]
    others = [table for table in setup.get(name, []) if table.get("d_channel") or table.get("channels")]
    own = []
    for span in spans:
        kept = {key: value for key, value in table_of(setup, name, span.number).items() if key != "span"}
        own.append({**kept, "span": span.number, **_values(fields_of(told, name), f"{name}-{span.number}", form)})
    return others + own


def _groups_from(told: SetupTold, setup: Setup, form: Form) -> Iterator[dict[str, Any]]:
    """Rows that are to go, and the empty one, are left out."""
    for at, group in enumerate(groups_shown(setup)):
        prefix = f"group-{at}"
        values = _values(fields_of(told, "groups"), prefix, form)
        if form.get(f"{prefix}-delete") or not (group or values.get("name") or values.get("channels")):
            continue
        yield {**group, **values}


def _values(fields: Any, prefix: str, form: Form) -> dict[str, Any]:
    return {field.name: _value(field, form.get(f"{prefix}-{field.name}", "")) for field in fields}


def _value(field: FieldFound, text: str) -> Any:
    if field.kind == "flag":
        return text == "1"
    if field.kind == "list":
        return [word.strip() for word in text.replace("，", ",").split(",") if word.strip()]
    if field.kind == "number":
        return int(text) if WHOLE_NUMBER.fullmatch(text.strip()) else text.strip() or _number(field.default)
    return text.strip()


def _number(text: str) -> Any:
    return int(text) if WHOLE_NUMBER.fullmatch(text) else 0


def port_choices(port: PortFound) -> tuple[str, ...]:
    """What an analog port can be; the empty one is: not used."""
    return (*(name for name in port.can if name in ANALOG), "")
