"""The exchange looks for a free line of the box."""

import pytest

from drivers.io import Hook
from drivers.virtual.config import Hunting, VirtualConfig
from drivers.virtual.faults import Fault
from drivers.virtual.trunk import TrunkState
from tests.contract.rig import Rig, run_rig
from tests.unit.exchange_rig import BOX, CONFIG


def rung(rig: Rig) -> list[int]:
    return [number for number, trunk in rig.world.trunks.items() if trunk.state is TrunkState.RINGING]


def test_first_free_line_is_rung() -> None:
    async def main(rig: Rig) -> None:
        first = rig.caller()
        first.dial(BOX)
        await rig.pass_ms(500)
        assert rung(rig) == [1]
        rig.caller().dial(BOX)
        await rig.pass_ms(500)
        assert rung(rig) == [1, 2]
        first.hang_up()
        await rig.pass_ms(500)
        rig.caller().dial(BOX)
        await rig.pass_ms(500)
        assert rung(rig) == [1, 2]

    run_rig(CONFIG, main)


def test_longest_free_line_is_rung() -> None:
    config = VirtualConfig(spans=CONFIG.spans, numbers=CONFIG.numbers, hunting=Hunting.LONGEST_FREE)

    async def main(rig: Rig) -> list[int]:
        order = []
        for _ in range(5):
            caller = rig.caller()
            caller.dial(BOX)
            await rig.pass_ms(500)
            order += rung(rig)
            caller.hang_up()
            await rig.pass_ms(500)
        return order

    assert run_rig(config, main) == [1, 2, 3, 1, 2]


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.FREEZE, Fault.ALARM], ids=lambda fault: fault.value)
def test_faulty_lines_are_passed_over(fault: Fault) -> None:
    async def main(rig: Rig) -> None:
        rig.card.set_fault(1, fault)
        rig.caller().dial(BOX)
        await rig.pass_ms(500)
        assert rung(rig) == [2]

    run_rig(CONFIG, main)


def test_a_line_the_box_holds_is_passed_over() -> None:
    async def main(rig: Rig) -> None:
        rig.open(1).set_hook(Hook.START)
        rig.caller().dial(BOX)
        await rig.pass_ms(500)
        assert rung(rig) == [2]

    run_rig(CONFIG, main)
