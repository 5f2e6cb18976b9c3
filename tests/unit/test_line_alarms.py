"""Alarms from what the line server tells: begins and ends, once each, also over a restart of the call agent."""

from datetime import UTC, datetime, timedelta

import msgspec

from appliance.line_alarms import AlarmChange, AlarmKey, Alarms
from drivers.protocol import BlockedBy, ChannelState, SpanState

T0 = datetime(2026, 3, 8, 2, 0, tzinfo=UTC)
T1 = T0 + timedelta(minutes=5)
SPAN = SpanState(number=1, name="E1", description="", channels=30)
RED = msgspec.structs.replace(SPAN, alarms=("red",), alarm_since=T0)
CHANNEL = ChannelState(number=3, name="C3", span=1, group="trunk", signalling="fxsks")


def began(subject: str, number: int, alarm: str, at: datetime) -> AlarmChange:
    return AlarmChange(AlarmKey(subject, number, alarm), True, at)


def ended(subject: str, number: int, alarm: str, at: datetime) -> AlarmChange:
    return AlarmChange(AlarmKey(subject, number, alarm), False, at)


def test_alarm_of_a_span_begins_and_ends_once() -> None:
    alarms = Alarms()
    assert alarms.span(RED, T0) == [began("span", 1, "red", T0)]
    assert alarms.span(RED, T1) == []
    assert alarms.span(SPAN, T1) == [ended("span", 1, "red", T1)]


def test_one_word_follows_another() -> None:
    alarms = Alarms()
    alarms.span(RED, T0)
    yellow = msgspec.structs.replace(SPAN, alarms=("yellow",), alarm_since=T0)
    assert alarms.span(yellow, T1) == [ended("span", 1, "red", T1), began("span", 1, "yellow", T1)]


def test_channels_do_not_repeat_the_alarm_of_their_span() -> None:
    alarms = Alarms()
    alarms.span(RED, T0)
    assert alarms.channel(msgspec.structs.replace(CHANNEL, alarms=("red",)), T0) == []
    alarms.span(SPAN, T1)
    assert alarms.channel(msgspec.structs.replace(CHANNEL, alarms=("red",)), T1) == [began("channel", 3, "red", T1)]


def test_block_for_failures_is_an_alarm_and_one_of_a_person_is_none() -> None:
    alarms = Alarms()
    failed = msgspec.structs.replace(CHANNEL, blocked=True, blocked_by=BlockedBy.FAILURES)
    person = msgspec.structs.replace(CHANNEL, blocked=True, blocked_by=BlockedBy.PERSON)
    assert alarms.channel(failed, T0) == [began("channel", 3, "blocked", T0)]
    assert alarms.channel(person, T1) == [ended("channel", 3, "blocked", T1)]


def test_link_that_is_down_is_an_alarm() -> None:
    alarms = Alarms()
    assert alarms.span(msgspec.structs.replace(SPAN, link_up=True), T0) == []
    assert alarms.span(msgspec.structs.replace(SPAN, link_up=False), T0) == [began("span", 1, "link_down", T0)]
    assert alarms.span(msgspec.structs.replace(SPAN, link_up=True), T1) == [ended("span", 1, "link_down", T1)]


def test_what_happened_while_nobody_listened_follows_from_the_snapshot() -> None:
    alarms = Alarms([AlarmKey("span", 2, "red"), AlarmKey("channel", 3, "blocked")])
    changes = alarms.snapshot([RED], [CHANNEL], T1)
    assert changes == [ended("channel", 3, "blocked", T1), ended("span", 2, "red", T1), began("span", 1, "red", T0)]
    assert alarms.open == {AlarmKey("span", 1, "red")}


def test_snapshot_that_says_the_same_changes_nothing() -> None:
    alarms = Alarms([AlarmKey("span", 1, "red")])
    assert alarms.snapshot([RED], [CHANNEL], T1) == []
