"""MFC/R2 against r2test of libopenr2, both directions, China and ITU: numbers, category, answer, release; and many at once."""

import asyncio
import time

from drivers.protocol import Answer, Answered, NumberSource, Offered, Release, Released, Seize
from drivers.signalling.r2 import R2Span
from tests.lab.r2_far import FarSetup, R2Test, r2test
from tests.lab.r2_rig import FAR_OFFSET, OURS, R2Box, far_of, r2_box, settings_of
from tests.lab.scenario import Report, scenario

DNIS, ANI = "88886666", "13800138000"
OUT_DNIS = "66668888"
CALL_LIMIT_S = 90.0
TALK_S = 1.0
CN, ITU = "cn", "itu"


@scenario(limit_s=400)
def itu_in(report: Report) -> None:
    """r2test calls us: number, calling number, category."""
    _calls_in(report, ITU, (32,))


@scenario(limit_s=400)
def itu_out(report: Report) -> None:
    """We call r2test, which asks for category and calling number."""
    _calls_out(report, ITU, (1,))


@scenario(limit_s=400)
def china_in(report: Report) -> None:
    """r2test calls us; it stalls when asked for its calling number, so it is not asked."""
    _calls_in(report, CN, (32,), asked=False)


@scenario(limit_s=400)
def china_in_asked(report: Report) -> None:
    """r2test stalls when asked for its calling number: the call comes all the same, without it."""
    _calls_in(report, CN, (32,), stalls=True)


@scenario(limit_s=400)
def china_out(report: Report) -> None:
    """We call r2test, which asks for category (KA), calling number and KD."""
    _calls_out(report, CN, (1,))


def _calls_in(report: Report, variant: str, far: tuple[int, ...], asked: bool = True, stalls: bool = False) -> None:
    settings = settings_of(variant, ani=asked, category=asked)
    asyncio.run(_in(report, settings, FarSetup(variant=variant.upper(), channels=far, calls=True), stalls or not asked))


def _calls_out(report: Report, variant: str, ours: tuple[int, ...]) -> None:
    far = FarSetup(variant=variant.upper(), channels=tuple(map(far_of, ours)), calls=False)
    asyncio.run(_out(report, settings_of(variant), far, ours))


async def _in(report: Report, settings: R2Span, setup: FarSetup, without_ani: bool) -> None:
    async with r2_box(settings, "in") as box:
        with r2test(setup, "in") as far:
            began_s = time.monotonic()
            calls = [await box.agent.told(Offered, limit_s=CALL_LIMIT_S) for _ in setup.channels]
            report.figure("setup_s_each", round((time.monotonic() - began_s) / len(calls), 2))
            for call in calls:
                _right(call, setup, without_ani)
                box.agent.send(Answer(leg=call.state.leg))
            for call in calls:
                await box.agent.told(Answered, limit_s=CALL_LIMIT_S, leg=call.state.leg)
            await box.until(lambda: len(far.channels("answered")) == len(calls), "r2test answered", CALL_LIMIT_S)
            await asyncio.sleep(TALK_S)
            for call in calls:
                box.agent.send(Release(leg=call.state.leg))
                await box.agent.told(Released, limit_s=CALL_LIMIT_S, leg=call.state.leg)
            await _over(report, box, far, len(calls))


def _right(call: Offered, setup: FarSetup, without_ani: bool) -> None:
    caller = call.state.caller
    assert caller is not None
    assert caller.source is NumberSource.MF
    assert call.state.dnis == setup.dnis, f"channel {call.state.channel}: called {call.state.dnis}"
    assert call.state.ani == (None if without_ani else setup.ani), f"channel {call.state.channel}: calling {call.state.ani}"
    assert caller.category, f"channel {call.state.channel}: no category"


async def _out(report: Report, settings: R2Span, setup: FarSetup, ours: tuple[int, ...]) -> None:
    async with r2_box(settings, "out") as box:
        with r2test(setup, "out") as far:
            await box.until(lambda: all(box.state_of(number) == "idle" for number in ours), "idle", CALL_LIMIT_S)
            began_s = time.monotonic()
            for number in ours:
                box.agent.send(Seize(leg=f"out{number}", channel=number, number=OUT_DNIS, caller=DNIS))
            for number in ours:
                await box.agent.told(Answered, limit_s=CALL_LIMIT_S, leg=f"out{number}")
            report.figure("setup_s_each", round((time.monotonic() - began_s) / len(ours), 2))
            arrived = far.arrived()
            assert {(each.channel, each.ani, each.dnis) for each in arrived} == {(far_of(number), DNIS, OUT_DNIS) for number in ours}, (
                arrived
            )
            await asyncio.sleep(TALK_S)
            for number in ours:
                box.agent.send(Release(leg=f"out{number}"))
                await box.agent.told(Released, limit_s=CALL_LIMIT_S, leg=f"out{number}")
            await _over(report, box, far, len(ours))


async def _over(report: Report, box: R2Box, far: R2Test, calls: int) -> None:
    """Both ends are idle again, and r2test saw nothing wrong."""
    await box.until(lambda: len(far.channels("call ended")) == calls, "r2test has ended its calls", CALL_LIMIT_S)
    numbers = {number - FAR_OFFSET for number in far.channels("call ended")}
    await box.until(lambda: all(box.state_of(number) == "idle" for number in numbers), "idle again", CALL_LIMIT_S)
    assert not far.said("protocol error"), far.tail()
    report.figure("calls", calls)
    report.remark(f"of {len(OURS)} channels {calls} at once")
