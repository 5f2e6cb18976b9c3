"""A thousand callers who key what comes to their mind, in flows as they are published: none gets stuck, nothing of ours goes wrong.

Half of the keys mean something where the caller stands, as most callers' do, so that deep places are seen too.
"""

import asyncio
import random
from typing import Any

from appliance.call import tag as tags
from appliance.call.tag import CallTag
from appliance.config import Config
from appliance.ivr.flow import FlowSet
from appliance.ivr.nodes import AskDigits, AskYesNo, LeaveMessage, Menu, Record
from appliance.ivr.prompts.library import PromptLibrary
from appliance.ivr.reading import built_in
from appliance.store.models import CallEvent, CallRecord, Recording
from drivers.clock import VirtualClock, run_virtual
from drivers.protocol import LegPhase
from tests.scenarios.killing import JumpingClock, Life, start_agent
from tests.scenarios.scripted_lines import ScriptedLines

WALKS = 1000
AT_ONCE = 50
KEYS_MOST = 40
PATIENCE_S = 1800.0  # whoever keys nothing any more is through by then
OPERATOR = ("answer", "17", "34", "no answer", "answer")


class Caller:
    """Keys at random, then waits for the end; one in four hangs up before."""

    def __init__(self, server: ScriptedLines, flows: FlowSet, seed: int) -> None:
        self._server = server
        self._flows = flows
        self._random = random.Random(seed)
        self.seen: set[str] = set()

    async def call(self) -> bool:
        """False when the call does not come to an end."""
        await asyncio.sleep(self._random.random() * 10)  # no two at one instant on one line
        leg = self._server.ring(ani=self._random.choice(["13800000000", "01088886666", None]))
        for _ in range(self._random.randrange(1, KEYS_MOST)):
            await asyncio.sleep(self._random.choice([0.3, 1.0, 4.0, 9.0]))
            if self._is_over(leg):
                return True
            for key in self._keys(leg):
                self._server.press(leg, key)
                await asyncio.sleep(0.2)
        if self._random.random() < 0.25:
            self._server.hang_up(leg)
        return await self._ends(leg)

    def _is_over(self, leg: str) -> bool:
        return leg not in self._server.legs or self._server.legs[leg].phase is LegPhase.RELEASED

    async def _ends(self, leg: str) -> bool:
        for _ in range(round(PATIENCE_S / 10)):
            await asyncio.sleep(10)
            if self._is_over(leg):
                return True
            self._end_talk(leg)
        return False

    def _end_talk(self, leg: str) -> None:
        """Whoever he talks with hangs up sometime."""
        other = self._server.legs[leg].bridged_with
        if other:
            self._server.hang_up(other)

    def _keys(self, leg: str) -> str:
        self._end_talk(leg)
        tag = tags.decode(self._server.legs[leg].tag) if self._server.legs[leg].tag else None
        place = tag.place if isinstance(tag, CallTag) else ""
        self.seen.add(place)
        if not place or self._random.random() < 0.3:
            return self._random.choice("0123456789*##")
        return self._sensible(place)

    def _sensible(self, place: str) -> str:
        _, node = self._flows.at(place)
        match node:
            case Menu():
                return self._random.choice([*node.keys, *([] if self._random.random() < 0.7 else ["0"])])
            case AskYesNo():
                return self._random.choice([node.yes, node.yes, node.no])
            case AskDigits():
                count = self._random.randint(node.min, node.max)
                return "".join(self._random.choice("0123456789") for _ in range(count)) + ("#" if count < node.max else "")
            case LeaveMessage() | Record():
                return "#"
            case _:
                return ""


def test_a_thousand_random_walks(config: Config, prompts: PromptLibrary) -> None:
    flows = built_in()

    async def main(clock: VirtualClock) -> Any:
        answers = random.Random(1)
        server = ScriptedLines(clock, channels=AT_ONCE * 2, set_answers=lambda: answers.choice(OPERATOR))
        agent = await start_agent(config, server, clock, prompts, Life(), flows)
        await asyncio.sleep(1)
        callers = [Caller(server, flows, seed) for seed in range(WALKS)]
        ended: list[bool] = []
        for first in range(0, WALKS, AT_ONCE):
            ended += await asyncio.gather(*(caller.call() for caller in callers[first : first + AT_ONCE]))
        await asyncio.sleep(60)
        counts = await agent.store.run(found)
        left = (len(agent.live.calls), len(server.legs))
        await agent.stop()
        return ended, counts, left, set().union(*(caller.seen for caller in callers))

    ended, (records, unended, open_recordings, faults), left, seen = run_virtual(main, JumpingClock())
    assert [seed for seed, over in enumerate(ended) if not over] == []
    assert (records, unended, open_recordings, left) == (WALKS, 0, 0, (0, 0))
    assert faults == []
    assert len(seen) >= 10


def found() -> tuple[int, int, int, list[str]]:
    """Records, those without an end, recordings without one, and what went wrong."""
    return (
        CallRecord.select().count(),
        CallRecord.select().where(CallRecord.ended_at.is_null()).count(),
        Recording.select().where(Recording.ended_at.is_null()).count(),
        [row.body for row in CallEvent.select().where(CallEvent.kind == "CallFailed").limit(3)],
    )
