"""Behind a switch: the operator is reached by hook flash and digits; the whole box on the virtual card."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from appliance.config import CallsConfig, Config, Destination
from appliance.ivr.prompts.library import PromptLibrary
from appliance.store.models import CallRecord
from drivers.virtual.handset import Phase
from tests.scenarios.box_rig import BOX, Box, press, run_box, until
from tests.scenarios.killing import Life
from tests.scenarios.lines_rig import BOX as SWITCH_NUMBER
from tests.scenarios.lines_rig import speech_like, wav
from tests.scenarios.test_lines_switch import ANSWERS, BUSY, SILENT, UNKNOWN, behind_a_switch

assert BOX != SWITCH_NUMBER
MENU = "greeting>main_menu>operator"


def handed_on(config: Config, prompts: PromptLibrary, folder: Path, number: str, kill_in_between: bool = False) -> dict[str, Any]:
    """A caller presses 0, and what the switch makes of it; the record."""
    to = Destination(number=number, how="flash", ring_ms=12_000)
    config = msgspec.structs.replace(config, calls=CallsConfig(operator=to))
    say = str(wav(folder / "hello.wav", speech_like(5, 3)))

    async def main(box: Box) -> dict[str, Any]:
        caller = box.telephone()
        caller.dial(SWITCH_NUMBER)
        await caller.reached(Phase.TALKING)
        await press(caller, "0")
        await until(lambda: any(call.tag.handing for call in box.agent.switchboard.calls.values()), 20)
        if kill_in_between:
            await box.next_agent(Life())
        if number == ANSWERS:
            await until(lambda: not box.agent.switchboard.calls, 60)
            assert (caller.phase, box.card.world.telephones[ANSWERS].phase) == (Phase.TALKING, Phase.TALKING)
        else:
            await until(lambda: all(call.tag.place == "main_menu" for call in box.agent.switchboard.calls.values()), 90)
            assert caller.phase is Phase.TALKING
        caller.hang_up()
        await box.idle()
        found: dict[str, Any] = await box.ask(lambda: CallRecord.select()[0].__data__)
        return found

    record: dict[str, Any] = run_box(config, prompts, main, behind_a_switch(say))
    return record


@pytest.mark.parametrize("kill_in_between", [False, True])
def test_a_caller_is_handed_to_the_operator_in_the_switch(
    config: Config, prompts: PromptLibrary, tmp_path: Path, kill_in_between: bool
) -> None:
    record = handed_on(config, prompts, tmp_path, ANSWERS, kill_in_between)
    assert (record["transferred_to"], record["transfer_outcome"], record["outcome"]) == (ANSWERS, "answered", "operator")
    assert (record["path"], record["ended_by"]) == (MENU, "box")


@pytest.mark.parametrize("kill_in_between", [False, True])
@pytest.mark.parametrize(
    ("number", "came_to", "said"),
    [
        (BUSY, "busy", "operator_busy"),
        (SILENT, "no_answer", "operator_no_answer"),
        (UNKNOWN, "no_channel", "operator_busy"),
    ],
)
def test_a_caller_is_taken_back(
    config: Config, prompts: PromptLibrary, tmp_path: Path, number: str, came_to: str, said: str, kill_in_between: bool
) -> None:
    record = handed_on(config, prompts, tmp_path, number, kill_in_between)
    assert (record["transferred_to"], record["transfer_outcome"], record["outcome"]) == (number, came_to, "operator_missed")
    assert record["path"] == f"{MENU}>{said}>main_menu"
