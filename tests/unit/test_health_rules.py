"""Every rule tripped and cleared on a virtual clock: not before its hold-on time, not sooner than its hold-off time, never twice."""

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from appliance.control.messages import Check, Grade, SelfCallEnd, SelfCallTold
from appliance.health.facts import Facts, Lines, Ups
from appliance.health.judge import Change, Cleared, Judge, Raised
from appliance.health.looks import LOOKS, Key
from appliance.store.alarm_rules import BY_NAME, RULES, RuleNow, RuleSetting, Severity, now
from drivers.clock import VirtualClock
from drivers.protocol import BlockedBy, ChannelState, SpanState

AT = datetime(2026, 3, 8, 2, 0, tzinfo=UTC)
AS_IT_IS = RuleSetting()
LATEST_S = 10.0
"""An alarm is told so soon after the fact, whatever its rule, but for those that wait on purpose."""
WAIT_ON_PURPOSE = {"clock_unsynchronised"}


def span(**more: Any) -> SpanState:
    return SpanState(number=1, name="E1/1", description="", channels=30, **more)


def channel(**more: Any) -> ChannelState:
    return ChannelState(number=7, name="FXO/7", span=more.pop("span", 2), group="trunk", signalling="fxsks", **more)


WELL = Lines(
    spans=(span(link_up=True), replace(span(link_up=True), number=2)),
    channels=(channel(),),
    checks=(Check(name="line_server", grade=Grade.OK), Check(name="store", grade=Grade.OK)),
)
GOOD = Facts(
    at=AT,
    agent_quiet_s=1.0,
    lines=WELL,
    disk_free_percent={"/var/lib/careline": 60.0},
    memory_free_percent=50.0,
    temperatures={"coretemp Package id 0": 45.0},
    clock_synchronised=True,
    certificates={"web.pem": 300.0},
    backup_age_h=5.0,
    update="",
    ups=Ups(status=("OL",), charge_percent=100.0),
    self_call=SelfCallTold(end=SelfCallEnd.HEARD, at=AT, answered_ms=900, heard_ms=1500),
    web_fault="",
    contacts={"door": False},
    senders={"email": ""},
    peripherals={"sms": "", "smdr north": "", "smdi": ""},
    cards={},
)


def lines(**changes: Any) -> Facts:
    return replace(GOOD, lines=replace(WELL, **changes))


def check(name: str, grade: Grade) -> Facts:
    return lines(checks=(Check(name=name, grade=grade, code="X-1", detail="what"),))


def told(end: SelfCallEnd, answered_ms: int | None = None) -> Facts:
    return replace(GOOD, self_call=SelfCallTold(end=end, at=AT, answered_ms=answered_ms))


BAD: dict[str, tuple[Facts, Key]] = {
    "span_down": (lines(spans=(span(alarms=("red",)),)), Key("span", 1, "red")),
    "link_down": (lines(spans=(span(link_up=False),)), Key("span", 1, "link_down")),
    "channel_alarm": (lines(channels=(channel(alarms=("red",)),)), Key("channel", 7, "red")),
    "channel_blocked": (lines(channels=(channel(blocked_by=BlockedBy.FAILURES),)), Key("channel", 7, "blocked")),
    "line_server_down": (check("line_server", Grade.FAILED), Key("box", 0, "line_server_down")),
    "no_lines": (check("card", Grade.FAILED), Key("box", 0, "no_lines")),
    "call_agent_down": (replace(GOOD, agent_quiet_s=9.0, lines=None), Key("box", 0, "call_agent_down")),
    "web_down": (replace(GOOD, web_fault="refused"), Key("box", 0, "web_down")),
    "store_failing": (replace(GOOD, store_fault="STO-004"), Key("box", 0, "store_failing")),
    "disk_low": (replace(GOOD, disk_free_percent={"/var": 14.9}), Key("box", 0, "disk_low /var")),
    "disk_full": (replace(GOOD, disk_free_percent={"/var": 2.9}), Key("box", 0, "disk_full /var")),
    "memory_low": (replace(GOOD, memory_free_percent=4.0), Key("box", 0, "memory_low")),
    "temperature_high": (replace(GOOD, temperatures={"cpu": 91.0}), Key("box", 0, "temperature_high cpu")),
    "ticks_late": (lines(tick_late_ms=4.2), Key("box", 0, "ticks_late")),
    "clock_unsynchronised": (replace(GOOD, clock_synchronised=False), Key("box", 0, "clock_unsynchronised")),
    "clock_stepped": (replace(GOOD, step_s=3600.0), Key("box", 0, "clock_stepped")),
    "certificate_expiring": (replace(GOOD, certificates={"web.pem": 3.0}), Key("box", 0, "certificate_expiring web.pem")),
    "backup_old": (replace(GOOD, backup_age_h=72.0), Key("box", 0, "backup_old")),
    "ups_on_battery": (replace(GOOD, ups=Ups(status=("OB",))), Key("box", 0, "ups_on_battery")),
    "ups_low": (replace(GOOD, ups=Ups(status=("OB", "LB"))), Key("box", 0, "ups_low")),
    "ups_fault": (replace(GOOD, ups=Ups(fault="DATA-STALE")), Key("box", 0, "ups_fault")),
    "self_call_failed": (told(SelfCallEnd.NOT_ANSWERED), Key("box", 0, "self_call_failed")),
    "self_call_slow": (told(SelfCallEnd.HEARD, 7_000), Key("box", 0, "self_call_slow")),
    "callers_waiting": (lines(ringing=12), Key("box", 0, "callers_waiting")),
    "dead_letters": (check("dispatch", Grade.WARNING), Key("box", 0, "dead_letters")),
    "update_waiting": (replace(GOOD, update="waiting"), Key("box", 0, "update_waiting")),
    "update_failed": (replace(GOOD, update="failed"), Key("box", 0, "update_failed")),
    "contact_in": (replace(GOOD, contacts={"door": True}), Key("box", 0, "contact_in door")),
    "sender_failing": (replace(GOOD, senders={"email": "refused"}), Key("box", 0, "sender_failing email")),
    "modem_fault": (replace(GOOD, peripherals={"sms": "SMS-003 gone"}), Key("box", 0, "modem_fault")),
    "switch_records_fault": (replace(GOOD, peripherals={"smdr north": "SDR-001 gone"}), Key("box", 0, "switch_records_fault north")),
    "message_link_fault": (replace(GOOD, peripherals={"smdi": "SDI-003 gone"}), Key("box", 0, "message_link_fault")),
    "card_fault": (replace(GOOD, cards={"Astribank usb-1": "FRM-011 no firmware"}), Key("box", 0, "card_fault Astribank usb-1")),
    "check_failed": (check("ledger", Grade.FAILED), Key("box", 0, "check_failed ledger")),
}


class Bench:
    """One rule, looked at every second of a virtual clock."""

    def __init__(self, name: str, setting: RuleSetting = AS_IT_IS) -> None:
        self.clock = VirtualClock()
        self.judge = Judge()
        self.rules: dict[str, RuleNow] = {name: now(BY_NAME[name], setting)}

    def look(self, facts: Facts, for_s: float = 0.0) -> list[Change]:
        changes = list(self.judge.look(facts, self.rules, self.clock.monotonic_s()))
        end_s = self.clock.monotonic_s() + for_s
        while self.clock.monotonic_s() < end_s:
            self.wait(1.0)
            changes += self.judge.look(facts, self.rules, self.clock.monotonic_s())
        return changes

    def wait(self, s: float) -> None:
        end_s = self.clock.monotonic_s() + s
        while self.clock.monotonic_s() < end_s - 1e-6:
            self.clock.advance(end_s - self.clock.monotonic_s())


def test_every_rule_is_looked_at_and_tried_here() -> None:
    assert set(LOOKS) == set(BAD) == {rule.name for rule in RULES}


@pytest.mark.parametrize("name", BAD)
def test_tripped_and_cleared(name: str) -> None:
    bad, key = BAD[name]
    bench, rule = Bench(name), BY_NAME[name]
    assert bench.look(GOOD, 3) == []
    if rule.hold_on_s > 1:
        assert bench.look(bad, rule.hold_on_s - 1) == [], "too early"
    raised = bench.look(bad, 2)
    assert [(type(each), each.rule) for each in raised] == [(Raised, name)]
    assert isinstance(raised[0], Raised)
    assert raised[0].finding.key == key
    assert raised[0].severity is rule.severity
    assert bench.look(bad, 60) == [], "told once"
    if rule.hold_off_s > 1:
        assert bench.look(GOOD, rule.hold_off_s - 1) == [], "too early"
    assert bench.look(GOOD, 2) == [Cleared(name, key)]
    assert bench.look(GOOD, 5) == []
    assert rule.hold_on_s <= LATEST_S - 1 or name in WAIT_ON_PURPOSE


@pytest.mark.parametrize("name", [name for name, rule in BY_NAME.items() if rule.hold_on_s >= 2])
def test_what_lasts_too_short_is_none(name: str) -> None:
    bench = Bench(name)
    for _ in range(10):
        assert bench.look(BAD[name][0]) == []
        bench.wait(BY_NAME[name].hold_on_s - 1)
        assert bench.look(GOOD) == []


@pytest.mark.parametrize("name", [name for name, rule in BY_NAME.items() if rule.hold_off_s >= 2])
def test_flapping_is_one_alarm(name: str) -> None:
    bench, rule = Bench(name), BY_NAME[name]
    changes = bench.look(BAD[name][0], rule.hold_on_s + 1)
    for _ in range(10):
        changes += bench.look(GOOD)
        bench.wait(rule.hold_off_s - 1)
        changes += bench.look(BAD[name][0])
    changes += bench.look(GOOD, rule.hold_off_s + 2)
    assert [type(each) for each in changes] == [Raised, Cleared]


@pytest.mark.parametrize("name", ["span_down", "link_down", "channel_alarm", "channel_blocked", "line_server_down", "dead_letters"])
def test_what_is_not_known_neither_begins_nor_ends(name: str) -> None:
    unknown = replace(GOOD, lines=None)
    bench = Bench(name)
    assert bench.look(unknown, 30) == []
    assert len(bench.look(BAD[name][0], 20)) == 1
    assert bench.look(unknown, 300) == []
    assert bench.look(GOOD, 30) == [Cleared(name, BAD[name][1])]


def test_channels_of_a_dark_span_are_told_as_the_span() -> None:
    dark = lines(spans=(span(alarms=("red",)),), channels=(channel(span=1, alarms=("red",)),))
    assert Bench("channel_alarm").look(dark, 30) == []


def test_a_changed_threshold_severity_and_time_hold() -> None:
    bench = Bench("disk_low", RuleSetting(threshold=70, severity=Severity.CRITICAL, hold_on_s=0))
    (raised,) = bench.look(GOOD)
    assert isinstance(raised, Raised)
    assert raised.severity is Severity.CRITICAL


def test_a_rule_that_is_switched_off_ends_its_alarms() -> None:
    bench = Bench("web_down")
    assert len(bench.look(BAD["web_down"][0], 10)) == 1
    bench.rules["web_down"] = now(BY_NAME["web_down"], RuleSetting(on=False))
    assert bench.look(BAD["web_down"][0], 10) == [Cleared("web_down", Key("box", 0, "web_down"))]


def test_alarms_of_a_process_before_go_on_or_end() -> None:
    bench = Bench("web_down")
    bench.judge.adopt([("web_down", Key("box", 0, "web_down")), ("gone_rule", Key("box", 0, "gone_rule"))])
    assert bench.look(BAD["web_down"][0], 20) == [Cleared("gone_rule", Key("box", 0, "gone_rule"))]
    assert bench.look(GOOD, 20) == [Cleared("web_down", Key("box", 0, "web_down"))]


@pytest.mark.parametrize(
    ("facts", "name", "alarms"),
    [
        (told(SelfCallEnd.SKIPPED), "self_call_failed", 0),
        (told(SelfCallEnd.SILENT), "self_call_failed", 1),
        (replace(GOOD, ups=Ups(status=("OL", "LB"))), "ups_low", 0),
        (replace(GOOD, ups=Ups(status=("OB", "FSD"))), "ups_low", 1),
        (replace(GOOD, ups=Ups(status=("OL", "RB"))), "ups_fault", 1),
        (lines(checks=(Check(name="store", grade=Grade.FAILED, code="STO-006"),)), "store_failing", 1),
        (replace(GOOD, agent_quiet_s=None), "call_agent_down", 0),
    ],
)
def test_borders(facts: Facts, name: str, alarms: int) -> None:
    assert len(Bench(name).look(facts, 20)) == alarms
