"""The call agent is killed at every single message of a call, and a new one takes over: the caller, the record and the
messages are as if nothing had been. The line server is a scripted one, so that thousands of kills take seconds.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from appliance.config import Config
from appliance.ivr.prompts.library import PromptLibrary
from appliance.store.database import open_store
from appliance.store.models import CallRecord, Recording, VoiceMessage
from drivers.clock import VirtualClock, run_virtual
from drivers.protocol import Bridge, Command, Play, PlayTone, Seize, StartRecording
from tests.scenarios.killing import JumpingClock, Life, restart_when_dead, start_agent
from tests.scenarios.scripted_lines import ScriptedLines

Caller = Callable[[ScriptedLines], Awaitable[None]]


@dataclass
class Outcome:
    """What is to be the same however often the call agent dies."""

    records: list[dict[str, Any]] = field(default_factory=list)
    messages: list[tuple[str, str, int]] = field(default_factory=list)
    open_recordings: int = 0
    legs_left: int = 0
    restarted_plays: int = 0
    restarted_recordings: int = 0
    redialled: int = 0
    last_tone: str = ""


async def keys(server: ScriptedLines, leg: str, script: str, end: str = "caller") -> None:
    """Press keys; a space waits 6 s, a dot 1 s; at the end hang up or let the box do it."""
    for key in script:
        if key in " .":
            await asyncio.sleep(6.0 if key == " " else 1.0)
        else:
            server.press(leg, key)
            await asyncio.sleep(0.2)
    if end == "caller":
        server.hang_up(leg)
    await asyncio.sleep(30)


async def menus(server: ScriptedLines) -> None:
    await keys(server, server.ring(), " 1 *# 9 7")


async def typed_ahead(server: ScriptedLines) -> None:
    await keys(server, server.ring(), ".92#1  ")


async def message(server: ScriptedLines) -> None:
    await keys(server, server.ring(), " 3   # ", end="box")


async def message_cut_off(server: ScriptedLines) -> None:
    await keys(server, server.ring(), " 3  ")


async def silent_message(server: ScriptedLines) -> None:
    leg = server.ring()
    await keys(server, leg, " 3", end="")
    server.hang_up(leg)
    await asyncio.sleep(30)


async def operator(server: ScriptedLines) -> None:
    leg = server.ring()
    await asyncio.sleep(5)
    server.press(leg, "0")
    await asyncio.sleep(30)
    party = next(name for name in server.legs if "-p" in name)
    assert server.legs[leg].bridged_with == party
    server.hang_up(party)
    await asyncio.sleep(60)


async def operator_caller_leaves(server: ScriptedLines) -> None:
    await keys(server, server.ring(), " 0       ")


async def operator_again(server: ScriptedLines) -> None:
    """Missed, back in the menu, and once more."""
    await keys(server, server.ring(), " 0     0       ")


async def caller_leaves_while_it_rings(server: ScriptedLines) -> None:
    """The announcement takes 3 s, the other party would answer 4 s later."""
    await keys(server, server.ring(), " 0.....")


async def early_hang_up(server: ScriptedLines) -> None:
    leg = server.ring()
    await asyncio.sleep(0.01)
    server.hang_up(leg)
    await asyncio.sleep(10)


CALLERS: list[Caller] = [
    menus,
    typed_ahead,
    message,
    message_cut_off,
    silent_message,
    operator,
    operator_caller_leaves,
    caller_leaves_while_it_rings,
]


def run_call(
    config: Config,
    prompts: PromptLibrary,
    caller: Caller,
    kill_after: int | None,
    slow_disk: bool,
    answers: str = "answer",
    refused: type[Command] | None = None,
) -> tuple[Outcome, int]:
    """One call from an empty store; what came of it, and how many messages the first call agent saw."""
    empty_store(config)

    async def main(clock: VirtualClock) -> tuple[Outcome, int]:
        each_time = iter(answers.split(","))
        server = ScriptedLines(clock, set_answers=lambda: next(each_time))
        server.refuse = lambda command: "refused" if refused and isinstance(command, refused) else ""
        server.refuse_code = "LIN-033"
        life = Life(slow_disk=slow_disk) if kill_after is None else Life(kill_after, slow_disk)
        agent = await start_agent(config, server, clock, prompts, life)
        successor = asyncio.create_task(restart_when_dead(config, server, clock, prompts, agent, life))
        await asyncio.sleep(1)
        await caller(server)
        if life.over.is_set():
            agent = await successor
        successor.cancel()
        outcome = await agent.store.run(read_outcome)
        outcome.legs_left = len(server.legs)
        outcome.restarted_plays = repeated((each.leg, each.play_id) for each in server.commands if isinstance(each, Play))
        outcome.restarted_recordings = repeated(
            (each.leg, each.recording_id) for each in server.commands if isinstance(each, StartRecording)
        )
        outcome.redialled = 0 if refused else repeated(each.leg for each in server.commands if isinstance(each, Seize))
        outcome.last_tone = next((each.tone for each in reversed(server.commands) if isinstance(each, PlayTone)), "")
        assert not agent.live.calls
        await agent.stop()
        return outcome, life.count

    result: tuple[Outcome, int] = run_virtual(main, JumpingClock())
    return result


def empty_store(config: Config) -> None:
    """Tables without rows, faster than making them anew. On a server each test has its own already."""
    if config.paths.database_url:
        return
    path = config.paths.database
    made = path.with_suffix(".empty")
    if not made.exists():
        open_store(path).close()
        path.rename(made)
    for leftover in path.parent.glob(f"{path.name}*"):
        leftover.unlink()
    shutil.copyfile(made, path)


def read_outcome() -> Outcome:
    fields = (
        "call_id",
        "ended_by",
        "outcome",
        "language",
        "path",
        "digits",
        "cause",
        "operator_channel",
        "transferred_to",
        "transfer_outcome",
    )
    records = [
        {name: getattr(row, name) for name in fields} | {"answered": row.answered_at, "ended": row.ended_at is not None}
        for row in CallRecord.select()
    ]
    messages = [(row.reference, row.path, row.duration_ms) for row in VoiceMessage.select()]
    return Outcome(records, messages, Recording.select().where(Recording.ended_at.is_null()).count())


def repeated(things: Any) -> int:
    listed = list(things)
    return len(listed) - len(set(listed))


@pytest.mark.parametrize("caller", CALLERS, ids=lambda caller: caller.__name__)
def test_killed_at_every_message(config: Config, prompts: PromptLibrary, caller: Caller) -> None:
    """Every other time with a disk so slow that what was not waited for is lost."""
    undisturbed, messages = run_call(config, prompts, caller, None, slow_disk=False)
    assert len(undisturbed.records) == 1
    assert undisturbed.legs_left == 0
    for kill_after in range(1, messages + 1):
        outcome, _ = run_call(config, prompts, caller, kill_after, slow_disk=bool(kill_after % 2))
        assert comparable(outcome) == comparable(undisturbed), f"killed after message {kill_after} of {messages}"


def comparable(outcome: Outcome) -> Any:
    """Everything but what half a second without a call agent may change."""
    records = [{**record, "answered": bool(record["answered"])} for record in outcome.records]
    messages = [(reference, path) for reference, path, _ in outcome.messages]
    done_twice = (outcome.restarted_plays, outcome.restarted_recordings, outcome.redialled)
    return msgspec.to_builtins((records, messages, outcome.open_recordings, outcome.legs_left, done_twice, outcome.last_tone))


def test_caller_gone_while_nobody_looked(config: Config, prompts: PromptLibrary) -> None:
    """Hung up before the new call agent came: the record is there all the same, once and ended."""
    for kill_after in range(1, 22):
        outcome, _ = run_call(config, prompts, early_hang_up, kill_after, slow_disk=bool(kill_after % 2))
        (record,) = outcome.records
        assert (record["ended"], record["ended_by"], record["digits"]) == (True, "caller", "")
        assert (outcome.legs_left, outcome.open_recordings, outcome.messages) == (0, 0, [])


@pytest.mark.parametrize(
    ("answers", "refused", "came_to", "outcome"),
    [
        ("17", None, "busy", "operator_missed"),
        ("34", None, "no_channel", "operator_missed"),
        ("44", None, "no_channel", "operator_missed"),
        ("28", None, "unknown_destination", "operator_missed"),
        ("41", None, "failed", "operator_missed"),
        ("no answer", None, "no_answer", "operator_missed"),
        ("answer", Seize, "unknown_destination", "failed"),
        ("answer", Bridge, "failed", "operator_missed"),
    ],
)
def test_killed_while_a_transfer_fails(
    config: Config, prompts: PromptLibrary, answers: str, refused: type[Command] | None, came_to: str, outcome: str
) -> None:
    """The caller is taken back into the menus; the record says why."""
    undisturbed, messages = run_call(config, prompts, operator_caller_leaves, None, False, answers, refused)
    (record,) = undisturbed.records
    assert (record["transferred_to"], record["transfer_outcome"], record["outcome"]) == ("sets", came_to, outcome)
    assert record["path"].startswith(f"greeting>main_menu>operator>operator_{'no_answer' if came_to == 'no_answer' else 'busy'}>main_menu")
    for kill_after in range(1, messages + 1):
        again, _ = run_call(config, prompts, operator_caller_leaves, kill_after, bool(kill_after % 2), answers, refused)
        assert comparable(again) == comparable(undisturbed), f"killed after message {kill_after} of {messages}"


def test_killed_while_a_second_transfer_goes_well(config: Config, prompts: PromptLibrary) -> None:
    undisturbed, messages = run_call(config, prompts, operator_again, None, False, "17,answer")
    (record,) = undisturbed.records
    assert record["path"] == "greeting>main_menu>operator>operator_busy>main_menu>operator"
    assert (record["transfer_outcome"], record["outcome"], record["ended_by"]) == ("answered", "operator", "caller")
    for kill_after in range(1, messages + 1):
        again, _ = run_call(config, prompts, operator_again, kill_after, bool(kill_after % 2), "17,answer")
        assert comparable(again) == comparable(undisturbed), f"killed after message {kill_after} of {messages}"
