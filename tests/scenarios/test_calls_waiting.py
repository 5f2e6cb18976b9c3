"""A set that talks is called: a beep, a flash to switch, turns; on the virtual card, through the whole box."""

import asyncio
from pathlib import Path

import msgspec

from appliance.config import CallsConfig, Config
from appliance.ivr.prompts.library import PromptLibrary
from drivers.media import Tone
from drivers.virtual.handset import Phase
from tests.scenarios.box_rig import Box
from tests.scenarios.house_rig import ONE, THREE, TWO, dial, flashed, hears, knocking, play, talking
from tests.scenarios.killing import Life
from tests.scenarios.lines_rig import recorded
from tests.scenarios.set_rig import Bell


def beeps(heard: bytes) -> int:
    """Bursts of sound of about 400 ms in a recording that is silent otherwise."""
    loud = [any(abs((sample ^ 0x55) & 0x7F) > 0x18 for sample in heard[at : at + 400]) for at in range(0, len(heard), 400)]
    return sum(now and not before for before, now in zip([False, *loud], loud, strict=False))


def test_beep_is_heard_by_the_set_alone_again_and_again(config: Config, prompts: PromptLibrary, folder: Path) -> None:
    async def act(box: Box) -> None:
        one, two, three = await knocking(box)
        for each in (one, two):
            each.listen(folder / f"{each.number}.wav")
        await asyncio.sleep(9)
        for each in (one, two):
            each.stop_listening()
        await hears(folder, one, two)
        three.hang_up()
        await asyncio.sleep(2)
        await hears(folder, two, one)

    play(config, prompts, act)
    assert beeps(recorded(folder / f"{TWO}.wav")[0]) == 2
    assert beeps(recorded(folder / f"{ONE}.wav")[0]) == 0


def test_flash_switches_there_and_back(config: Config, prompts: PromptLibrary, folder: Path) -> None:
    async def act(box: Box) -> None:
        one, two, three = await knocking(box)
        await flashed(two)
        await hears(folder, three, two, not_by=(one,))
        await hears(folder, two, three, not_by=(one,))
        await flashed(two)
        await hears(folder, one, two, not_by=(three,))
        await hears(folder, two, one, not_by=(three,))
        await flashed(two)
        await hears(folder, three, two, not_by=(one,))
        two.hang_up()
        await three.reached(Phase.ENDED)
        await one.reached(Phase.ENDED)

    first, second = play(config, prompts, act)
    assert (first["ani"], second["ani"]) == ("8001", "8003")
    assert (second["transfer_outcome"], second["operator_channel"], second["ended_by"]) == ("answered", TWO, "operator")
    assert second["talk_ms"] > 5000


def test_waiting_caller_who_leaves_gives_the_set_back(config: Config, prompts: PromptLibrary, folder: Path) -> None:
    async def act(box: Box) -> None:
        one, two, three = await knocking(box)
        await flashed(two)
        three.hang_up()
        await asyncio.sleep(3)
        await hears(folder, one, two)
        await flashed(two)
        await flashed(two)
        await hears(folder, two, one)

    play(config, prompts, act)


def test_first_caller_who_leaves_takes_nobody_along(config: Config, prompts: PromptLibrary, folder: Path) -> None:
    async def act(box: Box) -> None:
        one, two, three = await knocking(box)
        await flashed(two)
        one.hang_up()
        await asyncio.sleep(3)
        await hears(folder, three, two)
        await hears(folder, two, three)
        three.hang_up()
        await two.reached(Phase.ENDED)

    first, second = play(config, prompts, act)
    assert (first["ended_by"], second["ended_by"]) == ("caller", "caller")


def test_first_caller_who_leaves_in_his_turn_makes_way(config: Config, prompts: PromptLibrary, folder: Path) -> None:
    async def act(box: Box) -> None:
        one, two, three = await knocking(box)
        for _ in range(2):
            await flashed(two)
        one.hang_up()
        await asyncio.sleep(3)
        await hears(folder, three, two)

    play(config, prompts, act)


def test_set_put_down_is_rung(config: Config, prompts: PromptLibrary, folder: Path) -> None:
    async def act(box: Box) -> None:
        _one, two, three = await knocking(box)
        two.hang_up()
        bell = Bell(box.card.world, TWO)
        await two.reached(Phase.RINGING)
        await asyncio.sleep(2)
        assert bell.lengths_ms()[:3] == [300, 300, 300]
        two.answer()
        await asyncio.sleep(2)
        await hears(folder, three, two)

    _, second = play(config, prompts, act)
    assert (second["transfer_outcome"], second["operator_channel"]) == ("answered", TWO)


def test_beep_that_nobody_heeds_ends_as_unanswered(config: Config, prompts: PromptLibrary, folder: Path) -> None:
    async def act(box: Box) -> None:
        one, two, three = await knocking(box)
        await asyncio.sleep(20)
        assert three.heard_tones[-1] is Tone.BUSY
        await hears(folder, one, two)

    calls = CallsConfig(extension_ring_ms=15_000)
    play(msgspec.structs.replace(config, calls=calls), prompts, act)


def test_third_caller_hears_that_it_is_taken(config: Config, prompts: PromptLibrary) -> None:
    async def act(box: Box) -> None:
        await talking(box)
        three = dial(box, THREE, "8002")
        await asyncio.sleep(4)
        assert three.heard_tones[-1] is Tone.BUSY

    calls = CallsConfig(call_waiting=False)
    play(msgspec.structs.replace(config, calls=calls), prompts, act)


def test_next_call_agent_lets_them_take_turns(config: Config, prompts: PromptLibrary, folder: Path) -> None:
    async def act(box: Box) -> None:
        one, two, three = await knocking(box)
        await flashed(two)
        await box.next_agent(Life())
        await asyncio.sleep(2)
        await hears(folder, three, two)
        await flashed(two)
        await hears(folder, one, two, not_by=(three,))

    play(config, prompts, act)
