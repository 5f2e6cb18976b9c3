"""What is well and what is not, as a list of checks with code, detail and remedy: one source for web, doctor and console.

Pure functions from facts to `Check`s, and `disk` which asks the file system. Nothing here waits.
"""

import shutil
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path

from appliance.control.messages import Check, Grade, Health
from appliance.store.left import Left
from drivers.errors import CarelineError
from drivers.protocol import NO_CARD, NOT_SET_UP, BlockedBy, ChannelState, EngineReport, LineFault, SpanState

DISK_WARNING_FRACTION = 0.15
DISK_FAILED_FRACTION = 0.03
TICK_LATE_WARNING_MS = 3.0
FAULTS_SHOWN = 5
NO_LINES = (NO_CARD, NOT_SET_UP)
MAKE_ROOM = "Move old recordings away now; calls are answered, but neither recorded nor, soon, written down"


def disk(folder: Path) -> tuple[Check, int, int]:
    """The check of the disk below `folder`, its free and its total bytes."""
    try:
        usage = shutil.disk_usage(folder)
    except OSError as error:
        failed = Check(
            name="disk",
            grade=Grade.FAILED,
            code="APP-050",
            detail=f"cannot look at {folder}: {error.strerror}",
            remedy="Check [paths] data_dir and that its disk is there",
        )
        return failed, 0, 0
    return _disk_grade(folder, usage.free, usage.total), usage.free, usage.total


def _disk_grade(folder: Path, free: int, total: int) -> Check:
    fraction = free / total if total else 0.0
    detail = f"{free / 1e9:.1f} GB of {total / 1e9:.1f} GB free below {folder}"
    if fraction >= DISK_WARNING_FRACTION:
        return Check(name="disk", grade=Grade.OK, detail=detail)
    grade = Grade.WARNING if fraction >= DISK_FAILED_FRACTION else Grade.FAILED
    return Check(
        name="disk", grade=grade, code="APP-051", detail=detail, remedy="Move old recordings away; recording stops when it is full"
    )


def line_server(connected: bool, fault: CarelineError | None) -> Check:
    """Whether the line server answers; `fault` is why not."""
    if connected:
        return Check(name="line_server", grade=Grade.OK)
    code, detail, remedy = _texts(fault, ("APP-052", "the line server does not answer", "Start careline-lines"))
    return Check(name="line_server", grade=Grade.FAILED, code=code, detail=detail, remedy=remedy)


def store(fault: CarelineError | None, has_reserve: bool = True) -> Check:
    """Whether records reach the disk, and would if it were full."""
    if fault is not None:
        return Check(name="store", grade=Grade.FAILED, code=fault.code, detail=fault.what, remedy=fault.remedy)
    if has_reserve:
        return Check(name="store", grade=Grade.OK)
    return Check(
        name="store", grade=Grade.FAILED, code="STO-006", detail="the disk is full, the store lives on its reserve", remedy=MAKE_ROOM
    )


def left_behind(found: Iterable[Left]) -> tuple[Check, ...]:
    """One for each store that was put aside when the box went back to an older program, until somebody says to have seen to it."""
    return tuple(
        Check(
            name="left_behind",
            grade=Grade.FAILED,
            code="STO-011",
            detail=f"recorded by the newer version and only in {left.rows}: {left.words}",
            remedy="Enter again what is missing; then say so on the page Update",
        )
        for left in found
    )


def prompts(fault: CarelineError | None) -> Check:
    """Whether every prompt of the flows is there in both languages."""
    if fault is None:
        return Check(name="prompts", grade=Grade.OK)
    return Check(name="prompts", grade=Grade.WARNING, code=fault.code, detail=fault.what, remedy=fault.remedy)


def dispatch(dead: int) -> Check:
    """Whether everything that somebody must see to has somebody."""
    if not dead:
        return Check(name="dispatch", grade=Grade.OK)
    detail = f"{dead} work items are on the list of dead letters"
    return Check(name="dispatch", grade=Grade.WARNING, code="HOS-223", detail=detail, remedy="See to them, or send them again")


def ledger(unbalanced: date | None) -> Check:
    """Whether the last day's sheet balances; `unbalanced`: the day whose does not."""
    if unbalanced is None:
        return Check(name="ledger", grade=Grade.OK)
    detail = f"the sheet of {unbalanced} does not balance"
    return Check(
        name="ledger", grade=Grade.FAILED, code="HOS-102", detail=detail, remedy="Look at that day's sheet; restore what was changed"
    )


def flows(fault: CarelineError | None, edition: int) -> Check:
    """Whether new calls walk what was published last."""
    if fault is None:
        return Check(name="flows", grade=Grade.OK, detail=f"edition {edition}" if edition else "those of the program")
    return Check(name="flows", grade=Grade.FAILED, code=fault.code, detail=fault.what, remedy=fault.remedy)


def engine(report: EngineReport | None) -> Check:
    """Whether audio is on time, by what the line server reported last."""
    if report is None:
        return Check(name="engine", grade=Grade.WARNING, code="APP-053", detail="no report yet", remedy="Wait 5 s; then see careline-lines")
    detail = (
        f"ticks late p99.9 {report.tick_late_ms_p999:.1f} ms, {report.underruns} underruns, "
        f"{report.record_gap_samples} samples of recordings lost, real time {'granted' if report.realtime else 'not granted'}"
    )
    if report.tick_late_ms_p999 > TICK_LATE_WARNING_MS or report.underruns or report.record_gap_samples:
        return Check(
            name="engine", grade=Grade.WARNING, code="APP-054", detail=detail, remedy="Look for other load on this machine or a slow disk"
        )
    return Check(name="engine", grade=Grade.OK, detail=detail)


def spans(states: tuple[SpanState, ...]) -> Check:
    """Whether every span is free of alarms and its D-channel up."""
    words = {state.name: (*state.alarms, *(("D-channel down",) if state.link_up is False else ())) for state in states}
    bad = [f"{name} ({', '.join(alarms)})" for name, alarms in words.items() if alarms]
    if not bad:
        return Check(name="spans", grade=Grade.OK, detail=f"{len(states)} spans")
    return Check(
        name="spans", grade=Grade.FAILED, code="APP-055", detail=f"in alarm: {'; '.join(bad)}", remedy="Check the cable and the far end"
    )


def channels(states: Iterable[ChannelState]) -> Check:
    """Whether no channel is blocked after failures in a row."""
    bad = [str(state.number) for state in states if state.blocked_by is BlockedBy.FAILURES]
    if not bad:
        return Check(name="channels", grade=Grade.OK)
    detail = f"blocked after failures in a row: {', '.join(bad)}"
    return Check(
        name="channels", grade=Grade.WARNING, code="APP-057", detail=detail, remedy="Test these lines on the page Lines, and unblock them"
    )


def line_setup(faults: Sequence[LineFault]) -> tuple[Check, ...]:
    """One for each thing of the lines' set-up that cannot be used, or one that says all is well. "card": there is no line at all."""
    found = [
        Check(
            name="card" if fault.code in NO_LINES else "line_setup",
            grade=Grade.FAILED,
            code=fault.code,
            detail=fault.what,
            remedy=fault.remedy,
        )
        for fault in faults[:FAULTS_SHOWN]
    ]
    return tuple(found) or (Check(name="line_setup", grade=Grade.OK),)


def health(
    at: datetime, started_at: datetime, checks: tuple[Check, ...], report: EngineReport | None, free: int, total: int, calls_today: int
) -> Health:
    """All of it in one struct for the control socket."""
    return Health(
        at=at,
        started_at=started_at,
        checks=checks,
        lines_connected=any(check.name == "line_server" and check.grade is Grade.OK for check in checks),
        tick_late_ms_p999=report.tick_late_ms_p999 if report else 0.0,
        underruns=report.underruns if report else 0,
        disk_free_bytes=free,
        disk_total_bytes=total,
        calls_today=calls_today,
    )


def _texts(fault: CarelineError | None, default: tuple[str, str, str]) -> tuple[str, str, str]:
    return default if fault is None else (fault.code, fault.what, fault.remedy)
