"""Calls out of every outcome there is on an exchange line, by twelve lines at once: each must be told for what it is."""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from drivers.config import GroupConfig, LinesConfig
from drivers.protocol import Alerting, Answered, Cause, Release, Released, Seize
from drivers.signalling.fxo_profile import LineProfile, LineTones
from drivers.virtual.config import Answering, NumberConfig, SpanConfig, SpanKind, TelephoneConfig, VirtualConfig
from drivers.virtual.faults import Fault
from drivers.virtual.handset import Phase
from drivers.virtual.hookstate import RxSig
from tests.scenarios.lines_rig import BOX, Rig, run_rig, speech_like, wav

CALLS = 200
PER_SPAN = 4
MODES: tuple[Literal["tone", "voice", "polarity"], ...] = ("tone", "voice", "polarity")
LANES = range(1, PER_SPAN * len(MODES) + 1)
LINES_OF = {mode: f"{at * PER_SPAN + 1}-{(at + 1) * PER_SPAN}" for at, mode in enumerate(MODES)}
REST_S = 3.0
EXCHANGE_RINGS_MS = 32_000
LATEST_S = {"polarity": 0.3, "voice": 1.5, "tone": 6.5}
"""From the called party's answer to ours: at once; a voice; ringback's pause and a half."""


class Outcome(NamedTuple):
    """`digit` of the number that ends so; `answering` of the telephone there. cause None: it is answered."""

    digit: int
    answering: Answering | None
    after_ms: int
    cause: Cause | None
    by_far_end: bool = True
    limit_ms: int = 60_000


OUTCOMES = {
    "answered": Outcome(1, Answering.ANSWER, 7000, None),
    "answered at once": Outcome(2, Answering.ANSWER, 300, None),
    "busy": Outcome(3, Answering.BUSY, 0, Cause.USER_BUSY),
    "does not want it": Outcome(4, Answering.REJECT, 9000, Cause.USER_BUSY),
    "nobody answers, the exchange gives up": Outcome(5, Answering.NEVER, 0, Cause.NO_ANSWER),
    "nobody answers, we give up": Outcome(6, Answering.NEVER, 0, Cause.NO_ANSWER, False, 14_000),
    "no such number": Outcome(7, None, 0, Cause.NO_CHANNEL),
    "we hang up while it rings": Outcome(6, Answering.NEVER, 0, Cause.NORMAL, False),
    "no dial tone": Outcome(1, Answering.ANSWER, 7000, Cause.NETWORK_OUT_OF_ORDER),
    "loop breaks while it rings": Outcome(6, Answering.NEVER, 0, Cause.NORMAL_UNSPECIFIED),
}


def number(lane: int, outcome: Outcome) -> str:
    return f"8{lane:02}{outcome.digit}"


def lines(say: str, tones: LineTones | None = None) -> LinesConfig:
    """`tones`: of the exchange, and of the lines' profiles."""
    tones = tones or LineTones()
    telephones = tuple(
        TelephoneConfig(number=number(lane, found), answering=found.answering, after_ms=found.after_ms, say=say)
        for lane in LANES
        for found in {outcome.digit: outcome for outcome in OUTCOMES.values()}.values()
        if found.answering is not None
    )
    spans = tuple(SpanConfig(kind=SpanKind.FXO, channels=PER_SPAN, reverses_polarity=mode == "polarity") for mode in MODES)
    world = VirtualConfig(
        spans=spans, numbers=(NumberConfig(number=BOX, spans=(1,)),), telephones=telephones, ring_limit_ms=EXCHANGE_RINGS_MS, tones=tones
    )
    profiles = tuple(LineProfile(name=mode, answer=mode, dial_without_tone=False, tones=tones) for mode in MODES)
    groups = tuple(GroupConfig(name=mode, channels=LINES_OF[mode], profile=mode) for mode in MODES)
    return LinesConfig(virtual=world, profiles=profiles, groups=groups)


class Lane:
    """One line, which makes call after call."""

    def __init__(self, rig: Rig, channel: int, names: Iterator[int]) -> None:
        self.rig, self.channel, self.names = rig, channel, names
        self.mode = MODES[(channel - 1) // PER_SPAN]

    async def call(self, kind: str) -> str:
        """What went wrong, or nothing."""
        outcome = OUTCOMES[kind]
        leg = f"out-{next(self.names)}"
        self.rig.card.set_fault(self.channel, Fault.SILENCE, kind == "no dial tone")
        self.rig.agent.send(Seize(leg=leg, channel=self.channel, number=number(self.channel, outcome), no_answer_ms=outcome.limit_ms))
        wrong = await (self.answered(leg, outcome) if outcome.cause is None else self.released(leg, kind, outcome))
        await asyncio.sleep(REST_S)
        if not self.rig.server.lines.channels[self.channel].is_free():
            wrong += " the line is not free again"
        return f"{kind} on channel {self.channel} ({self.mode}): {wrong}" if wrong else ""

    async def answered(self, leg: str, outcome: Outcome) -> str:
        telephone = self.rig.world.telephones[number(self.channel, outcome)]
        await telephone.reached(Phase.TALKING, limit_s=30)
        began_s = self.rig.clock.monotonic_s()
        early = bool([event for event in self.rig.agent.heard(Answered) if event.leg == leg])
        await self.rig.agent.told(Answered, leg=leg, limit_s=30)
        took_s = self.rig.clock.monotonic_s() - began_s
        latest_s = LATEST_S[self.mode] if outcome.after_ms > 2000 else max(LATEST_S[self.mode], 9.0 if self.mode != "polarity" else 0)
        telephone.hang_up()
        released = await self.rig.agent.told(Released, leg=leg, limit_s=10)
        if early or took_s > latest_s or (released.cause, released.by_far_end) != (Cause.NORMAL, True):
            return f"early {early}, took {took_s:.2f} s, {released}"
        return ""

    async def released(self, leg: str, kind: str, outcome: Outcome) -> str:
        rings = outcome.answering in (Answering.REJECT, Answering.NEVER)
        if rings:
            await self.rig.agent.told(Alerting, leg=leg, limit_s=15)
        if kind == "we hang up while it rings":
            self.rig.agent.send(Release(leg=leg))
        elif kind == "loop breaks while it rings":
            self.rig.world.trunks[self.channel].wire.from_world(RxSig.ONHOOK)
        released = await self.rig.agent.told(Released, leg=leg, limit_s=60)
        told = bool([event for event in self.rig.agent.heard(Answered) if event.leg == leg])
        if told or (released.cause, released.by_far_end) != (outcome.cause, outcome.by_far_end):
            return f"answered {told}, {released}"
        return ""


def run_lanes(folder: Path, count: int, seed: int, config: LinesConfig, kinds: list[str] | None = None) -> tuple[Counter[str], list[str]]:
    """Outcomes played, and what went wrong."""
    order = [kind for kind, _ in zip(itertools.cycle(kinds or list(OUTCOMES)), range(count), strict=False)]
    random.Random(seed).shuffle(order)
    played: Counter[str] = Counter()
    wrong: list[str] = []

    async def main(rig: Rig) -> None:
        names = itertools.count(1)

        async def lane(channel: int) -> None:
            made = Lane(rig, channel, names)
            while order:
                kind = order.pop()
                wrong.extend(filter(None, [await made.call(kind)]))
                played[kind] += 1

        async with asyncio.TaskGroup() as lanes:
            for channel in LANES:
                lanes.create_task(lane(channel))

    run_rig(folder, main, config)
    return played, wrong


def test_two_hundred_calls_of_all_outcomes(folder: Path) -> None:
    say = wav(folder / "hello.wav", speech_like(4, 1))
    played, wrong = run_lanes(folder, CALLS, 7, lines(str(say)))
    assert wrong == []
    assert sum(played.values()) == CALLS
    assert set(played) == set(OUTCOMES)


ODD = LineTones(dial="400", ringback="400/1000,0/3000", busy="400/500,0/500", congestion="400/250,0/250")


def test_switch_with_tones_of_its_own(folder: Path) -> None:
    say = wav(folder / "hello.wav", speech_like(4, 1))
    played, wrong = run_lanes(folder, 100, 8, lines(str(say), ODD))
    assert wrong == []
    assert set(played) == set(OUTCOMES)
