"""Flows that change while calls go on; a person who puts the caller back; an action that takes its time."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from appliance.agent import CallAgent
from appliance.config import Config
from appliance.control.messages import PutCallBack, UseFlows
from appliance.events import CallFailed, CallPutBack
from appliance.ivr.actions import ACTIONS, Action, ActionCall, ActionResult
from appliance.ivr.prompts.library import PromptLibrary
from appliance.ivr.publishing import roll_back
from appliance.store.database import open_store
from appliance.store.flow_tables import FlowVersion
from appliance.store.models import CallRecord
from appliance.store.projections import events_of
from drivers.clock import VirtualClock, run_virtual
from drivers.errors import CarelineError
from drivers.protocol import Play, StopPlay
from tests.scenarios.flow_rig import CARD, EVERYTHING, NOW, PROMPTS, TEST_ACTIONS, editor, put_live, store_with
from tests.scenarios.killing import JumpingClock, Life, start_agent
from tests.scenarios.scripted_lines import ScriptedLines

HOTLINE = (Path(__file__).parent / "small_hotline.yaml").read_text(encoding="utf-8")
TURNED = HOTLINE.replace("1: introduction, 2: opening_hours", "2: introduction, 1: opening_hours")


class House:
    """A call agent on scripted lines; `agent` may be followed by another."""

    def __init__(self, config: Config, prompts: PromptLibrary, clock: VirtualClock) -> None:
        self.server = ScriptedLines(clock, channels=40)
        self._start = lambda: start_agent(config, self.server, clock, prompts, Life())
        self.agent: CallAgent

    async def begin(self) -> None:
        self.agent = await self._start()
        await asyncio.sleep(1)

    async def next_agent(self) -> None:
        await self.agent.stop()
        await asyncio.sleep(0.5)
        await self.begin()

    async def calls(self, count: int) -> list[str]:
        """So many calls that hear the menu."""
        legs = [self.server.ring() for _ in range(count)]
        await asyncio.sleep(5)
        return legs

    async def use_flows(self) -> int:
        return (await self.agent.flow_desk.use_flows(UseFlows(by="nurse"))).edition

    async def paths(self) -> list[str]:
        """Of all calls there were, in order."""
        return [record["path"] for record in await self.agent.store.run(records)]


def records() -> list[dict[str, Any]]:
    return [dict(row.__data__) for row in CallRecord.select().order_by(CallRecord.call_id)]


def run_house(config: Config, prompts: PromptLibrary, main: Callable[[House], Awaitable[Any]]) -> Any:
    async def within(clock: VirtualClock) -> Any:
        house = House(config, prompts, clock)
        await house.begin()
        try:
            return await main(house)
        finally:
            await house.agent.stop()

    return run_virtual(within, JumpingClock())


@pytest.mark.parametrize("dies", [False, True])
def test_published_during_thirty_calls(config: Config, prompts: PromptLibrary, dies: bool) -> None:
    """Running calls finish on the old flow, also in the hands of another call agent; the next one gets the new; and back."""

    async def main(house: House) -> Any:
        old = await house.calls(30)
        await house.agent.store.run(lambda: put_live(hotline=TURNED))
        if dies:
            await house.next_agent()
            edition = house.agent.editions.current.edition
        else:
            edition = await house.use_flows()
        new = await house.calls(1)
        await house.agent.store.run(lambda: roll_back(0, editor(), NOW, PROMPTS.ids))
        back = await house.use_flows()
        last = await house.calls(1)
        for leg in (*old, *new, *last):
            house.server.press(leg, "1")
        editions = {call.edition for call in house.agent.live.calls.values()}
        await asyncio.sleep(2)
        for leg in (*old, *new, *last):
            house.server.hang_up(leg)
        await asyncio.sleep(10)
        return edition, back, editions, await house.paths()

    edition, back, editions, paths = run_house(config, prompts, main)
    assert (edition, back, editions) == (1, 2, {0, 1, 2})
    assert [path.split(">")[-1] for path in paths] == ["introduction"] * 30 + ["opening_hours", "introduction"]


def test_an_edition_that_is_gone_begins_anew(config: Config, prompts: PromptLibrary) -> None:
    store_with(config, hotline=TURNED)
    config.paths.database.with_suffix(".empty").rename(config.paths.database)

    async def main(house: House) -> Any:
        await house.calls(1)
        await house.agent.store.run(lambda: FlowVersion.delete().execute())
        await house.next_agent()
        return house.agent.editions.fault, await house.paths()

    fault, paths = run_house(config, prompts, main)
    assert fault.code == "APP-147"
    assert paths == ["greeting>main_menu>greeting>main_menu"]


def test_a_published_flow_that_will_not_do_any_more_changes_nothing(config: Config, prompts: PromptLibrary) -> None:
    """Its action went with an upgrade: the program's own flows answer the callers."""
    with pytest.MonkeyPatch.context() as patch:
        for name, action in TEST_ACTIONS.items():
            patch.setitem(ACTIONS, name, action)
        store_with(config, test_card=CARD, hotline=EVERYTHING)
    config.paths.database.with_suffix(".empty").rename(config.paths.database)

    async def main(house: House) -> Any:
        await house.calls(1)
        with pytest.raises(CarelineError) as caught:
            await house.use_flows()
        return caught.value.code, await house.paths()

    assert run_house(config, prompts, main) == ("APP-148", ["greeting>main_menu"])


# --- a person puts the caller back -----------------------------------------------------------------------------------


async def with_the_operator(house: House) -> str:
    """A call in which the caller has pressed 1, then 0, and talks."""
    (leg,) = await house.calls(1)
    for key in "10":
        house.server.press(leg, key)
        await asyncio.sleep(1)
    await asyncio.sleep(10)
    assert house.server.legs[leg].bridged_with
    return leg


@pytest.mark.parametrize("dies", [False, True])
def test_put_back(config: Config, prompts: PromptLibrary, dies: bool) -> None:
    async def main(house: House) -> Any:
        leg = await with_the_operator(house)
        (live,) = house.agent.live.calls.values()
        await house.agent.flow_desk.put_back(PutCallBack(call_id=live.call_id, place="after_opening_hours", by="nurse"))
        if dies:
            await house.next_agent()
        await asyncio.sleep(2)
        house.server.press(leg, "*")
        await asyncio.sleep(2)
        house.server.hang_up(leg)
        await asyncio.sleep(10)
        return live, await house.agent.store.run(records), await house.agent.store.run(lambda: events_of(live.call_id)), house.server.legs

    live, (record,), events, legs = run_house(config, prompts, main)
    assert (live.came[0], live.came[-1], live.place, live.digits) == ("greeting", "operator", "operator", "10")
    assert record["path"].endswith("operator>after_opening_hours>opening_hours")
    assert (record["outcome"], record["ended_by"], record["transfer_outcome"]) == ("operator", "caller", "answered")
    assert [(event.place, event.by) for event in events if isinstance(event, CallPutBack)] == [("after_opening_hours", "nurse")]
    assert not legs


@pytest.mark.parametrize(
    ("place", "talks", "code"),
    [("nowhere", True, "APP-149"), ("", True, "APP-149"), ("main_menu", False, "APP-110"), ("hotline/main_menu", False, "APP-110")],
)
def test_where_a_caller_cannot_be_put_back(config: Config, prompts: PromptLibrary, place: str, talks: bool, code: str) -> None:
    async def main(house: House) -> str:
        if talks:
            await with_the_operator(house)
        else:
            await house.calls(1)
        (call_id,) = house.agent.live.calls
        with pytest.raises(CarelineError) as caught:
            await house.agent.flow_desk.put_back(PutCallBack(call_id=call_id, place=place, by="nurse"))
        return caught.value.code

    assert run_house(config, prompts, main) == code


def test_a_call_that_is_over_is_put_nowhere(config: Config, prompts: PromptLibrary) -> None:
    async def main(house: House) -> str:
        with pytest.raises(CarelineError) as caught:
            await house.agent.flow_desk.put_back(PutCallBack(call_id="x", place="main_menu", by="nurse"))
        return caught.value.code

    assert run_house(config, prompts, main) == "APP-011"


# --- work that takes its time ----------------------------------------------------------------------------------------

SLOW = """
flow: hotline
person: operator
entries: {hotline: look, operator: operator, after_hours: look}
places:
  look: {kind: action, action: test_slow, exits: {done: bye, failed: operator}}
  operator: {kind: transfer, exits: {ended: bye, busy: bye, no_answer: bye, failed: bye}}
  bye: {kind: hang_up, say: [goodbye]}
"""


@pytest.mark.parametrize(
    ("takes_s", "way", "fillers"), [(0.5, "look>bye", 0), (3.0, "look>bye", 1), (30.0, "look>operator", 1), (-1.0, "look>operator", 0)]
)
def test_a_slow_action(config: Config, prompts: PromptLibrary, takes_s: float, way: str, fillers: int) -> None:
    """Silence of a second at most; at the limit the caller gets to a person, and the record says why."""
    ended: list[str] = []

    async def slow(call: ActionCall) -> ActionResult:
        if takes_s < 0:
            raise ZeroDivisionError("a fault in the action")
        try:
            await asyncio.sleep(takes_s)
        except asyncio.CancelledError:
            ended.append("given up")
            raise
        return ActionResult("done")

    async def main(house: House) -> Any:
        house.server.ring()
        await asyncio.sleep(20)
        paths = await house.paths()
        (call_id,) = [record["call_id"] for record in await house.agent.store.run(records)]
        return paths[0], house.server.commands, await house.agent.store.run(lambda: events_of(call_id))

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ACTIONS, "test_slow", Action("test_slow", "Slow", {"done": ()}, slow))
        store_with(config, hotline=SLOW)
        config.paths.database.with_suffix(".empty").rename(config.paths.database)
        path, commands, events = run_house(config, prompts, main)
    assert path.startswith(way)
    plays = [command for command in commands if isinstance(command, Play) and command.loops == 0]
    assert len(plays) == fillers
    assert all("please_hold" in play.clips[0].path for play in plays)
    assert sum(isinstance(command, StopPlay) for command in commands) >= fillers
    assert [event.code for event in events if isinstance(event, CallFailed)] == (["APP-142"] if "operator" in way else [])
    assert ended == (["given up"] if takes_s > 8 else [])


def test_the_store_keeps_what_was_live(config: Config) -> None:
    """The rig's own store, as the web sees it."""
    store_with(config, hotline=TURNED)
    database = open_store(config.paths.database.with_suffix(".empty"))
    assert [(row.flow, row.state) for row in FlowVersion.select()] == [("hotline", "published")]
    database.close()
