"""What is wrong now, by rule: pure functions from facts and a threshold to what was found. One row per rule in LOOKS."""

from collections.abc import Callable, Iterable, Iterator

import msgspec

from appliance.control.messages import Check, Grade, SelfCallEnd
from appliance.health.facts import Facts, Lines
from appliance.line_alarms import BLOCKED, LINK_DOWN
from appliance.store.alarm_rules import RuleNow
from drivers.protocol import BlockedBy

AGENT_QUIET_S = 8.0  # it tells its health every 5 s
ITS_OWN = frozenset({"line_server", "card", "engine", "spans", "channels", "disk", "store", "dispatch"})
"""Checks of the call agent that have a rule of their own here."""


class Key(msgspec.Struct, frozen=True, order=True):
    """An alarm's name in the store: see store.models.Alarm."""

    subject: str
    number: int
    alarm: str


class Finding(msgspec.Struct, frozen=True):
    """`detail`: figures and names, for people."""

    key: Key
    detail: str = ""


Found = Iterable[Finding] | None
"""None: not known."""
Look = Callable[[Facts, RuleNow], Found]


def _box(name: str, detail: str = "", about: str = "") -> Finding:
    return Finding(Key("box", 0, f"{name} {about}".strip()), detail)


def _of_lines(of: Callable[[Lines], Iterator[Finding]]) -> Look:
    """While the line server is away, its lines are as they were told last: not known."""

    def look(facts: Facts, rule: RuleNow) -> Found:
        if facts.lines is None or _check(facts.lines, "line_server", Grade.FAILED):
            return None
        return tuple(of(facts.lines))

    return look


def _check(lines: Lines, name: str, grade: Grade) -> Check | None:
    return next((check for check in lines.checks if check.name == name and check.grade is grade), None)


def _spans(lines: Lines) -> Iterator[Finding]:
    for span in lines.spans:
        for alarm in span.alarms:
            yield Finding(Key("span", span.number, alarm), f"{span.name}: {alarm}")


def _links(lines: Lines) -> Iterator[Finding]:
    for span in lines.spans:
        if span.link_up is False:
            yield Finding(Key("span", span.number, LINK_DOWN), span.name)


def _channels(lines: Lines) -> Iterator[Finding]:
    """Its own alarms: while its span is in alarm that is told once, as the span's."""
    dark = {span.number for span in lines.spans if span.alarms}
    for channel in lines.channels:
        if channel.span not in dark:
            for alarm in channel.alarms:
                yield Finding(Key("channel", channel.number, alarm), f"{channel.name}: {alarm}")


def _blocked(lines: Lines) -> Iterator[Finding]:
    for channel in lines.channels:
        if channel.blocked_by is BlockedBy.FAILURES:
            yield Finding(Key("channel", channel.number, BLOCKED), f"{channel.name}, {channel.failures_in_a_row} failures")


def _failed_check(rule: str, check: str, *grades: Grade) -> Look:
    """A check of the call agent's own."""

    def look(facts: Facts, now: RuleNow) -> Found:
        if facts.lines is None:
            return None
        found = [each for grade in grades if (each := _check(facts.lines, check, grade))]
        return [_box(rule, f"{each.code} {each.detail}") for each in found]

    return look


def _agent(facts: Facts, rule: RuleNow) -> Found:
    if facts.agent_quiet_s is None:
        return None
    return [_box("call_agent_down", f"silent for {facts.agent_quiet_s:.0f} s")] if facts.agent_quiet_s > AGENT_QUIET_S else ()


def _web(facts: Facts, rule: RuleNow) -> Found:
    return None if facts.web_fault is None else [_box("web_down", facts.web_fault)] if facts.web_fault else ()


def _store(facts: Facts, rule: RuleNow) -> Found:
    told = None if facts.lines is None else _check(facts.lines, "store", Grade.FAILED)
    what = f"{told.code} {told.detail}" if told else facts.store_fault
    if what:
        return [_box("store_failing", what)]
    return None if facts.lines is None else ()


def _passed(rule: RuleNow, name: str, value: float | None, about: str = "") -> Found:
    """An alarm while a value is over (or under) the threshold."""
    limits = rule.rule.threshold
    assert limits is not None
    if value is None:
        return None
    said = f"{about + ': ' if about else ''}{value:.1f} {limits.unit}"
    return [_box(name, said, about)] if limits.is_passed(value, rule.limit) else ()


def _each(rule: RuleNow, values: dict[str, float]) -> Found:
    return [finding for about, value in values.items() for finding in _passed(rule, rule.rule.name, value, about) or ()]


def _ticks(facts: Facts, rule: RuleNow) -> Found:
    if facts.lines is None or _check(facts.lines, "line_server", Grade.FAILED):
        return None
    return _passed(rule, "ticks_late", facts.lines.tick_late_ms)


def _clock(facts: Facts, rule: RuleNow) -> Found:
    return None if facts.clock_synchronised is None else () if facts.clock_synchronised else [_box("clock_unsynchronised")]


def _ups_on_battery(facts: Facts, rule: RuleNow) -> Found:
    if facts.ups is None or facts.ups.fault:
        return None
    left = f"{facts.ups.charge_percent:.0f} %" if facts.ups.charge_percent is not None else ""
    return [_box("ups_on_battery", left)] if facts.ups.on_battery else ()


def _ups_low(facts: Facts, rule: RuleNow) -> Found:
    return None if facts.ups is None or facts.ups.fault else [_box("ups_low")] if facts.ups.low else ()


def _ups_fault(facts: Facts, rule: RuleNow) -> Found:
    if facts.ups is None:
        return None
    what = facts.ups.fault or ("RB: replace the battery" if "RB" in facts.ups.status else "")
    return [_box("ups_fault", what)] if what else ()


def _self_call(facts: Facts, rule: RuleNow) -> Found:
    told = facts.self_call
    if told is None or told.end is SelfCallEnd.SKIPPED:
        return None
    return () if told.end is SelfCallEnd.HEARD else [_box("self_call_failed", f"{told.end.value} {told.detail}".strip())]


def _self_call_slow(facts: Facts, rule: RuleNow) -> Found:
    told = facts.self_call
    if told is None or told.end is not SelfCallEnd.HEARD:
        return None
    return _passed(rule, "self_call_slow", (told.answered_ms or 0) / 1000)


def _update(state: str) -> Look:
    def look(facts: Facts, rule: RuleNow) -> Found:
        return None if facts.update is None else [_box(f"update_{state}", facts.update_detail)] if facts.update == state else ()

    return look


def _contacts(facts: Facts, rule: RuleNow) -> Found:
    return [_box("contact_in", about=name) for name, closed in facts.contacts.items() if closed]


def _senders(facts: Facts, rule: RuleNow) -> Found:
    return [_box("sender_failing", fault, name) for name, fault in facts.senders.items() if fault]


def _peripheral(rule_name: str, kind: str) -> Look:
    """Of one kind: the first word of its name."""

    def look(facts: Facts, rule: RuleNow) -> Found:
        if facts.peripherals is None:
            return None
        bad = {name: fault for name, fault in facts.peripherals.items() if fault and name.partition(" ")[0] == kind}
        return [_box(rule_name, fault, name.partition(" ")[2]) for name, fault in bad.items()]

    return look


def _cards(facts: Facts, rule: RuleNow) -> Found:
    return None if facts.cards is None else [_box("card_fault", fault, about) for about, fault in facts.cards.items()]


def _other_checks(facts: Facts, rule: RuleNow) -> Found:
    if facts.lines is None:
        return None
    bad = [check for check in facts.lines.checks if check.grade is Grade.FAILED and check.name not in ITS_OWN]
    return [_box("check_failed", f"{check.code} {check.detail}", check.name) for check in {each.name: each for each in bad}.values()]


LOOKS: dict[str, Look] = {
    "span_down": _of_lines(_spans),
    "link_down": _of_lines(_links),
    "channel_alarm": _of_lines(_channels),
    "channel_blocked": _of_lines(_blocked),
    "line_server_down": _failed_check("line_server_down", "line_server", Grade.FAILED),
    "no_lines": _failed_check("no_lines", "card", Grade.FAILED),
    "call_agent_down": _agent,
    "web_down": _web,
    "store_failing": _store,
    "disk_low": lambda facts, rule: _each(rule, facts.disk_free_percent),
    "disk_full": lambda facts, rule: _each(rule, facts.disk_free_percent),
    "memory_low": lambda facts, rule: _passed(rule, "memory_low", facts.memory_free_percent),
    "temperature_high": lambda facts, rule: _each(rule, facts.temperatures),
    "ticks_late": _ticks,
    "clock_unsynchronised": _clock,
    "clock_stepped": lambda facts, rule: _passed(rule, "clock_stepped", facts.step_s),
    "certificate_expiring": lambda facts, rule: _each(rule, facts.certificates),
    "backup_old": lambda facts, rule: _passed(rule, "backup_old", facts.backup_age_h),
    "ups_on_battery": _ups_on_battery,
    "ups_low": _ups_low,
    "ups_fault": _ups_fault,
    "self_call_failed": _self_call,
    "self_call_slow": _self_call_slow,
    "callers_waiting": lambda facts, rule: _passed(rule, "callers_waiting", None if facts.lines is None else facts.lines.ringing),
    "dead_letters": _failed_check("dead_letters", "dispatch", Grade.WARNING, Grade.FAILED),
    "update_waiting": _update("waiting"),
    "update_failed": _update("failed"),
    "contact_in": _contacts,
    "sender_failing": _senders,
    "modem_fault": _peripheral("modem_fault", "sms"),
    "switch_records_fault": _peripheral("switch_records_fault", "smdr"),
    "message_link_fault": _peripheral("message_link_fault", "smdi"),
    "card_fault": _cards,
    "check_failed": _other_checks,
}
