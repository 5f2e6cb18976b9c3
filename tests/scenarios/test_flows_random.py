"""A thousand callers who key what comes to their mind, in the program's own flows: none gets stuck, nothing of ours goes wrong, and no
half state is left. Most keys mean something where the caller stands, and many callers have a card, so that deep places are seen too.
"""

import asyncio
import random
from typing import Any

from appliance.call import tag as tags
from appliance.call.tag import CallTag
from appliance.config import Config
from appliance.ivr.flow import FlowSet, full_name
from appliance.ivr.nodes import AskDigits, AskYesNo, Keyed, LeaveMessage, Menu, Record
from appliance.ivr.prompts.library import PromptLibrary
from appliance.ivr.reading import built_in
from appliance.store.database import open_store
from appliance.store.hospital_tables import Card
from appliance.store.models import CallEvent, CallRecord
from drivers.clock import VirtualClock, run_virtual
from drivers.protocol import LegPhase
from tests.scenarios.hotline_rig import DRUGS, FREE, PAID, PASSWORD, TOP_UP, half_states, hospital
from tests.scenarios.killing import JumpingClock, Life, start_agent
from tests.scenarios.scripted_lines import ScriptedLines
from tests.scenarios.test_calls_killed import empty_store

WALKS = 1000
AT_ONCE = 50
KEYS_MOST = 40
PATIENCE_S = 1800.0  # whoever keys nothing any more is through by then
KNOWN = {
    "card/password": (PASSWORD,),
    "account/old_password": (PASSWORD,),
    "account/new_password": (PASSWORD,),  # the same for everybody, so that it stays known
    "account/new_again": (PASSWORD,),
    "account/top_up": (TOP_UP,),
    "doctor_number": (PAID, FREE),
    "drug_number": tuple(number for number, _ in DRUGS),
    "department_code": ("12",),
    "about_department": ("12",),
    "about_staff": ("77",),
    "choice": ("1", "2"),
    "initials": ("9", "94"),
}
"""What is asked for, by variable or, of a secret, by place."""
OPERATOR = ("answer", "17", "34", "no answer", "answer")


class Caller:
    """Keys at random, then waits for the end; one in four hangs up before."""

    def __init__(self, server: ScriptedLines, flows: FlowSet, cards: list[str], seed: int) -> None:
        self._server = server
        self._flows = flows
        self._known = {**KNOWN, "card_number": (cards[seed % len(cards)],)}
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
            case AskDigits() if self._random.random() < 0.8 and (node.variable or place) in self._known:
                return self._random.choice(self._known[node.variable or place]) + "#"
            case AskDigits():
                count = self._random.randint(node.min, node.max)
                return "".join(self._random.choice("0123456789") for _ in range(count)) + ("#" if count < node.max else "")
            case LeaveMessage() | Record():
                return "#"
            case _:
                return ""


def test_a_thousand_random_walks(config: Config, prompts: PromptLibrary) -> None:
    flows = built_in()
    hospital(config, places=40, people=40)
    empty_store(config)
    opened = open_store(config.paths.database)
    cards = [card.number for card in Card.select().order_by(Card.number)]
    opened.close()

    async def main(clock: VirtualClock) -> Any:
        answers = random.Random(1)
        server = ScriptedLines(clock, channels=AT_ONCE * 2, set_answers=lambda: answers.choice(OPERATOR))
        agent = await start_agent(config, server, clock, prompts, Life(), flows)
        await asyncio.sleep(1)
        callers = [Caller(server, flows, cards, seed) for seed in range(WALKS)]
        ended: list[bool] = []
        for first in range(0, WALKS, AT_ONCE):
            ended += await asyncio.gather(*(caller.call() for caller in callers[first : first + AT_ONCE]))
        await asyncio.sleep(60)
        counts = await agent.store.run(found)
        left = (len(agent.live.calls), len(server.legs))
        await agent.stop()
        return ended, counts, left, set().union(*(caller.seen for caller in callers))

    ended, (records, wrong, faults, entered), left, seen = run_virtual(main, JumpingClock())
    assert [seed for seed, over in enumerate(ended) if not over] == []
    assert (records, wrong, left) == (WALKS, [], (0, 0))
    assert faults == []
    keyed = {full_name(flow.flow, place) for flow in flows.flows.values() for place, node in flow.places.items() if isinstance(node, Keyed)}
    assert len(seen & keyed) > 0.8 * len(keyed), sorted(keyed - seen)
    places = {full_name(flow.flow, place) for flow in flows.flows.values() for place in flow.places}
    assert len(entered & places) > 0.7 * len(places), sorted(places - entered)


def found() -> tuple[int, list[str], list[str], set[str]]:
    """Records, half states, what went wrong, and the places callers came to."""
    paths = {place for row in CallRecord.select(CallRecord.path) for place in row.path.split(">")}
    failed = [row.body for row in CallEvent.select().where(CallEvent.kind == "CallFailed").limit(3)]
    return CallRecord.select().count(), half_states(), failed, paths
