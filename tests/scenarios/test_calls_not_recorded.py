"""A caller gone before the recording of the call began: its record is whole all the same, and says that nothing was recorded. A disk that
fills up while somebody speaks: told at once that it cannot be taken, what was written is kept."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from appliance.config import Config
from appliance.events import Happened, MessageDiscarded, MessageLeft, PromptPlayed, RecordingEnded
from appliance.ivr.prompts.library import PromptLibrary
from appliance.ivr.reading import built_in
from appliance.store.case_tables import Complaint
from appliance.store.models import CallRecord, Recording
from appliance.store.projections import events_of
from drivers.clock import VirtualClock, run_virtual
from drivers.protocol import Command, StartRecording
from tests.scenarios.hotline_rig import Answering, Answers
from tests.scenarios.killing import JumpingClock, Life, start_agent
from tests.scenarios.scripted_lines import DISK_FULL, ScriptedLines

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


# --- a disk that fills up ------------------------------------------------------------------------------------------------

MESSAGE: Answers = {"main_menu": "5"}
COMPLAINT: Answers = {"main_menu": "4", "complaints/menu": "1", "complaints/ask_department": "#", "complaints/ask_staff": "#"}


def spoken(config: Config, prompts: PromptLibrary, answers: Answers, room_s: int) -> tuple[list[Happened], list[Complaint]]:
    """One call to the hotline; the disk takes so much of each recording."""

    async def main(clock: VirtualClock) -> tuple[list[Happened], list[Complaint]]:
        server = ScriptedLines(clock)
        agent = await start_agent(config, server, clock, prompts, Life(), built_in())
        await asyncio.sleep(1)
        server.disk_room_samples = room_s * 8000
        await Answering(server, answers).call()
        await asyncio.sleep(90)
        found = await agent.store.run(lambda: (events_of(CallRecord.get().call_id), list(Complaint.select())))
        await agent.stop()
        return found

    result: tuple[list[Happened], list[Complaint]] = run_virtual(main, JumpingClock())
    return result


def told_after_s(happened: list[Happened], prompt: str) -> float:
    """From the tone to that prompt."""
    at = {name: event.at for event in happened if isinstance(event, PromptPlayed) for name in event.prompts}
    return (at[prompt] - at["beep"]).total_seconds()


@pytest.mark.parametrize(
    ("answers", "told"), [(MESSAGE, "message_unavailable"), (COMPLAINT, "service_unavailable")], ids=["message", "complaint"]
)
@pytest.mark.parametrize("room_s", [0, 5])
def test_a_full_disk_is_told_at_once(config: Config, prompts: PromptLibrary, answers: Answers, told: str, room_s: int) -> None:
    happened, complaints = spoken(config, prompts, answers, room_s)
    played = [name for event in happened if isinstance(event, PromptPlayed) for name in event.prompts]
    assert (played.count("beep"), played.count(told), played.count("message_too_short")) == (1, 1, 0)
    assert told_after_s(happened, told) < room_s + 5
    ended = [event for event in happened if isinstance(event, RecordingEnded) and event.recording_id != event.call_id]
    assert [(event.samples, event.error) for event in ended] == [(room_s * 8000, DISK_FULL)]
    left = [event.duration_ms for event in happened if isinstance(event, MessageLeft)]
    discarded = [event.reason for event in happened if isinstance(event, MessageDiscarded)]
    if answers is COMPLAINT:
        assert (left, discarded, len(complaints)) == ([], [], 1 if room_s else 0)
    else:
        assert (left, discarded) == (([5000], []) if room_s else ([], ["failed"]))
