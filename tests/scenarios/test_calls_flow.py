"""The first flow, choice by choice, on the virtual card: the way each call goes, what it leaves, who ends it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from appliance.config import CallsConfig, Config
from appliance.events import CallFailed, Happened, MessageLeft, PromptPlayed
from appliance.ivr.prompts.library import PromptLibrary
from appliance.routing import Route
from appliance.store.models import CallRecord, Recording, VoiceMessage
from appliance.store.projections import events_of
from drivers.clock import VirtualClock, run_virtual
from drivers.protocol import Command, StartRecording
from drivers.virtual.handset import Phase
from tests.scenarios.box_rig import BOX, Box, call, press, run_box
from tests.scenarios.killing import JumpingClock, Life, start_agent
from tests.scenarios.lines_rig import speech_like
from tests.scenarios.scripted_lines import ScriptedLines

MENU = "greeting>main_menu"


def one_record() -> dict[str, Any]:
    (record,) = CallRecord.select()
    found: dict[str, Any] = record.__data__
    return found


def events() -> list[Happened]:
    return events_of(one_record()["call_id"])


def made(config: Config, prompts: PromptLibrary, act: Callable[[Box], Awaitable[None]]) -> tuple[dict[str, Any], list[Happened]]:
    """One call as `act` makes it: its record and its events."""

    async def main(box: Box) -> Any:
        await act(box)
        await box.idle()
        return await box.ask(lambda: (one_record(), events()))

    result: tuple[dict[str, Any], list[Happened]] = run_box(config, prompts, main)
    return result


@pytest.mark.parametrize(
    ("keys", "hang_up", "path", "outcome", "ended_by", "language"),
    [
        ("", True, "greeting", "completed", "caller", "zh"),
        ("", False, f"{MENU}>goodbye", "completed", "box", "zh"),
        ("1", True, f"{MENU}>introduction", "completed", "caller", "zh"),
        (".1.*.#.", True, f"{MENU}>introduction>after_introduction>introduction>after_introduction>main_menu", "completed", "caller", "zh"),
        ("2", True, f"{MENU}>opening_hours", "completed", "caller", "zh"),
        ("9", True, f"{MENU}>language>language_chosen", "completed", "caller", "en"),
        ("9.9.", True, f"{MENU}>language>language_chosen>main_menu>language>language_chosen", "completed", "caller", "zh"),
        ("*.", True, f"{MENU}>main_menu", "completed", "caller", "zh"),
        ("7.8.#.", True, f"{MENU}>too_many_tries", "completed", "caller", "zh"),
        ("30", False, f"{MENU}>message>main_menu>goodbye", "completed", "box", "zh"),
    ],
)  # fmt: skip
def test_ways(
    config: Config, prompts: PromptLibrary, keys: str, hang_up: bool, path: str, outcome: str, ended_by: str, language: str
) -> None:
    async def act(box: Box) -> None:
        await call(box, keys, hang_up)

    record, _ = made(config, prompts, act)
    assert (record["path"], record["outcome"], record["ended_by"], record["language"]) == (path, outcome, ended_by, language)


def test_message_is_kept_and_its_number_said(config: Config, prompts: PromptLibrary) -> None:
    async def act(box: Box) -> None:
        telephone = box.telephone()
        telephone.dial(BOX)
        await telephone.reached(Phase.TALKING)
        await press(telephone, "3")
        await asyncio.sleep(6)
        telephone.speak_samples(speech_like(4, seed=1))
        await telephone.spoken()
        await press(telephone, "#")
        await telephone.reached(Phase.ENDED)
        box.card.world.dismiss(telephone)

    record, happened = made(config, prompts, act)
    left = next(event for event in happened if isinstance(event, MessageLeft))
    assert (record["outcome"], left.reference, left.ani) == ("message", "1001", record["ani"])
    assert 4000 < left.duration_ms < 7000
    assert speech_like(4, seed=1)[8000:9000] in (config.paths.recordings_dir / left.path).read_bytes()
    said = [event.prompts for event in happened if isinstance(event, PromptPlayed)]
    assert ("message_saved", "message_number_is", "digit_1", "digit_0", "digit_0", "digit_1") in said


@pytest.mark.parametrize(
    ("service", "path", "outcome", "answered"),
    [
        ("reject", "", "abandoned", False),
        ("after_hours", "out_of_hours", "completed", True),
        ("operator", "operator_greeting", "completed", True),
    ],
)
def test_routes(config: Config, prompts: PromptLibrary, service: Any, path: str, outcome: str, answered: bool) -> None:
    calls = CallsConfig(routes=(Route(name="all", service=service),))
    box_config = msgspec.structs.replace(config, calls=calls)

    async def main(box: Box) -> Any:
        telephone = box.telephone()
        telephone.dial(BOX)
        await asyncio.sleep(5)
        telephone.hang_up()
        await box.idle()
        return await box.ask(lambda: CallRecord.select().order_by(CallRecord.started_at)[0].__data__)

    record = run_box(box_config, prompts, main)
    assert (record["path"], record["outcome"], record["answered_at"] is not None) == (path, outcome, answered)


@pytest.mark.parametrize(("shown", "ani", "presentation"), [("13812345678", "13812345678", "allowed"), ("withheld", None, "restricted")])
def test_record_says_who_called_and_how_we_know(
    config: Config, prompts: PromptLibrary, shown: str, ani: str | None, presentation: str
) -> None:
    record, _ = made(config, prompts, lambda box: call(box, number=shown))
    assert (record["ani"], record["presentation"], record["ani_source"]) == (ani, presentation, "fsk")


class HalfLibrary(PromptLibrary):
    """A library from which one prompt was deleted after the start."""

    def path(self, prompt_id: str, lang: Any) -> Any:
        return super().path("deleted" if prompt_id == "greeting" else prompt_id, lang)


def test_a_missing_prompt_stops_no_call(config: Config) -> None:
    async def act(box: Box) -> None:
        await call(box, " 2")

    record, happened = made(config, HalfLibrary(), act)
    assert record["path"] == f"{MENU}>opening_hours"
    fault = next(event for event in happened if isinstance(event, CallFailed))
    assert (fault.code, "deleted" in fault.what) == ("APP-062", True)


def test_what_cannot_be_recorded_is_told(config: Config, prompts: PromptLibrary) -> None:
    """A full disk: the call goes on, a message is not taken, the record says why."""

    def refuse(command: Command) -> str:
        return "no space left" if isinstance(command, StartRecording) else ""

    async def main(clock: VirtualClock) -> Any:
        server = ScriptedLines(clock)
        server.refuse = refuse
        agent = await start_agent(config, server, clock, prompts, Life())
        await asyncio.sleep(1)
        leg = server.ring()
        await asyncio.sleep(5)
        server.press(leg, "3")
        await asyncio.sleep(120)
        result = await agent.store.run(lambda: (one_record(), events(), VoiceMessage.select().count()))
        await agent.stop()
        return result

    record, happened, messages = run_virtual(main, JumpingClock())
    assert record["path"] == f"{MENU}>message>main_menu>goodbye"
    assert messages == 0
    faults = [event.what for event in happened if isinstance(event, CallFailed)]
    assert faults == ["no space left", "no space left"]


def test_a_recording_its_disk_holds_for_ten_seconds_is_waited_for(config: Config, prompts: PromptLibrary) -> None:
    """That long the media core tries; what is in the file by then belongs in the record."""

    async def main(clock: VirtualClock) -> Any:
        server = ScriptedLines(clock)
        server.close_s = 10.5
        agent = await start_agent(config, server, clock, prompts, Life())
        await asyncio.sleep(1)
        leg = server.ring()
        await asyncio.sleep(5)
        server.hang_up(leg)
        await asyncio.sleep(20)
        result = await agent.store.run(lambda: Recording.select().dicts().get())
        await agent.stop()
        return result

    recording = run_virtual(main, JumpingClock())
    assert recording["samples"] > 0
    assert recording["error"] == ""
