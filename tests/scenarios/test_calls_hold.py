"""Hold, consultation and three together on the virtual card, by what everybody hears."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from appliance.call import Call
from appliance.call.consult import Want
from appliance.config import CallsConfig, Config, Destination
from appliance.ivr.prompts.library import PromptLibrary
from appliance.music import DEFAULT
from appliance.store.models import CallRecord
from appliance.store.projections import events_of
from drivers.media import Tone
from drivers.protocol import PlayEnd, PlayState
from drivers.virtual.handset import Handset, Phase
from drivers.virtual.telephone import OutsideTelephone
from tests.media import audio
from tests.media.test_mix import heard as tones_in
from tests.scenarios.box_rig import BOX, Box, press, run_box, until, world
from tests.scenarios.killing import Life
from tests.scenarios.lines_rig import recorded, wav

TRUNKS = 4
OPERATOR, WARD = TRUNKS + 1, TRUNKS + 2
TO_WARD = Destination(channel=WARD, ring_ms=20_000)
HZ = {"caller": 400, "operator": 1000, "ward": 1700}


class Talk:
    """A caller with the operator."""

    def __init__(self, box: Box, folder: Path) -> None:
        self.box, self.folder = box, folder
        self.caller: OutsideTelephone = box.telephone()
        self.phones: dict[str, Handset] = {"caller": self.caller, "operator": box.set(OPERATOR), "ward": box.set(WARD)}
        self._files = 0

    @property
    def call(self) -> Call:
        (call,) = self.box.agent.switchboard.calls.values()
        return call

    async def begin(self) -> None:
        self.caller.dial(BOX)
        await self.caller.reached(Phase.TALKING)
        await press(self.caller, "0")
        await self.answered("operator")
        await until(lambda: bool(self.call.main.bridged_with), 20)
        self.sing()

    async def answered(self, name: str) -> None:
        await self.phones[name].reached(Phase.RINGING)
        self.phones[name].answer()
        await self.phones[name].reached(Phase.TALKING)

    def sing(self) -> None:
        for name, phone in self.phones.items():
            if phone.phase is Phase.TALKING:
                pcm = (4000 * np.sin(2 * np.pi * HZ[name] * np.arange(16_000) / 8000)).astype(np.int16)
                phone.speak(wav(self.folder / f"{name}-says.wav", audio.to_alaw(pcm)), loops=0)

    async def hears(self, *names: str) -> list[bytes]:
        """What these hear in the next second."""
        self._files += 1
        await asyncio.sleep(0.5)
        for name in names:
            self.phones[name].listen(self.folder / f"{name}{self._files}.wav")
        await asyncio.sleep(1.0)
        for name in names:
            self.phones[name].stop_listening()
        await asyncio.sleep(0.1)
        return [recorded(self.folder / f"{name}{self._files}.wav")[0] for name in names]

    async def hear(self, **wanted: set[str]) -> None:
        """Each of these hears exactly these others."""
        for name, codes in zip(wanted, await self.hears(*wanted), strict=True):
            assert tones_in(codes) == {HZ[other] for other in wanted[name]}, name

    async def consult(self) -> None:
        self.call.ask(Want.CONSULT, to=TO_WARD)
        await self.answered("ward")
        self.sing()


def run_talk(config: Config, prompts: PromptLibrary, folder: Path, main: Callable[[Talk], Awaitable[None]], **calls: Any) -> Any:
    calls_config = CallsConfig(operator=Destination(channel=OPERATOR, ring_ms=20_000), **calls)

    async def within(box: Box) -> Any:
        talk = Talk(box, folder)
        await talk.begin()
        await main(talk)
        for phone in talk.phones.values():
            phone.hang_up()
        await box.idle()
        return await box.ask(lambda: events_of(CallRecord.select()[0].call_id))

    return run_box(msgspec.structs.replace(config, calls=calls_config), prompts, within, world(TRUNKS, 3))


def test_music_on_hold_and_back(config: Config, prompts: PromptLibrary, tmp_path: Path) -> None:
    music = audio.read_recording(DEFAULT)[1]

    async def main(talk: Talk) -> None:
        await talk.hear(caller={"operator"}, operator={"caller"})
        talk.call.ask(Want.HOLD)
        heard, silent = await talk.hears("caller", "operator")
        assert heard[:4000] in music * 2
        assert tones_in(silent) == set()
        talk.call.ask(Want.BACK)
        await talk.hear(caller={"operator"}, operator={"caller"})
        assert talk.call.main.native

    run_talk(config, prompts, tmp_path, main)


def test_music_that_a_new_line_server_did_not_go_on_with_begins_anew(config: Config, prompts: PromptLibrary, tmp_path: Path) -> None:
    music = audio.read_recording(DEFAULT)[1]

    async def main(talk: Talk) -> None:
        talk.call.ask(Want.HOLD)
        await asyncio.sleep(2)
        box, leg = talk.box, talk.call.main.name
        await box.agent.stop()
        play = box.server.lines.book.state(leg).play
        assert play is not None
        box.server.lines.port_of(leg).stop_play()
        await asyncio.sleep(0.1)
        box.server.lines.book.update(leg, play=PlayState(play.play_id, PlayEnd.FAILED))
        await box.start_agent(Life())
        assert (await talk.hears("caller"))[0][:4000] in music * 2
        talk.call.ask(Want.BACK)
        await talk.hear(caller={"operator"}, operator={"caller"})

    run_talk(config, prompts, tmp_path, main)


def test_the_operator_asks_the_ward_and_hands_over(config: Config, prompts: PromptLibrary, tmp_path: Path) -> None:
    music = audio.read_recording(DEFAULT)[1]

    async def main(talk: Talk) -> None:
        await talk.consult()
        await talk.hear(operator={"ward"}, ward={"operator"})
        assert (await talk.hears("caller"))[0][:4000] in music * 2
        talk.phones["operator"].hang_up()
        await talk.hear(caller={"ward"}, ward={"caller"})

    happened = run_talk(config, prompts, tmp_path, main)
    kinds = [type(event).__name__ for event in happened]
    assert kinds.count("CallHandedOver") == 1


def test_the_operator_hears_the_ward_ring(config: Config, prompts: PromptLibrary, tmp_path: Path) -> None:
    async def main(talk: Talk) -> None:
        talk.phones["operator"].detect("cn", (Tone.RINGBACK,))
        talk.call.ask(Want.CONSULT, to=TO_WARD)
        await talk.phones["ward"].reached(Phase.RINGING)
        await until(lambda: Tone.RINGBACK in talk.phones["operator"].heard_tones, 10)
        talk.phones["ward"].answer()
        await talk.phones["ward"].reached(Phase.TALKING)
        talk.sing()
        await talk.hear(operator={"ward"}, ward={"operator"})

    run_talk(config, prompts, tmp_path, main)


def test_those_whom_the_caller_left_go_on(config: Config, prompts: PromptLibrary, tmp_path: Path) -> None:
    async def main(talk: Talk) -> None:
        await talk.consult()
        await asyncio.sleep(1)
        talk.call.ask(Want.CONFER)
        await asyncio.sleep(1)
        talk.caller.hang_up()
        await talk.hear(operator={"ward"}, ward={"operator"})
        await talk.box.next_agent(Life())
        await talk.hear(operator={"ward"}, ward={"operator"})

    run_talk(config, prompts, tmp_path, main)


def test_three_together_and_two_when_one_leaves(config: Config, prompts: PromptLibrary, tmp_path: Path) -> None:
    async def main(talk: Talk) -> None:
        await talk.consult()
        await asyncio.sleep(1)
        talk.call.ask(Want.CONFER)
        await talk.hear(caller={"operator", "ward"}, operator={"caller", "ward"}, ward={"caller", "operator"})
        talk.phones["ward"].hang_up()
        await talk.hear(caller={"operator"}, operator={"caller"})
        await until(lambda: talk.call.main.native, 5)

    happened = run_talk(config, prompts, tmp_path, main)
    (ended,) = [event for event in happened if type(event).__name__ == "RecordingEnded"]
    says, hears = recorded(config.paths.recordings_dir / ended.path)
    assert (tones_in(says[-8_000:]), tones_in(hears[-8_000:])) == ({HZ["caller"]}, {HZ["operator"]})


def test_the_record_is_silent_while_on_hold_if_so_configured(config: Config, prompts: PromptLibrary, tmp_path: Path) -> None:
    async def main(talk: Talk) -> None:
        talk.call.ask(Want.HOLD)
        await asyncio.sleep(4)
        talk.call.ask(Want.BACK)
        await asyncio.sleep(2)

    happened = run_talk(config, prompts, tmp_path, main, record_hold=False)
    held, back = [next(event.at for event in happened if type(event).__name__ == kind) for kind in ("CallHeld", "CallUnheld")]
    (ended,) = [event for event in happened if type(event).__name__ == "RecordingEnded"]
    begun = next(event.at for event in happened if type(event).__name__ == "RecordingStarted")
    hears = recorded(config.paths.recordings_dir / ended.path)[1]
    middle = round(((held - begun).total_seconds() + (back - begun).total_seconds()) / 2 * 8000)
    assert set(hears[middle : middle + 8000]) <= {0xD5, 0x55}
