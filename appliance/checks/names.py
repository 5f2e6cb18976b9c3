"""Names and numbers in `[calls]` that must be there on the lines: groups, channels, extensions. Pure but for reading lines.toml."""

import contextlib
import json
import tomllib
from collections.abc import Iterator
from typing import Any, get_args

from appliance.config import Config, Destination
from appliance.routing import Service
from drivers.errors import ConfigError, DoubtfulConfigError
from drivers.protocol import GroupFound, LinesFound

DEFAULT_GROUPS = ("trunk", "sets")  # of lines that are in no group


def groups_of_routes(config: Config, lines: LinesFound) -> Iterator[ConfigError]:
    """Correct the group's name, or take the rule out: it matches no call."""
    yield from _unknown_in_routes(config, tuple(group.name for group in lines.groups))


def operator_group(config: Config, lines: LinesFound) -> Iterator[ConfigError]:
    """Name a group there is, or set up its sets: nobody is rung when a caller presses 0."""
    operator, names = config.calls.operator, tuple(group.name for group in lines.groups)
    if operator.channel is None and operator.how != "flash" and operator.group not in names:
        yield _unknown_operator(operator, names, any(group.is_sets for group in lines.groups))


def operator_channel(config: Config, lines: LinesFound) -> Iterator[ConfigError]:
    """Name the channel of the operator's set: nobody is rung when a caller presses 0."""
    operator, known = config.calls.operator, {number for group in lines.groups for number in group.channels}
    if operator.channel is not None and operator.how != "flash" and operator.channel not in known:
        said = "no group has such a channel, so key 0 rings nobody"
        sets = sorted(number for group in lines.groups if group.is_sets for number in group.channels)
        remedy = f"Channels of sets are {', '.join(map(str, sets)) or 'none'}; or leave it out and name a group"
        yield ConfigError("CFG-013", f"calls.operator.channel = {operator.channel}: {said}", remedy)


def operator_number(config: Config, lines: LinesFound) -> Iterator[ConfigError]:
    """A line needs a number to dial, a set has none: name the sets' group, or give the number."""
    operator, group = config.calls.operator, _operators(config, lines)
    if group is None or operator.how == "flash" or group.is_sets != bool(operator.number):
        return
    where = f'calls.operator.number = "{operator.number}"'
    if group.is_sets:
        said = f'group "{group.name}" has telephone sets, on which nothing is dialled'
        yield DoubtfulConfigError("CFG-014", f"{where}: {said}", 'Leave it out, or name a group of lines, as group = "trunk"')
    else:
        said = f'group "{group.name}" has lines, which would be taken and nothing dialled'
        yield ConfigError("CFG-014", f"{where}: {said}", "Give the number to dial, or name a group of telephone sets")


def message_lamps(config: Config, lines: LinesFound) -> Iterator[ConfigError]:
    """Name extensions that are one set each: a number of a group, or none, has no lamp."""
    for number in config.calls.message_lamps:
        leads_to = lines.number_plan.destination(number)
        if leads_to is None or leads_to.channel is None:
            said = f"{number} is {'no number of the dial plan' if leads_to is None else f'no single set ({leads_to.kind.value})'}"
            where = f"calls.message_lamps = {json.dumps(config.calls.message_lamps)}"
            have = [row.pattern for row in lines.number_plan.rows if row.channel is not None]
            yield DoubtfulConfigError("CFG-015", f"{where}: {said}", f"Numbers of sets are {_short(have)}")


def services(config: Config) -> Iterator[ConfigError]:
    """Correct the name of the service: who dials that code reaches nothing."""
    for at, rule in enumerate(_tables(config.lines.get("dial_plan"), "services")):
        if rule.get("service") not in get_args(Service):
            what = f"lines.dial_plan.services[{at}].service = {rule.get('service')!r}: there is no such service"
            yield ConfigError("CFG-058", what, f"Services are {', '.join(get_args(Service))}")


# --- without the line server ---------------------------------------------------------------------------------------


def groups_in_file(config: Config) -> Iterator[ConfigError]:
    """`groups_of_routes` and `operator_group` by the names in the file; whether a group has channels the line server knows."""
    operator, names = config.calls.operator, group_names(config)
    yield from _unknown_in_routes(config, names)
    if operator.channel is None and operator.how != "flash" and operator.group not in names:
        yield _unknown_operator(operator, names, any(group.get("role") == "extension" for group in _groups(config)))


def group_names(config: Config) -> tuple[str, ...]:
    """Of careline.toml, or of the set-up from the web, which goes before it."""
    return tuple(str(group.get("name", "")) for group in _groups(config)) or DEFAULT_GROUPS


def _groups(config: Config) -> list[dict[str, Any]]:
    """What cannot be read is told by the line server's own check."""
    with contextlib.suppress(OSError, ValueError):
        return _tables(tomllib.loads(config.paths.line_setup.read_text("utf-8")), "groups")
    return _tables(config.lines, "groups")


def _unknown_in_routes(config: Config, names: tuple[str, ...]) -> Iterator[ConfigError]:
    for at, route in enumerate(config.calls.routes):
        if route.group and route.group not in names:
            yield _unknown(f"calls.routes[{at}].group = {route.group!r}", names)


def _unknown_operator(operator: Destination, names: tuple[str, ...], has_sets: bool) -> ConfigError:
    """A box may be without sets; with sets, or a name that somebody wrote, it is a mistake."""
    fault = _unknown(f"calls.operator.group = {operator.group!r}", names, ", so key 0 rings nobody")
    if operator.group == Destination().group and not has_sets:
        return DoubtfulConfigError(fault.code, fault.what, f"{fault.remedy}; a group of lines needs calls.operator.number too")
    return fault


def _unknown(where: str, names: tuple[str, ...], so: str = "") -> ConfigError:
    return ConfigError("CFG-057", f"{where}: there is no such trunk group{so}", f"Groups are {', '.join(names) or 'none'}")


def _operators(config: Config, lines: LinesFound) -> GroupFound | None:
    """The group of the operator's channel, or the one named."""
    operator = config.calls.operator
    if operator.channel is None:
        return next((group for group in lines.groups if group.name == operator.group), None)
    return next((group for group in lines.groups if operator.channel in group.channels), None)


def _short(numbers: list[str], most: int = 8) -> str:
    return ", ".join(numbers[:most]) + (" …" if len(numbers) > most else "") or "none"


def _tables(section: object, key: str) -> list[dict[str, Any]]:
    """Those of a section that another process checks: whatever stands there."""
    found = section.get(key) if isinstance(section, dict) else None
    return [table for table in found if isinstance(table, dict)] if isinstance(found, list) else []
