"""Emergency calls at the sets of the house, through the whole box: whatever is in their way, with no line free, with no call agent."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from appliance.config import CallsConfig, Config
from appliance.ivr.prompts.library import PromptLibrary
from appliance.routing import Route
from appliance.store.models import CallRecord
from drivers.config import GroupConfig
from drivers.protocol import BlockChannel, Cause
from drivers.virtual.handset import Phase
from tests.scenarios.box_rig import BOX, Box, run_box
from tests.scenarios.house_rig import ONE, WORLD, dial, made, talk
from tests.scenarios.killing import Life


@pytest.mark.parametrize("number", ["120", "9120"])
def test_emergency_number_is_reached_whatever_is_in_its_way(config: Config, prompts: PromptLibrary, number: str) -> None:
    async def act(box: Box) -> None:
        box.agent.lines.send(BlockChannel(channel=ONE))
        await asyncio.sleep(0.5)
        dial(box, ONE, number)
        await box.card.world.telephones["120"].reached(Phase.TALKING)
        await asyncio.sleep(10)

    routes = (Route(name="nobody calls out", service="reject", group="sets"), Route(name="nor there", service="reject", dnis="*"))
    record = made(msgspec.structs.replace(config, calls=CallsConfig(routes=routes)), prompts, act)
    assert (record["transferred_to"], record["transfer_outcome"], record["direction"]) == ("120", "answered", "outbound")


@pytest.mark.parametrize("way", ["reserved", "blocked", "taken"])
def test_emergency_call_finds_a_line_when_none_is_free(config: Config, prompts: PromptLibrary, way: str) -> None:
    """Both lines kept for incoming calls; blocked by a person; taken by others, the younger of whom loses."""
    groups = (
        GroupConfig(name="trunk", channels="1-2", reserve=2 if way == "reserved" else 0),
        GroupConfig(name="sets", channels="3-5", role="extension"),
    )

    async def main(box: Box) -> list[tuple[str, int]]:
        callers = []
        for channel in (1, 2):
            if way == "blocked":
                box.agent.lines.send(BlockChannel(channel=channel))
            if way == "taken":
                callers.append(box.telephone())
                callers[-1].dial(BOX)
                await callers[-1].reached(Phase.TALKING)
        await asyncio.sleep(3)
        dial(box, ONE, "120")
        await box.card.world.telephones["120"].reached(Phase.TALKING)
        assert [caller.phase for caller in callers] == [Phase.TALKING, Phase.ENDED][: len(callers)]
        await asyncio.sleep(12)
        for telephone in (*callers, box.set(ONE)):
            telephone.hang_up()
        await box.idle()
        found: list[tuple[str, int]] = await box.ask(lambda: [(row.dnis or "", row.cause) for row in CallRecord.select()])
        return found

    records = run_box(config, prompts, main, msgspec.structs.replace(WORLD, groups=groups))
    assert ("120", Cause.NORMAL) in records
    assert [cause for _, cause in records].count(Cause.PREEMPTION) == int(way == "taken")


@pytest.mark.parametrize("back_s", [1.0, 4.0, 25.0])
@pytest.mark.parametrize("number", ["120", "9120"])
def test_emergency_call_without_a_call_agent(config: Config, prompts: PromptLibrary, folder: Path, number: str, back_s: float) -> None:
    """The line server makes it; the call agent that comes back, while it rings or later, goes on with it."""

    async def act(box: Box) -> None:
        await box.agent.stop()
        one, other = dial(box, ONE, number), box.card.world.telephones["120"]
        await asyncio.sleep(back_s)
        if back_s > 20:
            await talk(folder, one, other)
        await box.start_agent(Life())
        await other.reached(Phase.TALKING)
        await asyncio.sleep(12)
        await talk(folder, one, other)
        assert len(box.agent.switchboard.calls) == 1
        one.hang_up()
        await other.reached(Phase.ENDED, Phase.IDLE)

    record = made(config, prompts, act)
    assert (record["direction"], record["transferred_to"], record["transfer_outcome"]) == ("outbound", "120", "answered")
    assert (record["ended_by"], record["cause"]) == ("caller", Cause.NORMAL)


@pytest.mark.parametrize("first", ["set", "called"])
def test_emergency_call_without_any_call_agent_ends(config: Config, prompts: PromptLibrary, first: str) -> None:
    async def main(box: Box) -> None:
        await box.agent.stop()
        one, other = dial(box, ONE, "120"), box.card.world.telephones["120"]
        await other.reached(Phase.TALKING)
        await asyncio.sleep(15)
        if first == "set":
            one.hang_up()
            await other.reached(Phase.ENDED, Phase.IDLE)
        else:
            other.hang_up()
            await one.reached(Phase.ENDED)
            one.hang_up()
        await asyncio.sleep(10)
        assert [channel.leg for channel in box.server.lines.channels.values()] == [None] * 5
        await box.start_agent(Life())
        await box.idle()

    run_box(config, prompts, main, WORLD)
