"""The dial plan as it is configured (`[lines.dial_plan]`), and its making into the rows both sides use. Pure.

Emergency numbers come first and cannot be taken away: no rule here or in the call agent stands before them.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from drivers.errors import ConfigError
from drivers.protocol.number_plan import NumberKind, NumberPlan, PlannedNumber, read_pattern

EMERGENCY = ("110", "119", "120")
"""Police, fire brigade, ambulance. Source: 电信网编号计划 (2017), 1XX numbers."""

OUTSIDE_PATTERNS = ("1[3-9]xxxxxxxxx", "[2-8]xxxxxxx", ".")
"""Mobile numbers have 11 digits, local ones here 8; all others end by `#` or by time. Source: 电信网编号计划 (2017)."""

FIRST_EXTENSION = 8001
DIGITS = frozenset("0123456789")
LONGEST_RANGE = 10_000


class ExtensionRule(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of sets (`[[lines.dial_plan.extensions]]`): as many `channels` as `numbers`, each its own, or one number that rings any
    free set of `group`."""

    numbers: str
    channels: str = ""
    group: str = ""


class OutsideRule(msgspec.Struct, frozen=True, kw_only=True):
    """Calls out (`[[lines.dial_plan.outside]]`): `access`, then a number of one of the patterns, goes out through `group` (empty: the first
    group of lines)."""

    access: str = "9"
    group: str = ""
    patterns: tuple[str, ...] = OUTSIDE_PATTERNS


class ServiceRule(msgspec.Struct, frozen=True, kw_only=True):
    """A code that leads to a service of the call agent (`[[lines.dial_plan.services]]`), as in `[[calls.routes]]`."""

    code: str
    service: str


class DialPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What can be dialled at a set (`[lines.dial_plan]`).

    extensions: without any, the sets have 8001 and so on, in the order of their groups. operator: empty for none. emergency: beside 110,
    119 and 120, which are always there, with and without access code. emergency_groups: tried in this order; empty: every group of lines.
    """

    extensions: tuple[ExtensionRule, ...] = ()
    operator: str = "0"
    outside: tuple[OutsideRule, ...] = (OutsideRule(),)
    services: tuple[ServiceRule, ...] = ()
    emergency: tuple[str, ...] = ("122",)
    emergency_groups: tuple[str, ...] = ()


class GroupFacts(msgspec.Struct, frozen=True):
    """What must be known of a trunk group: its channels in order, and whether they have sets."""

    channels: tuple[int, ...]
    is_sets: bool


Groups = Mapping[str, GroupFacts]


def number_plan(plan: DialPlan, groups: Groups, file: str = "[lines]") -> NumberPlan:
    """The rows of the plan for these groups. Raises: ConfigError CFG-070 to CFG-074."""
    lines = tuple(name for name, facts in groups.items() if not facts.is_sets)
    _check_groups(plan, groups, file)
    _check_emergency(plan, file)
    rows = (*_emergency(plan), *_extensions(plan, groups, file), *_operator(plan), *_services(plan), *_outside(plan, lines))
    _check_patterns(rows, file)
    _check_clashes(rows, file)
    exact_first = sorted(rows, key=lambda row: row.pattern.endswith("."))
    return NumberPlan(rows=tuple(exact_first), emergency_groups=plan.emergency_groups or lines)


def numbers_in(text: str) -> tuple[str, ...]:
    """The numbers of "8001-8024,8100", leading zeros kept. Raises: ValueError naming the part that is wrong."""
    numbers: list[str] = []
    for part in text.split(","):
        found = re.fullmatch(r"\s*([0-9*#]+)(?:\s*-\s*(\d+))?\s*", part)
        if not found:
            raise ValueError(f"`{part.strip()}` is no number or range of numbers")
        numbers.extend(_range(found[1], found[2] or "", part.strip()))
    return tuple(numbers)


def _range(first: str, last: str, text: str) -> Iterable[str]:
    if not last:
        return (first,)
    if not first.isdecimal() or len(first) != len(last) or not 0 <= int(last) - int(first) < LONGEST_RANGE:
        raise ValueError(f"`{text}` is no range of numbers of one length")
    return (str(number).zfill(len(first)) for number in range(int(first), int(last) + 1))


# --- rows --------------------------------------------------------------------------------------------------------


def _emergency_numbers(plan: DialPlan) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*EMERGENCY, *plan.emergency)))


def _emergency(plan: DialPlan) -> Iterator[PlannedNumber]:
    accesses = dict.fromkeys(("", *(rule.access for rule in plan.outside)))  # several rules may have one, or none
    for access, number in itertools.product(accesses, _emergency_numbers(plan)):
        yield PlannedNumber(pattern=access + number, kind=NumberKind.EMERGENCY, strip=len(access))


def _extensions(plan: DialPlan, groups: Groups, file: str) -> Iterator[PlannedNumber]:
    if not plan.extensions:
        channels = (number for facts in groups.values() if facts.is_sets for number in facts.channels)
        for count, channel in enumerate(channels):
            yield PlannedNumber(pattern=str(FIRST_EXTENSION + count), kind=NumberKind.EXTENSION, channel=channel)
    for at, rule in enumerate(plan.extensions):
        yield from _extension(rule, groups, f"{file}: lines.dial_plan.extensions[{at}]")


def _extension(rule: ExtensionRule, groups: Groups, where: str) -> Iterator[PlannedNumber]:
    numbers, channels = _read(rule, where)
    if bool(channels) == bool(rule.group) or (channels and len(channels) != len(numbers)):
        what = f"{where}: {len(numbers)} numbers, {len(channels)} channels, group {rule.group!r}"
        raise ConfigError("CFG-070", what, "Give as many channels as numbers, or a group instead of channels")
    sets = {number for facts in groups.values() if facts.is_sets for number in facts.channels}
    if missing := [channel for channel in channels if channel not in sets]:
        what = f"{where}: channel {missing[0]} is in no group of sets"
        raise ConfigError("CFG-071", what, 'Name channels of a group in [[lines.groups]] with role = "extension"')
    for number, channel in itertools.zip_longest(numbers, channels):
        yield PlannedNumber(pattern=number, kind=NumberKind.EXTENSION, channel=channel, group=rule.group)


def _read(rule: ExtensionRule, where: str) -> tuple[Sequence[str], tuple[int, ...]]:
    try:
        return numbers_in(rule.numbers), tuple(int(number) for number in numbers_in(rule.channels)) if rule.channels else ()
    except ValueError as error:
        raise ConfigError("CFG-072", f"{where}: {error}", 'Write numbers = "8001-8024" and channels = "25-48"') from error


def _operator(plan: DialPlan) -> Iterator[PlannedNumber]:
    if plan.operator:
        yield PlannedNumber(pattern=plan.operator, kind=NumberKind.OPERATOR)


def _services(plan: DialPlan) -> Iterator[PlannedNumber]:
    for rule in plan.services:
        yield PlannedNumber(pattern=rule.code, kind=NumberKind.SERVICE, service=rule.service)


def _outside(plan: DialPlan, lines: tuple[str, ...]) -> Iterator[PlannedNumber]:
    if not lines:
        return
    for rule in plan.outside:
        for pattern in rule.patterns:
            group = rule.group or lines[0]
            yield PlannedNumber(pattern=rule.access + pattern, kind=NumberKind.OUTSIDE, group=group, strip=len(rule.access))


# --- what is wrong with it -----------------------------------------------------------------------------------------


def _check_groups(plan: DialPlan, groups: Groups, file: str) -> None:
    inside = ((f"extensions[{at}].group", rule.group) for at, rule in enumerate(plan.extensions))
    out = (
        *((f"outside[{at}].group", rule.group) for at, rule in enumerate(plan.outside)),
        *((f"emergency_groups[{at}]", name) for at, name in enumerate(plan.emergency_groups)),
    )
    for key, name in (*inside, *out):
        if name and name not in groups:
            what = f"{file}: lines.dial_plan.{key} = {name!r}: there is no such group"
            raise ConfigError("CFG-073", what, f"Groups are {', '.join(groups) or 'none'}")
    for key, name in out:
        if name and groups[name].is_sets:
            what = f"{file}: lines.dial_plan.{key} = {name!r}: calls out cannot go by a group of telephone sets"
            raise ConfigError("CFG-073", what, "Name a group of lines")
    if any(not pattern for rule in plan.outside for pattern in rule.patterns):
        what = f"{file}: lines.dial_plan.outside: an access code alone is no number"
        raise ConfigError("CFG-072", what, "Patterns are digits, *, #, x, [3-9] and at the end .")


def _check_emergency(plan: DialPlan, file: str) -> None:
    """An emergency number is complete with its last digit, so a pattern would never be, and one that another begins with would be cut."""
    numbers = _emergency_numbers(plan)
    for number in numbers:
        where = f"{file}: lines.dial_plan.emergency: {number!r}"
        if not set(number) <= DIGITS or not number:
            raise ConfigError("CFG-072", f"{where} is no number", "Emergency numbers are digits, as 122")
        if cut := [other for other in numbers if other != number and other.startswith(number)]:
            raise ConfigError("CFG-074", f"{where} begins the number {cut[0]}, which could not be dialled any more", "Leave it out")


def _check_patterns(rows: tuple[PlannedNumber, ...], file: str) -> None:
    for row in rows:
        try:
            read_pattern(row.pattern)
        except ValueError as error:
            what = f"{file}: lines.dial_plan: {row.kind.value} number {row.pattern!r}: {error}"
            raise ConfigError("CFG-072", what, "Patterns are digits, *, #, x, [3-9] and at the end .") from error


def _check_clashes(rows: tuple[PlannedNumber, ...], file: str) -> None:
    """Two numbers alike, or one that an emergency number cuts short."""
    emergency = tuple(row.pattern for row in rows if row.kind is NumberKind.EMERGENCY)
    seen: dict[str, PlannedNumber] = {}
    for row in rows:
        cut = row.kind is not NumberKind.EMERGENCY and any(row.pattern.startswith(number) for number in emergency)
        if cut or row.pattern in seen:
            other = seen[row.pattern].kind.value if row.pattern in seen else "emergency"
            what = f"{file}: lines.dial_plan: {row.kind.value} number {row.pattern} meets the {other} number it equals or begins with"
            raise ConfigError("CFG-074", what, "Give it another number; 110, 119 and 120 cannot be taken")
        seen[row.pattern] = row
