"""Numbers dialled at telephone sets on the virtual card: keys, pulses, hotline, flash and the second number, what each tone tells."""

import asyncio
from pathlib import Path

import pytest

from drivers.media import Tone
from drivers.protocol import (
    Answer,
    Answered,
    Cause,
    CollectNumber,
    CommandFailed,
    HookFlashed,
    NumberDialled,
    Offered,
    Release,
    Released,
    ShowMessages,
)
from drivers.signalling.fxs_config import SetPort
from drivers.virtual.hookstate import RxSig
from tests.scenarios.lines_rig import Rig, run_rig
from tests.scenarios.set_rig import SET, TONES, answered_set, lines


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
