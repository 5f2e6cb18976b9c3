"""The hook of a set while it talks: hold, a third, three together, back, handed over; on the virtual card, through the whole box."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from appliance.config import Config
from appliance.ivr.prompts.library import PromptLibrary
from appliance.store.models import CallRecord
from drivers.media import Tone
from drivers.virtual.handset import Handset, Phase
from drivers.virtual.telephone import WiredSet
from tests.scenarios.box_rig import BOX, Box, run_box
from tests.scenarios.killing import Life
from tests.scenarios.lines_rig import recorded, speech_like, wav
from tests.scenarios.test_calls_sets import ONE, OUTSIDE, THREE, TWO, WORLD, dial

Act = Callable[[Box], Awaitable[None]]


async def hears(folder: Path, speaker: Handset, *listeners: Handset, not_by: tuple[Handset, ...] = ()) -> None:
    """What one says reaches these and not those."""
    said = speech_like(0.5, hash(speaker.number) % 1000)
    paths = {each: folder / f"{each.number}-{asyncio.get_running_loop().time():.2f}.wav" for each in (*listeners, *not_by)}
    for each, path in paths.items():
        each.listen(path)
    await asyncio.sleep(0.2)
    speaker.speak(wav(folder / "says.wav", said))
    await asyncio.sleep(1.5)
    for each in paths:
        each.stop_listening()
    await asyncio.sleep(1)
    reached = {each: arrived(recorded(path)[0], said) for each, path in paths.items()}
    assert [reached[each] for each in listeners] == [True] * len(listeners), f"{speaker.number} is not heard"
    assert [reached[each] for each in not_by] == [False] * len(not_by), f"{speaker.number} is heard"


def arrived(heard: bytes, said: bytes) -> bool:
    """Whether it was heard; mixed with the silence of others (which is not quite 0 in A-law) it differs by a step or two."""
    codes, needle = [_step(sample) for sample in heard], [_step(sample) for sample in said[800:1200]]
    strong = [(at, code) for at, code in enumerate(needle) if 64 < abs(code) < 120]
    return any(all(abs(codes[begin + at] - code) <= 2 for at, code in strong) for begin in range(len(codes) - len(needle)))


def _step(sample: int) -> int:
    """An A-law byte as a number that rises with the amplitude. Source: G.711."""
    code = sample ^ 0x55
    return code & 0x7F if code & 0x80 else -(code & 0x7F)


async def talking(box: Box) -> tuple[WiredSet, WiredSet]:
    """Set one has called set two, and they talk."""
    one, two = dial(box, ONE, "8002"), box.set(TWO)
    await two.reached(Phase.RINGING)
    two.answer()
    two.detect("cn", (Tone.DIAL, Tone.RINGBACK, Tone.BUSY, Tone.CONGESTION))
    await asyncio.sleep(2)
    return one, two


async def consulting(box: Box, holder: WiredSet, third: int = THREE, number: str = "8003") -> WiredSet:
    """The holder has flashed and talks with a third."""
    holder.flash()
    await asyncio.sleep(2)
    holder.press(number)
    await box.set(third).reached(Phase.RINGING)
    box.set(third).answer()
    await asyncio.sleep(2)
    return box.set(third)


def play(config: Config, prompts: PromptLibrary, act: Act) -> list[dict[str, Any]]:
    async def main(box: Box) -> Any:
        await act(box)
        for channel in (ONE, TWO, THREE):
            box.set(channel).hang_up()
        await box.idle()
        return await box.ask(lambda: [row.__data__ for row in CallRecord.select()])

    records: list[dict[str, Any]] = run_box(config, prompts, main, WORLD)
    return records


def test_flash_holds_and_flash_brings_back(config: Config, prompts: PromptLibrary, folder: Path) -> None:
    async def act(box: Box) -> None:
        one, two = await talking(box)
        two.flash()
        await asyncio.sleep(3)
        assert Tone.DIAL in two.heard_tones
        await hears(folder, two, not_by=(one,))
        two.flash()
        await asyncio.sleep(2)
        await hears(folder, two, one)
        await hears(folder, one, two)

    play(config, prompts, act)


def test_caller_can_hold_and_bring_a_third_in_too(config: Config, prompts: PromptLibrary, folder: Path) -> None:
    async def act(box: Box) -> None:
        one, two = await talking(box)
        three = await consulting(box, one)
        await hears(folder, three, one, not_by=(two,))
        one.flash()
        await asyncio.sleep(2)
        await hears(folder, two, one, three)
        one.flash()
        await asyncio.sleep(2)
        await hears(folder, one, two)
        one.hang_up()
        await two.reached(Phase.ENDED)

    play(config, prompts, act)


def test_wrong_number_while_holding_is_told_and_the_call_is_still_there(config: Config, prompts: PromptLibrary, folder: Path) -> None:
    async def act(box: Box) -> None:
        one, two = await talking(box)
        two.flash()
        await asyncio.sleep(2)
        two.press("7")
        await asyncio.sleep(4)
        assert two.heard_tones[-1] is Tone.CONGESTION
        two.flash()
        await asyncio.sleep(2)
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
        two.flash()
        await asyncio.sleep(2)
        await hears(folder, one, two)

    play(config, prompts, act)


def test_three_together_and_two_again(config: Config, prompts: PromptLibrary, folder: Path) -> None:
    async def act(box: Box) -> None:
        one, two = await talking(box)
        three = await consulting(box, two)
        two.flash()
        await asyncio.sleep(2)
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
        operator.flash()
        await asyncio.sleep(2)
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
        two.flash()
        await asyncio.sleep(2)
        two.press(number)
        await asyncio.sleep(5)
        assert two.heard_tones[-1] is Tone.BUSY
        two.flash()
        await asyncio.sleep(2)
        await hears(folder, two, one)

    play(config, prompts, act)


def test_flash_while_the_third_rings_gives_it_up(config: Config, prompts: PromptLibrary, folder: Path) -> None:
    async def act(box: Box) -> None:
        one, two = await talking(box)
        two.flash()
        await asyncio.sleep(2)
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
        two.flash()
        await asyncio.sleep(2)
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
        one.flash()
        await asyncio.sleep(3)
        one.press("2")
        await asyncio.sleep(3)

    (record,) = play(config, prompts, act)
    assert record["path"] == "greeting>main_menu>opening_hours"


@pytest.mark.parametrize("stage", ["held", "consulting", "together"])
def test_next_call_agent_knows_where_they_stand(config: Config, prompts: PromptLibrary, folder: Path, stage: str) -> None:
    async def act(box: Box) -> None:
        one, two = await talking(box)
        if stage == "held":
            two.flash()
            await asyncio.sleep(2)
        else:
            await consulting(box, two)
        if stage == "together":
            two.flash()
            await asyncio.sleep(2)
        await box.next_agent(Life())
        await asyncio.sleep(1)
        two.flash()
        await asyncio.sleep(3)
        if stage == "consulting":
            await hears(folder, one, two, box.set(THREE))
        else:
            await hears(folder, one, two)

    play(config, prompts, act)
