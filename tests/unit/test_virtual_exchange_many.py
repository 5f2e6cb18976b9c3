"""The exchange with many calls: at once, one after another, and always the same."""

from drivers.io import Hook, LineEvent
from drivers.virtual.config import NumberConfig, SpanConfig, SpanKind, VirtualConfig
from drivers.virtual.handset import Phase
from tests.contract.rig import Rig, run_rig
from tests.unit.exchange_rig import BOX, CONFIG


def test_thirty_calls_at_once_on_an_e1() -> None:
    config = VirtualConfig(spans=(SpanConfig(kind=SpanKind.E1),), numbers=(NumberConfig(number=BOX, spans=(1,)),))

    async def main(rig: Rig) -> None:
        for number in config.span_channels(1):
            rig.answers(number)
        callers = [rig.caller() for _ in range(30)]
        for caller in callers:
            caller.dial(BOX)
        for caller in callers:
            await caller.reached(Phase.TALKING, limit_s=10)
        await rig.pass_ms(300)
        for index, caller in enumerate(callers):
            caller.press(f"{index:02}", 60, 60)
        await rig.pass_ms(2000)
        assert sorted(rig.digits.values()) == [f"{index:02}" for index in range(30)]
        for caller in callers:
            caller.hang_up()
        await rig.pass_ms(100)
        assert sum(events[-1] is LineEvent.ONHOOK for events in rig.events.values()) == 30

    run_rig(config, main)


def _a_busy_minute() -> list[tuple[int, int, str]]:
    async def main(rig: Rig) -> list[tuple[int, int, str]]:
        for number in (1, 2, 3):
            rig.answers(number, bursts=number)
        callers = [rig.caller() for _ in range(3)]
        for at, caller in enumerate(callers):
            caller.dial(BOX)
            await rig.pass_ms(1234 * at)
        await rig.pass_ms(20_000)
        for caller in callers:
            caller.press("123", 50, 50)
            await rig.pass_ms(777)
            caller.hang_up()
        await rig.pass_ms(20_000)
        return [*rig.timed, *((0, number, heard) for number, heard in rig.digits.items())]

    return run_rig(CONFIG, main)


def test_the_same_every_time() -> None:
    first = _a_busy_minute()
    assert len(first) > 15
    assert _a_busy_minute() == first


def test_two_hundred_calls_one_after_another_leave_nothing_behind() -> None:
    async def main(rig: Rig) -> None:
        rig.answers(1)
        used = []
        for _ in range(200):
            caller = rig.caller()
            caller.dial(BOX)
            await caller.reached(Phase.TALKING, limit_s=10)
            await rig.pass_ms(700)
            rig.world.dismiss(caller)
            await rig.pass_ms(100)
            rig.channel(1).set_hook(Hook.ON)
            await rig.pass_ms(2500)
            used.append(rig.engine.stats().ports_active)
        assert used[-1] == used[1], "ports of the far side are not used again"

    run_rig(CONFIG, main)
