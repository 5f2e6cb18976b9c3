"""SIGKILL of the call agent, and of the line server, during MFC/R2 calls of r2test in every state: none is dropped."""

import asyncio
import contextlib
import functools
import sqlite3
import time
from collections.abc import Callable

from tests.lab import product
from tests.lab.fresh_box import fresh_box
from tests.lab.product import Box
from tests.lab.r2_far import FarSetup, R2Test, r2test
from tests.lab.r2_rig import FAR_OFFSET, r2_setup
from tests.lab.scenario import Report, scenario
from tests.lab.steady import steady_machine

ANI, DNIS = "13800138000", "88886666"
FIRST, SECOND = (32, 33, 34, 35), (36, 37, 38, 39)
LIMIT_S = 120.0
QUIET_S = 3.0
TRIES = 3

CONFIG_TEXT = f"""
[[lines.groups]]
name = "trunk"
channels = "1-15,17-31"

[[lines.r2]]
span = 1
variant = "itu"
dnis_length = {len(DNIS)}
"""


@scenario(limit_s=900)
def agent(report: Report) -> None:
    """Killed while four callers talk and before four more are through; they are set up without it, and it takes all eight over."""
    with steady_machine(), fresh_box(CONFIG_TEXT, r2_setup()) as box, contextlib.ExitStack() as stack:
        asyncio.run(_agent_dies(report, box, stack))


@scenario(limit_s=900)
def lines(report: Report) -> None:
    """The line server is killed while four callers talk: their bits are held by the card, and the next one takes the calls over."""
    with steady_machine(), fresh_box(CONFIG_TEXT, r2_setup()) as box, contextlib.ExitStack() as stack:
        asyncio.run(_lines_die(report, box, stack))


async def _agent_dies(report: Report, box: Box, stack: contextlib.ExitStack) -> None:
    first = await _connected(box, stack, stack.enter_context(r2test(_callers(FIRST), "first")), FIRST, 0)
    known = box.ready_count("calls")
    second = stack.enter_context(r2test(_callers(SECOND), "second"))
    await _until(lambda: len(second.channels("making call")) == len(SECOND), "four more begin")
    await asyncio.to_thread(box.kill, "calls")
    killed_s = time.monotonic()
    last = await _connected(box, stack, second, SECOND, len(FIRST))
    await asyncio.to_thread(box.launch, "calls")
    await asyncio.to_thread(box.wait_ready, "calls", known)
    report.figure("dead_s", round(time.monotonic() - killed_s, 1))
    await asyncio.sleep(QUIET_S)
    _none_dropped(first, last)
    assert len(box.legs()) == len(FIRST) + len(SECOND), box.legs()
    await _all_end(report, box, first, last)


async def _lines_die(report: Report, box: Box, stack: contextlib.ExitStack) -> None:
    first = await _connected(box, stack, stack.enter_context(r2test(_callers(FIRST), "first")), FIRST, 0)
    await asyncio.sleep(1)
    known, known_calls = box.ready_count("lines"), box.ready_count("calls")
    await asyncio.to_thread(box.kill, "lines")
    await asyncio.sleep(1)
    await asyncio.to_thread(box.launch, "lines")
    await asyncio.to_thread(box.wait_ready, "lines", known)
    await asyncio.to_thread(box.wait_ready, "calls", known_calls)
    await asyncio.sleep(QUIET_S)
    _none_dropped(first)
    assert len(box.legs()) == len(FIRST), box.legs()
    await _all_end(report, box, first)


async def _connected(box: Box, stack: contextlib.ExitStack, far: R2Test, channels: tuple[int, ...], others: int) -> R2Test:
    """All of them answered. A call whose sounds had gaps is refused (see r2_calls): then they call again."""
    for _ in range(TRIES):
        await _until(functools.partial(_decided, far, len(channels)), "answered or refused")
        if not far.channels("call ended"):
            return far
        far.end()
        await _until(lambda: len(box.legs()) == others, "nothing is left of calls that were refused")
        far = stack.enter_context(r2test(_callers(channels), "again"))
    raise AssertionError(f"calls were refused {TRIES} times")


def _decided(far: R2Test, calls: int) -> bool:
    return len(far.channels("answered")) + len(far.channels("call ended")) >= calls


def _none_dropped(*fars: R2Test) -> None:
    for far in fars:
        assert not far.said("got disconnect"), far.tail()
        assert not far.said("protocol error"), far.tail()


def _all_ended(far: R2Test) -> bool:
    return len(far.channels("call ended")) == len(FIRST)


async def _all_end(report: Report, box: Box, *fars: R2Test) -> None:
    """The callers say nothing, so the box says goodbye to each; records tell who called whom."""
    for far in fars:
        await _until(functools.partial(_all_ended, far), "the box has ended its calls")
    await _until(lambda: not box.legs(), "no leg is left")
    numbers = sorted(number - FAR_OFFSET for far in fars for number in far.channels("call ended"))
    records = _records()
    assert sorted({channel for channel, *_ in records}) == numbers, records
    assert {(ani, dnis, presentation, source) for _, ani, dnis, presentation, source in records} == {(ANI, DNIS, "allowed", "mf")}, records
    report.figure("calls", len(records))


def _records() -> list[tuple[int, str, str, str, str]]:
    with contextlib.closing(sqlite3.connect(f"file:{product.PATHS.database}?mode=ro", uri=True, timeout=30)) as database:
        return database.execute("SELECT channel, ani, dnis, presentation, ani_source FROM call_record ORDER BY started_at").fetchall()


async def _until(reached: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + LIMIT_S
    while not reached():
        assert time.monotonic() < deadline_s, f"not within {LIMIT_S:.0f} s: {what}"
        await asyncio.sleep(0.05)


def _callers(channels: tuple[int, ...]) -> FarSetup:
    return FarSetup(variant="ITU", channels=channels, calls=True, dnis=DNIS, ani=ANI, dnis_length=len(DNIS), ani_length=len(ANI))
