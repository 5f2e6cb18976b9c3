"""The hook of a set while it talks: hold, a third, three together, back, handed over; on the virtual card, through the whole box."""

import asyncio
from pathlib import Path

import pytest

from appliance.config import Config
from appliance.ivr.prompts.library import PromptLibrary
from drivers.media import Tone
from drivers.virtual.handset import Phase
from tests.scenarios.box_rig import BOX, Box
from tests.scenarios.house_rig import ONE, OUTSIDE, THREE, consulting, dial, flashed, hears, play, talking
from tests.scenarios.killing import Life


def test_flash_holds_and_flash_brings_back(config: Config, prompts: PromptLibrary, folder: Path) -> None:
    async def act(box: Box) -> None:
        one, two = await talking(box)
        await flashed(two)
        assert Tone.DIAL in two.heard_tones
        await hears(folder, two, not_by=(one,))
        await flashed(two)
        await hears(folder, two, one)
        await hears(folder, one, two)

    play(config, prompts, act)


def test_caller_can_hold_and_bring_a_third_in_too(config: Config, prompts: PromptLibrary, folder: Path) -> None:
    async def act(box: Box) -> None:
        one, two = await talking(box)
        three = await consulting(box, one)
        await hears(folder, three, one, not_by=(two,))
        await flashed(one)
        await hears(folder, two, one, three)
        await flashed(one)
        await hears(folder, one, two)
        one.hang_up()
        await two.reached(Phase.ENDED)

    play(config, prompts, act)


def test_wrong_number_while_holding_is_told_and_the_call_is_still_there(config: Config, prompts: PromptLibrary, folder: Path) -> None:
    async def act(box: Box) -> None:
        one, two = await talking(box)
        await flashed(two)
        two.press("7")
        await asyncio.sleep(4)
        assert two.heard_tones[-1] is Tone.CONGESTION
        await flashed(two)
        await hears(folder, two, one)

    play(config, prompts, act)


def test_third_is_asked_and_the_held_one_hears_nothing_of_it(config: Config, prompts: PromptLibrary, folder: Path) -> None:
    async def act(box: Box) -> None:
        one, two = await talking(box)
        three = await consulting(box, two)
        await hears(folder, three, two, not_by=(one,))
        await hears(folder, two, three, not_by=(one,))
        three.hang_up()
        await asyncio.sleep(2)
        await flashed(two)
        await hears(folder, one, two)

    play(config, prompts, act)


def test_three_together_and_two_again(config: Config, prompts: PromptLibrary, folder: Path) -> None:
    async def act(box: Box) -> None:
        one, two = await talking(box)
        three = await consulting(box, two)
        await flashed(two)
        await hears(folder, one, two, three)
        await hears(folder, three, one, two)
        two.flash()
        await three.reached(Phase.ENDED)
        await asyncio.sleep(1)
        await hears(folder, one, two)

    play(config, prompts, act)


def test_put_down_joins_the_held_one_with_the_third(config: Config, prompts: PromptLibrary, folder: Path) -> None:
    async def act(box: Box) -> None:
        one, two = await talking(box)
        three = await consulting(box, two)
        two.hang_up()
        await asyncio.sleep(3)
        await hears(folder, one, three)
        await hears(folder, three, one)
        three.hang_up()
        await one.reached(Phase.ENDED)

    (record,) = play(config, prompts, act)
    assert (record["ended_by"], record["transferred_to"]) == ("operator", "8003")


def test_caller_from_outside_is_handed_over_while_the_third_rings(config: Config, prompts: PromptLibrary, folder: Path) -> None:
    async def act(box: Box) -> None:
        caller = box.telephone()
        caller.dial(BOX)
        await caller.reached(Phase.TALKING)
        await asyncio.sleep(4)
        caller.press("0")
        operator = box.set(ONE)
        await operator.reached(Phase.RINGING)
        operator.answer()
        await asyncio.sleep(3)
        await flashed(operator)
        operator.press("8003")
        await box.set(THREE).reached(Phase.RINGING)
        operator.hang_up()
        await asyncio.sleep(2)
        box.set(THREE).answer()
        await asyncio.sleep(3)
        await hears(folder, caller, box.set(THREE))
        caller.hang_up()

    (record,) = play(config, prompts, act)
    assert (record["ended_by"], record["transferred_to"], record["transfer_outcome"]) == ("caller", "8003", "answered")


@pytest.mark.parametrize("number", ["8003", "8003#"])
def test_third_is_not_there(config: Config, prompts: PromptLibrary, folder: Path, number: str) -> None:
    async def act(box: Box) -> None:
        one, two = await talking(box)
        box.set(THREE).pick_up()
        await asyncio.sleep(1)
        await flashed(two)
        two.press(number)
        await asyncio.sleep(5)
        assert two.heard_tones[-1] is Tone.BUSY
        await flashed(two)
        await hears(folder, two, one)

    play(config, prompts, act)


def test_flash_while_the_third_rings_gives_it_up(config: Config, prompts: PromptLibrary, folder: Path) -> None:
    async def act(box: Box) -> None:
        one, two = await talking(box)
        await flashed(two)
        two.press("8003")
        await box.set(THREE).reached(Phase.RINGING)
        await asyncio.sleep(2)
        two.flash()
        await box.set(THREE).reached(Phase.IDLE)
        await asyncio.sleep(2)
        await hears(folder, two, one)

    play(config, prompts, act)


def test_third_can_be_outside(config: Config, prompts: PromptLibrary, folder: Path) -> None:
    async def act(box: Box) -> None:
        one, two = await talking(box)
        await flashed(two)
        two.press(f"9{OUTSIDE}")
        other = box.card.world.telephones[OUTSIDE]
        await other.reached(Phase.TALKING)
        await asyncio.sleep(12)
        two.hang_up()
        await asyncio.sleep(3)
        await hears(folder, one, other)

    (record,) = play(config, prompts, act)
    assert record["transferred_to"] == OUTSIDE


def test_flash_in_a_menu_means_nothing(config: Config, prompts: PromptLibrary) -> None:
    async def act(box: Box) -> None:
        one = dial(box, ONE, "*1")
        await asyncio.sleep(4)
        await flashed(one)
        one.press("2")
        await asyncio.sleep(3)

    (record,) = play(config, prompts, act)
    assert record["path"] == "greeting>main_menu>opening_hours"


@pytest.mark.parametrize("stage", ["held", "consulting", "together"])
def test_next_call_agent_knows_where_they_stand(config: Config, prompts: PromptLibrary, folder: Path, stage: str) -> None:
    async def act(box: Box) -> None:
        one, two = await talking(box)
        if stage == "held":
            await flashed(two)
        else:
            await consulting(box, two)
        if stage == "together":
            await flashed(two)
        await box.next_agent(Life())
        await asyncio.sleep(1)
        await flashed(two)
        if stage == "consulting":
            await hears(folder, one, two, box.set(THREE))
        else:
            await hears(folder, one, two)

    play(config, prompts, act)
