"""The line server dies and the next one takes over its calls: descriptors, book of legs, bridges in the card, recordings with a gap."""

import asyncio
from pathlib import Path

import pytest

from drivers.io import LineEvent
from drivers.protocol import (
    Alerting,
    Answer,
    Answered,
    BlockChannel,
    Bridge,
    Bridged,
    Cause,
    Clip,
    Digit,
    LegPhase,
    LegState,
    Mute,
    Offered,
    Play,
    PlayEnd,
    RecordingDone,
    Release,
    Released,
    Seize,
    SetTag,
    StartRecording,
    Welcome,
)
from drivers.virtual.handset import Phase
from tests.scenarios.lines_rig import OUTSIDE, Rig, recorded, run_rig, speech_like, wav
from tests.scenarios.mortal_rig import Mortal, run_mortal


def only(welcome: Welcome) -> LegState:
    (state,) = welcome.legs
    return state


def test_call_is_taken_over_with_its_recording(folder: Path) -> None:
    before, after = speech_like(1, seed=1), speech_like(1, seed=2)

    async def main(rig: Rig, mortal: Mortal) -> None:
        caller, leg = await rig.answered()
        rig.agent.send(StartRecording(leg=leg, recording_id="r", path="r.wav"))
        rig.agent.send(SetTag(leg=leg, tag=b"here"))
        rig.agent.send(Play(leg=leg, play_id=3, clips=(Clip(silence_ms=60_000),)))
        caller.press("1")
        await rig.agent.told(Digit)
        await caller.keys_sent()
        await asyncio.sleep(0.1)
        caller.speak(wav(folder / "b.wav", before))
        await asyncio.sleep(2)
        state = only(await mortal.restart(dead_s=3))
        assert (state.leg, state.phase, state.tag) == (leg, LegPhase.ANSWERED, b"here")
        assert state.play is not None
        assert state.play.end is PlayEnd.FAILED
        assert [press.digit for press in state.digits] == ["1"]
        await asyncio.sleep(0.2)
        caller.speak(wav(folder / "a.wav", after))
        await asyncio.sleep(2)
        caller.press("2")
        assert (await rig.agent.told(Digit)).seq == 2
        caller.hang_up()
        assert (await rig.agent.told(Released, leg=leg)).by_far_end
        await rig.agent.told(RecordingDone)

    run_mortal(folder, main)
    left, right = recorded(folder / "data" / "recordings" / "r.wav")
    assert before in left
    assert after in left
    gap = left.index(after) - left.index(before)
    assert gap == pytest.approx(8000 * 5.3, abs=8000 * 0.2)
    assert len(left) == len(right)


def test_bridge_in_the_card_goes_on_and_is_found_again(folder: Path) -> None:
    said = speech_like(1, seed=3)

    async def main(rig: Rig, mortal: Mortal) -> None:
        caller, leg = await rig.answered()
        rig.agent.send(Seize(leg="set", channel=5))
        telephone = rig.world.sets[5]
        await telephone.reached(Phase.RINGING)
        telephone.answer()
        await rig.agent.told(Answered, leg="set")
        rig.agent.send(Bridge(leg=leg, other="set"))
        assert (await rig.agent.told(Bridged)).native
        await mortal.die()
        caller.listen(folder / "heard.wav")
        await asyncio.sleep(0.2)
        telephone.speak(wav(folder / "s.wav", said))
        await asyncio.sleep(2)
        states = {state.leg: state for state in (await mortal.start()).legs}
        assert (states[leg].bridged_with, states["set"].bridged_with, states[leg].native) == ("set", leg, True)
        telephone.hang_up()
        await rig.agent.told(Released, leg="set")
        rig.agent.send(Release(leg=leg))
        await rig.agent.told(Released, leg=leg)

    run_mortal(folder, main)
    assert said in recorded(folder / "heard.wav")[0]


def test_bridge_in_the_media_core_is_made_again(folder: Path) -> None:
    said = speech_like(1, seed=4)

    async def main(rig: Rig, mortal: Mortal) -> None:
        caller, leg = await rig.answered()
        telephone = rig.lift(5)
        other = await rig.offered()
        rig.agent.send(Answer(leg=other))
        await rig.agent.told(Answered, leg=other)
        rig.agent.send(Mute(leg=leg, rx=True))
        rig.agent.send(Bridge(leg=leg, other=other))
        assert not (await rig.agent.told(Bridged)).native
        await mortal.restart()
        caller.listen(folder / "heard.wav")
        await asyncio.sleep(0.2)
        telephone.speak(wav(folder / "s.wav", said))
        await asyncio.sleep(2)
        caller.hang_up()
        await rig.agent.told(Released, leg=leg)
        assert rig.leg(other).bridged_with is None

    run_mortal(folder, main)
    assert said in recorded(folder / "heard.wav")[0]


def test_set_hung_up_meanwhile(folder: Path) -> None:
    async def main(rig: Rig, mortal: Mortal) -> None:
        telephone = rig.lift(6)
        leg = await rig.offered()
        rig.agent.send(Answer(leg=leg))
        await rig.agent.told(Answered)
        await mortal.die()
        telephone.hang_up()
        await asyncio.sleep(3)
        state = only(await mortal.start())
        assert (state.phase, state.released_by_far_end) == (LegPhase.RELEASED, True)
        await asyncio.sleep(2)
        rig.agent.send(Seize(leg="again", channel=6))
        await rig.agent.told(Alerting, leg="again")

    run_mortal(folder, main)


def test_ringing_call_can_still_be_answered(folder: Path) -> None:
    async def main(rig: Rig, mortal: Mortal) -> None:
        caller = rig.call_in()
        leg = await rig.offered()
        state = only(await mortal.restart(dead_s=1))
        assert (state.leg, state.phase) == (leg, LegPhase.OFFERED)
        rig.agent.send(Answer(leg=leg))
        await rig.agent.told(Answered, leg=leg)
        await caller.reached(Phase.TALKING)

    run_mortal(folder, main)


def test_ringing_call_is_cared_for_when_no_agent_comes(folder: Path) -> None:
    async def main(rig: Rig, mortal: Mortal) -> None:
        caller = rig.call_in()
        await rig.offered()
        await mortal.restart(dead_s=1)
        rig.agent.die()
        await caller.reached(Phase.TALKING, limit_s=10)

    run_mortal(folder, main)


def test_call_that_was_being_dialled_is_released_not_lost(folder: Path) -> None:
    async def main(rig: Rig, mortal: Mortal) -> None:
        rig.agent.send(Seize(leg="out", group="trunk", number=OUTSIDE))
        await asyncio.sleep(0.5)
        state = only(await mortal.restart(dead_s=0.1))
        assert (state.leg, state.phase, state.cause) == ("out", LegPhase.RELEASED, Cause.TEMPORARY_FAILURE)

    run_mortal(folder, main)


def test_leg_names_are_unique_over_restarts(folder: Path) -> None:
    async def main(rig: Rig, mortal: Mortal) -> None:
        legs = set()
        for _ in range(3):
            caller, leg = await rig.answered()
            legs.add(leg)
            caller.hang_up()
            await rig.agent.told(Released)
            await mortal.restart()
        assert len(legs) == 3

    run_mortal(folder, main)


def test_call_of_a_card_in_software_ends_with_the_process(folder: Path) -> None:
    async def first(rig: Rig) -> None:
        _, leg = await rig.answered()
        rig.agent.send(StartRecording(leg=leg, recording_id="r", path="r.wav"))
        await asyncio.sleep(3)

    async def second(rig: Rig) -> None:
        state = only(await rig.agent.welcome())
        assert (state.phase, state.cause) == (LegPhase.RELEASED, Cause.TEMPORARY_FAILURE)
        assert state.recordings[0].stopped
        assert state.recordings[0].samples == pytest.approx(24_000, abs=320)

    run_rig(folder, first)
    run_rig(folder, second, connected=False)


def test_blocked_channel_stays_blocked(folder: Path) -> None:
    async def main(rig: Rig, mortal: Mortal) -> None:
        rig.agent.send(BlockChannel(channel=2))
        welcome = await mortal.restart()
        assert [channel.number for channel in welcome.channels if channel.blocked] == [2]
        rig.agent.send(BlockChannel(channel=2, blocked=False))
        welcome = await mortal.restart()
        assert not [channel.number for channel in welcome.channels if channel.blocked]

    run_mortal(folder, main)


def test_card_that_was_pulled_and_is_back(folder: Path) -> None:
    async def main(rig: Rig, mortal: Mortal) -> None:
        _, leg = await rig.answered()
        channel = rig.server.lines.channels[1]
        channel.on_line_event(LineEvent.REMOVED)
        assert (await rig.agent.told(Released, leg=leg)).cause == Cause.NETWORK_OUT_OF_ORDER
        rig.card.set_span_alarm(1, "removed")
        await asyncio.sleep(1)
        assert "removed" in rig.channel_state(1).alarms
        before = channel.io
        rig.card.set_span_alarm(1)
        await asyncio.sleep(5)
        assert rig.channel_state(1).alarms == ()
        assert channel.io is not before
        await rig.answered()

    run_mortal(folder, main)


def test_card_that_is_back_for_a_moment_only(folder: Path) -> None:
    async def main(rig: Rig, mortal: Mortal) -> None:
        channel = rig.server.lines.channels[1]
        channel.on_line_event(LineEvent.REMOVED)
        before = channel.io
        rig.card.set_span_alarm(1, "removed")
        await asyncio.sleep(1)
        rig.card.set_span_alarm(1)
        await asyncio.sleep(0.5)
        rig.card.set_span_alarm(1, "removed")
        await asyncio.sleep(5)
        assert channel.io is before
        assert rig.channel_state(1).alarms == ("removed",)
        rig.card.set_span_alarm(1)
        await asyncio.sleep(5)
        assert rig.channel_state(1).alarms == ()
        await rig.answered()

    run_mortal(folder, main)


def test_unreadable_state_is_put_aside(folder: Path) -> None:
    legs = folder / "run" / "legs"
    legs.mkdir(parents=True)
    (legs / "bad.leg").write_bytes(b"\xc1garbage")

    async def main(rig: Rig) -> None:
        assert (await rig.agent.welcome()).legs == ()
        assert (legs / "bad.broken").exists()
        await rig.answered()

    run_rig(folder, main, connected=False)


# --- sets ----------------------------------------------------------------------------------------------------------


def test_set_that_dialled_is_still_offered(folder: Path) -> None:
    async def main(rig: Rig, mortal: Mortal) -> None:
        telephone = rig.lift(5, "8002")
        leg = await rig.offered()
        state = only(await mortal.restart())
        assert (state.leg, state.phase, state.dnis, state.ani) == (leg, LegPhase.OFFERED, "8002", "8001")
        rig.agent.send(Answer(leg=leg))
        await rig.agent.told(Answered, leg=leg)
        telephone.hang_up()
        await rig.agent.told(Released, leg=leg)

    run_mortal(folder, main)


@pytest.mark.parametrize("before", ["", "80"])
def test_set_that_was_dialling_has_dial_tone_again(folder: Path, before: str) -> None:
    async def main(rig: Rig, mortal: Mortal) -> None:
        telephone = rig.lift(5, before)
        await asyncio.sleep(2)
        await mortal.restart()
        await asyncio.sleep(3)
        assert rig.channel_state(5).state == "dial_tone"
        telephone.press("8002")
        await rig.agent.told(Offered)

    run_mortal(folder, main)


def test_set_lifted_while_no_line_server_was_there(folder: Path) -> None:
    async def main(rig: Rig, mortal: Mortal) -> None:
        await mortal.die()
        rig.world.sets[5].pick_up()
        await asyncio.sleep(2)
        await mortal.start()
        await asyncio.sleep(3)
        assert rig.channel_state(5).state == "dial_tone"

    run_mortal(folder, main)
