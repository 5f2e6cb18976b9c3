"""Lines that fail while MFC/R2 signals pass: numbers arrive whole or there is no call, and every channel carries calls again."""

import asyncio
import random
from pathlib import Path

import pytest

from drivers.protocol import Offered, Release
from drivers.virtual.faults import Fault
from tests.scenarios.r2_rig import R2Rig, r2_lines, run_r2

# How loud the noise is, how much is lost: in dB and dBm0.
VALUES = {Fault.NOISE: (-30.0, -5.0), Fault.GAIN: (-45.0, 6.0), Fault.ECHO: (0.0, 20.0)}
FAULTS = (Fault.CUT, Fault.FREEZE, Fault.SILENCE, *VALUES)
SETUP_S = 8.0
TRIES = 3


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("variant", ["cn", "itu"])
def test_faults_while_numbers_are_sent(tmp_path: Path, variant: str, seed: int) -> None:
    async def main(rig: R2Rig) -> None:
        rng = random.Random(seed)
        await _calls(rig, rng)  # what a good line is like
        for number in rig.office.channels:
            for _ in range(rng.randint(1, 2)):
                asyncio.get_running_loop().call_later(rng.uniform(0, 6), _disturb, rig, number, rng)
        right = await _calls(rig, rng)
        assert 0 < right < len(rig.office.channels)
        for _ in range(TRIES):
            right = await _calls(rig, rng)
        assert right == len(rig.office.channels)

    run_r2(tmp_path, main, r2_lines(variant=variant))


def _disturb(rig: R2Rig, number: int, rng: random.Random) -> None:
    fault = rng.choice(FAULTS)
    value = rng.uniform(*VALUES.get(fault, (0.0, 0.0)))
    rig.card.set_fault(number, fault, True, value)
    asyncio.get_running_loop().call_later(rng.uniform(0.005, 0.8), rig.card.set_fault, number, fault, False)


async def _calls(rig: R2Rig, rng: random.Random) -> int:
    """A call on every channel; how many came through, all of them with the right numbers."""
    rig.agent.events.clear()
    numbers = {"".join(rng.choices("0123456789", k=8)): channel for channel in rig.office.channels}
    calls = [rig.office.call(dnis, f"1{dnis}", channel=channel) for dnis, channel in numbers.items()]
    await asyncio.sleep(SETUP_S)
    for offered in rig.agent.heard(Offered):
        assert offered.state.dnis in numbers
        assert numbers[offered.state.dnis] == offered.state.channel
        assert offered.state.ani in (f"1{offered.state.dnis}", None)
    legs = [offered.state.leg for offered in rig.agent.heard(Offered)]
    for leg in legs:
        rig.agent.send(Release(leg=leg))
    for call in calls:
        rig.office.release(call)
    await rig.all_idle(120)
    return len(legs)
