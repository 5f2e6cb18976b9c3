"""Headsets on the virtual card: always off-hook, told of a call by a beep, connected by it, by a key or after an announcement."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from drivers.protocol import Alerting, Answered, Cause, Release, Released, Seize
from drivers.signalling.fxs_config import SetPort
from drivers.virtual.handset import Phase
from drivers.virtual.telephone import WiredSet
from tests.scenarios.lines_rig import Rig, recorded, run_rig, speech_like, wav
from tests.scenarios.set_rig import SET, lines

HEADSET = SetPort(channels="5", mode="headset")


async def worn(rig: Rig) -> WiredSet:
    """The headset, put on and ready."""
    headset = rig.world.sets[SET]
    headset.pick_up()
    await asyncio.sleep(2)
    return headset


def test_headset_takes_calls_by_a_beep_and_stays_connected(folder: Path) -> None:
    said = speech_like(1, 3)

    async def main(rig: Rig) -> None:
        rig.agent.send(Seize(leg="early", channel=SET))
        assert (await rig.agent.told(Released, leg="early")).cause == Cause.CHANNEL_NOT_AVAILABLE
        headset = await worn(rig)
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
        headset = await worn(rig)
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
        headset = await worn(rig)
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
        await worn(rig)
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
