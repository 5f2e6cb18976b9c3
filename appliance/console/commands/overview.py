"""How the box is: status, and the four workplaces (calls, business, system, network) in text, once or again and again."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from appliance.console.command import Argument, Command, Given, Report, number
from appliance.console.commands.calls import call_rows, calls_table
from appliance.console.table import facts, table
from appliance.console.work import Work, bytes_told
from appliance.control.messages import Grade, Health, LiveSnapshot
from appliance.store.rights import Right
from appliance.system.network.messages import AskNetwork, NetworkTold
from appliance.system.services.messages import AskServices, ServicesTold
from drivers.errors import CarelineError
from drivers.protocol import Direction

LIVE_MOST_S = 3600.0
OUTCOMES = ("completed", "operator", "message", "operator_missed", "abandoned", "failed")
LIVE = Argument(name="live", flag=True)
EVERY = Argument(name="every", option=True, required=False, default=5, read=number(1, 600))


def status(work: Work, given: Given) -> Report:
    live = work.live()
    lines = facts(
        [
            (work.say("status.lines"), work.say("status.connected" if live.health.lines_connected else "status.away")),
            (work.say("status.calls_now"), len(live.calls)),
            (work.say("status.calls_today"), live.health.calls_today),
            (work.say("status.channels"), _channels(work, live)),
            (work.say("status.started"), work.local(live.health.started_at)),
            (
                work.say("status.disk"),
                work.say("status.free", free=bytes_told(live.health.disk_free_bytes), total=bytes_told(live.health.disk_total_bytes)),
            ),
        ],
        work.columns,
    )
    bad = any(check.grade is Grade.FAILED for check in live.health.checks)
    return Report([*lines, "", *_checks(work, live.health)], live.health, failed=bad)


def _channels(work: Work, live: LiveSnapshot) -> str:
    used = sum(channel.leg is not None for channel in live.channels)
    blocked = sum(channel.blocked for channel in live.channels)
    alarmed = sum(bool(channel.alarms) for channel in live.channels)
    return work.say("status.of_channels", all=len(live.channels), used=used, blocked=blocked, alarmed=alarmed)


def _checks(work: Work, health: Health) -> list[str]:
    rows = [(work.word("grade", check.grade), work.word("check", check.name), check.code, check.detail) for check in health.checks]
    rows.sort(key=lambda row: row[0] == work.word("grade", Grade.OK))
    lines = table(work.heads("checks", "grade", "name", "code", "detail"), rows, work.columns)
    return lines + [f"  {check.code}: {check.remedy}" for check in health.checks if check.remedy and check.grade is not Grade.OK]


# --- workplaces ---------------------------------------------------------------------------------------------------------


def _workplace(show: Callable[[Work], Report]) -> Callable[[Work, Given], Report]:
    """Once, or again and again until a key is pressed."""

    def act(work: Work, given: Given) -> Report:
        if not given["live"]:
            return show(work)
        until_s = work.clock.monotonic_s() + LIVE_MOST_S
        work.tell(work.say("workplace.live"))
        while work.clock.monotonic_s() < until_s:
            work.tell("", f"--- {work.local(work.clock.now(), '%H:%M:%S')} ---", *show(work).lines)
            if work.place.pause(given["every"]):
                break
        return Report()

    return act


def calls_workplace(work: Work) -> Report:
    live = work.live()
    sets = [channel for channel in live.channels if channel.signalling.startswith("fxo")]
    talking = sum(channel.leg is not None for channel in sets)
    head = facts(
        [
            (work.say("status.calls_now"), len(live.calls)),
            (work.say("status.channels"), _channels(work, live)),
            (work.say("workplace.sets"), work.say("workplace.of_sets", all=len(sets), talking=talking)),
        ],
        work.columns,
    )
    return Report([*head, "", *calls_table(work, live)], call_rows(live))


def business_workplace(work: Work) -> Report:
    counted = work.stored(lambda: _business(work))
    outcomes = [(work.word("outcome", name), counted[name]) for name in OUTCOMES]
    rest = [(work.say(f"workplace.{name}"), counted[name]) for name in ("calls", "unheard", "bookings", "complaints", "work_items")]
    return Report(facts([*rest[:1], *outcomes, *rest[1:]], work.columns), counted)


def _business(work: Work) -> dict[str, int]:
    from appliance.store.booking_tables import Booking
    from appliance.store.case_tables import Complaint, WorkItem
    from appliance.store.models import CallRecord, VoiceMessage

    midnight = _midnight(work)
    calls = CallRecord.select(CallRecord.outcome).where(CallRecord.started_at >= midnight, CallRecord.direction == Direction.INBOUND)
    outcomes = Counter(str(row.outcome) for row in calls)
    return {
        "calls": outcomes.total(),
        **{name: outcomes[name] for name in OUTCOMES},
        "unheard": VoiceMessage.select().where(VoiceMessage.heard_at.is_null()).count(),
        "bookings": Booking.select().where(Booking.made_at >= midnight).count(),
        "complaints": Complaint.select().where(Complaint.state != "closed").count(),
        "work_items": WorkItem.select().where(WorkItem.state.in_(("waiting", "offered", "taken"))).count(),
    }


def _midnight(work: Work) -> datetime:
    zone = ZoneInfo(work.config.hospital.calendar.time_zone)
    return work.clock.now().astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def system_workplace(work: Work) -> Report:
    live = work.live()
    lines = [*_checks(work, live.health), ""]
    try:
        told = work.box(AskServices(by=work.by), ServicesTold)
    except CarelineError as error:  # the rest of the workplace is there all the same
        lines.append(f"{error.code}: {error.what}")
    else:
        rows = [
            (state.name, work.word("unit_state", state.state), state.restarts, bytes_told(state.memory_bytes)) for state in told.services
        ]
        lines += table(work.heads("services", "name", "state", "restarts", "memory"), rows, work.columns)
    return Report(lines, live.health)


def network_workplace(work: Work) -> Report:
    told = work.box(AskNetwork(by=work.by), NetworkTold)
    return Report(network_lines(work, told), told)


def network_lines(work: Work, told: NetworkTold) -> list[str]:
    rows = [
        (
            link.name or link.device,
            work.say("network.up" if link.carrier else "network.down"),
            ",".join(work.word("role", role) for role in link.roles) or "-",
            " ".join(link.addresses) or "-",
            f"{link.speed_mbps or '-'}",
            link.errors + link.dropped,
        )
        for link in told.links
    ]
    default = next((route.via for route in told.routes if route.to == "default"), "-")
    lines = [
        *facts(
            [
                (work.say("network.host"), told.host_name),
                (work.say("network.gateway"), default),
                (work.say("network.dns"), " ".join(told.dns) or "-"),
            ],
            work.columns,
        ),
        "",
        *table(work.heads("network", "name", "link", "roles", "addresses", "speed", "errors"), rows, work.columns),
    ]
    if told.trial is not None:
        lines += ["", work.say("network.trying", by=told.trial.by, until=work.local(told.trial.until, "%H:%M:%S"))]
    return lines + [f"{fault.code}: {fault.place}: {fault.what}. {fault.remedy}" for fault in told.faults]


COMMANDS = (
    Command(name="status", zh="状态", right=Right.SEE_HEALTH, act=status),
    Command(name="workplace calls", zh="工作台 呼叫", right=Right.SEE_LIVE, act=_workplace(calls_workplace), arguments=(LIVE, EVERY)),
    Command(
        name="workplace business", zh="工作台 业务", right=Right.EDIT_RULES, act=_workplace(business_workplace), arguments=(LIVE, EVERY)
    ),
    Command(name="workplace system", zh="工作台 系统", right=Right.SEE_HEALTH, act=_workplace(system_workplace), arguments=(LIVE, EVERY)),
    Command(
        name="workplace network", zh="工作台 网络", right=Right.MANAGE_NETWORK, act=_workplace(network_workplace), arguments=(LIVE, EVERY)
    ),
)
