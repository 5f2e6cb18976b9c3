"""What `careline-calls --check` and `careline check` say: faults of configuration, flow and prompts. Pure but for reading prompt files."""

import contextlib
import tomllib
from typing import Any, get_args

from appliance.config import LANGUAGES, Config, Destination
from appliance.ivr import flow as flows
from appliance.ivr.first_flow import FIRST_FLOW
from appliance.ivr.hours import opening_hours
from appliance.ivr.prompts.library import PromptLibrary
from appliance.routing import RoutingTable, Service
from drivers.errors import CarelineError, ConfigError

DEFAULT_GROUPS = ("trunk", "sets")  # of lines that are in no group


def faults_of(config: Config, prompts: PromptLibrary) -> list[CarelineError]:
    """Everything that is wrong; empty when a caller cannot be let down."""
    found: list[CarelineError] = list(flows.faults(FIRST_FLOW, prompts.ids, LANGUAGES))
    found += unreachable_routes(config)
    found += unknown_names(config)
    found += _missing_hours(config, prompts)
    found += prompts.faults()
    return found


def unreachable_routes(config: Config) -> list[CarelineError]:
    """Rows of the routing table that no call reaches."""
    return [
        ConfigError("CFG-054", f"calls.routes: {shadowed.route!r} is never reached, {shadowed.by!r} above takes its calls", "Move it up")
        for shadowed in RoutingTable(config.calls.routes).unreachable()
    ]


def unknown_names(config: Config) -> list[CarelineError]:
    """Groups that the routes and the operator name and the lines do not have; services of the dial plan that no call can be given to."""
    groups, operator = group_names(config), config.calls.operator
    named = [(f"calls.routes[{at}].group", route.group) for at, route in enumerate(config.calls.routes) if route.group]
    if operator.channel is None and operator.how != "flash" and operator.group != Destination().group:  # a box may be without sets
        named.append(("calls.operator.group", operator.group))
    found: list[CarelineError] = [
        ConfigError("CFG-057", f"{key} = {name!r}: there is no such trunk group", f"Groups are {', '.join(groups)}")
        for key, name in named
        if name not in groups
    ]
    for at, rule in enumerate(_tables(config.lines.get("dial_plan"), "services")):
        if rule.get("service") not in get_args(Service):
            what = f"lines.dial_plan.services[{at}].service = {rule.get('service')!r}: there is no such service"
            found.append(ConfigError("CFG-058", what, f"Services are {', '.join(get_args(Service))}"))
    return found


def group_names(config: Config) -> tuple[str, ...]:
    """Of careline.toml, or of the set-up from the web, which goes before it. What cannot be read is told by the line server's own check."""
    groups = _tables(config.lines, "groups")
    with contextlib.suppress(OSError, ValueError):
        groups = _tables(tomllib.loads(config.paths.line_setup.read_text("utf-8")), "groups")
    return tuple(str(group.get("name", "")) for group in groups) or DEFAULT_GROUPS


def _tables(section: object, key: str) -> list[dict[str, Any]]:
    """Those of a section that another process checks: whatever stands there."""
    found = section.get(key) if isinstance(section, dict) else None
    return [table for table in found if isinstance(table, dict)] if isinstance(found, list) else []


def _missing_hours(config: Config, prompts: PromptLibrary) -> list[CarelineError]:
    return [
        ConfigError("CFG-055", f"hospital.calendar.week needs the clip {clip!r} in language {lang}", "Run `make prompts`")
        for lang in LANGUAGES
        for clip in dict.fromkeys(opening_hours(config.hospital.calendar, lang))
        if clip not in prompts.ids(lang)
    ]
