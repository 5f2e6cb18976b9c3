"""Calls made at the telephone sets of the house, through the whole box: to each other, out, to a service; what is heard and recorded."""

import asyncio
import functools
from pathlib import Path
from typing import Any

import msgspec
import pytest

from appliance.config import CallsConfig, Config, Destination
from appliance.ivr.prompts.library import PromptLibrary
from appliance.routing import Route
from appliance.store.models import CallRecord, Recording, VoiceMessage
from drivers.media import Tone
from drivers.protocol import BlockChannel, Cause
from drivers.settings import Paths
from drivers.virtual.handset import Phase
from tests.scenarios.box_rig import BOX, Box, run_box
from tests.scenarios.house_rig import ONE, OUTSIDE, SILENT, TAKEN, THREE, TWO, WORLD, dial, made, records, talk
from tests.scenarios.killing import Life
from tests.scenarios.lines_rig import recorded, speech_like


def test_sets_call_each_other(config: Config, prompts: PromptLibrary, folder: Path) -> None:
    async def act(box: Box) -> None:
        one, two = dial(box, ONE, "8002"), box.set(TWO)
        await two.reached(Phase.RINGING)
        await asyncio.sleep(3)
        assert one.heard_tones[-1] is Tone.RINGBACK
        two.answer()
        await asyncio.sleep(1)
        await talk(folder, one, two)
        two.hang_up()
        await one.reached(Phase.ENDED)

    record = made(config, prompts, act)
    assert (record["direction"], record["ani"], record["dnis"]) == ("internal", "8001", "8002")
    assert (record["transferred_to"], record["transfer_outcome"], record["operator_channel"]) == ("8002", "answered", TWO)
    assert (record["outcome"], record["ended_by"], record["cause"]) == ("operator", "operator", Cause.NORMAL)
    assert 3000 < record["talk_ms"] < 6000 < record["duration_ms"]


def test_caller_hears_the_dial_tone_before_and_silence_after_the_first_digit(config: Config, prompts: PromptLibrary, folder: Path) -> None:
    async def act(box: Box) -> None:
        telephone = box.set(ONE)
        telephone.pick_up()
        telephone.listen(folder / "heard.wav")
        await asyncio.sleep(1)
        telephone.press("8002")
        await box.set(TWO).reached(Phase.RINGING)

    made(config, prompts, act)
    heard = recorded(folder / "heard.wav")[0]
    assert set(heard[4000:7000]) > {0xD5}
    assert set(heard[9600:11000]) == {0xD5}


def test_wrong_number_is_no_call(config: Config, prompts: PromptLibrary) -> None:
    async def main(box: Box) -> int:
        telephone = dial(box, ONE, "wwww7")
        await asyncio.sleep(6)
        assert telephone.heard_tones == [Tone.DIAL, Tone.CONGESTION]
        telephone.hang_up()
        await asyncio.sleep(2)
        dial(box, ONE, "8002")
        await box.set(TWO).reached(Phase.RINGING)
        box.set(ONE).hang_up()
        await box.idle()
        count: int = await box.ask(CallRecord.select().count)
        return count

    assert run_box(config, prompts, main, WORLD) == 1


@pytest.mark.parametrize(
    ("number", "busy", "outcome", "cause", "tone"),
    [
        ("8002", False, "no_answer", Cause.NO_ANSWER, Tone.BUSY),
        ("8002", True, "no_channel", Cause.USER_BUSY, Tone.BUSY),
        (f"9{TAKEN}", False, "busy", Cause.USER_BUSY, Tone.BUSY),
        (f"9{SILENT}", False, "no_answer", Cause.NO_ANSWER, Tone.BUSY),
    ],
)
def test_nobody_reached(config: Config, prompts: PromptLibrary, number: str, busy: bool, outcome: str, cause: Cause, tone: Tone) -> None:
    async def act(box: Box) -> None:
        if busy:
            box.set(TWO).pick_up()
            await asyncio.sleep(1)
        telephone = dial(box, ONE, number)
        await asyncio.sleep(90)
        assert telephone.heard_tones[-1] is tone
        telephone.hang_up()

    record = made(config, prompts, act)
    assert (record["transfer_outcome"], record["outcome"], record["cause"]) == (outcome, "operator_missed", cause)
    assert record["answered_at"] is None


def test_caller_gives_up_while_it_rings(config: Config, prompts: PromptLibrary) -> None:
    async def act(box: Box) -> None:
        one = dial(box, ONE, "8002")
        await box.set(TWO).reached(Phase.RINGING)
        await asyncio.sleep(3)
        one.hang_up()
        await box.set(TWO).reached(Phase.IDLE)

    record = made(config, prompts, act)
    assert (record["transfer_outcome"], record["ended_by"]) == ("abandoned", "caller")


def test_set_dials_out_through_a_trunk(config: Config, prompts: PromptLibrary, folder: Path) -> None:
    async def act(box: Box) -> None:
        one = dial(box, ONE, f"9{OUTSIDE}")
        other = box.card.world.telephones[OUTSIDE]
        await other.reached(Phase.TALKING)
        await asyncio.sleep(12)  # the line tells an answer by ringback that comes no more
        await talk(folder, one, other)
        one.hang_up()
        await asyncio.sleep(3)

    record = made(config, prompts, act)
    assert (record["direction"], record["dnis"], record["transferred_to"]) == ("outbound", f"9{OUTSIDE}", OUTSIDE)
    assert (record["transfer_outcome"], record["ended_by"]) == ("answered", "caller")


def test_operator_by_its_short_number(config: Config, prompts: PromptLibrary) -> None:
    async def act(box: Box) -> None:
        dial(box, ONE, "0")
        operator = box.set(THREE)
        await operator.reached(Phase.RINGING)
        operator.answer()
        await asyncio.sleep(2)

    calls = CallsConfig(operator=Destination(group="", channel=THREE))
    record = made(msgspec.structs.replace(config, calls=calls), prompts, act)
    assert (record["dnis"], record["operator_channel"], record["direction"]) == ("0", THREE, "internal")


def test_service_code_leads_to_the_hotline(config: Config, prompts: PromptLibrary) -> None:
    async def act(box: Box) -> None:
        one = dial(box, ONE, "*1")
        await asyncio.sleep(3)
        one.press("2")
        await asyncio.sleep(3)

    record = made(config, prompts, act)
    assert (record["path"], record["direction"], record["digits"]) == ("greeting>main_menu>opening_hours", "internal", "2")


def test_blocked_set_calls_nobody_else(config: Config, prompts: PromptLibrary) -> None:
    async def main(box: Box) -> int:
        box.agent.lines.send(BlockChannel(channel=ONE))
        await asyncio.sleep(0.5)
        telephone = dial(box, ONE, "8002")
        await asyncio.sleep(4)
        assert telephone.heard_tones[-1] is Tone.CONGESTION
        count: int = await box.ask(CallRecord.select().count)
        return count

    assert run_box(config, prompts, main, WORLD) == 0


def test_rule_that_names_the_number_goes_before_the_dial_plan(config: Config, prompts: PromptLibrary) -> None:
    async def act(box: Box) -> None:
        telephone = dial(box, ONE, f"9{OUTSIDE}")
        await asyncio.sleep(4)
        assert telephone.heard_tones[-1] is Tone.BUSY

    routes = (
        Route(name="for callers", service="after_hours"),
        Route(name="no mobile numbers", service="reject", group="sets", dnis="91*"),
    )
    record = made(msgspec.structs.replace(config, calls=CallsConfig(routes=routes)), prompts, act)
    assert (record["outcome"], record["cause"]) == ("abandoned", Cause.REJECTED)


@pytest.mark.parametrize(("record", "kept"), [(("inbound", "outbound"), 0), (("internal",), 1)])
def test_internal_calls_are_recorded_by_policy(config: Config, prompts: PromptLibrary, record: Any, kept: int) -> None:
    async def main(box: Box) -> int:
        dial(box, ONE, "8002")
        await box.set(TWO).reached(Phase.RINGING)
        box.set(TWO).answer()
        await asyncio.sleep(3)
        box.set(ONE).hang_up()
        await box.idle()
        count: int = await box.ask(Recording.select().count)
        return count

    assert run_box(msgspec.structs.replace(config, calls=CallsConfig(record=record)), prompts, main, WORLD) == kept


def test_lamp_shows_while_a_message_waits(config: Config, prompts: PromptLibrary) -> None:
    async def main(box: Box) -> list[bool]:
        lamp = box.set(TWO)
        seen = [lamp._wire.message_waiting]
        await call(box, "3")
        await asyncio.sleep(10)
        seen.append(lamp._wire.message_waiting)
        await box.next_agent(Life())
        await asyncio.sleep(10)
        seen.append(lamp._wire.message_waiting)
        await box.ask(lambda: VoiceMessage.update(heard_at=box.clock.now()).execute())
        await asyncio.sleep(10)
        return [*seen, lamp._wire.message_waiting]

    async def call(box: Box, key: str) -> None:
        caller = box.telephone()
        caller.dial(BOX)
        await caller.reached(Phase.TALKING)
        caller.press(key)
        await asyncio.sleep(8)
        caller.speak_samples(speech_like(4, 5))
        await asyncio.sleep(6)
        caller.hang_up()
        await box.idle()

    calls = CallsConfig(message_lamps=("8002", "7777"))
    assert run_box(msgspec.structs.replace(config, calls=calls), prompts, main, WORLD) == [False, True, True, False]


def test_call_agent_killed_at_any_message(prompts: PromptLibrary, folder: Path) -> None:
    """From the number dialled to the record: the two talk all the same, and there is one record that is right."""

    async def act(box: Box, messages: int) -> bool:
        life = Life(messages)
        await box.agent.stop()
        await box.start_agent(life)
        one, two, replaced = dial(box, ONE, "8002"), box.set(TWO), False
        for _ in range(120):
            await asyncio.sleep(0.25)
            replaced = await replace_dead(box, life, replaced)
            if two.phase is Phase.RINGING:
                two.answer()
        one.hang_up()
        await asyncio.sleep(2)
        await replace_dead(box, life, replaced)
        two.hang_up()
        await box.idle()
        (record,) = await box.ask(records)
        found = (record["direction"], record["transfer_outcome"], record["operator_channel"], record["ended_by"], record["cause"])
        assert found == ("internal", "answered", TWO, "caller", Cause.NORMAL), f"killed after {messages} messages: {record}"
        return life.over.is_set()

    messages, died = 4, True
    while died:
        folder_of_run = folder / str(messages)
        config = Config(paths=Paths(run_dir=str(folder_of_run / "run"), data_dir=str(folder_of_run / "data")))
        died = run_box(config, prompts, functools.partial(act, messages=messages), WORLD)
        messages += 1
    assert messages > 20


async def replace_dead(box: Box, life: Life, replaced: bool) -> bool:
    """Once."""
    if life.over.is_set() and not replaced:
        await box.next_agent(Life())
    return life.over.is_set()
