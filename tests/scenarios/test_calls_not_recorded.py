"""A caller gone before the recording of the call began: its record is whole all the same, and says that nothing was recorded."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from appliance.config import Config
from appliance.events import Happened, RecordingEnded
from appliance.ivr.prompts.library import PromptLibrary
from appliance.store.models import CallRecord, Recording
from appliance.store.projections import events_of
from drivers.clock import VirtualClock, run_virtual
from drivers.protocol import Command, StartRecording
from tests.scenarios.killing import JumpingClock, Life, start_agent
from tests.scenarios.scripted_lines import ScriptedLines

NOTHING = "nothing was recorded"
Caller = Callable[[ScriptedLines], Awaitable[str]]


async def gone_at_once(server: ScriptedLines) -> str:
    """Before the call's task has run at all: no recording is asked for."""
    leg = server.ring()
    server.hang_up(leg)
    return leg


async def gone_when_it_was_asked_for(server: ScriptedLines) -> str:
    """The release comes first, the refusal while the call waits for the end of its recording."""

    def refuse(command: Command) -> str:
        if not isinstance(command, StartRecording):
            return ""
        server.hang_up(command.leg)
        return "the leg is released"

    server.refuse = refuse
    return server.ring()


async def gone_and_refused_later(server: ScriptedLines) -> str:
    """As before, by a line server that takes its time."""
    server.refuse_after_s = 2.0
    return await gone_when_it_was_asked_for(server)


@pytest.mark.parametrize("caller", [gone_at_once, gone_when_it_was_asked_for, gone_and_refused_later], ids=lambda caller: caller.__name__)
def test_gone_before_the_recording_began(config: Config, prompts: PromptLibrary, caller: Caller) -> None:
    async def main(clock: VirtualClock) -> tuple[list[CallRecord], list[Recording], list[Happened], bool]:
        server = ScriptedLines(clock)
        agent = await start_agent(config, server, clock, prompts, Life())
        await asyncio.sleep(1)
        leg = await caller(server)
        await asyncio.sleep(30)
        records, recordings = await agent.store.run(lambda: (list(CallRecord.select()), list(Recording.select())))
        happened = await agent.store.run(lambda: events_of(records[0].call_id))
        await agent.stop()
        return records, recordings, happened, leg in server.legs

    result: Any = run_virtual(main, JumpingClock())
    (record,), (recording,), happened, is_kept = result
    assert record.ended_at
    assert (record.ended_by, record.outcome) == ("caller", "abandoned")
    assert recording.ended_at
    assert (recording.samples, recording.error) == (0, NOTHING)
    assert [event.error for event in happened if isinstance(event, RecordingEnded)] == [NOTHING]
    assert not is_kept
