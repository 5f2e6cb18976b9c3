"""Learning the tones of a switch by one call of it: what is learnt is kept, used at once, and part of the configuration."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from drivers.config import GroupConfig, LinesConfig
from drivers.line_profiles import load_learnt
from drivers.protocol import Answered, CommandFailed, LineTestKind, LineTestPhase, LineTestReported, Released, Seize, StartLineTest
from drivers.signalling.fxo_profile import LineProfile, LineTones
from drivers.virtual.config import Answering, NumberConfig, SpanConfig, SpanKind, TelephoneConfig, VirtualConfig
from drivers.virtual.faults import Fault
from tests.scenarios.lines_rig import BOX, LINES, Rig, run_rig, speech_like, wav

ODD = LineTones(dial="400", ringback="400/1000,0/3000", busy="400/500,0/500", congestion="400/250,0/250")
BRITISH = LineTones(dial="350+440", ringback="400+450/400,0/200,400+450/400,0/2000", busy="400/375,0/375", congestion="400/400,0/350")
BUSY, SILENT, ANSWERS, UNKNOWN = "8002", "8003", "8001", "8999"


def lines(tones: LineTones, say: str = "", profile: LineProfile | None = None) -> LinesConfig:
    world = VirtualConfig(
        spans=(SpanConfig(kind=SpanKind.FXO, channels=4),),
        numbers=(NumberConfig(number=BOX, spans=(1,)),),
        telephones=(
            TelephoneConfig(number=ANSWERS, after_ms=8000, say=say),
            TelephoneConfig(number=BUSY, answering=Answering.BUSY),
            TelephoneConfig(number=SILENT, answering=Answering.NEVER),
        ),
        ring_limit_ms=22_000,
        tones=tones,
    )
    return msgspec.structs.replace(
        LINES, virtual=world, analog=profile or LineProfile(dial_without_tone=False), groups=(GroupConfig(name="pbx", channels="1-3"),)
    )


async def learn(rig: Rig, number: str, limit_ms: int = 60_000, **more: Any) -> Any:
    rig.agent.send(StartLineTest(test_id="t", channel=1, kind=LineTestKind.LEARN_TONES, number=number, limit_ms=limit_ms, **more))
    while (told := await rig.agent.told(LineTestReported, limit_s=80)).test.phase is LineTestPhase.RUNNING:
        pass
    await asyncio.sleep(3)
    return told.test


@pytest.mark.parametrize("tones", [ODD, BRITISH])
def test_ringback_and_then_busy_of_a_number_nobody_answers(folder: Path, tones: LineTones) -> None:
    async def main(rig: Rig) -> None:
        test = await learn(rig, SILENT)
        assert (test.phase, test.reason) == (LineTestPhase.PASSED, "learnt")
        (learnt,) = load_learnt(Path(rig.paths.data_dir))
        assert learnt.tones == msgspec.structs.replace(tones, congestion="")
        assert (learnt.channels, learnt.number) == ((1,), SILENT)

    run_rig(folder, main, lines(tones))


@pytest.mark.parametrize(("number", "tone"), [(BUSY, ODD.busy), (UNKNOWN, ODD.congestion)])
def test_number_that_is_busy(folder: Path, number: str, tone: str) -> None:
    async def main(rig: Rig) -> None:
        began_s = rig.clock.monotonic_s()
        test = await learn(rig, number)
        assert test.phase is LineTestPhase.PASSED
        assert rig.clock.monotonic_s() - began_s < 20
        (learnt,) = load_learnt(Path(rig.paths.data_dir))
        assert (learnt.tones.dial, learnt.tones.busy) == ("400", tone)
        figures = {figure.name: figure.value for figure in test.figures}
        assert figures["busy"] == figures["dial"] == 400

    run_rig(folder, main, lines(ODD))


def test_number_that_answers_tells_its_ringback(folder: Path) -> None:
    say = wav(folder / "hello.wav", speech_like(60, 3))

    async def main(rig: Rig) -> None:
        began_s = rig.clock.monotonic_s()
        assert (await learn(rig, ANSWERS)).phase is LineTestPhase.PASSED
        assert rig.clock.monotonic_s() - began_s < 25
        assert load_learnt(Path(rig.paths.data_dir))[0].tones == LineTones(dial=ODD.dial, ringback=ODD.ringback)

    run_rig(folder, main, lines(ODD, str(say)))


def test_what_was_learnt_is_used_at_once_on_all_lines_of_the_group(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        rig.agent.send(Seize(leg="deaf", channel=2, number=ANSWERS))
        await rig.agent.told(Released, leg="deaf", limit_s=20)  # its dial tone is not the country's
        await learn(rig, SILENT, whole_group=True)
        assert load_learnt(Path(rig.paths.data_dir))[0].channels == (1, 2, 3)
        rig.agent.send(Seize(leg="out", channel=2, number=ANSWERS))
        await rig.agent.told(Answered, leg="out", limit_s=30)
        rig.world.telephones[ANSWERS].hang_up()
        assert (await rig.agent.told(Released, leg="out", limit_s=10)).by_far_end

    run_rig(folder, main, lines(ODD, profile=LineProfile(dial_without_tone=False, answer="tone")))


def test_right_after_a_call_when_the_line_still_listens_for_the_next_caller(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        caller, leg = await rig.answered()
        await asyncio.sleep(1)
        caller.hang_up()
        await rig.agent.told(Released, leg=leg)
        await asyncio.sleep(1.5)
        assert (await learn(rig, SILENT)).phase is LineTestPhase.PASSED

    run_rig(folder, main, lines(LineTones()))


def test_by_pulses_too(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        assert (await learn(rig, BUSY)).phase is LineTestPhase.PASSED

    run_rig(folder, main, lines(ODD, profile=LineProfile(dialling="pulse")))


def test_dead_line_teaches_nothing(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        rig.card.set_fault(1, Fault.SILENCE)
        test = await learn(rig, BUSY, limit_ms=15_000)
        assert (test.phase, test.reason) == (LineTestPhase.FAILED, "no_tones")
        assert load_learnt(Path(rig.paths.data_dir)) == ()
        assert rig.server.lines.channels[1].is_free()

    run_rig(folder, main, lines(ODD))


def test_no_number_to_call_is_an_error(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        rig.agent.send(StartLineTest(test_id="t", channel=1, kind=LineTestKind.LEARN_TONES))
        assert (await rig.agent.told(CommandFailed)).code == "LIN-175"
        assert rig.server.lines.channels[1].is_free()

    run_rig(folder, main, lines(ODD))
