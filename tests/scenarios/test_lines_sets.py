"""Telephone sets on the virtual card, through line server and protocol: ringing, caller id, dialling, flash, left off-hook, headsets."""

import asyncio
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from drivers.media import End, EventKind, MediaEvent, Tone
from drivers.protocol import (
    Alerting,
    Answer,
    Answered,
    Caller,
    Cause,
    ChannelChanged,
    CollectNumber,
    CommandFailed,
    HookFlashed,
    NumberDialled,
    Offered,
    Presentation,
    Release,
    Released,
    Seize,
    ShowMessages,
)
from drivers.signalling import callerid
from drivers.signalling.fxs_config import SetPort, SetsConfig
from drivers.virtual.handset import Phase
from drivers.virtual.hookstate import RxSig, TxSig
from drivers.virtual.world import World
from tests.scenarios.lines_rig import LINES, Rig, recorded, run_rig, speech_like, wav

SET, OTHER = 5, 6
TONES = (Tone.DIAL, Tone.BUSY, Tone.CONGESTION, Tone.RINGBACK)


def lines(**sets: Any) -> Any:
    return msgspec.structs.replace(LINES, sets=SetsConfig(**sets))


class Display:
    """A caller id box on the wire of a set: hears between the rings, without going off-hook."""

    def __init__(self, rig: Rig, channel: int) -> None:
        self.shown: list[Caller] = []
        self.keys = ""
        self._engine = rig.engine
        self._port = rig.world.ports.take(self._happened)
        rig.engine.attach_line(self._port, rig.world.sets[channel]._wire.line, End.FAR)
        rig.engine.detect_caller_id(self._port, True)
        rig.engine.detect_digits(self._port, True)

    def _happened(self, event: MediaEvent) -> None:
        if event.kind is EventKind.DIGIT:
            self.keys += event.digit
        elif event.kind is EventKind.CALLER_ID:
            self.shown.append(callerid.from_message(self._engine.take_caller_id(self._port)))


class Bell:
    """When a set rings, in ms since the beginning."""

    def __init__(self, world: World, channel: int) -> None:
        self.bursts: list[tuple[int, int]] = []
        self._began_s = 0.0
        wire = world.sets[channel]._wire
        self._far, wire.far = wire.far, self

    def line_signal(self, sig: TxSig) -> None:
        now_s = asyncio.get_running_loop().time()
        if sig is TxSig.START:
            self._began_s = now_s
        elif self._began_s:
            self.bursts.append((round(self._began_s * 1000), round(now_s * 1000)))
            self._began_s = 0.0
        self._far.line_signal(sig)

    def lengths_ms(self) -> list[int]:
        return [end - begin for begin, end in self.bursts]

    def pauses_ms(self) -> list[int]:
        return [later[0] - earlier[1] for earlier, later in zip(self.bursts, self.bursts[1:], strict=False)]


@pytest.mark.parametrize(
    ("ring", "lengths_ms", "pauses_ms"),
    [
        ("internal", [400, 400, 400], [200, 4000]),
        ("recall", [300, 300, 300], [200, 200]),
        ("external", [1000, 1000, 1000], [4000, 4000]),
        ("", [1000, 1000, 1000], [4000, 4000]),
    ],
)
def test_kind_of_call_is_heard_from_the_ring(folder: Path, ring: str, lengths_ms: list[int], pauses_ms: list[int]) -> None:
    async def main(rig: Rig) -> None:
        bell = Bell(rig.world, SET)
        rig.agent.send(Seize(leg="a", channel=SET, ring=ring))
        await asyncio.sleep(14)
        assert (bell.lengths_ms()[:3], bell.pauses_ms()[:2]) == (lengths_ms, pauses_ms)

    run_rig(folder, main)


@pytest.mark.parametrize(("standard", "ring"), [("fsk", "external"), ("fsk", "internal"), ("fsk", "recall"), ("v23", "external")])
@pytest.mark.parametrize("number", ["13800138000", "8002", None])
def test_set_is_told_who_calls_between_the_rings(folder: Path, standard: str, ring: str, number: str | None) -> None:
    async def main(rig: Rig) -> None:
        display, bell = Display(rig, SET), Bell(rig.world, SET)
        rig.agent.send(Seize(leg="a", channel=SET, ring=ring, caller=number))
        await asyncio.sleep(12)
        (shown,) = display.shown
        wanted = (number or "", Presentation.ALLOWED if number else Presentation.UNAVAILABLE)
        assert (shown.number, shown.presentation) == wanted
        assert len(bell.bursts) >= 2

    run_rig(folder, main, lines(caller_id=standard))


def test_set_is_told_who_calls_by_keys_before_the_first_ring(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        display, bell = Display(rig, SET), Bell(rig.world, SET)
        rig.agent.send(Seize(leg="a", channel=SET, caller="13800138000"))
        await rig.agent.told(Alerting, leg="a")
        assert "13800138000" in display.keys
        await asyncio.sleep(6)
        assert bell.lengths_ms()[0] == 1000

    run_rig(folder, main, lines(caller_id="dtmf"))


def test_set_lifted_while_it_is_told_who_calls_hears_no_more_of_it(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        telephone = rig.world.sets[SET]
        rig.agent.send(Seize(leg="a", channel=SET, caller="13800138000"))
        await asyncio.sleep(1.8)  # the first ring is over for 0.8 s
        telephone.pick_up()
        await rig.agent.told(Answered, leg="a")
        await asyncio.sleep(0.1)
        telephone.listen(folder / "heard.wav")
        await asyncio.sleep(2)
        telephone.stop_listening()
        await asyncio.sleep(1)

    run_rig(folder, main)
    assert set(recorded(folder / "heard.wav")[0]) == {0xD5}


def test_digits_by_pulses(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        telephone = rig.world.sets[SET]
        telephone.pick_up()
        await asyncio.sleep(1.5)
        for digit in (8, 10, 10, 2):
            await pulse(rig, digit)
        state = (await rig.agent.told(Offered)).state
        assert (state.dnis, state.ani) == ("8002", "8001")

    run_rig(folder, main)


async def pulse(rig: Rig, count: int) -> None:
    """Turn the dial: openings of 60 ms, ten a second."""
    wire = rig.world.sets[SET]._wire
    for _ in range(count):
        wire.from_world(RxSig.ONHOOK)
        await asyncio.sleep(0.06)
        wire.from_world(RxSig.OFFHOOK)
        await asyncio.sleep(0.04)
    await asyncio.sleep(0.7)


def test_keys_of_a_dialled_number_are_not_the_calls(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        telephone = rig.lift(SET, "8002")
        leg = await rig.offered()
        rig.agent.send(Answer(leg=leg))
        await rig.agent.told(Answered, leg=leg)
        await asyncio.sleep(1)
        assert rig.leg(leg).digits == ()
        telephone.press("5")
        await asyncio.sleep(1)
        assert [press.digit for press in rig.leg(leg).digits] == ["5"]

    run_rig(folder, main)


async def answered_set(rig: Rig, channel: int = SET) -> str:
    rig.agent.send(Seize(leg=f"set-{channel}", channel=channel))
    await rig.world.sets[channel].reached(Phase.RINGING)
    rig.world.sets[channel].pick_up()
    await rig.agent.told(Answered, leg=f"set-{channel}")
    await asyncio.sleep(2)
    return f"set-{channel}"


@pytest.mark.parametrize(("open_ms", "flash"), [(300, True), (600, True), (900, True), (1100, False)])
def test_flash_and_hang_up_are_told_apart_by_length(folder: Path, open_ms: int, flash: bool) -> None:
    async def main(rig: Rig) -> None:
        leg = await answered_set(rig)
        rig.world.sets[SET].flash(open_ms)
        await asyncio.sleep(3)
        assert len(rig.agent.heard(HookFlashed)) == int(flash)
        assert (len(rig.agent.heard(Released)) == 0) is flash
        assert (rig.leg(leg).cause is None) is flash

    run_rig(folder, main)


def test_limit_of_a_flash_can_be_set(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        await answered_set(rig)
        rig.world.sets[SET].flash(500)
        assert (await rig.agent.told(Released, limit_s=3)).by_far_end

    run_rig(folder, main, lines(flash_max_ms=400))


def test_second_number_is_dialled_in_the_call(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        leg = await answered_set(rig)
        telephone = rig.world.sets[SET]
        telephone.detect("cn", TONES)
        telephone.flash()
        await rig.agent.told(HookFlashed, leg=leg)
        rig.agent.send(CollectNumber(leg=leg))
        await asyncio.sleep(2)
        assert telephone.heard_tones == [Tone.DIAL]
        telephone.press("8002")
        dialled = await rig.agent.told(NumberDialled, leg=leg)
        assert (dialled.number, dialled.valid) == ("8002", True)
        assert rig.leg(leg).digits == ()
        rig.agent.send(CollectNumber(leg=leg))
        telephone.press("7")
        dialled = await rig.agent.told(NumberDialled, leg=leg)
        assert (dialled.number, dialled.valid) == ("7", False)

    run_rig(folder, main)


def test_line_of_an_exchange_dials_nothing(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        _, leg = await rig.answered()
        rig.agent.send(CollectNumber(leg=leg))
        assert (await rig.agent.told(CommandFailed)).code == "LIN-091"
        rig.agent.send(ShowMessages(channel=1))
        assert (await rig.agent.told(CommandFailed)).code == "LIN-091"

    run_rig(folder, main)


def test_message_waiting(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        telephone = rig.world.sets[SET]
        rig.agent.send(ShowMessages(channel=SET))
        await asyncio.sleep(0.1)
        assert telephone._wire.message_waiting
        telephone.pick_up()
        telephone.listen(folder / "heard.wav")
        await asyncio.sleep(2)
        telephone.hang_up()
        rig.agent.send(ShowMessages(channel=SET, waiting=False))
        await asyncio.sleep(1)
        assert not telephone._wire.message_waiting

    run_rig(folder, main)
    assert [len(pause) for pause in re.findall(b"\xd5{100,}", recorded(folder / "heard.wav")[0][4000:12000])] == [321, 321]


def test_set_left_off_hook_is_howled_at_told_of_and_left_alone(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        telephone = rig.world.sets[SET]
        telephone.pick_up()
        telephone.detect("cn", TONES)
        telephone.listen(folder / "heard.wav")
        await asyncio.sleep(15 + 40 + 2)
        assert telephone.heard_tones[:2] == [Tone.DIAL, Tone.BUSY]
        assert rig.channel_state(SET).alarms == ("offhook",)
        assert any(changed.channel.alarms == ("offhook",) for changed in rig.agent.heard(ChannelChanged))
        assert rig.channel_state(SET).state == "howler"
        await asyncio.sleep(60)
        assert rig.channel_state(SET).state == "parked"
        rig.agent.send(Seize(leg="a", channel=SET))
        assert (await rig.agent.told(Released, leg="a")).cause == Cause.CHANNEL_NOT_AVAILABLE
        telephone.hang_up()
        await asyncio.sleep(3)
        assert rig.channel_state(SET).alarms == ()
        rig.agent.send(Seize(leg="b", channel=SET))
        await rig.agent.told(Alerting, leg="b")
        assert not rig.agent.heard(Offered)

    run_rig(folder, main)
    heard = recorded(folder / "heard.wav")[0]
    loudest = [max(abs((sample ^ 0x55) & 0x7F) for sample in heard[8000 * second : 8000 * second + 4000]) for second in (57, 59, 61, 63)]
    assert loudest == sorted(loudest)
    assert loudest[0] < loudest[-1]
    assert set(heard[8000 * 116 : 8000 * 116 + 800]) == {0xD5}


def test_tone_tells_why_a_call_came_to_nothing(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        for cause, tone in ((Cause.USER_BUSY, Tone.BUSY), (Cause.NO_CHANNEL, Tone.CONGESTION)):
            telephone = rig.lift(SET, "8002")
            telephone.heard_tones.clear()
            telephone.detect("cn", TONES)
            rig.agent.send(Release(leg=await rig.offered(), cause=cause))
            await asyncio.sleep(4)
            assert telephone.heard_tones[-1] is tone
            telephone.hang_up()
            await asyncio.sleep(3)

    run_rig(folder, main)


def test_set_that_was_lifted_before_the_line_server_came_can_dial(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        await asyncio.sleep(2)
        rig.world.sets[SET].press("8002")
        assert (await rig.agent.told(Offered)).state.dnis == "8002"

    run_rig(folder, main, before=lambda rig: rig.world.sets[SET].pick_up())


def test_set_is_in_alarm_and_back(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        telephone = rig.lift(SET, "8002")
        leg = await rig.offered()
        rig.card.set_span_alarm(2, "red")
        assert (await rig.agent.told(Released, leg=leg)).cause == Cause.NETWORK_OUT_OF_ORDER
        await asyncio.sleep(5)
        rig.card.set_span_alarm(2)
        await asyncio.sleep(3)
        telephone.press("8002")
        assert (await rig.agent.told(Offered)).state.dnis == "8002"

    run_rig(folder, main)


def test_keys_after_an_alarm_while_dialling_are_the_calls(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        telephone = rig.lift(SET, "80")
        await asyncio.sleep(2)
        rig.card.set_span_alarm(2, "red")
        await asyncio.sleep(1)
        telephone.hang_up()
        rig.card.set_span_alarm(2)
        await asyncio.sleep(3)
        leg = await answered_set(rig)
        telephone.press("5")
        await asyncio.sleep(1)
        assert [press.digit for press in rig.leg(leg).digits] == ["5"]

    run_rig(folder, main)


def test_set_on_a_hotline(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        rig.world.sets[SET].pick_up()
        assert (await rig.agent.told(Offered, limit_s=1)).state.dnis == "0"

    run_rig(folder, main, lines(ports=(SetPort(channels="5", hotline="0"),)))


# --- headsets ------------------------------------------------------------------------------------------------------

HEADSET = SetPort(channels="5", mode="headset")


def test_headset_takes_calls_by_a_beep_and_stays_connected(folder: Path) -> None:
    said = speech_like(1, 3)

    async def main(rig: Rig) -> None:
        headset = rig.world.sets[SET]
        rig.agent.send(Seize(leg="early", channel=SET))
        assert (await rig.agent.told(Released, leg="early")).cause == Cause.CHANNEL_NOT_AVAILABLE
        headset.pick_up()
        await asyncio.sleep(2)
        assert rig.channel_state(SET).state == "ready"
        for count in range(3):
            headset.listen(folder / f"heard-{count}.wav")
            rig.agent.send(Seize(leg=f"call-{count}", channel=SET))
            await rig.agent.told(Answered, leg=f"call-{count}", limit_s=1)
            headset.speak(wav(folder / "s.wav", said))
            await asyncio.sleep(2)
            headset.stop_listening()
            rig.agent.send(Release(leg=f"call-{count}"))
            await rig.agent.told(Released, leg=f"call-{count}")
            assert headset.phase is Phase.TALKING
        headset.listen(folder / "after.wav")
        await asyncio.sleep(2)
        assert headset.phase is Phase.TALKING
        headset.hang_up()
        await asyncio.sleep(2)
        assert rig.channel_state(SET).state == "away"

    run_rig(folder, main, lines(ports=(HEADSET,)))
    for count in range(3):
        heard = recorded(folder / f"heard-{count}.wav")[0]
        assert set(heard[800:1200]) > {0xD5}  # the beep
        assert set(heard[8000:]) == {0xD5}
    assert set(recorded(folder / "after.wav")[0]) == {0xD5}


def test_headset_answers_by_key_after_an_hour(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        headset = rig.world.sets[SET]
        headset.pick_up()
        await asyncio.sleep(2)
        rig.agent.send(Seize(leg="a", channel=SET))
        await rig.agent.told(Alerting, leg="a")
        await asyncio.sleep(10)
        assert not rig.agent.heard(Answered)
        headset.press("*")
        await rig.agent.told(Answered, leg="a", limit_s=1)
        assert rig.leg("a").digits == ()

    run_rig(folder, main, lines(ports=(msgspec.structs.replace(HEADSET, answer="key"),)))


@pytest.mark.parametrize("missing", [False, True])
def test_headset_hears_an_announcement_first(folder: Path, missing: bool) -> None:
    clip = wav(folder / "hospital.wav", speech_like(1, 4))

    async def main(rig: Rig) -> float:
        headset = rig.world.sets[SET]
        headset.pick_up()
        await asyncio.sleep(2)
        headset.listen(folder / "heard.wav")
        rig.agent.send(Seize(leg="a", channel=SET))
        began_s = rig.clock.monotonic_s()
        await rig.agent.told(Answered, leg="a", limit_s=5)
        took_s = rig.clock.monotonic_s() - began_s
        await asyncio.sleep(1)
        return took_s

    path = "/nowhere.wav" if missing else str(clip)
    took_s = run_rig(folder, main, lines(ports=(msgspec.structs.replace(HEADSET, announcement=path),)))
    assert (took_s < 1) is missing
    assert (speech_like(1, 4) in recorded(folder / "heard.wav")[0]) is not missing


def test_headset_is_ready_again_after_a_fault(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        rig.world.sets[SET].pick_up()
        await asyncio.sleep(2)
        rig.agent.send(Seize(leg="a", channel=SET))
        await rig.agent.told(Answered, leg="a")
        rig.server.lines.channels[SET].fail(Cause.TEMPORARY_FAILURE)
        assert (await rig.agent.told(Released, leg="a")).cause == Cause.TEMPORARY_FAILURE
        await asyncio.sleep(3)
        assert rig.channel_state(SET).state == "ready"

    run_rig(folder, main, lines(ports=(HEADSET,)))


def test_headset_worn_before_the_line_server_came(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        await asyncio.sleep(2)
        assert rig.channel_state(SET).state == "ready"

    run_rig(folder, main, lines(ports=(HEADSET,)), before=lambda rig: rig.world.sets[SET].pick_up())
