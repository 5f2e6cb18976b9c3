"""`[[calls.routes]]`, the calendar and the operator by themselves: rules that never match, hours that never come. Pure."""

from collections.abc import Iterator

from appliance.calendar import WEEKDAYS, Calendar
from appliance.config import Config
from appliance.routing import RoutingTable
from drivers.errors import ConfigError, DoubtfulConfigError

DIGITS = frozenset("0123456789")
KEYS = DIGITS | frozenset("*#")


def unreachable(config: Config) -> Iterator[ConfigError]:
    """Move the rule above the one that takes its calls, or take it out."""
    for shadowed in RoutingTable(config.calls.routes).unreachable():
        what = f"calls.routes: {shadowed.route!r} is never reached, {shadowed.by!r} above takes its calls"
        yield ConfigError("CFG-054", what, "Move it up")


def patterns(config: Config) -> Iterator[ConfigError]:
    """Write digits, with a * at the end for "begins with": no caller's number looks like what stands there."""
    for at, route in enumerate(config.calls.routes):
        if route.ani and route.ani != "withheld" and not _matches_any(route.ani, DIGITS):
            remedy = 'Digits, digits with a * at the end, or "withheld"'
            yield DoubtfulConfigError("CFG-065", f"calls.routes[{at}].ani = {route.ani!r}: no number is like that", remedy)
        if route.dnis and not _matches_any(route.dnis, KEYS):
            remedy = "Digits, or digits with a * at the end"
            yield DoubtfulConfigError("CFG-065", f"calls.routes[{at}].dnis = {route.dnis!r}: no number is like that", remedy)


def times_that_never_come(config: Config) -> Iterator[ConfigError]:
    """Write the days into hospital.calendar.holidays, or the hours into its week; the rule waits for them."""
    for at, route in enumerate(config.calls.routes):
        where = f"calls.routes[{at}].when = {route.when!r}"
        if route.when == "holiday" and not config.hospital.calendar.holidays:
            yield DoubtfulConfigError("CFG-066", f"{where}: the calendar has no holiday", "Write some into hospital.calendar.holidays")
        if route.when == "open" and _never_opens(config):
            yield DoubtfulConfigError("CFG-066", f"{where}: the hospital never opens", "Write hours into hospital.calendar.week")


def always_closed(config: Config) -> Iterator[ConfigError]:
    """Write the hours of each day, as monday = ["08:00-12:00"]; a day that is left out is closed."""
    if _never_opens(config):
        what = "hospital.calendar.week has no hours on any day, so it is always closed"
        yield DoubtfulConfigError("CFG-067", what, 'Write the hours of each day, as monday = ["08:00-12:00"]; a day left out is closed')


def message_lengths(config: Config) -> Iterator[ConfigError]:
    """Let message_min_ms be well below message_max_ms: every message would be too short, and asked for again."""
    calls = config.calls
    if calls.message_min_ms >= calls.message_max_ms:
        where = f"calls.message_min_ms = {calls.message_min_ms}"
        yield ConfigError("CFG-086", f"{where}: no message is so long, they end after message_max_ms", f"Less than {calls.message_max_ms}")


def operator_by_flash(config: Config) -> Iterator[ConfigError]:
    """Give the number of the operator's extension at the switch: after the flash it must be dialled."""
    operator = config.calls.operator
    if operator.how == "flash" and not operator.number:
        yield ConfigError("CFG-014", 'calls.operator.number = "": how = "flash" dials it', "Give the operator's extension at the switch")


def _matches_any(pattern: str, allowed: frozenset[str]) -> bool:
    digits = pattern[:-1] if pattern.endswith("*") else pattern
    return bool(digits) and set(digits) <= allowed


def _never_opens(config: Config) -> bool:
    calendar = Calendar(config.hospital.calendar)
    return not any(calendar.week(day) for day in WEEKDAYS) and not any(config.hospital.calendar.special.values())
