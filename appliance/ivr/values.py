"""Values of a call within what is said or sent: "{money:balance_fen}". Pure: the day and the hours are given.

A value of one kind is a text or a whole number as the kind's row says; one that is not is a mistake of whoever set it.
"""

import datetime
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from appliance.errors import FlowError
from appliance.ivr import listing, speech
from appliance.ivr.nodes import Value
from appliance.ivr.prompts.catalogue import Lang

REFERENCE = "reference"
OPENING_HOURS = "opening_hours"
PAUSE, PLEASE_PRESS = "pause_short", "please_press"
NAME = re.compile(r"[a-z][a-z0-9_]*")
_ITEM = re.compile(r"\{([a-z_]+)(?::([a-z][a-z0-9_]*))?\}")
_WITHIN = re.compile(r"\{([a-z][a-z0-9_]*)\}")


@dataclass(frozen=True)
class Spoken:
    """What values are said by: the call's variables, its language, the day, how hours and free text are read, a message's number."""

    variables: Mapping[str, Value]
    lang: Lang
    today: datetime.date
    opening_hours: Callable[[Lang], Sequence[str]]
    text: Callable[[str, Lang], Sequence[str]]
    reference: str = ""


@dataclass(frozen=True)
class Item:
    """One thing said: a prompt (`kind` empty), or a value of `kind`, of `variable` unless the kind has none."""

    kind: str
    variable: str


Sayer = Callable[[Value, Spoken], Sequence[str]]

SAYERS: Mapping[str, Sayer] = {
    "money": lambda value, spoken: speech.say_money_fen(int(value), spoken.lang),
    "digits": lambda value, spoken: speech.say_digits(str(value), spoken.lang),
    "number": lambda value, spoken: speech.say_number(int(value), spoken.lang),
    "ordinal": lambda value, spoken: speech.say_ordinal(int(value), spoken.lang),
    "date": lambda value, spoken: speech.say_date(_date(value), spoken.lang, year=_date(value).year != spoken.today.year),
    "day": lambda value, spoken: speech.say_day(_date(value), spoken.today, spoken.lang),
    "time": lambda value, spoken: speech.say_time(datetime.time.fromisoformat(str(value)), spoken.lang),
    "duration": lambda value, spoken: speech.say_duration_s(int(value), spoken.lang),
    "text": lambda value, spoken: spoken.text(str(value), spoken.lang),
    "prompt": lambda value, spoken: (str(value),),
    "list": lambda value, spoken: _rows(value, spoken, keys=False),
    "choices": lambda value, spoken: _rows(value, spoken, keys=True),
}
"""Kinds that say a variable."""

ALONE: Mapping[str, Callable[[Spoken], Sequence[str]]] = {
    REFERENCE: lambda spoken: speech.say_digits(spoken.reference, spoken.lang),
    OPENING_HOURS: lambda spoken: spoken.opening_hours(spoken.lang),
}
"""Kinds without a variable."""


def item(written: str) -> Item:
    """Raises: ValueError saying what is wrong with it."""
    if not written.startswith("{"):
        return Item("", "")
    found = _ITEM.fullmatch(written)
    kind, variable = (found[1], found[2] or "") if found else ("", "")
    if kind in ALONE and not variable:
        return Item(kind, "")
    if kind in SAYERS and variable:
        return Item(kind, variable)
    raise ValueError(f"{written!r} is no value; write {{kind:variable}}, kind one of {', '.join(SAYERS)}, or {{{'} or {'.join(ALONE)}}}")


def clips(said: Sequence[str], spoken: Spoken) -> tuple[list[str], list[FlowError]]:
    """Prompt ids in order, and a fault for each value that cannot be said; it is passed over."""
    found: list[str] = []
    faults: list[FlowError] = []
    for written in said:
        try:
            found += _clips(written, spoken)
        except (ValueError, KeyError) as error:
            faults.append(_unsayable(written, error))
    return found, faults


def _clips(written: str, spoken: Spoken) -> Sequence[str]:
    read = item(written)
    if not read.kind:
        return (written,)
    if not read.variable:
        return ALONE[read.kind](spoken)
    return SAYERS[read.kind](spoken.variables[read.variable], spoken)


def _unsayable(written: str, error: Exception) -> FlowError:
    why = f"{error} has no value" if isinstance(error, KeyError) else str(error)
    return FlowError("APP-143", f"{written} cannot be said: {why}", "Look at what the flow, or the action before it, gives")


def variable_of(written: str) -> str:
    """The variable of an input "{x}"; empty for a text as it stands."""
    found = _WITHIN.fullmatch(written)
    return found[1] if found else ""


def variables_within(text: str) -> list[str]:
    """Names in a text such as "Your number is {x}"."""
    return _WITHIN.findall(text)


def resolve(written: str, variables: Mapping[str, Value]) -> Value:
    """An input's value. Raises: KeyError for a variable without one."""
    name = variable_of(written)
    return variables[name] if name else written


def fill(text: str, variables: Mapping[str, Value]) -> str:
    """The text with its values. Raises: KeyError."""
    return _WITHIN.sub(lambda found: str(variables[found[1]]), text)


def _rows(value: Value, spoken: Spoken, *, keys: bool) -> list[str]:
    """Rows of listing.py, a short silence between them; with the key that takes each."""
    found: list[str] = []
    for place, parts in enumerate(listing.parts_of(str(value)), 1):
        found += [PAUSE] if found else []
        for kind, part in parts:
            found += SAYERS[kind](part, spoken)
        found += [PLEASE_PRESS, *speech.say_number(place, spoken.lang)] if keys else []
    return found


def _date(value: Value) -> datetime.date:
    return datetime.date.fromisoformat(str(value)[:10])
