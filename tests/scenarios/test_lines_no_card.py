"""A box that is switched on before it has a telephony card: it runs, says so, and takes the lines that come."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from appliance.config import Config
from appliance.control.messages import Grade, RunSelfCall, SelfCallEnd
from appliance.ivr.prompts.library import PromptLibrary
from drivers.config import GroupConfig, LinesConfig
from drivers.dial_plan import DialPlan, OutsideRule
from drivers.protocol import NO_CARD, LineFaultsChanged, LinesReplaced
from drivers.virtual.config import VirtualConfig
from tests.scenarios.box_rig import Box, run_box
from tests.scenarios.lines_rig import LINES, Rig, run_rig
from tests.scenarios.setup_rig import told

GROUPS = (GroupConfig(name="front", channels="1-4"), GroupConfig(name="sets", channels="5-6", role="extension"))
CONFIGURED = msgspec.structs.replace(LINES, groups=GROUPS, dial_plan=DialPlan(outside=(OutsideRule(group="front"),)))


def unplug_all(rig: Rig) -> None:
    for span in (1, 2):
        rig.card.unplug(span)


@pytest.mark.parametrize(("config", "groups"), [(LINES, ["trunk", "sets"]), (CONFIGURED, ["front", "sets"])], ids=["none", "configured"])
def test_lines_that_come_are_taken(folder: Path, config: LinesConfig, groups: list[str]) -> None:
    async def main(rig: Rig) -> None:
        welcome = await rig.agent.welcome()
        assert (welcome.channels, welcome.groups) == ((), ())
        assert [fault.code for fault in welcome.faults] == [NO_CARD]
        assert rig.server.status().startswith("0 channels (no telephony card was found)")
        await asyncio.sleep(60)
        for span in (1, 2):
            rig.card.plug(span)
        assert [group.name for group in (await rig.agent.told(LinesReplaced)).groups] == groups
        assert (await rig.agent.told(LineFaultsChanged, faults=())).faults == ()
        await asyncio.sleep(3)
        await rig.answered()

    run_rig(folder, main, config, connected=False, before=unplug_all)


def test_the_second_card_too(folder: Path) -> None:
    """Where no group says which lines there are: those of one card first, those of the other when it is there."""

    async def main(rig: Rig) -> None:
        rig.card.plug(1)
        assert len((await rig.agent.told(LinesReplaced)).channels) == 4
        await asyncio.sleep(30)
        _, leg = await rig.answered()
        rig.card.plug(2)
        assert len((await rig.agent.told(LinesReplaced)).channels) == 6
        assert rig.leg(leg).released_at is None

    run_rig(folder, main, LINES, before=unplug_all)


def test_a_set_up_can_be_asked_for(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        assert (await told(rig)).groups == ()

    run_rig(folder, main, LINES, before=unplug_all)


def test_the_call_agent_says_so_and_calls_itself(config: Config, prompts: PromptLibrary) -> None:
    """Over the inner line, which is always there; a trunk without lines is none to call over."""

    async def main(box: Box) -> None:
        await asyncio.sleep(10)
        bad = {check.name: check for check in box.agent.live.health.checks if check.grade is Grade.FAILED}
        assert bad.keys() == {"card"}
        assert "Plug one in" in bad["card"].remedy
        assert (await box.agent.self_calls.run(RunSelfCall(by="test"))).end is SelfCallEnd.HEARD
        out = await box.agent.self_calls.run(RunSelfCall(by="test", group="trunk", number="1"))
        assert (out.end, out.detail) == (SelfCallEnd.SKIPPED, "no line to call over: trunk has none")
        await box.idle()

    run_box(config, prompts, main, LinesConfig(virtual=VirtualConfig(spans=())))
