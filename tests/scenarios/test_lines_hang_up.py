"""Callers who hang up on lines that tell it by tone alone: noticed every time, and soon."""

import asyncio
import random
from pathlib import Path

import msgspec

from drivers.media import Tone
from drivers.protocol import Answer, Answered, Cause, LegState, Offered, Released
from drivers.signalling.fxo_profile import LineProfile
from drivers.virtual.config import NumberConfig, SpanConfig, SpanKind, VirtualConfig
from drivers.virtual.handset import Phase
from drivers.virtual.telephone import OutsideTelephone
from tests.scenarios.lines_rig import BOX, LINES, Rig, run_rig, speech_like, wav

TRUNKS = 24
HANG_UPS = 500
LATEST_S = 2.5


async def offered_by(rig: Rig, caller: OutsideTelephone) -> LegState:
    """The call of this telephone, known by its number."""
    async with asyncio.timeout(60):
        while True:
            offered = await rig.agent.told(Offered, limit_s=60)
            if offered.state.ani == caller.number:
                return offered.state
            rig.agent.events.append(offered)
            await asyncio.sleep(0.1)


def test_five_hundred_hang_ups_by_tone(folder: Path) -> None:
    """Busy and congestion tone by turns, after talk of any length, begun at any moment of it."""
    world = VirtualConfig(
        spans=(SpanConfig(kind=SpanKind.FXO, channels=TRUNKS, supervised=False),), numbers=(NumberConfig(number=BOX, spans=(1,)),)
    )
    lines = msgspec.structs.replace(LINES, virtual=world, analog=LineProfile())
    say = wav(folder / "say.wav", speech_like(3, 5))
    chance = random.Random(11)
    late_s: list[float] = []

    async def call(rig: Rig, turn: int) -> None:
        caller = rig.call_in()
        state = await offered_by(rig, caller)
        rig.agent.send(Answer(leg=state.leg))
        await rig.agent.told(Answered, leg=state.leg)
        await caller.reached(Phase.TALKING)
        caller.speak(say)
        await asyncio.sleep(chance.uniform(0.3, 4.0))
        began_s = rig.clock.monotonic_s()
        caller.hang_up()
        if turn % 2:
            rig.world.trunks[state.channel].circuit.tone(Tone.CONGESTION)
        released = await rig.agent.told(Released, leg=state.leg, limit_s=30)
        late_s.append(rig.clock.monotonic_s() - began_s)
        assert (released.cause, released.by_far_end) == (Cause.NORMAL, True)
        rig.world.dismiss(caller)
        rig.agent.events[:] = [event for event in rig.agent.events if isinstance(event, Offered | Answered | Released)]

    async def main(rig: Rig) -> None:
        turns = iter(range(HANG_UPS))

        async def one_after_another() -> None:
            for turn in turns:
                await call(rig, turn)
                await asyncio.sleep(3)

        await asyncio.gather(*(one_after_another() for _ in range(TRUNKS)))

    run_rig(folder, main, lines)
    assert len(late_s) == HANG_UPS
    assert max(late_s) <= LATEST_S, sorted(late_s)[-5:]
