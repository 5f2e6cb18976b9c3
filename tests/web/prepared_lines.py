"""What the prepared day's lines look like: channels, spans, tests, alarms, actions, and the set-up of a card."""

from datetime import datetime, timedelta

import msgspec

from appliance.store.models import Alarm, LineAction
from drivers import line_setup
from drivers.config import GroupConfig, LineSetup
from drivers.protocol import (
    BlockedBy,
    ChannelState,
    Figure,
    GroupState,
    LineTest,
    LineTestKind,
    LineTestPhase,
    PortFound,
    SetupTold,
    SpanErrors,
    SpanFound,
    SpanState,
)
from drivers.signalling.pri.config import PriConfig
from drivers.span_plans import plan_of


def lines(now: datetime) -> tuple[tuple[ChannelState, ...], tuple[SpanState, ...], tuple[GroupState, ...]]:
    """24 channels: 20 lines, 4 sets; one blocked, two in alarm."""
    legs = {1: "L1", 2: "L2", 4: "L4", 21: "L21"}
    channels = tuple(
        ChannelState(
            number=number,
            name=f"virtual/{number}",
            span=1 if number <= 16 else 2 if number <= 20 else 3,
            group="trunk" if number <= 20 else "sets",
            signalling="fxsks" if number <= 20 else "fxoks",
            leg=legs.get(number),
            blocked=number in (5, 7),
            alarms=("red",) if number in (17, 18) else (),
            last_cause=16 if number < 10 else None,
            failures=2 if number == 17 else 5 if number == 7 else 0,
            state="answered" if number in legs else "idle",
            calls=40 - number,
            blocked_by=BlockedBy.PERSON if number == 5 else BlockedBy.FAILURES if number == 7 else BlockedBy.NOBODY,
            failures_in_a_row=5 if number == 7 else 0,
            last_call_at=now - timedelta(minutes=number) if number < 10 else None,
            test="ring" if number == 22 else "",
        )
        for number in range(1, 25)
    )
    since = now - timedelta(minutes=3)
    errors = SpanErrors(since=now - timedelta(days=3), crc4_errors=12, frame_errors=3)
    spans = (
        SpanState(
            number=1,
            name="virtual/1",
            description="外线 1–16",
            channels=16,
            errors=msgspec.structs.replace(errors, crc4_errors=0, frame_errors=0),
            link_up=True,
        ),
        SpanState(
            number=2,
            name="virtual/2",
            description="外线 17–20",
            channels=4,
            alarms=("red",),
            alarm_since=since,
            errors=errors,
            link_up=False,
        ),
        SpanState(number=3, name="virtual/3", description="分机", channels=4),
    )
    groups = (
        GroupState(name="trunk", channels=tuple(range(1, 21)), hunting="up"),
        GroupState(name="sets", channels=(21, 22, 23, 24), hunting="up"),
    )
    return channels, spans, groups


def line_tests(now: datetime) -> tuple[LineTest, ...]:
    """One that runs, one that passed, one that failed."""

    def test(channel: int, kind: LineTestKind, phase: LineTestPhase, reason: str, *figures: Figure) -> LineTest:
        began = now - timedelta(seconds=20 + channel)
        return LineTest(
            test_id=f"t{channel}", channel=channel, kind=kind, phase=phase, began_at=began, at=now, reason=reason, figures=figures
        )

    return (
        test(22, LineTestKind.RING, LineTestPhase.RUNNING, ""),
        test(3, LineTestKind.DIAL_TONE, LineTestPhase.PASSED, "dial_tone", Figure("after", 1560, "ms")),
        test(5, LineTestKind.DIAL_TONE, LineTestPhase.FAILED, "no_dial_tone"),
    )


def keep_history(now: datetime) -> None:
    """Alarms, one of them open, and what was done with lines."""
    for subject, number, alarm, began_min, ended_min in (
        ("span", 2, "yellow", 900, 896),
        ("channel", 7, "blocked", 30, None),
        ("span", 2, "red", 3, None),
    ):
        ended = None if ended_min is None else now - timedelta(minutes=ended_min)
        Alarm.create(subject=subject, number=number, alarm=alarm, began_at=now - timedelta(minutes=began_min), ended_at=ended)
    for minutes, by, action, subject, detail in (
        (40, "liwei", "blocked", "channel 5", ""),
        (35, "root@console", "counters_reset", "span 2", ""),
        (12, "liwei", "test_ring_started", "channel 1", "refused: LIN-173: test ring cannot be done on channel 1. Choose another"),
        (10, "liwei", "test_dial_tone_started", "channel 3", ""),
        (10, "liwei", "test_dial_tone", "channel 3", "passed dial_tone after=1560ms"),
        (5, "chen", "blocked_at_once", "group vip", ""),
    ):
        LineAction.create(at=now - timedelta(minutes=minutes), by=by, action=action, subject=subject, detail=detail)


def found() -> tuple[SpanFound, ...]:
    """A card with four lines and four sets, one with an E1."""

    def port(number: int, slot: int, can: tuple[str, ...], now: str) -> PortFound:
        return PortFound(number=number, timeslot=slot, name=f"WCTDM/0/{slot}", can=can, now=now)

    lines = tuple(port(slot, slot, ("fxsks", "fxsls"), "fxsks") for slot in range(1, 5))
    sets = tuple(port(4 + slot, slot, ("fxoks", "fxols"), "fxoks") for slot in range(1, 5))
    e1 = tuple(port(8 + slot, slot, ("bchan", "dchan", "cas"), "dchan" if slot == 16 else "bchan") for slot in range(1, 32))
    return (
        SpanFound(number=1, name="A", description="TDM800 外线", digital=False, ports=lines),
        SpanFound(number=2, name="B", description="TDM800 分机", digital=False, ports=sets),
        SpanFound(number=3, name="C", description="TE110P", digital=True, ports=e1, alarms=("red",)),
    )


def setup_told(trying_until: datetime | None = None) -> SetupTold:
    """The set-up of that card."""
    setup = LineSetup(
        spans=tuple(plan_of(span) for span in found()),
        groups=(
            GroupConfig(name="trunk", channels="1-4,9-23,25-39", dnis="96120"),
            GroupConfig(name="sets", channels="5-8", role="extension"),
        ),
        pri=(PriConfig(span=3, side="network", timers={"T303": 4000}),),
    )
    return SetupTold(
        command_id=0,
        setup=msgspec.json.encode(setup),
        card="dahdi",
        found=found(),
        fields=line_setup.fields(),
        trying_until=trying_until,
    )
