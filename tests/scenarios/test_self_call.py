"""The box calls itself, and turns callers away before it goes down: the whole box but the web, on a virtual clock."""

import asyncio
from pathlib import Path

import pytest

from appliance.config import Config
from appliance.control.messages import RunSelfCall, SelfCallEnd, SelfCallTold, SetClosing
from appliance.ivr.prompts.library import PromptLibrary
from appliance.store.models import CallRecord, Recording
from drivers.errors import CarelineError
from drivers.protocol import SELF_CALL_CHANNEL
from drivers.virtual.handset import Phase
from tests.scenarios.box_rig import BOX, Box, run_box, until
from tests.scenarios.killing import Life

ASKED = RunSelfCall(by="test")


def records() -> list[tuple[str, str, bool]]:
    return [(row.direction, row.group, row.ended_at is not None) for row in CallRecord.select().order_by(CallRecord.started_at)]


async def self_call(box: Box, request: RunSelfCall = ASKED) -> SelfCallTold:
    return await box.agent.self_calls.run(request)


def test_it_is_answered_and_heard(config: Config, prompts: PromptLibrary) -> None:
    async def main(box: Box) -> None:
        told = await self_call(box)
        assert told.end is SelfCallEnd.HEARD
        assert told.answered_ms is not None
        assert told.heard_ms is not None
        assert told.answered_ms <= told.heard_ms < 8_000
        await box.idle()
        assert await box.ask(records) == [("self", "self-call", True)]
        assert await box.ask(lambda: Recording.select().count()) == 0

    run_box(config, prompts, main)


def test_nothing_of_it_is_shown(config: Config, prompts: PromptLibrary) -> None:
    async def main(box: Box) -> None:
        seen: list[object] = []
        box.agent.live.listen(seen.append)
        await self_call(box)
        await box.idle()
        assert not [each for each in seen if "self" in repr(each)]
        assert SELF_CALL_CHANNEL not in box.agent.live.channels
        assert not box.agent.live.snapshot().calls
        assert box.agent.live.health.calls_today == 0

    run_box(config, prompts, main)


def test_one_after_the_other_and_a_hundred(config: Config, prompts: PromptLibrary) -> None:
    async def main(box: Box) -> None:
        first, second = await asyncio.gather(self_call(box), self_call(box))
        assert {first.end, second.end} == {SelfCallEnd.HEARD}
        ports = box.engine.stats().ports_active
        for _ in range(20):
            assert (await self_call(box)).end is SelfCallEnd.HEARD
        await box.idle()
        assert box.engine.stats().ports_active <= ports

    run_box(config, prompts, main)


def test_out_through_a_trunk_to_the_own_number(config: Config, prompts: PromptLibrary) -> None:
    async def main(box: Box) -> None:
        told = await self_call(box, RunSelfCall(by="test", group="trunk", number=BOX, own_number=BOX))
        assert told.end is SelfCallEnd.HEARD, told
        await box.idle()
        assert await box.ask(records) == [("self", "trunk", True)]

    run_box(config, prompts, main)


def test_skipped_when_the_trunk_is_busy(config: Config, prompts: PromptLibrary) -> None:
    async def main(box: Box) -> None:
        free = [number for number, each in box.agent.live.channels.items() if each.group == "trunk"]
        callers = [box.telephone() for _ in free[2:]]
        for caller in callers:
            caller.dial(BOX)
        for caller in callers:
            await caller.reached(Phase.TALKING)
        told = await self_call(box, RunSelfCall(by="test", group="trunk", number=BOX))
        assert told.end is SelfCallEnd.SKIPPED
        assert all(caller.phase is Phase.TALKING for caller in callers)
        for caller in callers:
            caller.hang_up()
        await box.idle()

    run_box(config, prompts, main)


def test_a_flow_without_a_sound_is_told_as_silent(config: Config, prompts: PromptLibrary, tmp_path: Path) -> None:
    async def main(box: Box) -> None:
        box.agent.switchboard.own_number = ""
        box.agent.switchboard._scripts["hotline"] = _answers_only
        told = await self_call(box, RunSelfCall(by="test", limit_ms=5_000))
        assert told.end is SelfCallEnd.SILENT
        assert told.answered_ms is not None

    run_box(config, prompts, main)


async def _answers_only(call: object) -> None:
    await call.answer()  # type: ignore[attr-defined]  # a Call
    await asyncio.sleep(30)


def test_no_line_server_and_wrong_words(config: Config, prompts: PromptLibrary) -> None:
    async def main(box: Box) -> None:
        with pytest.raises(CarelineError) as error:
            await self_call(box, RunSelfCall(by="test", limit_ms=5))
        assert error.value.code == "APP-110"
        with pytest.raises(CarelineError) as error:
            await self_call(box, RunSelfCall(by="test", group="trunk"))
        assert error.value.code == "APP-110"

    run_box(config, prompts, main)


def test_a_call_agent_that_dies_leaves_nothing_behind(config: Config, prompts: PromptLibrary) -> None:
    async def main(box: Box) -> None:
        calling = asyncio.create_task(self_call(box))
        await until(lambda: bool(box.server.lines.book.states()), 5.0)
        calling.cancel()
        await asyncio.gather(calling, return_exceptions=True)
        await box.next_agent(Life())
        await box.idle()
        assert (await self_call(box)).end is SelfCallEnd.HEARD

    run_box(config, prompts, main)


def test_new_callers_are_told_that_the_box_goes_down_and_those_who_talk_go_on(config: Config, prompts: PromptLibrary) -> None:
    async def main(box: Box) -> None:
        early = box.telephone()
        early.dial(BOX)
        await early.reached(Phase.TALKING)
        await box.agent.switchboard.set_closing(SetClosing(closing=True, by="health"))
        late = box.telephone()
        late.dial(BOX)
        await late.reached(Phase.TALKING)
        assert await late.reached(Phase.ENDED, limit_s=30) is Phase.ENDED
        assert early.phase is Phase.TALKING
        late.hang_up()
        await box.agent.switchboard.set_closing(SetClosing(closing=False, by="health"))
        again = box.telephone()
        again.dial(BOX)
        await again.reached(Phase.TALKING)
        await asyncio.sleep(20)
        assert again.phase is Phase.TALKING
        for each in (early, again):
            each.hang_up()
        await box.idle()
        paths = await box.ask(lambda: [row.path for row in CallRecord.select().order_by(CallRecord.started_at)])
        assert paths[1] == ""

    run_box(config, prompts, main)
