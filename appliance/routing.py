"""Which service a call is given: a table of rules, first match wins. Pure.

A rule's empty field matches everything. ANI and DNIS patterns are digits with a `*` at the end for "begins with".
"""

from collections.abc import Iterable
from typing import Literal

import msgspec

from appliance.calendar import DayState

Service = Literal["hotline", "operator", "after_hours", "reject"]
When = Literal["", "open", "closed", "holiday", "not_open"]


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One row (`[[calls.routes]]`). `ani`: digits, digits with `*`, or "withheld"; `when`: the calendar's state."""

    name: str
    service: Service
    group: str = ""
    dnis: str = ""
    ani: str = ""
    when: When = ""


class CallFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a call when it is routed. `from_set`: made at a telephone set of the house."""

    group: str
    dnis: str | None
    ani: str | None
    state: DayState
    from_set: bool = False


class Miss(msgspec.Struct, frozen=True):
    """A row that did not match, and its first field that did not."""

    route: str
    field: str


class Decision(msgspec.Struct, frozen=True):
    """The service ("dialled" beside those of rows: where the number leads), the row that gave it, and the rows above that did not match."""

    service: str
    route: str
    misses: tuple[Miss, ...]

    def explain(self) -> str:
        """Why, in one line."""
        skipped = "".join(f"{miss.route}: other {miss.field}; " for miss in self.misses)
        return f"{skipped}{self.route}: {self.service}"


class Shadowed(msgspec.Struct, frozen=True):
    """A row no call can reach, since every call it matches is matched by an earlier one."""

    route: str
    by: str


LAST = Route(name="otherwise", service="hotline")


class RoutingTable:
    """The rows in order; a call that none matches goes to the hotline."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(routes)

    def decide(self, facts: CallFacts) -> Decision:
        misses: list[Miss] = []
        for route in (*self.routes, LAST):
            field = _mismatch(route, facts)
            if field is None:
                return Decision(route.service, route.name, tuple(misses))
            misses.append(Miss(route.name, field))
        raise AssertionError("the last row matches every call")

    def unreachable(self) -> tuple[Shadowed, ...]:
        """Rows that an earlier single row covers."""
        found: list[Shadowed] = []
        for place, route in enumerate(self.routes):
            above = next((earlier for earlier in self.routes[:place] if _covers(earlier, route)), None)
            if above:
                found.append(Shadowed(route.name, above.name))
        return tuple(found)


def _mismatch(route: Route, facts: CallFacts) -> str | None:
    """The first field of the row that does not match the call; None when all do. Rows for everybody are meant for callers from outside."""
    if facts.from_set and not (route.group or route.dnis or route is LAST):
        return "origin"
    if route.group and route.group != facts.group:
        return "group"
    if route.dnis and not _number_matches(route.dnis, facts.dnis):
        return "dnis"
    if route.ani and not _ani_matches(route.ani, facts.ani):
        return "ani"
    if route.when and not _when_matches(route.when, facts.state):
        return "when"
    return None


def _number_matches(pattern: str, number: str | None) -> bool:
    if number is None:
        return False
    return number.startswith(pattern[:-1]) if pattern.endswith("*") else number == pattern


def _ani_matches(pattern: str, ani: str | None) -> bool:
    return not ani if pattern == "withheld" else _number_matches(pattern, ani)


def _when_matches(when: When, state: DayState) -> bool:
    return state is not DayState.OPEN if when == "not_open" else when == state


def _covers(wide: Route, narrow: Route) -> bool:
    """True when every call the narrow row matches is matched by the wide one."""
    return (
        wide.group in ("", narrow.group)
        and _pattern_covers(wide.dnis, narrow.dnis)
        and _pattern_covers(wide.ani, narrow.ani)
        and (wide.when in ("", narrow.when) or (wide.when == "not_open" and narrow.when in ("closed", "holiday")))
    )


def _pattern_covers(wide: str, narrow: str) -> bool:
    if wide in ("", narrow):
        return True
    return wide.endswith("*") and narrow not in ("", "withheld") and narrow.startswith(wide[:-1])
