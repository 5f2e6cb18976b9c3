"""The dial plan: when a number is complete, where it leads, and what is wrong with a plan."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.dial_plan import DialPlan, ExtensionRule, GroupFacts, OutsideRule, ServiceRule, number_plan, numbers_in
from drivers.errors import ConfigError
from drivers.protocol import Completeness, Destination, NumberKind
from drivers.protocol.number_plan import MAX_DIALLED, read_pattern

GROUPS = {
    "trunk": GroupFacts((1, 2, 3, 4), False),
    "tie": GroupFacts((5,), False),
    "sets": GroupFacts((6, 7), True),
    "ward": GroupFacts((8,), True),
}
PLAN = number_plan(DialPlan(services=(ServiceRule(code="*60", service="after_hours"),)), GROUPS)
INCOMPLETE, MAY_END, COMPLETE, INVALID = (
    Completeness.INCOMPLETE, Completeness.MAY_END, Completeness.COMPLETE, Completeness.INVALID,
)  # fmt: skip


@pytest.mark.parametrize(
    ("digits", "completeness"),
    [
        ("", INCOMPLETE),
        ("1", INCOMPLETE),
        ("12", INCOMPLETE),
        ("120", COMPLETE),
        ("122", COMPLETE),
        ("13", INVALID),
        ("0", COMPLETE),
        ("8", INCOMPLETE),
        ("800", INCOMPLETE),
        ("8003", COMPLETE),
        ("8004", INVALID),
        ("9", INCOMPLETE),
        ("91", MAY_END),
        ("9120", COMPLETE),
        ("91380013800", MAY_END),
        ("913800138000", COMPLETE),
        ("95881234", MAY_END),
        ("958812345", COMPLETE),
        ("901088886666", MAY_END),
        ("*", INCOMPLETE),
        ("*60", COMPLETE),
        ("*61", INVALID),
        ("9*", INVALID),
        ("A", INVALID),
    ],
)
def test_completeness(digits: str, completeness: Completeness) -> None:
    assert PLAN.completeness(digits) is completeness


@pytest.mark.parametrize(
    ("number", "kind", "sent", "channel", "group", "service"),
    [
        ("120", NumberKind.EMERGENCY, "120", None, "", ""),
        ("9110", NumberKind.EMERGENCY, "110", None, "", ""),
        ("0", NumberKind.OPERATOR, "0", None, "", ""),
        ("8003", NumberKind.EXTENSION, "8003", 8, "", ""),
        ("913800138000", NumberKind.OUTSIDE, "13800138000", None, "trunk", ""),
        ("901088886666", NumberKind.OUTSIDE, "01088886666", None, "trunk", ""),
        ("*60", NumberKind.SERVICE, "*60", None, "", "after_hours"),
    ],
)
def test_destination(number: str, kind: NumberKind, sent: str, channel: int | None, group: str, service: str) -> None:
    assert PLAN.destination(number) == Destination(kind=kind, number=sent, channel=channel, group=group, service=service)


@pytest.mark.parametrize("number", ["", "8", "8004", "7", "9", "#"])
def test_number_that_leads_nowhere(number: str) -> None:
    assert PLAN.destination(number) is None


def test_sets_know_their_own_numbers() -> None:
    assert [PLAN.number_of(channel) for channel in (1, 6, 7, 8)] == ["", "8001", "8002", "8003"]


def test_rules_may_share_an_access_code_or_have_none() -> None:
    mobile = OutsideRule(access="9", group="tie", patterns=("1[3-9]xxxxxxxxx",))
    local = OutsideRule(access="9", group="trunk", patterns=("[2-8]xxxxxxx",))
    bare = OutsideRule(access="", group="trunk", patterns=("[2-7]xxxxxxx",))
    plan = number_plan(DialPlan(outside=(mobile, local, bare)), GROUPS)
    led = {number: plan.destination(number) for number in ("913800138000", "958812345", "58812345", "9120", "120")}
    assert [each and each.group for each in led.values()] == ["tie", "trunk", "trunk", "", ""]
    assert [each and each.number for each in led.values()] == ["13800138000", "58812345", "58812345", "120", "120"]


def test_emergency_calls_have_every_group_of_lines() -> None:
    assert PLAN.emergency_groups == ("trunk", "tie")
    assert number_plan(DialPlan(emergency_groups=("tie",)), GROUPS).emergency_groups == ("tie",)


def test_extensions_by_range_and_by_group() -> None:
    rules = (ExtensionRule(numbers="601-602", channels="6-7"), ExtensionRule(numbers="600", group="sets"))
    plan = number_plan(DialPlan(extensions=rules), GROUPS)
    assert plan.destination("602") == Destination(kind=NumberKind.EXTENSION, number="602", channel=7)
    assert plan.destination("600") == Destination(kind=NumberKind.EXTENSION, number="600", group="sets")
    assert plan.completeness("8001") is INVALID


def test_two_access_codes() -> None:
    rules = (OutsideRule(), OutsideRule(access="7", group="tie", patterns=("xxxx",)))
    plan = number_plan(DialPlan(outside=rules), GROUPS)
    assert plan.completeness("74321") is COMPLETE
    assert plan.destination("74321") == Destination(kind=NumberKind.OUTSIDE, number="4321", group="tie")
    assert plan.destination("7120") == Destination(kind=NumberKind.EMERGENCY, number="120")


def test_longer_number_may_follow_a_shorter_one() -> None:
    rules = (ExtensionRule(numbers="60", channels="6"), ExtensionRule(numbers="601", channels="7"))
    plan = number_plan(DialPlan(extensions=rules), GROUPS)
    assert (plan.completeness("60"), plan.completeness("601")) == (MAY_END, COMPLETE)


def test_house_without_lines_calls_nobody_outside() -> None:
    plan = number_plan(DialPlan(), {"sets": GroupFacts((1, 2), True)})
    assert plan.completeness("95881") is INVALID
    assert plan.completeness("120") is COMPLETE


def test_endless_number_is_complete_some_day() -> None:
    assert PLAN.completeness("90" + "1" * (MAX_DIALLED - 2)) is COMPLETE


@pytest.mark.parametrize(
    ("plan", "code"),
    [
        (DialPlan(extensions=(ExtensionRule(numbers="601-603", channels="6-7"),)), "CFG-070"),
        (DialPlan(extensions=(ExtensionRule(numbers="601"),)), "CFG-070"),
        (DialPlan(extensions=(ExtensionRule(numbers="601", channels="6", group="sets"),)), "CFG-070"),
        (DialPlan(extensions=(ExtensionRule(numbers="601", channels="1"),)), "CFG-071"),
        (DialPlan(extensions=(ExtensionRule(numbers="601-99", channels="6"),)), "CFG-072"),
        (DialPlan(extensions=(ExtensionRule(numbers="6o1", channels="6"),)), "CFG-072"),
        (DialPlan(outside=(OutsideRule(patterns=("1y",)),)), "CFG-072"),
        (DialPlan(outside=(OutsideRule(patterns=(".1",)),)), "CFG-072"),
        (DialPlan(services=(ServiceRule(code="", service="hotline"),)), "CFG-072"),
        (DialPlan(outside=(OutsideRule(group="moon"),)), "CFG-073"),
        (DialPlan(emergency_groups=("moon",)), "CFG-073"),
        (DialPlan(extensions=(ExtensionRule(numbers="1201", channels="6"),)), "CFG-074"),
        (DialPlan(extensions=(ExtensionRule(numbers="0", channels="6"),)), "CFG-074"),
        (DialPlan(operator="119"), "CFG-074"),
        (DialPlan(outside=(OutsideRule(patterns=("",)),)), "CFG-072"),
        (DialPlan(outside=(OutsideRule(patterns=("[9-3]x",)),)), "CFG-072"),
        (DialPlan(outside=(OutsideRule(group="ward"),)), "CFG-073"),
        (DialPlan(emergency_groups=("sets",)), "CFG-073"),
        (DialPlan(emergency=("12",)), "CFG-074"),
        (DialPlan(emergency=("1201",)), "CFG-074"),
        (DialPlan(emergency=("1xx",)), "CFG-072"),
        (DialPlan(emergency=("",)), "CFG-072"),
    ],
)
def test_what_is_wrong_is_named(plan: DialPlan, code: str) -> None:
    with pytest.raises(ConfigError) as caught:
        number_plan(plan, GROUPS, "careline.toml")
    assert caught.value.code == code
    assert "careline.toml" in caught.value.what
    assert "lines.dial_plan" in caught.value.what


def test_ranges_keep_their_zeros() -> None:
    assert numbers_in("008-011,*1") == ("008", "009", "010", "011", "*1")


@given(st.text("0123456789*#", max_size=MAX_DIALLED))
def test_complete_numbers_lead_somewhere_and_beginnings_are_no_dead_ends(digits: str) -> None:
    found = PLAN.completeness(digits)
    assert (PLAN.destination(digits) is not None) == (found in (COMPLETE, MAY_END))
    for length in range(len(digits)):
        if found is not INVALID:
            assert PLAN.completeness(digits[:length]) is not INVALID


@given(st.text("0123456789*#x[]-.", max_size=12))
def test_patterns_are_read_or_refused(pattern: str) -> None:
    try:
        places, _ = read_pattern(pattern)
    except ValueError:
        return
    assert len(places) <= len(pattern)
