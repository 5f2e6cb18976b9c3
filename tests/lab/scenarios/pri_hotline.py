"""Primary rate with the whole product: thirty callers at once, ended at every stage; the D-channel cut and the call agent killed while they
talk. Every record against the exchange's own log."""

import asyncio
import contextlib
import random
import sqlite3
import time
from typing import NamedTuple

from drivers.dahdi.configure import configure
from drivers.protocol import Cause
from tests.lab import cards, product
from tests.lab.pri_box import BOX_SPAN, FAR_D_CHANNEL, FAR_OFFSET, card_setup, far_exchange, pri_box
from tests.lab.product import Box
from tests.lab.scenario import Report, scenario
from tests.pri_exchange import Exchange, FarCall

CALLERS, FEW = 30, 10
CALLS = 45
CUT_S, LONG_CUT_S = 5.0, 18.0
WAIT_S = 120.0
RECORDS_WAIT_S = 30.0
TOLERANCE_MS = 3000
CAUSES = (Cause.NORMAL, Cause.NO_USER_RESPONSE, Cause.NORMAL_UNSPECIFIED, Cause.TEMPORARY_FAILURE)


class Record(NamedTuple):
    """What the box wrote down of one call."""

    ani: str
    dnis: str
    channel: int
    answered: bool
    duration_ms: int
    cause: int | None
    ended_by: str


@scenario(limit_s=900)
def callers_45(report: Report) -> None:
    """45 callers on 30 channels, who hang up before the answer, in the moment of it, or later, with causes of all kinds."""
    with pri_box():
        asyncio.run(_callers(report))


@scenario(limit_s=900)
def link_cut(report: Report) -> None:
    """The D-channel is gone for 5 s, then for 25 s, in 30 talking calls."""
    with pri_box():
        asyncio.run(_cut(report))


@scenario(limit_s=900)
def agent_killed(report: Report) -> None:
    """SIGKILL of the call agent: while 15 calls talk and 15 ring."""
    with pri_box() as box:
        asyncio.run(_killed(report, box))


@scenario(limit_s=900)
def lines_killed(report: Report) -> None:
    """SIGKILL of the line server while 30 calls talk: told as released, cleared at the exchange by RESTART, and all works again."""
    with pri_box() as box:
        asyncio.run(_lines_killed(report, box))


@scenario(limit_s=900)
def card_pulled(report: Report) -> None:
    """The box's card is pulled in ten talking calls and put back: told as released, cleared at the exchange too, and all works again."""
    with pri_box():
        asyncio.run(_pulled(report))


async def _callers(report: Report) -> None:
    async with far_exchange() as exchange:
        chance = random.Random(5)
        async with asyncio.TaskGroup() as group:
            for at in range(CALLS):
                group.create_task(_caller(exchange, at, chance))
        await _compare(report, exchange)


async def _caller(exchange: Exchange, at: int, chance: random.Random) -> None:
    await asyncio.sleep(chance.uniform(0, 8))
    await exchange.until(lambda: bool(exchange.free()), WAIT_S)
    call = _ring(exchange, at)
    stage = chance.choice(["at_once", "soon", "at_answer", "later"])
    if stage in ("at_once", "soon"):
        await asyncio.sleep(0 if stage == "at_once" else chance.uniform(0, 0.5))
    else:
        await exchange.until(lambda: call.answered_at is not None or call.ended_at is not None, WAIT_S)
        await asyncio.sleep(0 if stage == "at_answer" else chance.uniform(0, 6))
    exchange.hang_up(call, chance.choice(CAUSES))
    await exchange.until(lambda: call.ended_at is not None, WAIT_S)


def _ring(exchange: Exchange, at: int) -> FarCall:
    return exchange.call(exchange.free()[0], f"8888{at:04}", f"1380000{at:04}")


async def _cut(report: Report) -> None:
    async with far_exchange() as exchange:
        calls = await _talking(exchange, CALLERS)
        for cut_s in (CUT_S, LONG_CUT_S):
            exchange.close_link(FAR_D_CHANNEL)
            await asyncio.sleep(cut_s)
            exchange.open_link(FAR_D_CHANNEL)
            report.figure(f"dropped_in_{cut_s:.0f}_s", sum(call.ended_at is not None for call in calls))
            if cut_s == CUT_S:
                assert not [call for call in calls if call.ended_at], "calls were dropped"
        await exchange.until(lambda: bool(exchange.up), WAIT_S)
        await asyncio.sleep(2)
        dropped = [call for call in calls if call.ended_at and not (call.ended_by_box and call.cause == Cause.NORMAL)]
        assert not dropped, dropped
        for call in calls:
            exchange.hang_up(call)
        await _compare(report, exchange)


async def _killed(report: Report, box: Box) -> None:
    async with far_exchange() as exchange:
        calls = await _talking(exchange, CALLERS // 2)
        calls += [_ring(exchange, at) for at in range(CALLERS // 2, CALLERS)]
        box.kill("calls")
        await asyncio.sleep(1)
        await asyncio.to_thread(box.start, "calls")
        await exchange.until(lambda: all(call.answered_at or call.ended_at for call in calls), WAIT_S)
        await asyncio.sleep(2)
        dropped = [call for call in calls if call.ended_at]
        report.figure("dropped", len(dropped))
        assert not dropped, dropped
        for call in calls:
            exchange.hang_up(call)
        await _compare(report, exchange)


async def _lines_killed(report: Report, box: Box) -> None:
    async with far_exchange() as exchange:
        calls = await _talking(exchange, CALLERS)
        box.kill("lines")
        await asyncio.to_thread(box.start, "lines")
        await exchange.until(lambda: all(call.ended_at for call in calls), WAIT_S)
        report.figure("cleared", len(calls))
        records = await _all_records(exchange)
        assert {record.cause for record in records} == {Cause.TEMPORARY_FAILURE}
        await _works(exchange)


async def _pulled(report: Report) -> None:
    async with far_exchange() as exchange:
        calls = await _talking(exchange, FEW)
        pulled = await asyncio.to_thread(cards.pull_span, BOX_SPAN)
        records = await _all_records(exchange)
        assert {record.cause for record in records} == {Cause.NETWORK_OUT_OF_ORDER}
        await asyncio.to_thread(cards.plug_span, pulled)
        await asyncio.to_thread(configure, card_setup(), cards.SYSTEM_CONF)
        began_s = time.monotonic()
        await exchange.until(lambda: all(call.ended_at for call in calls), WAIT_S)
        await _works(exchange)
        report.figure("works_after_s", round(time.monotonic() - began_s))


async def _works(exchange: Exchange) -> None:
    """Every channel is free, and one takes a call."""
    await exchange.until(lambda: bool(exchange.up) and len(exchange.free()) == len(exchange.lines), WAIT_S)
    call = exchange.call(exchange.free()[0], "99990000", "13900000000")
    await exchange.until(lambda: call.answered_at is not None, WAIT_S)
    exchange.hang_up(call)
    await exchange.until(lambda: call.ended_at is not None, WAIT_S)
    assert call.cause == Cause.NORMAL


async def _talking(exchange: Exchange, count: int) -> list[FarCall]:
    calls = [_ring(exchange, at) for at in range(count)]
    await exchange.until(lambda: all(call.answered_at for call in calls), WAIT_S)
    await asyncio.sleep(2)
    return calls


# --- records ---------------------------------------------------------------------------------------------------------


async def _compare(report: Report, exchange: Exchange) -> None:
    """Every call of the exchange has its record, which says the same; no channel is taken."""
    await exchange.until(lambda: all(call.ended_at for call in exchange.calls), WAIT_S)
    await exchange.until(lambda: len(exchange.free()) == len(exchange.lines), WAIT_S)
    records = {record.dnis: record for record in await _all_records(exchange)}
    wrong = [fault for call in exchange.calls if (fault := _fault(call, records.get(call.dnis)))]
    report.figure("calls", len(exchange.calls))
    report.figure("answered", sum(call.answered_at is not None for call in exchange.calls))
    report.figure("wrong", len(wrong))
    assert not wrong, "\n".join(wrong[:5])


async def _all_records(exchange: Exchange) -> list[Record]:
    """Raises: AssertionError when some are missing after a while."""
    for _ in range(round(RECORDS_WAIT_S)):
        await asyncio.sleep(1)
        if len(records := _records(exchange)) == len(exchange.calls):
            return records
    missing = {call.dnis for call in exchange.calls} - {record.dnis for record in records}
    raise AssertionError(f"{len(records)} records of {len(exchange.calls)} calls; missing {missing}")


def _fault(call: FarCall, record: Record | None) -> str:
    if record is None:
        return f"no record of {call}"
    assert call.ended_at is not None
    lasted_ms = (call.ended_at - call.began_at).total_seconds() * 1000
    told = (call.ani, call.channel - FAR_OFFSET, call.cause, "box" if call.ended_by_box else "caller")
    if told != (record.ani, record.channel, record.cause, record.ended_by) or abs(lasted_ms - record.duration_ms) > TOLERANCE_MS:
        return f"{record} of {call}"
    return ""


def _records(exchange: Exchange) -> list[Record]:
    """Those of this scenario that are complete."""
    query = "SELECT ani, dnis, channel, answered_at, duration_ms, cause, ended_by FROM call_record WHERE ended_at > ?"
    since = exchange.calls[0].began_at.isoformat(timespec="microseconds")
    with contextlib.closing(sqlite3.connect(f"file:{product.PATHS.database}?mode=ro", uri=True, timeout=30)) as database:
        rows = database.execute(query, (since,)).fetchall()
    return [Record(row[0], row[1], row[2], row[3] is not None, *row[4:]) for row in rows]
