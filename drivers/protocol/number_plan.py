"""What a number dialled at a set means: the dial plan as both sides know it (`Welcome.number_plan`). Pure.

The line server asks whether a number is complete, the call agent where it leads. Patterns are digits, `*`, `#`, `x` for any digit,
`[3-9]` for some of them, and at the end `.` for one digit or more.
"""

import re
from enum import StrEnum
from functools import lru_cache

import msgspec

MAX_DIALLED = 32
_TOKEN = re.compile(r"\[([0-9*#-]+)\]|([0-9*#x])")
_ANY = frozenset("0123456789")


class NumberKind(StrEnum):
    """Where a number leads. emergency: always reachable, whatever else is barred or busy."""

    EXTENSION = "extension"
    OPERATOR = "operator"
    OUTSIDE = "outside"
    EMERGENCY = "emergency"
    SERVICE = "service"


class Completeness(StrEnum):
    """How far a number has come. may_end: it can be meant as it is, or go on."""

    INCOMPLETE = "incomplete"
    MAY_END = "may_end"
    COMPLETE = "complete"
    INVALID = "invalid"


class PlannedNumber(msgspec.Struct, frozen=True, kw_only=True):
    """One row. An extension has a `channel`, or a `group` any set of which is rung; a number outside the `group` of lines it goes out
    through (empty: any) after the first `strip` digits, the access code; a service its name."""

    pattern: str
    kind: NumberKind
    channel: int | None = None
    group: str = ""
    service: str = ""
    strip: int = 0


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """Where a number leads; `number` without the access code."""

    kind: NumberKind
    number: str
    channel: int | None = None
    group: str = ""
    service: str = ""


class NumberPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Rows in order of precedence, patterns of any length (`.`) after the others. `emergency_groups`: tried in this order."""

    rows: tuple[PlannedNumber, ...] = ()
    emergency_groups: tuple[str, ...] = ()

    def completeness(self, digits: str) -> Completeness:
        """Whether `digits` is a number, may become one, or never will."""
        fits = [(row, _fit(row.pattern, digits)) for row in self.rows]
        if any(fit is Fit.EXACT and row.kind is NumberKind.EMERGENCY for row, fit in fits):
            return Completeness.COMPLETE
        found = {fit for _, fit in fits}
        if len(digits) >= MAX_DIALLED and Fit.OPEN in found:
            return Completeness.COMPLETE
        if Fit.EXACT in found and Fit.BEGINS not in found:
            return Completeness.COMPLETE
        if found & {Fit.EXACT, Fit.OPEN}:
            return Completeness.MAY_END
        return Completeness.INCOMPLETE if found & {Fit.BEGINS, Fit.BEGINS_OPEN} else Completeness.INVALID

    def destination(self, number: str) -> Destination | None:
        """None for a number that leads nowhere."""
        fits = [(row, _fit(row.pattern, number)) for row in self.rows]
        for wanted in (Fit.EXACT, Fit.OPEN):
            for row, fit in fits:
                if fit is wanted:
                    return _destination(row, number)
        return None

    def number_of(self, channel: int) -> str:
        """The extension number of the set on a channel; empty when it has none."""
        return next((row.pattern for row in self.rows if row.kind is NumberKind.EXTENSION and row.channel == channel), "")


def _destination(row: PlannedNumber, number: str) -> Destination:
    return Destination(kind=row.kind, number=number[row.strip :], channel=row.channel, group=row.group, service=row.service)


class Fit(StrEnum):
    """How digits and a pattern agree: fully, fully up to an open end, or as far as they go."""

    EXACT = "exact"
    OPEN = "open"
    BEGINS = "begins"
    BEGINS_OPEN = "begins_open"
    NONE = "none"


def _fit(pattern: str, digits: str) -> Fit:
    places, is_open = read_pattern(pattern)
    if any(digit not in place for digit, place in zip(digits, places, strict=False)):
        return Fit.NONE
    if len(digits) < len(places) + is_open:
        return Fit.BEGINS_OPEN if is_open else Fit.BEGINS
    if is_open:
        return Fit.OPEN if set(digits[len(places) :]) <= _ANY else Fit.NONE
    return Fit.EXACT if len(digits) == len(places) else Fit.NONE


@lru_cache(maxsize=4096)
def read_pattern(pattern: str) -> tuple[tuple[frozenset[str], ...], bool]:
    """What may stand in each place, and whether more digits may follow. Raises: ValueError naming what cannot be read."""
    is_open = pattern.endswith(".")
    body = pattern[:-1] if is_open else pattern
    places: list[frozenset[str]] = []
    at = 0
    while at < len(body):
        found = _TOKEN.match(body, at)
        if found is None:
            raise ValueError(f"`{body[at:]}` is no digit, *, #, x or [3-9]; `.` stands at the end only")
        places.append(_ANY if found[2] == "x" else _members(found[1]) if found[1] else frozenset(found[2]))
        if not places[-1]:
            raise ValueError(f"`{found[0]}` is no digit at all")
        at = found.end()
    if not places and not is_open:
        raise ValueError("a pattern has at least one place")
    return tuple(places), is_open


def _members(text: str) -> frozenset[str]:
    """The digits of `3-9` or `135`."""
    members: set[str] = set()
    for found in re.finditer(r"(\d)-(\d)|([0-9*#])", text):
        members |= {str(digit) for digit in range(int(found[1]), int(found[2]) + 1)} if found[1] else {found[3]}
    return frozenset(members)
