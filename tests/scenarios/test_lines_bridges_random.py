"""Bridges, conferences, muting and recordings in any order: everybody hears whom he should, and the card joins whom the book says."""

import asyncio
import random
from pathlib import Path

import msgspec
import pytest

from drivers.protocol import Bridge, Confer, Mute, Release, StartRecording, StopRecording, Unbridge
from drivers.virtual.config import SpanConfig, SpanKind
from tests.scenarios.lines_rig import LINES, WORLD, Rig, run_rig
from tests.scenarios.test_lines_bridges import TONES, Talk

NAMES = ("caller", "first", "second", "third", "fourth")
FOUR_SETS = msgspec.structs.replace(
    LINES, virtual=msgspec.structs.replace(WORLD, spans=(*WORLD.spans[:1], SpanConfig(kind=SpanKind.FXS, channels=4)))
)
TONES |= {"third": 1300, "fourth": 2300}
ACTS = 12


class Model:
    """Who should hear whom. `groups`: those who talk together."""

    def __init__(self) -> None:
        self.groups: list[set[str]] = []
        self.silent: set[str] = set()
        self.deaf: set[str] = set()

    def leave(self, name: str) -> None:
        for group in self.groups:
            group.discard(name)
        self.groups = [group for group in self.groups if len(group) > 1]

    def part(self, name: str) -> None:
        self.leave(name)

    def bridge(self, one: str, other: str) -> None:
        if {one, other} not in self.groups:
            self.leave(one)
            self.leave(other)
            self.groups.append({one, other})

    def confer(self, one: str, other: str) -> None:
        together = next((group for group in self.groups if other in group), None)
        if together and one in together:
            return
        self.leave(one)
        if together in self.groups and together:
            together.add(one)
        else:
            self.groups.append({one, other})

    def hears(self, name: str) -> set[str]:
        group = next((group for group in self.groups if name in group), {name})
        return set() if name in self.deaf else group - {name} - self.silent


async def act(talk: Talk, model: Model, chance: random.Random) -> None:
    one, other = chance.sample(NAMES, 2)
    leg, partner = talk.legs[one], talk.legs[other]
    match chance.randrange(8):
        case 0 | 1:
            talk.agent.send(Bridge(leg=leg, other=partner, native=chance.random() < 0.7))
            model.bridge(one, other)
        case 2 | 3:
            talk.agent.send(Confer(leg=leg, other=partner))
            model.confer(one, other)
        case 4:
            talk.agent.send(Unbridge(leg=leg))
            model.part(one)
        case 5:
            rx, tx = chance.random() < 0.3, chance.random() < 0.3
            talk.agent.send(Mute(leg=leg, rx=rx, tx=tx))
            (model.silent.add if rx else model.silent.discard)(one)
            (model.deaf.add if tx else model.deaf.discard)(one)
        case 6:
            talk.agent.send(StartRecording(leg=leg, recording_id=one, path=f"{one}.wav"))
        case 7:
            talk.agent.send(StopRecording(leg=leg, recording_id=one))
    await asyncio.sleep(chance.choice([0.0, 0.02, 0.1, 0.5]))


def check_card(talk: Talk) -> None:
    """Joined in the card are those and only those of whom the book says so; who is not, is heard by the media core."""
    lines = talk.rig.server.lines
    for channel in lines.channels.values():
        state = lines.book.state(channel.leg) if channel.leg else None
        partner = lines.channel_of(state.bridged_with).number if state and state.native and state.bridged_with else None
        assert channel.io is not None
        assert channel.io.native_peer() == partner, channel.number
        if channel.leg and partner is None:
            assert channel.audio.is_open


@pytest.mark.parametrize("seed", range(40))
def test_any_order(folder: Path, seed: int) -> None:
    async def main(rig: Rig) -> None:
        talk, model, chance = Talk(rig, folder), Model(), random.Random(seed)
        await talk.begin(*NAMES[1:])
        talk.sing()
        for _ in range(ACTS):
            await act(talk, model, chance)
        await asyncio.sleep(0.6)
        check_card(talk)
        assert await talk.heard() == {name: {TONES[other] for other in model.hears(name)} for name in NAMES}
        for name in NAMES:
            talk.agent.send(Release(leg=talk.legs[name]))
        await asyncio.sleep(1)
        check_card(talk)

    run_rig(folder, main, FOUR_SETS)
