"""Calls on the virtual card, through line server and protocol: in, out, sets, glare, alarms."""

import asyncio
from pathlib import Path

from drivers.protocol import Answer, Answered, Cause, Released
from tests.scenarios.lines_rig import Rig, run_rig


def test_caller_rings_is_answered_and_hangs_up(tmp_path: Path) -> None:
    async def main(rig: Rig) -> None:
        caller = rig.call_in()
        leg = await rig.offered()
        rig.agent.send(Answer(leg=leg))
        await rig.agent.told(Answered, leg=leg)
        await asyncio.sleep(3)
        caller.hang_up()
        released = await rig.agent.told(Released, leg=leg)
        assert (released.cause, released.by_far_end) == (Cause.NORMAL, True)

    run_rig(tmp_path, main)
