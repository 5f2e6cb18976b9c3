"""Calls on the virtual card, through line server and protocol: in, out, sets, glare, alarms, hunting."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from drivers.config import GroupConfig
from drivers.protocol import (
    Alerting,
    Answer,
    Answered,
    BlockChannel,
    Cause,
    ChannelChanged,
    CommandFailed,
    Direction,
    LegPhase,
    Offered,
    PlayTone,
    Release,
    Released,
    Seize,
    SpanChanged,
    Welcome,
)
from drivers.signalling.fxo_profile import LineProfile
from drivers.virtual.config import SpanConfig, SpanKind
from drivers.virtual.faults import Fault
from drivers.virtual.handset import Phase
from tests.scenarios.lines_rig import LINES, OUTSIDE, WORLD, Rig, run_rig

BUSY_TONE = 3


def test_caller_is_answered_and_hangs_up(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        caller, leg = await rig.answered()
        assert rig.leg(leg).phase is LegPhase.ANSWERED
        await asyncio.sleep(3)
        caller.hang_up()
        released = await rig.agent.told(Released, leg=leg)
        assert (released.cause, released.by_far_end) == (Cause.NORMAL, True)
        assert rig.leg(leg).released_at is not None

    run_rig(folder, main)


def test_welcome_describes_the_card(folder: Path) -> None:
    async def main(rig: Rig) -> Welcome:
        return await rig.agent.welcome()

    welcome = run_rig(folder, main, connected=False)
    assert [group.name for group in welcome.groups] == ["trunk", "sets"]
    assert [channel.signalling for channel in welcome.channels] == ["fxsks"] * 4 + ["fxoks"] * 2
    assert [span.channels for span in welcome.spans] == [4, 2]


def test_offer_says_group_and_number_dialled(folder: Path) -> None:
    lines = msgspec.structs.replace(LINES, groups=(GroupConfig(name="front", channels="1-4", dnis="8001"),))

    async def main(rig: Rig) -> None:
        rig.call_in()
        state = (await rig.agent.told(Offered)).state
        assert (state.group, state.dnis, state.direction, state.phase) == ("front", "8001", Direction.INBOUND, LegPhase.OFFERED)
        while (changed := await rig.agent.told(ChannelChanged)).channel.leg is None:
            pass
        assert (changed.channel.number, changed.channel.leg) == (state.channel, state.leg)

    run_rig(folder, main, lines)


def test_caller_gives_up_while_ringing(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        caller = rig.call_in()
        leg = await rig.offered()
        await asyncio.sleep(2)
        caller.hang_up()
        released = await rig.agent.told(Released, leg=leg)
        assert released.by_far_end
        await rig.answered()

    run_rig(folder, main)


def test_box_hangs_up(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        caller, leg = await rig.answered()
        rig.agent.send(Release(leg=leg))
        released = await rig.agent.told(Released, leg=leg)
        assert (released.cause, released.by_far_end) == (Cause.NORMAL, False)
        await caller.reached(Phase.ENDED)

    run_rig(folder, main)


def test_refused_call_rings_out(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        caller = rig.call_in()
        leg = await rig.offered()
        rig.agent.send(Release(leg=leg, cause=Cause.REJECTED))
        assert (await rig.agent.told(Released, leg=leg)).cause == Cause.REJECTED
        await asyncio.sleep(8)
        assert not rig.agent.heard(Offered)
        assert caller.phase is Phase.RINGING
        caller.hang_up()
        await asyncio.sleep(8)
        assert rig.server.lines.channels[1].is_free()

    run_rig(folder, main)


def test_call_out_is_answered(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        rig.agent.send(Seize(leg="out-1", group="trunk", number=OUTSIDE, tag=b"me"))
        await rig.agent.told(Alerting, leg="out-1")
        await rig.agent.told(Answered, leg="out-1", limit_s=30)
        assert rig.world.telephones[OUTSIDE].phase is Phase.TALKING
        state = rig.leg("out-1")
        assert (state.direction, state.dnis, state.tag, state.channel) == (Direction.OUTBOUND, OUTSIDE, b"me", 1)
        rig.agent.send(Release(leg="out-1"))
        await rig.agent.told(Released, leg="out-1")

    run_rig(folder, main)


def test_call_out_to_a_busy_telephone(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        other = rig.world.telephones[OUTSIDE]
        other.dial("13999999999")
        rig.agent.send(Seize(leg="out-1", group="trunk", number=OUTSIDE))
        released = await rig.agent.told(Released, leg="out-1", limit_s=40)
        assert (released.cause, released.by_far_end) == (Cause.USER_BUSY, True)

    run_rig(folder, main)


def test_call_out_nobody_answers(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        rig.agent.send(Seize(leg="out-1", channel=5, no_answer_ms=6000))
        await rig.agent.told(Alerting)
        released = await rig.agent.told(Released, limit_s=7)
        assert (released.cause, released.by_far_end) == (Cause.NO_ANSWER, False)
        assert rig.world.sets[5].phase is Phase.IDLE

    run_rig(folder, main)


def test_set_is_rung_and_talks(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        rig.agent.send(Seize(leg="set-1", group="sets"))
        await rig.agent.told(Alerting, leg="set-1")
        telephone = rig.world.sets[5]
        await telephone.reached(Phase.RINGING)
        telephone.answer()
        await rig.agent.told(Answered, leg="set-1")
        telephone.hang_up()
        assert (await rig.agent.told(Released, leg="set-1")).by_far_end

    run_rig(folder, main)


def test_set_goes_off_hook_by_itself(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        telephone = rig.lift(6, "8001")
        state = (await rig.agent.told(Offered)).state
        assert (state.group, state.channel, state.ani, state.dnis) == ("sets", 6, "8002", "8001")
        rig.agent.send(Answer(leg=state.leg))
        rig.agent.send(PlayTone(leg=state.leg, tone="dial"))
        await rig.agent.told(Answered)
        telephone.hang_up()
        await rig.agent.told(Released, leg=state.leg)

    run_rig(folder, main)


def test_set_left_off_hook_is_not_free_until_put_down(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        telephone = rig.lift(6)
        rig.agent.send(Release(leg=await rig.offered()))
        await rig.agent.told(Released)
        await asyncio.sleep(5)
        rig.agent.send(Seize(leg="a", channel=6))
        assert (await rig.agent.told(Released, leg="a")).cause == Cause.CHANNEL_NOT_AVAILABLE
        telephone.hang_up()
        await asyncio.sleep(3)
        rig.agent.send(Seize(leg="b", channel=6))
        await rig.agent.told(Alerting, leg="b")

    run_rig(folder, main)


def test_no_free_channel_is_an_outcome(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        for number in range(3):
            rig.agent.send(Seize(leg=f"set-{number}", group="sets"))
        released = await rig.agent.told(Released)
        assert (released.leg, released.cause) == ("set-2", Cause.NO_CHANNEL)
        assert not rig.agent.heard(CommandFailed)

    run_rig(folder, main)


def test_call_out_moves_to_another_channel_when_the_line_rings(folder: Path) -> None:
    """Glare: the exchange begins to ring the channel in the very moment that we seize it."""

    async def main(rig: Rig) -> None:
        trunk = rig.world.trunks[1]
        rig.call_in()
        for _ in range(2000):
            if trunk.state.name == "RINGING":
                break
            await asyncio.sleep(0.001)
        rig.agent.send(Seize(leg="out-1", group="trunk", number=OUTSIDE))
        state = (await rig.agent.told(Offered)).state
        assert state.channel == 1
        rig.agent.send(Answer(leg=state.leg))
        await rig.agent.told(Answered, leg=state.leg)
        await rig.agent.told(Answered, leg="out-1", limit_s=30)
        assert rig.leg("out-1").channel == 2

    run_rig(folder, main)


def test_call_out_moves_to_another_line_when_there_is_no_dial_tone(folder: Path) -> None:
    lines = msgspec.structs.replace(LINES, analog=LineProfile(dial_without_tone=False))

    async def main(rig: Rig) -> None:
        rig.card.set_fault(1, Fault.SILENCE)
        rig.agent.send(Seize(leg="out-1", group="trunk", number=OUTSIDE))
        await rig.agent.told(Answered, leg="out-1", limit_s=30)
        assert rig.leg("out-1").channel == 2
        assert rig.channel_state(1).failures == 1
        for number in range(2, 5):
            rig.card.set_fault(number, Fault.SILENCE)
        rig.agent.send(Seize(leg="out-2", group="trunk", number=OUTSIDE))
        assert (await rig.agent.told(Released, leg="out-2", limit_s=30)).cause == Cause.NETWORK_OUT_OF_ORDER

    run_rig(folder, main, lines)


def test_blocked_channel_takes_no_new_call_but_keeps_its_own(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        _, leg = await rig.answered()
        for number in (1, 2):
            rig.agent.send(BlockChannel(channel=number))
        await asyncio.sleep(1)
        assert rig.leg(leg).phase is LegPhase.ANSWERED
        assert rig.channel_state(1).blocked
        rig.call_in()
        await asyncio.sleep(10)
        assert not rig.agent.heard(Offered)
        rig.agent.send(Seize(leg="out-1", group="trunk", number=OUTSIDE))
        await rig.agent.told(Alerting)
        assert rig.leg("out-1").channel == 3

    run_rig(folder, main)


def test_span_alarm_ends_calls_and_blocks_until_cleared(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        _, leg = await rig.answered()
        rig.card.set_span_alarm(1, "red")
        assert (await rig.agent.told(Released, leg=leg)).cause == Cause.NETWORK_OUT_OF_ORDER
        span = (await rig.agent.told(SpanChanged)).span
        assert span.alarms == ("red",)
        assert span.alarm_since is not None
        rig.agent.send(Seize(leg="out-1", group="trunk", number=OUTSIDE))
        assert (await rig.agent.told(Released, leg="out-1")).cause == Cause.NO_CHANNEL
        assert rig.channel_state(1).failures == 1
        rig.card.set_span_alarm(1)
        await asyncio.sleep(3)
        await rig.answered()

    run_rig(folder, main)


def test_unsupervised_line_is_released_by_busy_tone(folder: Path) -> None:
    """Loop start: only the tone tells that the caller has gone."""
    spans = (SpanConfig(kind=SpanKind.FXO, channels=2, supervised=False),)
    lines = msgspec.structs.replace(LINES, virtual=msgspec.structs.replace(WORLD, spans=spans))

    async def main(rig: Rig) -> None:
        caller, leg = await rig.answered()
        await asyncio.sleep(2)
        caller.hang_up()
        assert (await rig.agent.told(Released, leg=leg, limit_s=10)).by_far_end

    run_rig(folder, main, lines)


@pytest.mark.parametrize("hunting", ["up", "down", "round_robin", "least_used"])
def test_hunting(folder: Path, hunting: str) -> None:
    group = msgspec.convert({"name": "sets", "channels": "5-6", "hunting": hunting}, GroupConfig)
    lines = msgspec.structs.replace(LINES, groups=(group,))

    async def main(rig: Rig) -> list[int]:
        used = []
        for number in range(3):
            leg = f"set-{number}"
            rig.agent.send(Seize(leg=leg, group="sets"))
            await rig.agent.told(Alerting, leg=leg)
            used.append(rig.leg(leg).channel)
            rig.agent.send(Release(leg=leg))
            await rig.agent.told(Released, leg=leg)
            await asyncio.sleep(2)
        return used

    expected = {"up": [5, 5, 5], "down": [6, 6, 6], "round_robin": [5, 6, 5], "least_used": [5, 6, 5]}
    assert run_rig(folder, main, lines) == expected[hunting]
