"""A call through every kind of node: the call agent killed at every message, the caller hanging up at every one. Nothing is done twice,
nothing is left half done.
"""

import asyncio
from collections.abc import Iterator

import pytest

from appliance.call import tag as tags
from appliance.call.tag import CallTag
from appliance.config import Config
from appliance.ivr.actions import ACTIONS
from appliance.ivr.prompts.library import PromptLibrary
from appliance.store.database import open_store
from appliance.store.models import CallRecord, Recording, VoiceMessage
from appliance.store.outgoing import OutgoingMessage
from drivers.clock import VirtualClock, run_virtual
from drivers.protocol import LegPhase
from tests.scenarios.flow_rig import CARD, EVERYTHING, TEST_ACTIONS, store_with
from tests.scenarios.killing import JumpingClock, Life, start_agent
from tests.scenarios.scripted_lines import ScriptedLines
from tests.scenarios.test_calls_killed import Caller, comparable, empty_store, keys, run_call


@pytest.fixture(autouse=True)
def flows(config: Config) -> Iterator[None]:
    """Everything a flow can have is live."""
    with pytest.MonkeyPatch.context() as patch:
        for name, action in TEST_ACTIONS.items():
            patch.setitem(ACTIONS, name, action)
        store_with(config, test_card=CARD, hotline=EVERYTHING)
        yield


async def books(server: ScriptedLines) -> None:
    """Card, password, yes, said by an SMS; then something else, and goodbye."""
    await keys(server, server.ring(), " 1 6500# 123456 1    #", end="box")


async def books_whatever_happens(server: ScriptedLines) -> None:
    """Answers what is asked, again when it is asked again: a secret is lost with the call agent that heard it."""
    leg, booked = server.ring(), False
    while server.legs.get(leg) and server.legs[leg].phase is not LegPhase.RELEASED:
        await asyncio.sleep(2.0)
        place = place_of(server, leg)
        booked = booked or place == "booked"
        for key in "#" if place == "menu" and booked else ANSWERS.get(place, ""):
            server.press(leg, key)
            await asyncio.sleep(0.2)
    await asyncio.sleep(30)


ANSWERS = {"menu": "1", "test_card/ask": "6500#", "test_card/password": "123456", "confirm": "1"}


def place_of(server: ScriptedLines, leg: str) -> str:
    """Where the call agent left word that the call stands."""
    tag = tags.decode(server.legs[leg].tag) if leg in server.legs and server.legs[leg].tag else None
    return tag.place if isinstance(tag, CallTag) else ""


async def states(server: ScriptedLines) -> None:
    """A statement, in English."""
    await keys(server, server.ring(), " 9 2   #  #", end="box")


async def leaves_a_message(server: ScriptedLines) -> None:
    await keys(server, server.ring(), " 3   #  #", end="box")


async def waits_for_somebody(server: ScriptedLines) -> None:
    await keys(server, server.ring(), " 4         ")


async def wants_a_person_with_the_password(server: ScriptedLines) -> None:
    await keys(server, server.ring(), " 1 6500# 0     ")


CALLERS: list[Caller] = [states, leaves_a_message, waits_for_somebody]


@pytest.mark.parametrize("caller", CALLERS, ids=lambda caller: caller.__name__)
def test_killed_at_every_message(config: Config, prompts: PromptLibrary, caller: Caller) -> None:
    answers = "17,17,answer" if caller is waits_for_somebody else "answer"
    undisturbed, messages = run_call(config, prompts, caller, None, False, answers)
    assert undisturbed.records[0]["outcome"] in ("completed", "message", "operator")
    for kill_after in range(1, messages + 1):
        outcome, _ = run_call(config, prompts, caller, kill_after, bool(kill_after % 2), answers)
        assert comparable(outcome) == comparable(undisturbed), f"killed after message {kill_after} of {messages}"


def test_booked_once_however_often_it_dies(config: Config, prompts: PromptLibrary) -> None:
    _, messages = run_call(config, prompts, books_whatever_happens, None, False)
    for kill_after in range(1, messages + 1):
        outcome, _ = run_call(config, prompts, books_whatever_happens, kill_after, bool(kill_after % 2))
        database = open_store(config.paths.database)
        counts, path = rows()
        database.close()
        assert (outcome.legs_left, counts["unended"], counts["open"]) == (0, 0, 0)
        assert (counts["booked"], counts["sent"]) == (1, 1), f"killed after message {kill_after} of {messages}: {path}"
        assert path.endswith("book>send>booked>menu>bye")


WAITED_AT = {"greeting", "menu", "test_card/ask", "test_card/password", "confirm", "booked", "statement", "message", "bye"}
"""Places where a caller spends time enough to hang up."""


def outcome_of(config: Config, prompts: PromptLibrary, caller: Caller, hang_up_at: int) -> tuple[int, dict[str, int], str]:
    """How many commands there were when the caller, who hung up at that one, was gone; rows of each kind; the path."""
    empty_store(config)

    async def main(clock: VirtualClock) -> tuple[int, dict[str, int], str]:
        server = ScriptedLines(clock)
        agent = await start_agent(config, server, clock, prompts, Life())
        await asyncio.sleep(1)
        before = len(server.commands)
        server.refuse = lambda command: _hang_up(server, before + hang_up_at)
        await caller(server)
        counts, path = await agent.store.run(rows)
        assert not agent.live.calls
        assert not server.legs
        await agent.stop()
        return len(server.commands) - before, counts, path

    result: tuple[int, dict[str, int], str] = run_virtual(main, JumpingClock())
    return result


def _hang_up(server: ScriptedLines, at: int) -> str:
    if len(server.commands) == at:
        asyncio.get_running_loop().call_soon(server.hang_up, "leg-1")
    return ""


def rows() -> tuple[dict[str, int], str]:
    record = CallRecord.get()
    counts = {
        "unended": CallRecord.select().where(CallRecord.ended_at.is_null()).count(),
        "open": Recording.select().where(Recording.ended_at.is_null()).count(),
        "booked": OutgoingMessage.select().where(OutgoingMessage.channel == "book").count(),
        "sent": OutgoingMessage.select().where(OutgoingMessage.channel == "sms").count(),
        "messages": VoiceMessage.select().count(),
    }
    return counts, record.path


@pytest.mark.parametrize("caller", [books, states, leaves_a_message, wants_a_person_with_the_password], ids=lambda caller: caller.__name__)
def test_the_caller_hangs_up_at_every_command(config: Config, prompts: PromptLibrary, caller: Caller) -> None:
    commands, whole, path = outcome_of(config, prompts, caller, -1)
    ends: set[str] = set()
    for at in range(1, commands):
        _, counts, way = outcome_of(config, prompts, caller, at)
        assert (counts["unended"], counts["open"]) == (0, 0), f"hung up at command {at}"
        assert all(counts[kind] <= whole[kind] for kind in counts)
        assert counts["sent"] <= counts["booked"]
        assert path.startswith(way)
        ends.add(way.split(">")[-1])
    assert ends >= WAITED_AT & set(path.split(">"))
