"""Health: every bad thing has a code and a remedy, every good thing is quiet."""

from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import pytest

from appliance.control.messages import Check, Grade
from appliance.store.left import Left
from appliance.system import health
from appliance.system.health_log import HealthLog
from drivers.errors import LineError
from drivers.protocol import BlockedBy, ChannelState, EngineReport, LineFault, SpanState

FAULT = LineError("LIN-001", "no card", "Plug one in")
AT = datetime(2026, 3, 8, 12, tzinfo=UTC)


REPORT = EngineReport(
    ticks=1, late_ticks=0, tick_late_ms_p999=0.2, underruns=0, events_lost=0, record_gap_samples=0, disk_ms_max=1.0, realtime=True,
)  # fmt: skip


def report(**changed: float) -> EngineReport:
    return msgspec.structs.replace(REPORT, **changed)


def span(*alarms: str) -> SpanState:
    return SpanState(number=1, name="E1-1", description="", channels=31, alarms=alarms)


@pytest.mark.parametrize(
    ("check", "grade"),
    [
        (health.line_server(True, None), Grade.OK),
        (health.line_server(False, None), Grade.FAILED),
        (health.line_server(False, FAULT), Grade.FAILED),
        (health.store(None), Grade.OK),
        (health.store(FAULT), Grade.FAILED),
        (health.prompts(None), Grade.OK),
        (health.prompts(FAULT), Grade.WARNING),
        (health.dispatch(0), Grade.OK),
        (health.dispatch(3), Grade.WARNING),
        (health.ledger(None), Grade.OK),
        (health.ledger(date(2026, 3, 8)), Grade.FAILED),
        (health.flows(None, 0), Grade.OK),
        (health.flows(None, 7), Grade.OK),
        (health.flows(FAULT, 0), Grade.FAILED),
        (health.engine(None), Grade.WARNING),
        (health.engine(report()), Grade.OK),
        (health.engine(report(tick_late_ms_p999=9.0)), Grade.WARNING),
        (health.engine(report(underruns=1)), Grade.WARNING),
        (health.engine(report(record_gap_samples=160)), Grade.WARNING),
        (health.spans(()), Grade.OK),
        (health.spans((span(),)), Grade.OK),
        (health.spans((span(), span("red"))), Grade.FAILED),
    ],
)
def test_grades(check: Check, grade: Grade) -> None:
    assert check.grade is grade
    assert (check.grade is Grade.OK) == (check.code == "")
    assert (check.grade is Grade.OK) == (check.remedy == "")


@pytest.mark.parametrize(("free", "grade"), [(500, Grade.OK), (149, Grade.WARNING), (29, Grade.FAILED), (0, Grade.FAILED)])
def test_a_disk_that_fills_up(free: int, grade: Grade, tmp_path: Path) -> None:
    assert health._disk_grade(tmp_path, free, 1000).grade is grade


def test_a_disk_that_is_gone(tmp_path: Path) -> None:
    check, free, total = health.disk(tmp_path / "gone")
    assert (check.grade, check.code, free, total) == (Grade.FAILED, "APP-050", 0, 0)


def test_a_channel_that_failed_again_and_again_and_a_link_that_is_down_are_told() -> None:
    channel = ChannelState(number=7, name="C7", span=1, group="trunk", signalling="fxsks")
    assert health.channels([channel]).grade is Grade.OK
    blocked = health.channels([msgspec.structs.replace(channel, blocked=True, blocked_by=BlockedBy.FAILURES)])
    assert (blocked.grade, blocked.code, blocked.detail) == (Grade.WARNING, "APP-057", "blocked after failures in a row: 7")
    span = SpanState(number=1, name="E1", description="", channels=31, link_up=False)
    assert health.spans((span,)).detail == "in alarm: E1 (D-channel down)"


def test_a_store_put_aside_is_told_until_somebody_has_seen_to_it() -> None:
    left = Left(
        version=9, back_to=8, copy_at=AT, last_at=AT, database="careline-v9-left.db", rows="careline-v9-left.jsonl", new={"booking": 2}
    )
    (check,) = health.left_behind((left,))
    assert (check.grade, check.code, check.detail) == (
        Grade.FAILED,
        "STO-011",
        "recorded by the newer version and only in careline-v9-left.jsonl: 2 booking",
    )
    assert health.left_behind(()) == ()


def test_faults_of_the_lines_set_up_are_checks_each() -> None:
    assert [check.grade for check in health.line_setup(())] == [Grade.OK]
    faults = [LineFault(code=f"LIN-{number}", what="w", remedy="r") for number in range(100, 109)]
    assert [check.code for check in health.line_setup(faults)] == ["LIN-100", "LIN-101", "LIN-102", "LIN-103", "LIN-104"]


def test_a_disk_that_becomes_full_is_logged_once_and_once_more_when_it_is_well(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    told = HealthLog()
    caplog.set_level("WARNING")
    for free in (900, 100, 100, 10, 10, 900, 900):
        told.note((health._disk_grade(tmp_path, free, 1000), health.store(FAULT), health.prompts(FAULT)))
    assert [(record.levelname, record.message[:8]) for record in caplog.records] == [
        ("WARNING", "APP-051:"),
        ("ERROR", "APP-051:"),
        ("WARNING", "APP-051:"),
    ]
    assert "well again" in caplog.messages[-1]


def test_a_store_on_its_reserve_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    told = HealthLog()
    for has_reserve in (True, False, False, True):
        told.note((health.store(None, has_reserve),))
    assert [message[:8] for message in caplog.messages] == ["STO-006:", "STO-006:"]
