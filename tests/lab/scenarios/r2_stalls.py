"""The box is stopped while MFC/R2 numbers are signalled, for less and for more than the card has queued: r2test, which goes on, sees calls
refused or given up, and no wrong number is a call."""

import asyncio
import contextlib
import os
import subprocess
from collections.abc import Awaitable, Callable, Iterator

from drivers.protocol import Alerting, Answered, Offered, Release, Released, Seize
from tests.lab.r2_far import FarSetup, R2Test, r2test
from tests.lab.r2_rig import R2Box, far_of, r2_box, settings_of
from tests.lab.scenario import Report, scenario

DNIS, ANI = "77777777", "55555555555"  # the same digit again and again: one more or less shows nowhere else
OUT_DNIS, OUT_ANI = "66666666", "44444444444"
OURS = (1, 2, 3, 4)
STALLS_S = (0.1, 0.25, 0.4, 1.7)
ROUNDS = 12
FIRST_S, LAST_S = 0.5, 6.0  # of a call, when digits pass
LIMIT_S = 90.0
AT_REST = ("idle", "far_blocked")  # without r2test nobody holds the far side's bits
Round = Callable[[R2Box, R2Test], Awaitable[int]]


@scenario(limit_s=1500, soak=True)
def calls_in(report: Report) -> None:
    """Calls of r2test; the box is stopped at another place of the number in each round."""
    setup = FarSetup(variant="ITU", channels=tuple(map(far_of, OURS)), calls=True, dnis=DNIS, ani=ANI)
    asyncio.run(_rounds(report, setup, _in))


@scenario(limit_s=1500, soak=True)
def calls_out(report: Report) -> None:
    """Calls to r2test, which asks for category and calling number."""
    setup = FarSetup(variant="ITU", channels=tuple(map(far_of, OURS)), calls=False)
    asyncio.run(_rounds(report, setup, _out))


async def _rounds(report: Report, setup: FarSetup, calls: Round) -> None:
    right = 0
    async with r2_box(settings_of("itu"), "stalls") as box:
        for at in range(ROUNDS):
            await box.until(lambda: all(box.state_of(number) in AT_REST for number in OURS), "at rest", LIMIT_S)
            box.agent.events.clear()
            after_s = FIRST_S + (LAST_S - FIRST_S) * at / ROUNDS
            with r2test(setup, f"{at}") as far, _stopped(after_s, STALLS_S[at % len(STALLS_S)]):
                right += await calls(box, far)
        given_up = box.given_up()
    report.figure("calls", ROUNDS * len(OURS))
    report.figure("calls_right", right)
    report.figure("calls_given_up", given_up)
    assert 0 < right < ROUNDS * len(OURS)
    assert given_up > 0


@contextlib.contextmanager
def _stopped(after_s: float, for_s: float) -> Iterator[None]:
    """This process, every thread of it, stands still in so many seconds for so long; r2test does not."""
    script = f"sleep {after_s}; kill -STOP {os.getpid()}; sleep {for_s}; kill -CONT {os.getpid()}"
    with subprocess.Popen(["chrt", "-r", "30", "sh", "-c", script]):
        yield


async def _in(box: R2Box, far: R2Test) -> int:
    """How many calls came, each with the right numbers."""
    await box.until(lambda: len(box.agent.heard(Offered)) + len(far.channels("call ended")) >= len(OURS), "a call or none", LIMIT_S)
    offered = [each.state for each in box.agent.heard(Offered)]
    for state in offered:
        assert (state.dnis, state.ani) == (DNIS, ANI), f"channel {state.channel}: {state.ani} called {state.dnis}"
        box.agent.send(Release(leg=state.leg))
    await box.until(lambda: len(far.channels("call ended")) == len(OURS), "r2test has ended its calls", LIMIT_S)
    return len(offered)


async def _out(box: R2Box, far: R2Test) -> int:
    """How many calls rang, each with the right numbers at r2test."""
    await box.until(lambda: all(box.is_free(number) for number in OURS), "free", LIMIT_S)
    began_s = asyncio.get_running_loop().time()
    leg_of = {number: f"out-{began_s:.0f}-{number}" for number in OURS}
    for number, leg in leg_of.items():
        box.agent.send(Seize(leg=leg, channel=number, number=OUT_DNIS, caller=OUT_ANI))
    await box.until(lambda: _decided(box) >= set(leg_of.values()), "a call or none", LIMIT_S)
    rang = {each.leg for each in box.agent.heard(Alerting)} | {each.leg for each in box.agent.heard(Answered)}
    arrived = {seen.channel: (seen.dnis, seen.ani) for seen in far.arrived()}
    for number, leg in leg_of.items():
        if leg in rang:
            box.agent.send(Release(leg=leg))
            seen = arrived.get(far_of(number))
            assert seen in ((OUT_DNIS, OUT_ANI), None), f"channel {number}: r2test had {seen}"
    await box.until(lambda: {each.leg for each in box.agent.heard(Released)} >= set(leg_of.values()), "released", LIMIT_S)
    return len(rang)


def _decided(box: R2Box) -> set[str]:
    answered, released = box.agent.heard(Answered), box.agent.heard(Released)
    return {each.leg for each in answered} | {each.leg for each in released}
