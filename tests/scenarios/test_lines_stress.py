"""Many calls at once, doing whatever comes to mind, with an agent that comes and goes: nothing is stuck, lost or left over."""

import asyncio
import random
from pathlib import Path

import msgspec
import pytest

from drivers.protocol import (
    Answer,
    Bridge,
    Clip,
    Command,
    Forget,
    Gain,
    LegPhase,
    Mute,
    Play,
    PlayTone,
    Release,
    Seize,
    SendDigits,
    SetTag,
    StartRecording,
    StopPlay,
    Tap,
    Unbridge,
)
from drivers.virtual.config import SpanConfig, SpanKind
from drivers.virtual.telephone import OutsideTelephone
from tests.scenarios.lines_rig import LINES, OUTSIDE, WORLD, Rig, run_rig

CALLS = 60
SPANS = (SpanConfig(kind=SpanKind.FXO, channels=8), SpanConfig(kind=SpanKind.FXS, channels=4))
BUSY_LINES = msgspec.structs.replace(LINES, virtual=msgspec.structs.replace(WORLD, spans=SPANS), unattended_answer_ms=3000)


class Chaos:
    """Callers, sets and a call agent that act at random, the same each time for one seed."""

    def __init__(self, rig: Rig, seed: int) -> None:
        self.rig = rig
        self.random = random.Random(seed)
        self.plays = 0

    async def pause(self, longest_s: float) -> None:
        await asyncio.sleep(self.random.uniform(0, longest_s))

    async def caller(self) -> None:
        await self.pause(120)
        telephone: OutsideTelephone = self.rig.call_in()
        await self.pause(20)
        telephone.press("".join(self.random.choices("0123456789*#", k=self.random.randint(0, 9))))
        await self.pause(20)
        self.rig.world.dismiss(telephone)

    async def sets(self) -> None:
        for _ in range(60):
            await self.pause(4)
            telephone = self.rig.world.sets[self.random.choice(sorted(self.rig.world.sets))]
            self.random.choice([telephone.pick_up, telephone.answer, telephone.hang_up, telephone.flash])()

    async def agent(self) -> None:
        for number in range(1500):
            await self.pause(0.2)
            if self.random.random() < 0.01:
                self.rig.agent.die()
                await self.pause(6)
                await self.rig.agent.welcome()
            self.rig.agent.send(self.command(number))

    def command(self, number: int) -> Command:
        legs = [state.leg for state in self.rig.server.lines.book.states()] or ["none"]
        leg, other = self.random.choice(legs), self.random.choice(legs)
        self.plays += 1
        return self.random.choice([
            Answer(leg=leg), Answer(leg=leg), Answer(leg=leg), Release(leg=leg), Forget(leg=leg), Bridge(leg=leg, other=other),
            Bridge(leg=leg, other=other, native=False), Unbridge(leg=leg), Mute(leg=leg, rx=self.random.random() < 0.5),
            Gain(leg=leg, rx_db=self.random.choice([0.0, 3.0])), Tap(leg=leg, target=self.random.choice([other, ""])),
            Play(leg=leg, play_id=self.plays, clips=(Clip(silence_ms=500),), barge_in_digits="1"), StopPlay(leg=leg),
            PlayTone(leg=leg, tone=self.random.choice(["", "ringback"])), SendDigits(leg=leg, digits="12"),
            StartRecording(leg=leg, recording_id="r", path=f"{leg}.wav"), SetTag(leg=leg, tag=b"t", consumed_seq=self.plays % 5),
            Seize(leg=f"out-{number}", group="trunk", number=OUTSIDE, no_answer_ms=9000), Seize(leg=f"out-{number}", group="sets"),
        ])  # fmt: skip

    async def everything(self) -> None:
        await asyncio.gather(self.sets(), self.agent(), *(self.caller() for _ in range(CALLS)))

    async def calm(self) -> None:
        """Everybody hangs up; the agent clears away what is over."""
        for telephone in (*self.rig.world.sets.values(), *self.rig.world.telephones.values()):
            telephone.hang_up()
        for state in self.rig.server.lines.book.states():
            self.rig.agent.send(Release(leg=state.leg))
        await asyncio.sleep(90)
        for state in self.rig.server.lines.book.states():
            assert state.phase is LegPhase.RELEASED
            self.rig.agent.send(Forget(leg=state.leg))
        await asyncio.sleep(1)


@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_stuck(folder: Path, seed: int) -> None:
    async def main(rig: Rig) -> None:
        chaos = Chaos(rig, seed)
        await chaos.everything()
        await chaos.calm()
        lines = rig.server.lines
        assert lines.book.states() == ()
        assert lines.plays == {}
        assert not list((folder / "run" / "legs").iterdir())
        assert [channel.number for channel in lines.channels.values() if not channel.is_free()] == []
        assert rig.engine.stats().recordings_active == 0

    run_rig(folder, main, BUSY_LINES)
