"""500 MFC/R2 calls in overlap on two spans, both directions, given up and refused at every stage, against our own exchange."""

import asyncio
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from drivers.protocol import Answer, Cause, Offered, Release, Released, Seize
from drivers.spans import Channel
from tests.scenarios.r2_office import OfficeCall
from tests.scenarios.r2_rig import R2Rig, r2_lines, run_r2

SPANS = 2
LINES_IN_USE = 48  # of 60, so that both sides find a free one, and sometimes the same
CALL_LIMIT_S = 300.0


class Plan(NamedTuple):
    """What becomes of a call; times in s. `answer_s` None: nobody answers; `refuse`: the called side says no."""

    incoming: bool
    dnis: str
    ani: str
    answer_s: float | None
    talk_s: float
    called_ends: bool
    give_up_s: float | None
    refuse: Cause | None


def plan(rng: random.Random) -> Plan:
    digits = "".join(rng.choices("0123456789", k=8))
    ani = "".join(rng.choices("0123456789", k=rng.randint(3, 12)))
    kind = rng.random()
    return Plan(
        incoming=rng.random() < 0.5,
        dnis=digits,
        ani=ani,
        answer_s=rng.choice([0.0, 0.5, 3.0]),
        talk_s=rng.uniform(0, 4),
        called_ends=rng.random() < 0.5,
        give_up_s=rng.uniform(0, 8) if kind < 0.25 else None,
        refuse=rng.choice([Cause.USER_BUSY, Cause.UNALLOCATED_NUMBER, Cause.SWITCH_CONGESTION]) if 0.25 <= kind < 0.4 else None,
    )


class Traffic:
    """Makes the calls and holds both sides' news against the plans. A called number says which plan a call is."""

    def __init__(self, rig: R2Rig, calls: int, seed: int) -> None:
        self.rig = rig
        rng = random.Random(seed)
        plans = {made.dnis: made for made in (plan(rng) for _ in range(calls))}
        self.plans = plans
        self.offered: dict[str, list[str | None]] = {}
        self.released: dict[str, Released] = {}
        self.office_calls: dict[str, OfficeCall] = {}
        self.glares = 0
        self._legs: dict[str, str] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        rig.office.behave = self._at_office

    async def run(self) -> None:
        watch = asyncio.create_task(self._watch())
        gate = asyncio.Semaphore(LINES_IN_USE)
        async with asyncio.TaskGroup() as group:
            for made in self.plans.values():
                group.create_task(self._call(made, gate))
        watch.cancel()

    async def _call(self, made: Plan, gate: asyncio.Semaphore) -> None:
        async with gate, asyncio.timeout(CALL_LIMIT_S):
            if made.incoming:
                await self._call_in(made)
            else:
                await self._call_out(made)

    async def _call_in(self, made: Plan) -> None:
        office = self.rig.office
        while True:
            free = [number for number, channel in office.channels.items() if channel.is_free()]
            call = office.call(made.dnis, made.ani, channel=free[-1])
            if made.give_up_s is not None:
                self._later(made.give_up_s, partial(office.release, call))
            await office.until(partial(getattr, call, "over"), CALL_LIMIT_S)
            if call.cause != Cause.CHANNEL_NOT_AVAILABLE:
                break
            self.glares += 1
        self.office_calls[made.dnis] = call

    async def _call_out(self, made: Plan) -> None:
        agent, leg = self.rig.agent, f"out{made.dnis}"
        agent.send(Seize(leg=leg, group=self.rig.group, number=made.dnis, caller=made.ani))
        if made.give_up_s is not None:
            self._later(made.give_up_s, lambda: agent.send(Release(leg=leg)))
        self.released[made.dnis] = await agent.told(Released, CALL_LIMIT_S, leg=leg)

    async def _watch(self) -> None:
        """The call agent: what is offered is answered, refused or left to ring, as planned."""
        agent = self.rig.agent
        while True:
            offered = await agent.told(Offered, limit_s=10 * CALL_LIMIT_S)
            made = self.plans[offered.state.dnis or ""]
            self.offered.setdefault(made.dnis, []).append(offered.state.ani)
            task = asyncio.create_task(self._serve(made, offered.state.leg))
            self._tasks.add(task)

    async def _serve(self, made: Plan, leg: str) -> None:
        agent = self.rig.agent
        if made.refuse is not None:
            agent.send(Release(leg=leg, cause=made.refuse))
        else:
            self._later(made.answer_s or 0.0, lambda: agent.send(Answer(leg=leg)))
            if made.called_ends:
                self._later((made.answer_s or 0.0) + 2 + made.talk_s, lambda: agent.send(Release(leg=leg)))
            else:
                self._later((made.answer_s or 0.0) + 2 + made.talk_s, lambda: self._office_ends(made.dnis))
        self.released[made.dnis] = await agent.told(Released, CALL_LIMIT_S, leg=leg)

    def _office_ends(self, dnis: str) -> None:
        for call in self.rig.office.calls:
            if call.dnis == dnis and not call.over:
                self.rig.office.release(call)

    def _at_office(self, channel: Channel, call: OfficeCall) -> None:
        made = self.plans[call.dnis]
        self.offered.setdefault(made.dnis, []).append(call.ani)
        self.office_calls[made.dnis] = call
        office = self.rig.office
        if made.refuse is not None:
            office.release(call, made.refuse)
            return
        self._later(made.answer_s or 0.0, lambda: None if call.over else channel.answer())
        ends = (lambda: office.release(call)) if made.called_ends else (lambda: self._agent_ends(made.dnis))
        self._later((made.answer_s or 0.0) + 2 + made.talk_s, ends)

    def _agent_ends(self, dnis: str) -> None:
        if dnis not in self.released:
            self.rig.agent.send(Release(leg=f"out{dnis}"))

    def _later(self, after_s: float, what: Callable[[], object]) -> None:
        asyncio.get_running_loop().call_later(after_s, what)


@pytest.mark.parametrize(
    ("variant", "category", "calls"), [("cn", "toll", 500), ("itu", "ordinary", 200)]
)  # local calls in China: busy is congestion
def test_calls_in_overlap(tmp_path: Path, variant: str, category: str, calls: int) -> None:
    async def main(rig: R2Rig) -> None:
        traffic = Traffic(rig, calls, seed=7)
        await traffic.run()
        await rig.all_idle()
        legs = rig.server.lines.book.states()
        assert all(leg.released_at is not None for leg in legs)
        _check(traffic)

    run_r2(tmp_path, main, r2_lines(SPANS, variant=variant, own_category=category))


def _check(traffic: Traffic) -> None:
    """No wrong number, every end told once, causes as they were meant."""
    for dnis, anis in traffic.offered.items():
        assert dnis in traffic.plans
        assert set(anis) == {traffic.plans[dnis].ani}
    for made in traffic.plans.values():
        if made.give_up_s is not None:
            continue
        assert made.dnis in traffic.offered
        call, released = traffic.office_calls[made.dnis], traffic.released[made.dnis]
        assert call.over
        if made.refuse is None:
            assert call.answered_at is not None
            assert call.cause == released.cause == Cause.NORMAL
            assert call.by_far_end is not released.by_far_end
        else:
            caller_side = call.cause if made.incoming else released.cause
            assert caller_side == made.refuse
