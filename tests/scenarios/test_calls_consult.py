"""Hold, consultation, three together, and transfers by the switch; the call agent killed at every message of each.

The line server is a scripted one. What is asked for during a talk is asked of the call agent that lives; one that dies before it has begun
to act on it is asked again, as whoever pressed a key would.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from appliance.agent import CallAgent
from appliance.call.consult import Want
from appliance.config import CallsConfig, Config, Destination
from appliance.errors import CallError
from appliance.ivr.prompts.library import PromptLibrary
from appliance.store.models import CallRecord, Recording
from appliance.store.projections import events_of
from drivers.clock import VirtualClock, run_virtual
from drivers.protocol import Play, Seize, StartRecording, StopRecording, TransferOutcome
from tests.scenarios.killing import JumpingClock, Life, restart_when_dead, start_agent
from tests.scenarios.scripted_lines import ScriptedLines
from tests.scenarios.test_calls_killed import empty_store, repeated

WARD = Destination(ring_ms=20_000)
BEHIND_SWITCH = CallsConfig(operator=Destination(number="8002", how="flash", ring_ms=20_000))
IN_SWITCH = CallsConfig(operator=Destination(group="trunk", number="62345678", how="switch", ring_ms=20_000))
NOT_ON_HOLD = CallsConfig(record_hold=False)


class Talk:
    """A caller who was transferred to the operator, and whoever lives of the call agents."""

    def __init__(self, server: ScriptedLines) -> None:
        self.server = server
        self.agent: CallAgent | None = None
        self.caller = ""

    async def begin(self) -> None:
        self.caller = self.server.ring()
        await asyncio.sleep(6)
        self.server.press(self.caller, "0")
        await asyncio.sleep(12)

    def leg(self, number: int) -> str:
        """The party rung as that number."""
        return next((name for name in self.server.legs if name.endswith(f"-p{number}")), "")

    async def until(self, holds: Callable[[], bool], limit_s: float = 20.0) -> None:
        for _ in range(round(limit_s * 10)):
            if holds():
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"not within {limit_s} s")

    async def ask(self, want: Want, begun: Callable[[], bool], to: Destination | None = None, by_caller: bool = False) -> None:
        """Until it has begun."""
        for _ in range(20):
            if begun():
                return
            for call in self.agent.switchboard.calls.values() if self.agent else ():
                if call.tag.party_leg:
                    call.ask(want, call.main.name if by_caller else "", to)
            await asyncio.sleep(1.0)
        raise AssertionError(f"{want} has not begun")

    async def consult(self) -> None:
        """The operator asks for the ward, which answers."""
        await self.ask(Want.CONSULT, lambda: bool(self.leg(2)), WARD)
        await self.until(lambda: self.with_whom(self.leg(1)) == self.leg(2))

    def with_whom(self, leg: str) -> str | None:
        state = self.server.legs.get(leg)
        return state.bridged_with if state else None

    def hears_music(self, leg: str) -> bool:
        state = self.server.legs.get(leg)
        return state is not None and state.play is not None and state.play.end is None

    async def end(self) -> None:
        self.server.hang_up(self.caller)
        await asyncio.sleep(15)


Story = Callable[[Talk], Awaitable[None]]


async def hold_and_back(talk: Talk) -> None:
    await talk.begin()
    await talk.ask(Want.HOLD, lambda: talk.hears_music(talk.caller))
    assert talk.with_whom(talk.caller) is None
    await asyncio.sleep(3)
    await talk.ask(Want.BACK, lambda: talk.with_whom(talk.caller) == talk.leg(1))
    assert not talk.hears_music(talk.caller)
    await asyncio.sleep(3)
    await talk.end()


async def handed_over(talk: Talk) -> None:
    """The operator talks with the ward, hangs up, and the caller talks with the ward."""
    await talk.begin()
    await talk.consult()
    assert talk.hears_music(talk.caller)
    talk.server.hang_up(talk.leg(1))
    await talk.until(lambda: talk.with_whom(talk.caller) == talk.leg(2))
    assert not talk.hears_music(talk.caller)
    await asyncio.sleep(2)
    talk.server.hang_up(talk.leg(2))
    await asyncio.sleep(20)


async def handed_over_while_it_rings(talk: Talk) -> None:
    await talk.begin()
    await talk.ask(Want.CONSULT, lambda: bool(talk.leg(2)), WARD)
    talk.server.hang_up(talk.leg(1))
    await talk.until(lambda: talk.with_whom(talk.caller) == talk.leg(2))
    await asyncio.sleep(2)
    await talk.end()


async def ward_hangs_up(talk: Talk) -> None:
    await talk.begin()
    await talk.consult()
    talk.server.hang_up(talk.leg(2))
    await asyncio.sleep(2)
    await talk.ask(Want.BACK, lambda: talk.with_whom(talk.caller) == talk.leg(1))
    await talk.end()


async def back_from_the_ward(talk: Talk) -> None:
    ward_up = [True]

    def ward_left() -> bool:
        ward_up[0] = bool(talk.leg(2)) and talk.with_whom(talk.leg(2)) is not None
        return not ward_up[0]

    await talk.begin()
    await talk.consult()
    await talk.ask(Want.BACK, ward_left)
    await asyncio.sleep(1)
    await talk.ask(Want.BACK, lambda: talk.with_whom(talk.caller) == talk.leg(1))
    await talk.end()


async def ward_is_busy(talk: Talk) -> None:
    await talk.begin()
    await talk.ask(Want.CONSULT, lambda: talk.server.seized > 1, WARD)
    await asyncio.sleep(3)
    assert talk.hears_music(talk.caller)
    await talk.ask(Want.BACK, lambda: talk.with_whom(talk.caller) == talk.leg(1))
    await talk.end()


async def three_together(talk: Talk) -> None:
    """All three talk, then the operator leaves."""
    await talk.begin()
    await talk.consult()
    await talk.ask(Want.CONFER, lambda: bool(talk.server.legs[talk.caller].conference))
    assert not talk.hears_music(talk.caller)
    await asyncio.sleep(3)
    talk.server.hang_up(talk.leg(1))
    await asyncio.sleep(3)
    assert talk.with_whom(talk.caller) == talk.leg(2)
    await talk.end()


async def three_and_the_ward_leaves(talk: Talk) -> None:
    await talk.begin()
    await talk.consult()
    await talk.ask(Want.CONFER, lambda: bool(talk.server.legs[talk.caller].conference))
    talk.server.hang_up(talk.leg(2))
    await asyncio.sleep(3)
    assert talk.with_whom(talk.caller) == talk.leg(1)
    talk.server.hang_up(talk.leg(1))
    await asyncio.sleep(20)


async def caller_leaves_on_hold(talk: Talk) -> None:
    """Those who talk go on."""
    await talk.begin()
    await talk.consult()
    await talk.end()
    assert talk.with_whom(talk.leg(1)) == talk.leg(2)
    talk.server.hang_up(talk.leg(2))
    await asyncio.sleep(15)


async def caller_hands_over(talk: Talk) -> None:
    """Who called asks the ward while the operator is on hold, and hangs up: the two others are joined."""
    await talk.begin()
    await talk.ask(Want.CONSULT, lambda: bool(talk.leg(2)), WARD, by_caller=True)
    await talk.until(lambda: talk.with_whom(talk.caller) == talk.leg(2))
    assert talk.hears_music(talk.leg(1))
    talk.server.hang_up(talk.caller)
    await talk.until(lambda: talk.with_whom(talk.leg(1)) == talk.leg(2))
    await asyncio.sleep(3)
    assert not talk.hears_music(talk.leg(1))
    talk.server.hang_up(talk.leg(1))
    await asyncio.sleep(20)


async def caller_hands_over_while_it_rings(talk: Talk) -> None:
    await talk.begin()
    await talk.ask(Want.CONSULT, lambda: bool(talk.leg(2)), WARD, by_caller=True)
    talk.server.hang_up(talk.caller)
    await talk.until(lambda: talk.with_whom(talk.leg(1)) == talk.leg(2))
    await asyncio.sleep(3)
    talk.server.hang_up(talk.leg(2))
    await asyncio.sleep(20)


async def three_and_the_caller_leaves(talk: Talk) -> None:
    await talk.begin()
    await talk.consult()
    await talk.ask(Want.CONFER, lambda: bool(talk.server.legs[talk.caller].conference))
    talk.server.hang_up(talk.caller)
    await asyncio.sleep(5)
    assert talk.with_whom(talk.leg(1)) == talk.leg(2)
    talk.server.hang_up(talk.leg(1))
    await asyncio.sleep(20)


async def waits(talk: Talk) -> None:
    """What the switch does takes its time; then the caller, if he is still there, leaves."""
    await talk.begin()
    await asyncio.sleep(12)
    await talk.end()


STORIES: list[tuple[Story, str, CallsConfig]] = [
    (hold_and_back, "answer", CallsConfig()),
    (hold_and_back, "answer", NOT_ON_HOLD),
    (handed_over, "answer,answer", CallsConfig()),
    (handed_over_while_it_rings, "answer,answer", CallsConfig()),
    (ward_hangs_up, "answer,answer", CallsConfig()),
    (back_from_the_ward, "answer,answer", CallsConfig()),
    (ward_is_busy, "answer,17", CallsConfig()),
    (three_together, "answer,answer", CallsConfig()),
    (three_and_the_ward_leaves, "answer,answer", CallsConfig()),
    (caller_leaves_on_hold, "answer,answer", CallsConfig()),
    (caller_hands_over, "answer,answer", CallsConfig()),
    (caller_hands_over_while_it_rings, "answer,answer", CallsConfig()),
    (three_and_the_caller_leaves, "answer,answer", CallsConfig()),
    (waits, "answer", BEHIND_SWITCH),
    (waits, "answer", IN_SWITCH),
]


def run_story(
    config: Config,
    prompts: PromptLibrary,
    story: Story,
    answers: str,
    kill_after: int | None = None,
    switch_says: TransferOutcome = TransferOutcome.TRANSFERRED,
) -> tuple[Any, list[str], int, ScriptedLines]:
    """The record and what else must be the same however often the call agent dies; kinds of events; messages; the server."""
    empty_store(config)

    async def main(clock: VirtualClock) -> tuple[Any, list[str], int, ScriptedLines]:
        each_time = iter(answers.split(","))
        server = ScriptedLines(clock, set_answers=lambda: next(each_time))
        server.switch_says = switch_says
        life = Life() if kill_after is None else Life(kill_after, slow_disk=bool(kill_after % 2))
        talk = Talk(server)
        agent = talk.agent = await start_agent(config, server, clock, prompts, life)

        async def succeed() -> None:
            talk.agent = None if life.over.is_set() else agent
            talk.agent = await restart_when_dead(config, server, clock, prompts, agent, life)

        successor = asyncio.create_task(succeed())
        await asyncio.sleep(1)
        await story(talk)
        if life.over.is_set():
            await successor
        successor.cancel()
        assert talk.agent is not None
        same, kinds = await talk.agent.store.run(read)
        assert not server.legs, server.legs
        assert not talk.agent.live.calls
        redialled = repeated(each.leg for each in server.commands if isinstance(each, Seize))
        replayed = repeated((each.leg, each.play_id) for each in server.commands if isinstance(each, Play))
        await talk.agent.stop()
        return (same, redialled, replayed, server.transfers), kinds, life.count, server

    result: tuple[Any, list[str], int, ScriptedLines] = run_virtual(main, JumpingClock())
    return result


def read() -> tuple[Any, list[str]]:
    (row,) = CallRecord.select()
    fields = ("ended_by", "outcome", "path", "cause", "operator_channel", "transferred_to", "transfer_outcome")
    kinds = [type(event).__name__ for event in events_of(row.call_id)]
    kept = [kind for kind in kinds if kind.startswith(("Transfer", "CallH", "CallB", "CallU", "CallC", "Recording", "CallF"))]
    open_recordings = Recording.select().where(Recording.ended_at.is_null()).count()
    return msgspec.to_builtins(([getattr(row, name) for name in fields], row.ended_at is not None, open_recordings)), kept


@pytest.mark.parametrize(("story", "answers", "calls"), STORIES, ids=lambda value: getattr(value, "__name__", ""))
def test_killed_at_every_message(config: Config, prompts: PromptLibrary, story: Story, answers: str, calls: CallsConfig) -> None:
    config = msgspec.structs.replace(config, calls=calls)
    undisturbed, kinds, messages, _ = run_story(config, prompts, story, answers)
    for kill_after in range(1, messages + 1):
        again, kinds_again, _, _ = run_story(config, prompts, story, answers, kill_after)
        assert (again, kinds_again) == (undisturbed, kinds), f"killed after message {kill_after} of {messages}"


def happened(config: Config, prompts: PromptLibrary, story: Story, answers: str, *wanted: str) -> list[str]:
    _, kinds, _, _ = run_story(config, prompts, story, answers)
    return [kind for kind in kinds if kind in wanted]


def test_what_a_hand_over_leaves_behind(config: Config, prompts: PromptLibrary) -> None:
    (same, *_), kinds, _, _ = run_story(config, prompts, handed_over, "answer,answer")
    (ended_by, outcome, *_, transferred_to, transfer_outcome), ended, open_recordings = same
    assert (ended_by, outcome, transferred_to, transfer_outcome) == ("operator", "operator", "sets", "answered")
    assert (ended, open_recordings) == (True, 0)
    assert [kind for kind in kinds if not kind.startswith("Recording")] == [
        "TransferStarted",
        "TransferAnswered",
        "CallBridged",
        "CallHeld",
        "TransferStarted",
        "TransferAnswered",
        "CallHandedOver",
        "CallBridged",
        "CallUnbridged",
    ]


def test_three_together_are_told_as_such(config: Config, prompts: PromptLibrary) -> None:
    wanted = ("CallHeld", "CallConferred", "CallHandedOver")
    assert happened(config, prompts, three_together, "answer,answer", *wanted) == list(wanted)


def test_the_recording_rests_while_the_caller_is_on_hold_if_so_configured(config: Config, prompts: PromptLibrary) -> None:
    _, _, _, server = run_story(msgspec.structs.replace(config, calls=NOT_ON_HOLD), prompts, hold_and_back, "answer")
    kinds = [type(command) for command in server.commands if isinstance(command, StartRecording | StopRecording)]
    assert kinds == [StartRecording, StopRecording, StartRecording]


@pytest.mark.parametrize(
    ("says", "came_to"),
    [
        (TransferOutcome.BUSY, "busy"),
        (TransferOutcome.CONGESTION, "no_channel"),
        (TransferOutcome.NO_ANSWER, "no_answer"),
        (TransferOutcome.NO_DIAL_TONE, "failed"),
        (TransferOutcome.REFUSED, "unknown_destination"),
    ],
)
def test_a_switch_that_does_not_take_the_caller(config: Config, prompts: PromptLibrary, says: TransferOutcome, came_to: str) -> None:
    """Back in the menus, whoever dies meanwhile."""
    config = msgspec.structs.replace(config, calls=BEHIND_SWITCH)
    undisturbed, kinds, messages, _ = run_story(config, prompts, waits, "", switch_says=says)
    (fields, _, _), *_ = undisturbed
    assert fields[-2:] == ["8002", came_to]
    assert fields[2].startswith(f"greeting>main_menu>operator>operator_{'no_answer' if came_to == 'no_answer' else 'busy'}>main_menu")
    for kill_after in range(1, messages + 1):
        again, kinds_again, _, _ = run_story(config, prompts, waits, "", kill_after, says)
        assert (again, kinds_again) == (undisturbed, kinds), f"killed after message {kill_after} of {messages}"


def test_a_switch_that_joins_nobody_leaves_it_to_us(config: Config, prompts: PromptLibrary) -> None:
    config = msgspec.structs.replace(config, calls=IN_SWITCH)
    (same, *_), kinds, _, _ = run_story(config, prompts, waits, "answer", switch_says=TransferOutcome.REFUSED)
    assert "CallBridged" in kinds
    assert same[0][-1] == "answered"


def test_nothing_can_be_asked_while_nobody_talks(config: Config, prompts: PromptLibrary) -> None:
    async def story(talk: Talk) -> None:
        talk.caller = talk.server.ring()
        await asyncio.sleep(3)
        assert talk.agent
        (call,) = talk.agent.switchboard.calls.values()
        with pytest.raises(CallError, match="APP-110"):
            call.ask(Want.HOLD)
        await talk.end()

    run_story(config, prompts, story, "")
