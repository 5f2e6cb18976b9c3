"""MFC/R2 through the whole line server: bits and sounds on the virtual card, our own exchange at the far end."""

import asyncio
from pathlib import Path

import pytest

from drivers.protocol import (
    Alert,
    Alerting,
    Answer,
    Answered,
    BlockChannel,
    Cause,
    LegPhase,
    NumberSource,
    Presentation,
    Release,
    Released,
    Seize,
)
from drivers.spans import Channel
from drivers.virtual.faults import Fault
from tests.scenarios.lines_rig import Agent
from tests.scenarios.r2_office import OfficeCall
from tests.scenarios.r2_rig import ANI, DNIS, R2Rig, r2_lines, run_r2


@pytest.mark.parametrize("variant", ["cn", "itu", "mx", "br", "ar"])
def test_call_in(tmp_path: Path, variant: str) -> None:
    async def main(rig: R2Rig) -> None:
        call = rig.office.call(DNIS, ANI)
        offered = await rig.offered()
        assert offered.state.dnis == DNIS
        assert offered.state.ani == ANI
        assert offered.state.caller is not None
        assert offered.state.caller.source is NumberSource.MF
        assert offered.state.caller.category == "ordinary"
        rig.agent.send(Answer(leg=offered.state.leg))
        await rig.agent.told(Answered, leg=offered.state.leg)
        await rig.office.until(lambda: call.answered_at is not None)
        rig.office.release(call)
        released = await rig.agent.told(Released, leg=offered.state.leg)
        assert (released.cause, released.by_far_end) == (16, True)
        await rig.all_idle()

    run_r2(tmp_path, main, r2_lines(variant=variant))


@pytest.mark.parametrize("variant", ["cn", "itu", "mx", "br", "ar"])
def test_call_out(tmp_path: Path, variant: str) -> None:
    async def main(rig: R2Rig) -> None:
        leg = await rig.answered_out()
        (call,) = rig.office.calls
        assert (call.dnis, call.ani, call.category) == ("01066668888", DNIS, "ordinary")
        await rig.released(leg)
        await rig.office.until(lambda: call.over)
        assert (call.cause, call.by_far_end) == (16, True)
        await rig.all_idle()

    run_r2(tmp_path, main, r2_lines(variant=variant), r2_lines(variant=variant, dnis_length=0))


def never(channel: Channel, call: OfficeCall) -> None:
    """Nobody answers there."""


@pytest.mark.parametrize("cause", [Cause.USER_BUSY, Cause.UNALLOCATED_NUMBER, Cause.SWITCH_CONGESTION, Cause.DESTINATION_OUT_OF_ORDER])
def test_outgoing_calls_end_with_the_cause_of_group_b(tmp_path: Path, cause: Cause) -> None:
    async def main(rig: R2Rig) -> None:
        rig.office.behave = lambda channel, call: channel.release(cause)
        rig.agent.send(Seize(leg="a", group=rig.group, number="12345678", caller=DNIS))
        released = await rig.agent.told(Released, leg="a")
        assert (released.cause, released.by_far_end) == (cause, True)
        assert not rig.agent.heard(Alerting)
        await rig.all_idle()

    run_r2(tmp_path, main, r2_lines(variant="itu"))


def test_no_answer(tmp_path: Path) -> None:
    async def main(rig: R2Rig) -> None:
        rig.office.behave = never
        rig.agent.send(Seize(leg="a", group=rig.group, number="12345678", caller=DNIS, no_answer_ms=15_000))
        assert (await rig.agent.told(Alerting, leg="a")).inband
        assert (await rig.agent.told(Released, leg="a")).cause == Cause.NO_ANSWER
        await rig.all_idle()

    run_r2(tmp_path, main, r2_lines())


def test_caller_hears_ringing_when_the_call_agent_says_so(tmp_path: Path) -> None:
    async def main(rig: R2Rig) -> None:
        call = rig.office.call(DNIS, ANI)
        leg = (await rig.offered()).state.leg
        rig.agent.send(Alert(leg=leg))
        await rig.office.until(lambda: call.alerting, 1.5)
        rig.agent.send(Release(leg=leg))
        await rig.agent.told(Released, leg=leg)
        assert not call.over  # nothing but a tone can tell it now
        rig.office.release(call)
        await rig.all_idle()

    run_r2(tmp_path, main, r2_lines())


def test_withheld_number_is_no_number(tmp_path: Path) -> None:
    async def main(rig: R2Rig) -> None:
        rig.office.call(DNIS, None)
        state = (await rig.offered()).state
        assert state.ani is None
        assert state.caller is not None
        assert state.caller.presentation is Presentation.RESTRICTED

    run_r2(tmp_path, main, r2_lines(variant="itu"))


def test_number_without_fixed_length(tmp_path: Path) -> None:
    async def main(rig: R2Rig) -> None:
        for number in ("1", "123", "12345678901"):
            call = rig.office.call(number, ANI)
            offered = await rig.offered()
            assert (offered.state.dnis, offered.state.ani) == (number, ANI)
            rig.office.release(call)
            await rig.agent.told(Released, leg=offered.state.leg)

    run_r2(tmp_path, main, r2_lines(dnis_length=0))


def test_channel_blocked_by_us_is_not_seized_there(tmp_path: Path) -> None:
    async def main(rig: R2Rig) -> None:
        rig.agent.send(BlockChannel(channel=3, blocked=True))
        await rig.office.until(lambda: rig.office.channels[3].far_blocked)
        assert not rig.office.channels[3].is_free()
        rig.agent.send(BlockChannel(channel=3, blocked=False))
        await rig.all_idle()

    run_r2(tmp_path, main, r2_lines())


def test_channel_blocked_there_is_not_seized_here(tmp_path: Path) -> None:
    async def main(rig: R2Rig) -> None:
        office = rig.office.channels[3]
        ours = rig.server.lines.channels[3]
        office.care.block(office.care.blocked_by.PERSON)
        office.blocked_changed()
        await rig.office.until(lambda: ours.far_blocked)
        assert ours.state().state == "far_blocked"
        rig.agent.send(Seize(leg="a", channel=3, number="12345678"))
        assert (await rig.agent.told(Released, leg="a")).cause == Cause.CHANNEL_NOT_AVAILABLE

    run_r2(tmp_path, main, r2_lines())


def test_glare_goes_to_another_channel(tmp_path: Path) -> None:
    async def main(rig: R2Rig) -> None:
        call = rig.office.call(DNIS, ANI, channel=1)
        rig.agent.send(Seize(leg="a", group=rig.group, number="12345678", caller=DNIS))
        await rig.agent.told(Answered, leg="a")
        assert call.cause == Cause.CHANNEL_NOT_AVAILABLE
        assert rig.office.calls[-1].channel == 2
        await rig.released("a")
        await rig.all_idle()

    run_r2(tmp_path, main, r2_lines(), r2_lines(dnis_length=8))


def test_channel_on_which_nobody_answers_is_left_for_another(tmp_path: Path) -> None:
    async def main(rig: R2Rig) -> None:
        rig.card.set_fault(1, Fault.FREEZE, True)
        await rig.answered_out("a")
        assert rig.office.calls[-1].channel == 2
        assert rig.server.lines.channels[1].care.failures == 1
        rig.card.set_fault(1, Fault.FREEZE, False)
        await rig.released("a")
        await rig.all_idle()

    run_r2(tmp_path, main, r2_lines(), r2_lines(dnis_length=0))


@pytest.mark.parametrize("at_s", [0.03, 0.3, 1.5, 4.0])
def test_alarm_ends_a_call_and_the_channel_comes_back(tmp_path: Path, at_s: float) -> None:
    async def main(rig: R2Rig) -> None:
        rig.office.call(DNIS, ANI)
        await asyncio.sleep(at_s)
        rig.card.set_span_alarm(1, "red")
        await asyncio.sleep(3)
        rig.card.set_span_alarm(1)
        await rig.all_idle()
        rig.agent.events.clear()
        await rig.answered_in()

    run_r2(tmp_path, main, r2_lines())


def test_calls_survive_the_call_agent(tmp_path: Path) -> None:
    async def main(rig: R2Rig) -> None:
        leg = await rig.answered_in()
        await rig.answered_out("out")
        rig.office.behave = never
        rig.agent.send(Seize(leg="ringing", group=rig.group, number="12345678", caller=DNIS))
        await rig.agent.told(Alerting, leg="ringing")
        rig.agent.send(Seize(leg="dialling", group=rig.group, number="12345678", caller=DNIS))
        late = rig.office.call(DNIS, ANI, channel=20)
        await asyncio.sleep(0.5)
        rig.agent.die()
        await asyncio.sleep(6)
        rig.agent = Agent(rig.server)
        legs = {state.leg: state for state in (await rig.agent.welcome()).legs}
        assert [legs[name].phase for name in (leg, "out", "ringing", "dialling")] == [
            LegPhase.ANSWERED, LegPhase.ANSWERED, LegPhase.ALERTING, LegPhase.ALERTING,
        ]  # fmt: skip
        assert len(legs) == 5
        assert not any(call.over for call in rig.office.calls)
        rig.office.release(late)
        for name in (leg, "out", "ringing", "dialling"):
            await rig.released(name)
        await rig.all_idle()

    run_r2(tmp_path, main, r2_lines(), r2_lines(dnis_length=8))


def test_answered_calls_survive_the_line_server(tmp_path: Path) -> None:
    async def main(rig: R2Rig) -> None:
        leg = await rig.answered_in()
        await rig.answered_out("out")
        rig.office.behave = never
        rig.agent.send(Seize(leg="ringing", group=rig.group, number="12345678", caller=DNIS))
        await rig.agent.told(Alerting, leg="ringing")
        welcome = await rig.restart()
        phases = {state.leg: state.phase for state in welcome.legs}
        assert phases == {leg: LegPhase.ANSWERED, "out": LegPhase.ANSWERED, "ringing": LegPhase.ALERTING}
        assert not any(call.over for call in rig.office.calls)
        for name in phases:
            await rig.released(name)
        await rig.all_idle()
        assert [call.cause for call in rig.office.calls] == [Cause.NORMAL] * 3

    run_r2(tmp_path, main, r2_lines(), r2_lines(dnis_length=8))


def test_call_that_ended_while_nobody_was_here(tmp_path: Path) -> None:
    async def main(rig: R2Rig) -> None:
        leg = await rig.answered_in()
        (call,) = rig.office.calls
        asyncio.get_running_loop().call_later(1.0, rig.office.release, call)
        welcome = await rig.restart(dead_s=3)
        assert [(state.leg, state.phase, state.cause) for state in welcome.legs] == [(leg, LegPhase.RELEASED, Cause.NORMAL)]
        await rig.all_idle()

    run_r2(tmp_path, main, r2_lines())


def test_call_that_was_being_set_up_is_let_go(tmp_path: Path) -> None:
    async def main(rig: R2Rig) -> None:
        rig.agent.send(Seize(leg="a", group=rig.group, number="12345678", caller=DNIS))
        await asyncio.sleep(1)
        welcome = await rig.restart()
        assert [(state.leg, state.cause) for state in welcome.legs] == [("a", Cause.TEMPORARY_FAILURE)]
        await rig.all_idle()

    run_r2(tmp_path, main, r2_lines())
