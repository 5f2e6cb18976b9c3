"""Bridges on the virtual card: out of the card and back, conferences, what the media core does not hear; gaps in samples."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from drivers.protocol import (
    Bridge,
    Bridged,
    Clip,
    CommandFailed,
    Confer,
    Conferred,
    Digit,
    Gain,
    Play,
    PlayDone,
    RecordingDone,
    Release,
    Seize,
    StartRecording,
    StopRecording,
    Tap,
    Unbridge,
)
from drivers.virtual.config import SpanConfig, SpanKind
from drivers.virtual.handset import Handset, Phase
from tests.media import audio
from tests.media.audio import longest_silence
from tests.media.test_mix import heard as tones_in
from tests.scenarios.lines_rig import LINES, WORLD, Rig, recorded, run_rig, speech_like, wav
from tests.scenarios.mortal_rig import Mortal, run_mortal

SETS = msgspec.structs.replace(WORLD, spans=(*WORLD.spans[:1], SpanConfig(kind=SpanKind.FXS, channels=3)))
THREE_SETS = msgspec.structs.replace(LINES, virtual=SETS)
GAP_LIMIT_SAMPLES = 160
TONES = {"caller": 400, "first": 1000, "second": 1700}


def tone(folder: Path, hz: int) -> Path:
    """Two seconds that can be repeated without a seam, with no sample that is silence."""
    pcm = (4000 * np.sin(2 * np.pi * hz * np.arange(16_000) / 8000 + 0.1)).astype(np.int16)
    return wav(folder / f"{hz}.wav", audio.to_alaw(pcm))


class Talk:
    """A caller and one or two sets that were rung, all answered; `legs` and telephones by name."""

    def __init__(self, rig: Rig, folder: Path) -> None:
        self.rig, self.folder, self.agent = rig, folder, rig.agent
        self.legs: dict[str, str] = {}
        self.phones: dict[str, Handset] = {}
        self._files = 0

    async def begin(self, *sets: str) -> None:
        self.phones["caller"], self.legs["caller"] = await self.rig.answered()
        for channel, name in enumerate(sets, 5):
            self.agent.send(Seize(leg=name, channel=channel))
            self.phones[name] = self.rig.world.sets[channel]
            await self.phones[name].reached(Phase.RINGING)
            self.phones[name].answer()
            await self.phones[name].reached(Phase.TALKING)
            self.legs[name] = name
        await asyncio.sleep(0.3)

    def sing(self) -> None:
        """Everybody sounds a tone of his own, for ever."""
        for name, phone in self.phones.items():
            phone.speak(tone(self.folder, TONES[name]), loops=0)

    async def join(self, native: bool = True) -> bool:
        """The caller with the first set; whether the card joins them."""
        self.agent.send(Bridge(leg=self.legs["caller"], other="first", native=native))
        return (await self.agent.told(Bridged)).native

    async def listen(self, act: Callable[[], Awaitable[None]]) -> dict[str, bytes]:
        """What everybody hears while `act` goes on."""
        self._files += 1
        for name, phone in self.phones.items():
            phone.listen(self.folder / f"{name}{self._files}.wav")
        await act()
        for phone in self.phones.values():
            phone.stop_listening()
        await asyncio.sleep(0.2)
        return {name: recorded(self.folder / f"{name}{self._files}.wav")[0] for name in self.phones}

    async def heard(self) -> dict[str, set[int]]:
        """The tones everybody hears now."""
        found = await self.listen(lambda: asyncio.sleep(1.0))
        return {name: tones_in(codes) for name, codes in found.items()}


def run_talk(folder: Path, main: Callable[[Talk], Awaitable[None]], *sets: str) -> None:
    async def within(rig: Rig) -> None:
        talk = Talk(rig, folder)
        await talk.begin(*sets)
        await main(talk)

    run_rig(folder, within, THREE_SETS)


def core_hears(talk: Talk, channel: int) -> bool:
    return talk.rig.server.lines.channels[channel].audio.is_open


@pytest.mark.parametrize("native", [True, False])
def test_out_of_the_card_and_back_without_a_gap(folder: Path, native: bool) -> None:
    async def main(talk: Talk) -> None:
        assert await talk.join()
        talk.sing()
        await asyncio.sleep(0.5)

        async def change() -> None:
            for _ in range(5):
                for wanted in (False, True):
                    assert await change_over(talk, wanted, by_gain=native) is wanted
                    await asyncio.sleep(0.5)

        for codes in (await talk.listen(change)).values():
            assert len(codes) >= 5 * 8000
            assert longest_silence(codes) <= GAP_LIMIT_SAMPLES

    run_talk(folder, main, "first")


async def change_over(talk: Talk, native: bool, by_gain: bool) -> bool:
    """By what happens to a leg, or because the call agent says so."""
    if not by_gain:
        return await talk.join(native)
    talk.agent.send(Gain(leg="first", tx_db=0.0 if native else -1.0))
    return (await talk.agent.told(Bridged)).native


def test_no_more_than_a_block_of_what_is_said_is_lost_or_doubled(folder: Path) -> None:
    said = speech_like(4, seed=3)

    async def main(talk: Talk) -> None:
        await talk.join()

        async def change() -> None:
            talk.phones["caller"].speak_samples(said)
            for native in (False, True, False):
                await asyncio.sleep(1)
                await talk.join(native)
            await talk.phones["caller"].spoken()

        heard = (await talk.listen(change))["first"]
        begins = heard.index(said[:160])
        places = [said.find(heard[at : at + 160]) for at in range(begins, begins + len(said) - 1600, 160)]
        steps = [after - before for before, after in itertools.pairwise(places)]
        assert set(steps) == {0, 160, 320}
        assert (steps.count(320), steps.count(0)) == (1, 2)

    run_talk(folder, main, "first")


def test_back_into_the_card_before_it_was_left(folder: Path) -> None:
    async def main(talk: Talk) -> None:
        await talk.join()
        talk.sing()

        async def change() -> None:
            await talk.join(native=False)
            await asyncio.sleep(0.04)
            await talk.join()
            await asyncio.sleep(0.5)

        assert all(longest_silence(codes) <= GAP_LIMIT_SAMPLES for codes in (await talk.listen(change)).values())
        io = talk.rig.server.lines.channels[5].io
        assert io is not None
        assert io.native_peer() == 1

    run_talk(folder, main, "first")


def test_the_media_core_hears_a_bridge_in_the_card_only_while_it_must(folder: Path) -> None:
    async def main(talk: Talk) -> None:
        await talk.join()
        assert not core_hears(talk, 5)
        talk.agent.send(StartRecording(leg="first", recording_id="r", path="r.wav"))
        await asyncio.sleep(0.2)
        assert core_hears(talk, 5)
        talk.sing()
        await asyncio.sleep(1)
        talk.agent.send(StopRecording(leg="first", recording_id="r"))
        done = await talk.agent.told(RecordingDone)
        assert not core_hears(talk, 5)
        says, hears = recorded(Path(done.path))
        assert (tones_in(says), tones_in(hears)) == ({1000}, {400})
        talk.agent.send(Unbridge(leg="first"))
        await asyncio.sleep(0.2)
        talk.phones["first"].press("5")
        assert (await talk.agent.told(Digit)).digit == "5"

    run_talk(folder, main, "first")


def test_a_listener_hears_a_bridge_that_stays_in_the_card(folder: Path) -> None:
    async def main(talk: Talk) -> None:
        await talk.join()
        talk.sing()
        talk.agent.send(Tap(leg="second", target="first"))
        await asyncio.sleep(0.2)
        assert (await talk.heard())["second"] == {400, 1000}
        assert talk.rig.leg("first").native
        talk.agent.send(Tap(leg="second"))
        await asyncio.sleep(0.2)
        assert not core_hears(talk, 5)

    run_talk(folder, main, "first", "second")


def test_a_prompt_is_heard_over_a_bridge_which_then_goes_back_into_the_card(folder: Path) -> None:
    async def main(talk: Talk) -> None:
        await talk.join()
        talk.phones["caller"].speak(tone(folder, 400), loops=0)
        talk.agent.send(Play(leg="first", play_id=1, clips=(Clip(str(tone(folder, 2300))),)))
        assert not (await talk.agent.told(Bridged)).native
        await asyncio.sleep(0.3)
        assert (await talk.heard())["first"] == {400, 2300}
        await talk.agent.told(PlayDone)
        assert (await talk.agent.told(Bridged)).native

    run_talk(folder, main, "first")


def test_three_hear_each_other_and_two_go_back_into_the_card(folder: Path) -> None:
    async def main(talk: Talk) -> None:
        await talk.join()
        talk.sing()
        await asyncio.sleep(0.5)

        async def change() -> None:
            await asyncio.sleep(0.5)
            talk.agent.send(Confer(leg="second", other="first"))
            conferred = [await talk.agent.told(Conferred) for _ in range(3)]
            assert {each.leg: set(each.others) for each in conferred}["second"] == {"first", talk.legs["caller"]}
            await asyncio.sleep(1.0)
            talk.agent.send(Release(leg="second"))
            assert (await talk.agent.told(Bridged)).native
            await asyncio.sleep(0.5)

        heard = await talk.listen(change)
        assert longest_silence(heard["caller"]) <= GAP_LIMIT_SAMPLES
        assert longest_silence(heard["first"]) <= GAP_LIMIT_SAMPLES
        assert talk.rig.leg("first").conference == ()

    run_talk(folder, main, "first", "second")


def test_each_hears_the_two_others_and_recordings_hold_them(folder: Path) -> None:
    async def main(talk: Talk) -> None:
        await talk.join()
        talk.agent.send(StartRecording(leg="first", recording_id="r", path="r.wav"))
        talk.agent.send(Confer(leg="second", other=talk.legs["caller"]))
        await asyncio.sleep(0.5)
        talk.sing()
        await asyncio.sleep(0.2)
        assert await talk.heard() == {"caller": {1000, 1700}, "first": {400, 1700}, "second": {400, 1000}}
        talk.agent.send(StopRecording(leg="first", recording_id="r"))
        says, hears = recorded(Path((await talk.agent.told(RecordingDone)).path))
        assert (tones_in(says[8000:]), tones_in(hears[8000:])) == ({1000}, {400, 1700})
        talk.agent.send(Confer(leg="first"))
        await talk.agent.told(Conferred, leg="first", others=())
        assert (await talk.agent.told(Bridged)).native
        assert await talk.heard() == {"caller": {1700}, "first": set(), "second": {400}}

    run_talk(folder, main, "first", "second")


def test_a_call_of_two_in_conference_ends_with_one(folder: Path) -> None:
    async def main(talk: Talk) -> None:
        talk.agent.send(Confer(leg="first", other=talk.legs["caller"]))
        await talk.agent.told(Conferred, leg="first")
        talk.agent.send(Release(leg="first"))
        await talk.agent.told(Conferred, leg=talk.legs["caller"], others=())

    run_talk(folder, main, "first")


def test_who_cannot_confer(folder: Path) -> None:
    async def main(talk: Talk) -> None:
        talk.agent.send(Confer(leg="first", other="first"))
        assert (await talk.agent.told(CommandFailed)).code == "LIN-039"
        talk.agent.send(Confer(leg="first", other="nobody"))
        assert (await talk.agent.told(CommandFailed)).code == "LIN-030"

    run_talk(folder, main, "first")


def test_a_conference_goes_on_after_a_restart_of_the_line_server(folder: Path) -> None:
    async def main(rig: Rig, mortal: Mortal) -> None:
        talk = Talk(rig, folder)
        await talk.begin("first", "second")
        await talk.join()
        rig.agent.send(Confer(leg="second", other="first"))
        await rig.agent.told(Conferred, leg="second")
        await mortal.restart()
        talk.agent = rig.agent
        await asyncio.sleep(0.2)
        talk.sing()
        await asyncio.sleep(0.2)
        assert await talk.heard() == {"caller": {1000, 1700}, "first": {400, 1700}, "second": {400, 1000}}

    run_mortal(folder, main)


def test_two_of_a_conference_are_joined_when_the_third_was_lost_in_a_restart(folder: Path) -> None:
    async def main(rig: Rig, mortal: Mortal) -> None:
        talk = Talk(rig, folder)
        await talk.begin("first", "second")
        await talk.join()
        rig.agent.send(Confer(leg="second", other="first"))
        await rig.agent.told(Conferred, leg="second")
        await mortal.die()
        talk.phones["second"].hang_up()
        await asyncio.sleep(1)
        await mortal.start()
        await asyncio.sleep(0.5)
        assert rig.leg("first").bridged_with == talk.legs["caller"]
        assert rig.leg("first").conference == ()

    run_mortal(folder, main)
