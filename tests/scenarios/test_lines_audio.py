"""Prompts, keys, recordings and bridges of calls on the virtual card, by what is heard and what is in the files."""

import asyncio
from pathlib import Path

import pytest

from drivers.protocol import (
    Answer,
    Answered,
    Bridge,
    Bridged,
    Clip,
    CommandFailed,
    DetectSpeech,
    DetectTones,
    Digit,
    DigitsSent,
    LegPhase,
    Mute,
    Play,
    PlayDone,
    PlayEnd,
    PlayTone,
    RecordingDone,
    Release,
    Released,
    Seize,
    SendDigits,
    SetTag,
    Sides,
    SilenceBegan,
    SpeechBegan,
    StartRecording,
    StopPlay,
    StopRecording,
    Tap,
    Unbridge,
    Unbridged,
)
from drivers.virtual.handset import Phase
from drivers.virtual.telephone import WiredSet
from tests.scenarios.lines_rig import OUTSIDE, Rig, recorded, run_rig, speech_like, wav


def test_caller_hears_the_prompt_sample_for_sample(folder: Path) -> None:
    prompt = speech_like(1.5, seed=1)

    async def main(rig: Rig) -> None:
        caller, leg = await rig.answered()
        caller.listen(folder / "heard.wav")
        await asyncio.sleep(0.5)
        rig.agent.send(Play(leg=leg, play_id=1, clips=(Clip(str(wav(folder / "p.wav", prompt))), Clip(silence_ms=200))))
        done = await rig.agent.told(PlayDone)
        assert (done.play_id, done.end, done.samples) == (1, PlayEnd.FINISHED, 8000 * 17 // 10)
        await asyncio.sleep(0.5)
        caller.hang_up()
        await rig.agent.told(Released)

    run_rig(folder, main)
    assert prompt in recorded(folder / "heard.wav")[0]


def test_key_stops_the_prompt_and_waits_until_consumed(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        caller, leg = await rig.answered()
        prompt = str(wav(folder / "p.wav", b"\xd5" * 80_000))
        rig.agent.send(Play(leg=leg, play_id=4, clips=(Clip(prompt),), barge_in_digits="12"))
        await asyncio.sleep(1)
        caller.press("921")
        done = await rig.agent.told(PlayDone)
        assert (done.end, done.digit) == (PlayEnd.BARGED, "2")
        presses = [await rig.agent.told(Digit) for _ in range(3)]
        assert [(press.seq, press.digit) for press in presses] == [(1, "9"), (2, "2"), (3, "1")]
        rig.agent.send(SetTag(leg=leg, tag=b"menu", consumed_seq=2))
        await asyncio.sleep(0.1)
        state = rig.leg(leg)
        assert (state.tag, [press.digit for press in state.digits]) == (b"menu", ["1"])
        assert state.play is not None
        assert state.play.end is PlayEnd.BARGED

    run_rig(folder, main)


def test_later_play_replaces_the_earlier(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        _, leg = await rig.answered()
        for play_id in (1, 2):
            rig.agent.send(Play(leg=leg, play_id=play_id, clips=(Clip(silence_ms=60_000),), loops=0))
            await asyncio.sleep(0.5)
        assert (await rig.agent.told(PlayDone)).play_id == 1
        assert rig.leg(leg).play is not None
        rig.agent.send(StopPlay(leg=leg))
        done = await rig.agent.told(PlayDone)
        assert (done.play_id, done.end) == (2, PlayEnd.STOPPED)

    run_rig(folder, main)


def test_whole_call_is_recorded_on_both_sides(folder: Path) -> None:
    prompt, said = speech_like(1, seed=2), speech_like(1, seed=3)

    async def main(rig: Rig) -> Path:
        caller, leg = await rig.answered()
        rig.agent.send(StartRecording(leg=leg, recording_id="r1", path="2026/03/a.wav"))
        await asyncio.sleep(0.2)
        rig.agent.send(Play(leg=leg, play_id=1, clips=(Clip(str(wav(folder / "p.wav", prompt))),)))
        caller.speak(wav(folder / "s.wav", said))
        await asyncio.sleep(2)
        caller.hang_up()
        await rig.agent.told(Released)
        done = await rig.agent.told(RecordingDone)
        assert (done.recording_id, done.lost_samples, done.error) == ("r1", 0, "")
        state = rig.leg(leg).recordings[0]
        assert (state.stopped, state.samples) == (True, done.samples)
        return Path(done.path)

    path = run_rig(folder, main)
    assert path == (folder / "data" / "recordings" / "2026" / "03" / "a.wav").resolve()
    left, right = recorded(path)
    assert said in left
    assert prompt in right


def test_message_is_one_side_and_can_be_continued(folder: Path) -> None:
    async def main(rig: Rig) -> tuple[RecordingDone, RecordingDone]:
        _, leg = await rig.answered()
        done = []
        for _ in range(2):
            rig.agent.send(StartRecording(leg=leg, recording_id="m", path="m.wav", sides=Sides.PARTY))
            await asyncio.sleep(2)
            rig.agent.send(StopRecording(leg=leg, recording_id="m"))
            done.append(await rig.agent.told(RecordingDone))
            await asyncio.sleep(3)
        return done[0], done[1]

    first, second = run_rig(folder, main)
    assert first.samples == pytest.approx(16_000, abs=320)
    assert second.samples == pytest.approx(56_000, abs=480)


def test_call_over_while_a_message_is_still_being_closed(folder: Path) -> None:
    """A slow disk keeps a recording open after it was told to stop; the release must be told all the same."""

    async def main(rig: Rig) -> list[CommandFailed]:
        _, leg = await rig.answered()
        rig.agent.send(StartRecording(leg=leg, recording_id="m", path="m.wav", sides=Sides.PARTY))
        await asyncio.sleep(1)
        rig.agent.send(StopRecording(leg=leg, recording_id="m"))
        rig.agent.send(StopRecording(leg=leg, recording_id="m"))
        rig.agent.send(Release(leg=leg))
        await rig.agent.told(Released)
        await rig.agent.told(RecordingDone)
        return rig.agent.heard(CommandFailed)

    assert run_rig(folder, main) == []


async def set_up_two(rig: Rig) -> tuple[WiredSet, str, str]:
    """A caller talking to the box on one leg, a set talking to the box on the other."""
    _, leg = await rig.answered()
    rig.agent.send(Seize(leg="set", channel=5))
    telephone = rig.world.sets[5]
    await telephone.reached(Phase.RINGING)
    telephone.answer()
    await rig.agent.told(Answered, leg="set")
    return telephone, leg, "set"


@pytest.mark.parametrize("native", [True, False])
def test_bridge_carries_audio_both_ways_and_is_recorded(folder: Path, native: bool) -> None:
    said = speech_like(1, seed=4)

    async def main(rig: Rig) -> Path:
        telephone, leg, other = await set_up_two(rig)
        rig.agent.send(StartRecording(leg=leg, recording_id="r", path="r.wav"))
        rig.agent.send(Bridge(leg=leg, other=other, native=native))
        bridged = await rig.agent.told(Bridged)
        assert bridged.native is native
        assert (rig.leg(leg).bridged_with, rig.leg(other).bridged_with) == (other, leg)
        await asyncio.sleep(0.3)
        telephone.speak(wav(folder / "s.wav", said))
        await asyncio.sleep(1.5)
        telephone.hang_up()
        await rig.agent.told(Unbridged, leg=leg)
        await rig.agent.told(Released, leg=other)
        assert rig.leg(leg).phase is LegPhase.ANSWERED
        assert rig.leg(leg).bridged_with is None
        rig.agent.send(Release(leg=leg))
        return Path((await rig.agent.told(RecordingDone)).path)

    assert said in recorded(run_rig(folder, main))[1]


def test_unbridged_legs_are_the_boxs_again(folder: Path) -> None:
    prompt = speech_like(1, seed=5)

    async def main(rig: Rig) -> None:
        telephone, leg, other = await set_up_two(rig)
        rig.agent.send(Bridge(leg=leg, other=other))
        await rig.agent.told(Bridged)
        rig.agent.send(Unbridge(leg=other))
        assert {(await rig.agent.told(Unbridged)).leg for _ in range(2)} == {leg, other}
        telephone.listen(folder / "heard.wav")
        await asyncio.sleep(0.2)
        rig.agent.send(Play(leg=other, play_id=1, clips=(Clip(str(wav(folder / "p.wav", prompt))),)))
        await rig.agent.told(PlayDone)
        await asyncio.sleep(0.2)
        telephone.hang_up()
        await rig.agent.told(Released)

    run_rig(folder, main)
    assert prompt in recorded(folder / "heard.wav")[0]


def test_muted_leg_leaves_the_card_for_the_media_core(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        _, leg, other = await set_up_two(rig)
        rig.agent.send(Bridge(leg=leg, other=other))
        assert (await rig.agent.told(Bridged)).native
        rig.agent.send(Mute(leg=leg, rx=True))
        assert not (await rig.agent.told(Bridged)).native
        await asyncio.sleep(0.5)
        assert rig.server.lines.channels[5].io is not None
        assert rig.server.lines.channels[5].io.native_peer() is None

    run_rig(folder, main)


def test_digits_are_sent_and_heard(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        caller, leg = await rig.answered()
        caller.detect("cn")
        rig.agent.send(SendDigits(leg=leg, digits="18#"))
        await rig.agent.told(DigitsSent, leg=leg)
        await caller.heard("18#")

    run_rig(folder, main)


def test_next_call_on_the_channel_begins_silent(folder: Path) -> None:
    """Nothing that was on for one call is on for the next."""

    async def main(rig: Rig) -> None:
        caller, leg = await rig.answered()
        rig.agent.send(PlayTone(leg=leg, tone="ringback"))
        rig.agent.send(Mute(leg=leg, rx=True))
        await asyncio.sleep(1)
        caller.hang_up()
        await rig.agent.told(Released)
        await asyncio.sleep(3)
        caller, leg = await rig.answered()
        assert rig.leg(leg).channel == 1
        caller.listen(folder / "heard.wav")
        rig.agent.send(StartRecording(leg=leg, recording_id="r", path="r.wav"))
        caller.speak(wav(folder / "s.wav", speech_like(0.5, seed=6)))
        await asyncio.sleep(1)
        caller.hang_up()
        await rig.agent.told(RecordingDone)

    run_rig(folder, main)
    assert set(recorded(folder / "heard.wav")[0]) == {0xD5}
    assert speech_like(0.5, seed=6) in recorded(folder / "data" / "recordings" / "r.wav")[0]


def test_listener_hears_both_sides_and_never_the_next_call(folder: Path) -> None:
    said, secret = speech_like(1, seed=7), speech_like(1, seed=8)

    async def main(rig: Rig) -> None:
        caller, leg = await rig.answered()
        supervisor = rig.lift(6)
        listener = await rig.offered()
        rig.agent.send(Answer(leg=listener))
        await rig.agent.told(Answered)
        rig.agent.send(Tap(leg=listener, target=leg))
        await asyncio.sleep(0.2)
        supervisor.listen(folder / "heard.wav")
        caller.speak(wav(folder / "s.wav", said))
        await asyncio.sleep(1.5)
        caller.hang_up()
        await rig.agent.told(Released, leg=leg)
        await asyncio.sleep(3)
        caller, leg = await rig.answered()
        assert rig.leg(leg).channel == 1
        caller.speak(wav(folder / "x.wav", secret))
        await asyncio.sleep(1.5)
        supervisor.hang_up()
        await rig.agent.told(Released, leg=listener)

    run_rig(folder, main)
    heard = recorded(folder / "heard.wav")[0]
    loud = [at for at, sample in enumerate(heard) if abs((sample ^ 0x55) & 0x7F) > 0x20]
    assert len(loud) > 4000
    assert loud[-1] - loud[0] < 8000


def test_digits_of_a_call_that_ended_never_reach_the_next(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        caller, leg = await rig.answered()
        rig.agent.send(SendDigits(leg=leg, digits="1234567890" * 6))
        await asyncio.sleep(0.5)
        caller.hang_up()
        await rig.agent.told(Released)
        await asyncio.sleep(2)
        rig.agent.send(Seize(leg="out", channel=1, number=OUTSIDE))
        await rig.agent.told(Answered, leg="out", limit_s=30)
        assert rig.world.telephones[OUTSIDE].phase is Phase.TALKING

    run_rig(folder, main)


def test_keys_of_a_caller_gone_are_not_the_next_callers(folder: Path) -> None:
    """The far side's telephones share their audio: one that goes away with keys under way takes them along."""

    async def main(rig: Rig) -> set[str]:
        caller, first = await rig.answered()
        caller.press("1" * 50)
        await asyncio.sleep(1)
        caller.hang_up()
        await rig.agent.told(Released)
        for _ in range(4):
            following, _ = await rig.answered()
            await asyncio.sleep(2)
            following.hang_up()
            await rig.agent.told(Released)
        return {digit.leg for digit in rig.agent.heard(Digit)} - {first}

    assert run_rig(folder, main) == set()


def test_speech_silence_and_tones_are_reported_when_asked_for(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        caller, leg = await rig.answered()
        rig.agent.send(DetectSpeech(leg=leg, silence_ms=1000))
        rig.agent.send(DetectTones(leg=leg, tones=("busy",)))
        await asyncio.sleep(0.2)
        caller.speak(wav(folder / "s.wav", speech_like(2, seed=9)))
        await rig.agent.told(SpeechBegan, leg=leg)
        assert (await rig.agent.told(SilenceBegan, leg=leg)).silence_ms == 1000
        rig.lift(5)
        rig.agent.send(Answer(leg=await rig.offered()))
        await rig.agent.told(Answered)

    run_rig(folder, main)
