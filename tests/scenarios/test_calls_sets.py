"""Calls made at the telephone sets of the house, through the whole box: to each other, out, to a service; what is heard and recorded."""

import asyncio
import functools
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from appliance.config import CallsConfig, Config, Destination
from appliance.ivr.prompts.library import PromptLibrary
from appliance.routing import Route
from appliance.store.models import CallRecord, Recording, VoiceMessage
from drivers.config import GroupConfig, LinesConfig
from drivers.dial_plan import DialPlan, ServiceRule
from drivers.media import Tone
from drivers.protocol import BlockChannel, Cause
from drivers.settings import Paths
from drivers.virtual.config import Answering, NumberConfig, SetConfig, SpanConfig, SpanKind, TelephoneConfig, VirtualConfig
from drivers.virtual.handset import Phase
from drivers.virtual.telephone import OutsideTelephone, WiredSet
from tests.scenarios.box_rig import BOX, Box, run_box
from tests.scenarios.killing import Life
from tests.scenarios.lines_rig import recorded, speech_like, wav

TRUNKS = 2
ONE, TWO, THREE = 3, 4, 5  # sets 8001, 8002, 8003
OUTSIDE, SILENT, TAKEN = "13800138000", "13800138001", "13800138002"

WORLD = LinesConfig(
    virtual=VirtualConfig(
        spans=(SpanConfig(kind=SpanKind.FXO, channels=TRUNKS), SpanConfig(kind=SpanKind.FXS, channels=3)),
        numbers=(NumberConfig(number=BOX, spans=(1,)),),
        sets=tuple(SetConfig(channel=number, answering=Answering.COMMAND) for number in (ONE, TWO, THREE)),
        telephones=(
            TelephoneConfig(number=OUTSIDE),
            TelephoneConfig(number=SILENT, answering=Answering.NEVER),
            TelephoneConfig(number=TAKEN, answering=Answering.BUSY),
            TelephoneConfig(number="120"),
        ),
        ring_limit_ms=100_000,
    ),
    dial_plan=DialPlan(services=(ServiceRule(code="*1", service="hotline"),)),
)
SLOW_S = 90.0


def dial(box: Box, channel: int, number: str) -> WiredSet:
    """Lift the set and dial."""
    telephone = box.set(channel)
    telephone.pick_up()
    telephone.detect("cn", (Tone.DIAL, Tone.RINGBACK, Tone.BUSY, Tone.CONGESTION))
    telephone.press(f"w{number}")
    return telephone


def record_of_the_call() -> dict[str, Any]:
    (record,) = CallRecord.select()
    found: dict[str, Any] = record.__data__
    return found


def made(config: Config, prompts: PromptLibrary, act: Callable[[Box], Awaitable[None]], lines: LinesConfig = WORLD) -> dict[str, Any]:
    """One call as `act` makes it, and its record."""

    async def main(box: Box) -> Any:
        await act(box)
        for channel in (ONE, TWO, THREE):
            box.set(channel).hang_up()
        await box.idle()
        return await box.ask(record_of_the_call)

    result: dict[str, Any] = run_box(config, prompts, main, lines)
    return result


async def talk(folder: Path, one: WiredSet | OutsideTelephone, two: WiredSet | OutsideTelephone) -> None:
    """Each says something of its own and hears the other."""
    said = {one: speech_like(1, 1), two: speech_like(1, 2)}
    for telephone in (one, two):
        telephone.listen(folder / f"{telephone.number}.wav")
    await asyncio.sleep(0.2)
    for telephone, samples in said.items():
        telephone.speak(wav(folder / f"says-{telephone.number}.wav", samples))
    await asyncio.sleep(2)
    for telephone in (one, two):
        telephone.stop_listening()
    await asyncio.sleep(1)
    assert said[two] in recorded(folder / f"{one.number}.wav")[0]
    assert said[one] in recorded(folder / f"{two.number}.wav")[0]


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
        await asyncio.sleep(SLOW_S)
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
        record = await box.ask(record_of_the_call)
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
