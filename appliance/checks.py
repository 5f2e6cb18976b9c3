"""What `careline-calls --check` and `careline check` say: faults of configuration, flow and prompts. Pure but for reading prompt files."""

from appliance.config import LANGUAGES, Config
from appliance.ivr import flow as flows
from appliance.ivr.first_flow import FIRST_FLOW
from appliance.ivr.hours import opening_hours
from appliance.ivr.prompts.library import PromptLibrary
from appliance.routing import RoutingTable
from drivers.errors import CarelineError, ConfigError


def faults_of(config: Config, prompts: PromptLibrary) -> list[CarelineError]:
    """Everything that is wrong; empty when a caller cannot be let down."""
    found: list[CarelineError] = list(flows.faults(FIRST_FLOW, prompts.ids, LANGUAGES))
    found += unreachable_routes(config)
    found += _missing_hours(config, prompts)
    found += prompts.faults()
    return found


def unreachable_routes(config: Config) -> list[CarelineError]:
    """Rows of the routing table that no call reaches."""
    return [
        ConfigError(
            "CFG-054", f"calls.routes: {shadowed.route!r} is never reached, {shadowed.by!r} above takes its calls", "Move it up"
        )
        for shadowed in RoutingTable(config.calls.routes).unreachable()
    ]


def _missing_hours(config: Config, prompts: PromptLibrary) -> list[CarelineError]:
    return [
        ConfigError("CFG-055", f"hospital.calendar.week needs the clip {clip!r} in language {lang}", "Run `make prompts`")
        for lang in LANGUAGES
        for clip in dict.fromkeys(opening_hours(config.hospital.calendar, lang))
        if clip not in prompts.ids(lang)
    ]
