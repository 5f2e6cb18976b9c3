"""Looking after lines through the whole box: alarms and actions in the store, with begin, end and who did it."""

import asyncio

import msgspec
import pytest

from appliance import line_care
from appliance.config import Config
from appliance.control.messages import (
    AskLineSetup,
    EndLineTest,
    LineTarget,
    ResetLineCounters,
    RunLineTest,
    SetLinesBlocked,
    SettleLineSetup,
    TryLineSetup,
)
from appliance.ivr.prompts.library import PromptLibrary
from appliance.store.database import connect
from appliance.store.models import Alarm, LineAction
from drivers.errors import CarelineError
from drivers.protocol import BlockedBy, ChannelState, LineTestKind, LineTestPhase, SetupTold
from tests.scenarios.box_rig import Box, call, run_box, until
from tests.scenarios.killing import Life

SET = 9  # the first one, after eight lines


def channel(box: Box, number: int) -> ChannelState:
    return box.agent.live.channels[number]


def alarms() -> list[tuple[str, int, str, bool]]:
    rows = Alarm.select().order_by(Alarm.id)
    return [(row.subject, row.number, row.alarm, row.ended_at is None) for row in rows]


def actions() -> list[tuple[str, str, str, str]]:
    return [(row.by, row.action, row.subject, row.detail) for row in LineAction.select().order_by(LineAction.id)]


def test_alarm_is_kept_with_begin_and_end(config: Config, prompts: PromptLibrary) -> None:
    async def main(box: Box) -> None:
        began = box.clock.now()
        box.card.set_span_alarm(1, "red")
        await asyncio.sleep(60)
        assert await box.ask(alarms) == [("span", 1, "red", True)]
        box.card.set_span_alarm(1)
        await asyncio.sleep(1)
        row = await box.ask(Alarm.get)
        assert (row.began_at - began).total_seconds() < 1
        assert (row.ended_at - row.began_at).total_seconds() == pytest.approx(60, abs=1)

    run_box(config, prompts, main)


def test_alarm_that_ends_while_no_agent_is_there_is_ended_by_the_next_one(config: Config, prompts: PromptLibrary) -> None:
    async def main(box: Box) -> None:
        box.card.set_span_alarm(1, "red")
        await asyncio.sleep(5)
        await box.agent.stop()
        box.card.set_span_alarm(1)
        box.card.set_span_alarm(2, "yellow")
        await asyncio.sleep(5)
        await box.start_agent(Life())
        await asyncio.sleep(1)
        assert await box.ask(alarms) == [("span", 1, "red", False), ("span", 2, "yellow", True)]

    run_box(config, prompts, main)


def test_group_is_blocked_and_unblocked_by_somebody(config: Config, prompts: PromptLibrary) -> None:
    async def main(box: Box) -> None:
        trunk = LineTarget(group="trunk")
        await box.agent.care.set_blocked(SetLinesBlocked(target=trunk, blocked=True, by="liwei"))
        assert all(channel(box, number).blocked_by is BlockedBy.PERSON for number in range(1, 9))
        assert not channel(box, SET).blocked
        await box.agent.care.set_blocked(SetLinesBlocked(target=LineTarget(span=1), blocked=False, by="chen"))
        assert not any(channel(box, number).blocked for number in range(1, 9))
        assert await box.ask(actions) == [("liwei", "blocked", "group trunk", ""), ("chen", "unblocked", "span 1", "")]

    run_box(config, prompts, main)


def test_on_a_full_disk_lines_are_blocked_and_who_did_it_is_written_later(
    config: Config, prompts: PromptLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_care, "WRITE_LIMIT_S", 0)  # virtual time stands still while the store is at work

    async def main(box: Box) -> None:
        full = connect(config.paths.database)
        full.execute_sql("begin immediate")
        await box.agent.care.set_blocked(SetLinesBlocked(target=LineTarget(channel=3), blocked=True, by="liwei"))
        assert channel(box, 3).blocked_by is BlockedBy.PERSON
        full.execute_sql("rollback")
        full.close()
        assert await box.ask(actions) == [("liwei", "blocked", "channel 3", "")]

    run_box(config, prompts, main)


def test_what_is_refused_is_told_and_written_down(config: Config, prompts: PromptLibrary) -> None:
    async def main(box: Box) -> None:
        with pytest.raises(CarelineError, match="LIN-033"):
            await box.agent.care.set_blocked(SetLinesBlocked(target=LineTarget(channel=99), blocked=True, by="liwei"))
        with pytest.raises(CarelineError, match="APP-100"):
            await box.agent.care.reset_counters(ResetLineCounters(target=LineTarget(group="none"), by="liwei"))
        with pytest.raises(CarelineError, match="LIN-173"):
            await box.agent.care.run_test(RunLineTest(test_id="t", channel=1, kind=LineTestKind.RING, by="liwei"))
        written = await box.ask(actions)
        assert [(by, action, subject) for by, action, subject, _ in written] == [
            ("liwei", "blocked", "channel 99"),
            ("liwei", "test_ring_started", "channel 1"),
        ]
        assert all(detail.startswith("refused: LIN-") for *_, detail in written)

    run_box(config, prompts, main)


def test_test_of_a_set_leaves_its_outcome_and_who_asked(config: Config, prompts: PromptLibrary) -> None:
    async def main(box: Box) -> None:
        care, telephone = box.agent.care, box.set(SET)
        await care.run_test(RunLineTest(test_id="t1", channel=SET, kind=LineTestKind.RING, by="liwei"))
        assert channel(box, SET).test == "ring"
        await asyncio.sleep(2)
        telephone.answer()
        await until(lambda: box.agent.live.snapshot().tests[0].phase is LineTestPhase.PASSED, 5)
        telephone.hang_up()
        await until(lambda: not channel(box, SET).test, 10)
        await care.run_test(RunLineTest(test_id="t2", channel=1, kind=LineTestKind.DIAL_TONE, by="chen"))
        await care.end_test(EndLineTest(channel=1, by="chen"))
        await asyncio.sleep(1)
        written = await box.ask(actions)
        assert [row[:3] for row in written] == [
            ("liwei", "test_ring_started", "channel 9"),
            ("liwei", "test_ring", "channel 9"),
            ("chen", "test_dial_tone_started", "channel 1"),
            ("chen", "test_stopped", "channel 1"),
            ("chen", "test_dial_tone", "channel 1"),
        ] or [row[1] for row in written[3:]] == ["test_dial_tone", "test_stopped"]
        assert written[1][3].startswith("passed answered after=")

    run_box(config, prompts, main)


def test_without_a_line_server_nothing_is_promised(config: Config, prompts: PromptLibrary) -> None:
    async def main(box: Box) -> None:
        await box.server.stop()
        box.agent.lines.fault = CarelineError("APP-022", "gone", "Start it")
        with pytest.raises(CarelineError, match="APP-022"):
            await box.agent.care.set_blocked(SetLinesBlocked(target=LineTarget(channel=1), blocked=True, by="liwei"))

    run_box(config, prompts, main)


# --- set-up -------------------------------------------------------------------------------------------------------


def test_set_up_is_tried_kept_and_written_down(config: Config, prompts: PromptLibrary) -> None:
    async def main(box: Box) -> None:
        care, live = box.agent.care, box.agent.live
        told = (await care.ask_setup(AskLineSetup(by="liwei"))).told
        setup = msgspec.json.decode(told.setup)
        assert setup["groups"][0]["name"] == "trunk"
        setup["groups"][0]["name"] = "front"
        new = msgspec.json.encode(setup)
        checked = (await care.try_setup(TryLineSetup(setup=new, by="liwei"))).checked
        assert '+name = "front"' in checked.diff
        assert checked.trying_until is None
        checked = (await care.try_setup(TryLineSetup(setup=new, apply=True, by="liwei"))).checked
        assert live.setup.trying_until == checked.trying_until
        assert channel(box, 1).group == "front"
        await care.settle_setup(SettleLineSetup(keep=True, by="chen"))
        assert (live.setup.kept, live.setup.by, live.setup.trying_until) == (True, "chen", None)
        await asyncio.sleep(1)
        assert [row[:3] for row in await box.ask(actions)] == [("liwei", "setup_tried", "lines"), ("chen", "setup_kept", "lines")]

    run_box(config, prompts, main)


def test_set_up_nobody_confirms_is_told_and_written_down(config: Config, prompts: PromptLibrary) -> None:
    async def main(box: Box) -> None:
        setup = msgspec.json.decode((await box.agent.care.ask_setup(AskLineSetup(by="liwei"))).told.setup)
        setup["spans"][0] = {"span": 1, "fxsls": "1-8"}
        await box.agent.care.try_setup(TryLineSetup(setup=msgspec.json.encode(setup), apply=True, by="liwei"))
        assert channel(box, 1).signalling == "fxsls"
        await asyncio.sleep(65)
        assert channel(box, 1).signalling == "fxsks"
        assert (box.agent.live.setup.kept, box.agent.live.setup.code) == (False, "LIN-183")
        assert [row[:2] for row in await box.ask(actions)] == [("liwei", "setup_tried"), ("liwei", "setup_undone")]
        with pytest.raises(CarelineError, match="LIN-178"):
            await box.agent.care.settle_setup(SettleLineSetup(keep=True, by="liwei"))

    run_box(config, prompts, main)


def test_bad_set_up_is_refused(config: Config, prompts: PromptLibrary) -> None:
    async def main(box: Box) -> None:
        bad = b'{"spans": [{"span": 1, "fxsks": "1-2", "fxsls": "2"}]}'
        for apply in (False, True):
            with pytest.raises(CarelineError, match="CFG-091"):
                await box.agent.care.try_setup(TryLineSetup(setup=bad, apply=apply, by="liwei"))
        await asyncio.sleep(1)
        assert [(by, action, detail[:17]) for by, action, _, detail in await box.ask(actions)] == [
            ("liwei", "setup_tried", "refused: CFG-091:")
        ]

    run_box(config, prompts, main)


# --- a card that goes and comes back ------------------------------------------------------------------------------


def test_card_pulled_and_put_back_is_an_alarm_with_begin_and_end(config: Config, prompts: PromptLibrary) -> None:
    async def main(box: Box) -> None:
        box.card.unplug(1)
        await asyncio.sleep(5)
        assert await box.ask(alarms) == [("span", 1, "removed", True)]
        assert channel(box, 1).alarms == ("removed",)
        assert channel(box, SET).alarms == ()
        await box.agent.care.run_test(RunLineTest(test_id="t", channel=SET, kind=LineTestKind.RING, by="liwei"))
        with pytest.raises(CarelineError, match="LIN-172"):
            await box.agent.care.run_test(RunLineTest(test_id="u", channel=1, kind=LineTestKind.DIAL_TONE, by="liwei"))
        box.card.plug(1)
        await until(lambda: not channel(box, 1).alarms, 10)
        await asyncio.sleep(3)
        assert await box.ask(alarms) == [("span", 1, "removed", False)]
        box.set(SET).answer()
        await until(lambda: box.agent.live.snapshot().tests[0].phase is LineTestPhase.PASSED, 5)
        await call(box, "1")

    run_box(config, prompts, main)


def test_set_up_while_a_card_is_pulled_leaves_it_alone(config: Config, prompts: PromptLibrary) -> None:
    async def main(box: Box) -> None:
        setup = msgspec.json.decode((await box.agent.care.ask_setup(AskLineSetup(by="liwei"))).told.setup)
        box.card.unplug(1)
        await asyncio.sleep(2)
        setup["groups"][1]["name"] = "desk"
        await box.agent.care.try_setup(TryLineSetup(setup=msgspec.json.encode(setup), apply=True, by="liwei"))
        assert channel(box, SET).group == "desk"
        assert channel(box, 1).alarms == ("removed",)
        await box.agent.care.settle_setup(SettleLineSetup(keep=True, by="liwei"))
        box.card.plug(1)
        await until(lambda: not channel(box, 1).alarms, 10)

    run_box(config, prompts, main)


def test_line_server_that_began_anew_ends_tests_and_trials(config: Config, prompts: PromptLibrary) -> None:
    """What the next line server knows nothing of is over, and told so."""

    async def main(box: Box) -> None:
        care, live = box.agent.care, box.agent.live
        await care.run_test(RunLineTest(test_id="t", channel=SET, kind=LineTestKind.RING, by="liwei"))
        setup = (await care.ask_setup(AskLineSetup(by="liwei"))).told.setup
        new = msgspec.json.decode(setup)
        new["groups"][0]["name"] = "front"
        await care.try_setup(TryLineSetup(setup=msgspec.json.encode(new), apply=True, by="liwei"))
        care.adopted(msgspec.structs.replace(box.server.lines.welcome(), tests=()))
        assert live.tests[SET].reason == "line_server"
        told = SetupTold(command_id=0, setup=setup, card="virtual", found=(), fields={}, trying_until=None)
        care.event(told)
        assert (live.setup.kept, live.setup.code, live.setup.trying_until) == (False, "LIN-185", None)
        await asyncio.sleep(1)
        assert [row[:2] for row in await box.ask(actions)][-2:] == [("liwei", "test_ring"), ("liwei", "setup_undone")]

    run_box(config, prompts, main)


def test_next_call_agent_can_keep_what_the_one_before_began_to_try(config: Config, prompts: PromptLibrary) -> None:
    async def main(box: Box) -> None:
        setup = msgspec.json.decode((await box.agent.care.ask_setup(AskLineSetup(by="liwei"))).told.setup)
        setup["groups"][0]["name"] = "front"
        await box.agent.care.try_setup(TryLineSetup(setup=msgspec.json.encode(setup), apply=True, by="liwei"))
        await box.next_agent(Life())
        await until(lambda: box.agent.live.setup.trying_until is not None, 5)
        await box.agent.care.settle_setup(SettleLineSetup(keep=True, by="chen"))
        await asyncio.sleep(70)
        assert channel(box, 1).group == "front"

    run_box(config, prompts, main)
