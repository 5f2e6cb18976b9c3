"""Calls between an exchange and the box, both directions over one another, ended at every stage by either side, glare provoked; and the
comparison of what both sides say of each call afterwards. On the virtual card and in the lab alike: one event loop, any clock.
"""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Protocol

import msgspec

from drivers.protocol import (
    VERSION,
    Alerting,
    Answer,
    Answered,
    Cause,
    Command,
    CommandFailed,
    Event,
    Forget,
    Hello,
    Offered,
    Release,
    Released,
    Seize,
    Welcome,
)
from tests.pri_exchange import Exchange, FarCall

REFUSALS = (Cause.USER_BUSY, Cause.REJECTED, Cause.UNALLOCATED_NUMBER, Cause.NO_CHANNEL, Cause.SWITCH_CONGESTION)
NO_CHANNEL = (Cause.NO_CHANNEL, Cause.CHANNEL_NOT_AVAILABLE)
TOO_LATE = ("LIN-030", "LIN-031")  # the call was over when the command came
GLARE = 0.35
BOX_NUMBER, BOX_CALLER = "7", "88886666"


class Wire(Protocol):
    """To the line server: its socket, or its twin in the process."""

    def send(self, message: Command) -> None: ...

    async def receive(self) -> Event | None: ...


class Ending(StrEnum):
    """How a call ends: given up by the caller before anything, or while it rings; refused; hung up in the moment of the answer; after
    talking by the caller, or by the called."""

    AT_ONCE = "at_once"
    RINGING = "ringing"
    REFUSED = "refused"
    AT_ANSWER = "at_answer"
    BY_CALLER = "by_caller"
    BY_CALLED = "by_called"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One call. `number` is called and is no other call's."""

    number: str
    caller: str
    by_box: bool
    ending: Ending
    after_s: float
    talk_s: float
    refusal: Cause


class LegRecord(msgspec.Struct, kw_only=True):
    """One call as the line server told it."""

    leg: str
    ani: str | None = None
    dnis: str | None = None
    channel: int = 0
    began_at: datetime
    answered_at: datetime | None = None
    released_at: datetime | None = None
    cause: int = 0
    by_far_end: bool = False


class ScriptedAgent:
    """Does with every leg what its plan says, and keeps a record of each; `legs` by the number called."""

    def __init__(self, wire: Wire, plans: dict[str, Plan]) -> None:
        self.legs: dict[str, LegRecord] = {}
        self.failed: list[CommandFailed] = []
        self.greeted = asyncio.Event()
        self._wire, self._plans = wire, plans
        self._numbers: dict[str, str] = {}

    async def run(self) -> None:
        """Until the line server closes."""
        self._wire.send(Hello(version=VERSION, client="load"))
        while (event := await self._wire.receive()) is not None:
            self._take(event)

    def call(self, plan: Plan, now: datetime) -> None:
        leg = f"out-{plan.number}"
        self._numbers[leg] = plan.number
        self.legs[plan.number] = LegRecord(leg=leg, ani=plan.caller, dnis=plan.number, began_at=now)
        self._wire.send(Seize(leg=leg, group="trunk", number=plan.number, caller=plan.caller))
        if plan.ending is Ending.AT_ONCE:
            self._later(plan.after_s, Release(leg=leg))

    def _take(self, event: Event) -> None:
        match event:
            case Welcome():
                self.greeted.set()
            case Offered(state=state):
                number = state.dnis or ""
                assert number not in self.legs, f"{number} is offered twice"
                self._numbers[state.leg] = number
                self.legs[number] = LegRecord(leg=state.leg, ani=state.ani, dnis=number, channel=state.channel, began_at=state.offered_at)
                self._offered(state.leg, self._plans[number])
            case Alerting(leg=leg) if self._plans[self._numbers[leg]].ending is Ending.RINGING:
                self._later(self._plans[self._numbers[leg]].after_s, Release(leg=leg))
            case Answered(leg=leg, at=at):
                self._answered(leg, at)
            case Released(leg=leg):
                self._released(event)
            case CommandFailed():
                self.failed.append(event)

    def _offered(self, leg: str, plan: Plan) -> None:
        if plan.ending is Ending.REFUSED:
            self._later(plan.after_s, Release(leg=leg, cause=plan.refusal))
        elif plan.ending in (Ending.AT_ANSWER, Ending.BY_CALLER, Ending.BY_CALLED):
            self._later(plan.after_s, Answer(leg=leg))

    def _answered(self, leg: str, at: datetime) -> None:
        plan = self._plans[self._numbers[leg]]
        self.legs[plan.number].answered_at = at
        ours = plan.ending is (Ending.BY_CALLER if plan.by_box else Ending.BY_CALLED)
        if ours or (plan.by_box and plan.ending is Ending.AT_ANSWER):
            self._later(plan.talk_s if ours else 0.0, Release(leg=leg))

    def _released(self, event: Released) -> None:
        record = self.legs[self._numbers[event.leg]]
        record.released_at, record.cause, record.by_far_end = event.at, event.cause, event.by_far_end
        self._wire.send(Forget(leg=event.leg))

    def _later(self, wait_s: float, command: Command) -> None:
        asyncio.get_running_loop().call_later(wait_s, self._wire.send, command)


class Load:
    """So many calls by so many hands at once, all from one seed."""

    def __init__(self, exchange: Exchange, wire: Wire, now: Callable[[], datetime], seed: int = 1) -> None:
        self.plans: dict[str, Plan] = {}
        self.exchange = exchange
        self.agent = ScriptedAgent(wire, self.plans)
        self._now = now
        self._random = random.Random(seed)
        self._count = itertools.count(10_001)
        self._left = 0
        exchange.on_offered = self._offered
        exchange.on_changed = self._changed

    async def make(self, calls: int, hands: int, limit_s: float = 90.0) -> None:
        """Raises: TimeoutError when a call does not end within `limit_s`."""
        self._left = calls
        async with asyncio.TaskGroup() as group:
            for _ in range(hands):
                group.create_task(self._live(limit_s))

    async def _live(self, limit_s: float) -> None:
        while self._left > 0:
            self._left -= 1
            await asyncio.sleep(self._random.uniform(0, 0.6))
            plan = self._plan(by_box=self._random.random() < 0.5)
            plans = [plan]
            if plan.by_box and self._left > 0 and self._random.random() < GLARE:
                self._left -= 1
                plans.append(self._plan(by_box=False))
            while not self.exchange.free():  # others wait too
                await self.exchange.until(lambda: bool(self.exchange.free()), limit_s)
            for each in plans:
                self._begin(each, lowest=len(plans) > 1)
            for each in plans:
                await self.exchange.until(partial(self._is_over, each.number), limit_s)

    def _plan(self, by_box: bool) -> Plan:
        chance = self._random
        plan = Plan(
            number=(BOX_NUMBER if not by_box else "1") + str(next(self._count)),
            caller=BOX_CALLER if by_box else f"138{chance.randrange(10**8):08}",
            by_box=by_box,
            ending=chance.choice(list(Ending)),
            after_s=chance.choice([0.0, chance.uniform(0, 0.05), chance.uniform(0, 1.5)]),
            talk_s=chance.choice([0.0, chance.uniform(0, 3)]),
            refusal=chance.choice(REFUSALS),
        )
        self.plans[plan.number] = plan
        return plan

    def _begin(self, plan: Plan, lowest: bool) -> None:
        """`lowest`: on the channel the box would take next."""
        if plan.by_box:
            self.agent.call(plan, self._now())
            return
        free = sorted(self.exchange.free())
        call = self.exchange.call(free[0] if lowest else free[-1], plan.number, plan.caller)
        if plan.ending is Ending.AT_ONCE:
            self._later(plan.after_s, self.exchange.hang_up, call)

    def _is_over(self, number: str) -> bool:
        """Both sides have told the end."""
        leg, calls = self.agent.legs.get(number), self._calls(number)
        return (leg is None or leg.released_at is not None) and all(call.ended_at for call in calls) and bool(leg or calls)

    def _calls(self, number: str) -> list[FarCall]:
        return self.exchange.by_number.get(number, [])

    # --- the exchange's part -----------------------------------------------------------------------------------------

    def _offered(self, call: FarCall) -> None:
        plan = self.plans[call.dnis]
        if plan.ending is Ending.REFUSED:
            self._later(plan.after_s, self.exchange.hang_up, call, plan.refusal)
        elif plan.ending in (Ending.AT_ANSWER, Ending.BY_CALLER, Ending.BY_CALLED):
            self._later(plan.after_s, self.exchange.answer, call)

    def _changed(self, call: FarCall) -> None:
        plan = self.plans[call.dnis]
        if call.ended_at is not None:
            return
        if call.answered_at is not None:
            theirs = plan.ending is (Ending.BY_CALLED if plan.by_box else Ending.BY_CALLER)
            if theirs or (not plan.by_box and plan.ending is Ending.AT_ANSWER):
                self._later(plan.talk_s if theirs else 0.0, self.exchange.hang_up, call)
        elif call.ours and call.alerting_at is not None and plan.ending is Ending.RINGING:
            self._later(plan.after_s, self.exchange.hang_up, call)

    def _later(self, wait_s: float, what: Callable[..., None], *arguments: object) -> None:
        asyncio.get_running_loop().call_later(wait_s, what, *arguments)

    # --- afterwards ----------------------------------------------------------------------------------------------------

    def compare(self, tolerance_s: float, offset: int = 0) -> tuple[Counter[str], list[str]]:
        """What there was of each kind, and what is wrong. `offset`: the exchange's channels are numbered so much higher."""
        seen: Counter[str] = Counter()
        wrong: list[str] = [f"refused by the line server: {failed}" for failed in self.agent.failed if failed.code not in TOO_LATE]
        for plan in self.plans.values():
            leg, calls = self.agent.legs.get(plan.number), self._calls(plan.number)
            seen["calls"] += 1
            seen["box" if plan.by_box else "exchange"] += 1
            if fault := _fault(plan, leg, calls, seen, tolerance_s, offset):
                wrong.append(f"{fault}: {plan} {leg} {calls}")
        return seen, wrong


def _fault(plan: Plan, leg: LegRecord | None, calls: list[FarCall], seen: Counter[str], tolerance_s: float, offset: int) -> str:
    """What both sides say differently of one call; empty: nothing."""
    if len(calls) > 1:
        return "the exchange had it more than once"
    if leg is None or not calls:
        return _fault_of_one_side(plan, leg, calls, seen)
    (call,) = calls
    if (leg.ani or "", leg.dnis) != (plan.caller, plan.number) or (call.ani, call.dnis) != (plan.caller, plan.number):
        return "numbers"
    if not plan.by_box and leg.channel + offset != call.channel:
        return "channel"
    assert leg.released_at is not None
    assert call.ended_at is not None
    seen["answered"] += call.answered_at is not None
    crossed = not leg.by_far_end and not call.ended_by_box
    seen["hung up by both"] += crossed
    if not crossed:
        if leg.cause != call.cause:
            return "cause"
        if leg.by_far_end is call.ended_by_box:
            return "who hung up"
        if (leg.answered_at is None) is not (call.answered_at is None) and plan.ending is not Ending.AT_ANSWER:
            return "answered"
    return "duration" if abs(_lasted_s(leg.began_at, leg.released_at) - _lasted_s(call.began_at, call.ended_at)) > tolerance_s else ""


def _lasted_s(began_at: datetime, ended_at: datetime) -> float:
    return (ended_at - began_at).total_seconds()


def _fault_of_one_side(plan: Plan, leg: LegRecord | None, calls: list[FarCall], seen: Counter[str]) -> str:
    """A call one side does not know: it found no channel, or was given up before it left."""
    if plan.by_box and leg is not None and (leg.cause in NO_CHANNEL or plan.ending is Ending.AT_ONCE):
        seen["without channel" if leg.cause in NO_CHANNEL else "never left"] += 1
        return ""
    if not plan.by_box and calls and calls[0].cause in NO_CHANNEL:
        seen["without channel"] += 1
        return ""
    return "one side does not know it"
