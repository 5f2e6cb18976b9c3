"""Sets on FXS ports: ringing, answering by themselves or on command, flash, and what the box sees of it."""

import pytest

from drivers.io import Hook, LineEvent
from drivers.virtual.config import Answering, SetConfig, SpanConfig, SpanKind, VirtualConfig
from drivers.virtual.faults import Fault
from drivers.virtual.handset import Phase
from tests.contract.rig import Rig, run_rig

E = LineEvent
CONFIG = VirtualConfig(
    spans=(SpanConfig(kind=SpanKind.FXS, channels=3), SpanConfig(kind=SpanKind.FXS, channels=1, supervised=False)),
    sets=(
        SetConfig(channel=2, answering=Answering.ANSWER, after_ms=2500),
        SetConfig(channel=3, answering=Answering.NEVER),
    ),
)


def test_set_on_command_rings_until_told() -> None:
    async def main(rig: Rig) -> None:
        telephone = rig.world.sets[1]
        rig.open(1).set_hook(Hook.RING)
        await telephone.reached(Phase.RINGING, limit_s=1)
        await rig.pass_ms(20_000)
        assert telephone.phase is Phase.RINGING
        telephone.answer()
        assert await rig.until(lambda: rig.timed[-1][2] == "RINGOFFHOOK", 100)

    run_rig(CONFIG, main)


def test_automatic_set_answers_after_its_time() -> None:
    async def main(rig: Rig) -> None:
        rig.open(2).set_hook(Hook.RING)
        await rig.world.sets[2].reached(Phase.TALKING, limit_s=5)
        assert rig.now_ms() == 2500

    run_rig(CONFIG, main)


def test_automatic_set_hangs_up_after_the_box_does() -> None:
    async def main(rig: Rig) -> None:
        channel = rig.open(2)
        channel.set_hook(Hook.RING)
        await rig.world.sets[2].reached(Phase.TALKING, limit_s=5)
        channel.set_hook(Hook.OFF)
        await rig.pass_ms(1000)
        channel.set_hook(Hook.ON)
        await rig.world.sets[2].reached(Phase.ENDED, limit_s=1)
        await rig.world.sets[2].reached(Phase.IDLE, limit_s=2)

    run_rig(CONFIG, main)


def test_set_that_never_answers() -> None:
    async def main(rig: Rig) -> None:
        channel = rig.open(3)
        channel.set_hook(Hook.RING)
        await rig.pass_ms(60_000)
        assert rig.world.sets[3].phase is Phase.RINGING
        channel.set_hook(Hook.RING_OFF)
        assert rig.world.sets[3].phase is Phase.IDLE
        assert rig.world.sets[3].detail == "ringing stopped"

    run_rig(CONFIG, main)


def test_ringing_stops_before_an_automatic_set_answers() -> None:
    async def main(rig: Rig) -> None:
        channel = rig.open(2)
        channel.set_hook(Hook.RING)
        await rig.pass_ms(2000)
        channel.set_hook(Hook.RING_OFF)
        await rig.pass_ms(5000)
        assert rig.world.sets[2].phase is Phase.IDLE
        assert E.RINGOFFHOOK not in rig.events[2]

    run_rig(CONFIG, main)


@pytest.mark.parametrize(
    ("flash_ms", "events"),
    [
        (100, [E.RINGOFFHOOK, E.PULSE_START, E.PULSE_1]),
        (300, [E.RINGOFFHOOK, E.WINKFLASH]),
        (500, [E.RINGOFFHOOK, E.WINKFLASH]),
        (1200, [E.RINGOFFHOOK, E.WINKFLASH]),
        (1500, [E.RINGOFFHOOK, E.ONHOOK, E.RINGOFFHOOK]),
    ],
)
def test_flash_of_any_length(flash_ms: int, events: list[LineEvent]) -> None:
    async def main(rig: Rig) -> list[LineEvent]:
        channel = rig.open(1)
        rig.world.sets[1].pick_up()
        await rig.pass_ms(50)
        channel.set_hook(Hook.OFF)
        await rig.pass_ms(2000)
        rig.world.sets[1].flash(flash_ms)
        await rig.pass_ms(4000)
        return rig.events[1]

    assert run_rig(CONFIG, main) == events


def test_loop_start_set_sees_the_box_hang_up() -> None:
    async def main(rig: Rig) -> None:
        channel = rig.open(4)
        rig.world.sets[4].pick_up()
        channel.set_hook(Hook.OFF)
        await rig.pass_ms(2000)
        channel.set_hook(Hook.ON)
        assert rig.world.sets[4].phase is Phase.ENDED

    run_rig(CONFIG, main)


def test_orders_that_mean_nothing_now_do_nothing() -> None:
    async def main(rig: Rig) -> None:
        telephone = rig.world.sets[1]
        rig.open(1)
        telephone.answer()
        telephone.hang_up()
        telephone.flash()
        telephone.press("1")
        telephone.stop_speaking()
        telephone.listen("/nowhere/at/all.wav")
        telephone.speak("/nowhere/at/all.wav")
        assert telephone.stream_write(b"\xd5" * 160) == 0
        assert telephone.stream_read(160) == b""
        await rig.pass_ms(3000)
        assert rig.events[1] == []
        telephone.pick_up()
        telephone.pick_up()
        await rig.pass_ms(100)
        assert rig.events[1] == [E.RINGOFFHOOK]

    run_rig(CONFIG, main)


def test_waiting_has_a_limit() -> None:
    async def main(rig: Rig) -> None:
        with pytest.raises(TimeoutError, match="telephone 1 still idle after 3 s"):
            await rig.world.sets[1].reached(Phase.TALKING, limit_s=3)
        assert rig.now_ms() == 3000

    run_rig(CONFIG, main)


def test_cut_wires_of_a_set_look_like_hanging_up() -> None:
    async def main(rig: Rig) -> None:
        channel = rig.open(1)
        rig.world.sets[1].pick_up()
        channel.set_hook(Hook.OFF)
        await rig.pass_ms(1000)
        rig.card.set_fault(1, Fault.CUT)
        assert await rig.until(lambda: E.ONHOOK in rig.events[1])
        assert E.ALARM not in rig.events[1]

    run_rig(CONFIG, main)
