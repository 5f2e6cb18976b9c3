"""The contract of cards, run on the card in software. The lab runs the same cases on DAHDI."""

from collections.abc import Callable

import pytest

from drivers.io import Card, ChannelIO, LineEvent
from drivers.virtual.config import NumberConfig, SpanConfig, SpanKind, TelephoneConfig, VirtualConfig
from drivers.virtual.handset import Handset, Phase
from drivers.virtual.trunk import TrunkState
from tests.contract.card_pulses import DIALLED
from tests.contract.card_suite import CASES, LIMIT_MS, Case
from tests.contract.rig import Rig, run_rig

ANSWERS = (TelephoneConfig(number=DIALLED, after_ms=500),)
ANALOGUE = VirtualConfig(
    spans=(SpanConfig(kind=SpanKind.FXO, channels=2), SpanConfig(kind=SpanKind.FXS, channels=2)),
    numbers=(NumberConfig(number="1", channels=(1,)), NumberConfig(number="2", channels=(2,))),
    telephones=ANSWERS,
)
E1 = VirtualConfig(
    spans=(SpanConfig(kind=SpanKind.E1), SpanConfig(kind=SpanKind.FXS, channels=2)),
    numbers=(NumberConfig(number="17", channels=(17,)), NumberConfig(number="31", channels=(31,))),
    telephones=ANSWERS,
)


class VirtualBench:
    """A `CardBench` made of callers and sets of the virtual world."""

    def __init__(self, rig: Rig, trunks: tuple[int, int], sets: tuple[int, int]) -> None:
        self.card: Card = rig.card
        self.trunks, self.sets = trunks, sets
        self._rig = rig
        self._callers: dict[int, Handset] = {}
        for telephone in (*(rig.world.sets[number] for number in sets), rig.world.telephones[DIALLED]):
            telephone.on_state.append(lambda each: each.detect("cn"))

    def open(self, number: int) -> ChannelIO:
        return self._rig.open(number)

    def port(self, number: int) -> int:
        return self._rig.ports[number]

    def events(self, number: int) -> list[LineEvent]:
        return self._rig.events[number]

    async def pass_ms(self, ms: int) -> None:
        await self._rig.pass_ms(ms)

    async def until(self, reached: Callable[[], bool], limit_ms: int = LIMIT_MS) -> bool:
        return await self._rig.until(reached, limit_ms)

    def far_rings(self, number: int) -> None:
        caller = self._rig.caller()
        caller.dial(str(number))
        self._callers[number] = caller

    def far_gives_up(self, number: int) -> None:
        self._callers[number].hang_up()

    def far_sees_loop(self, number: int) -> bool:
        return self._rig.world.trunks[number].state not in (TrunkState.IDLE, TrunkState.RINGING)

    def far_hangs_up(self, number: int) -> None:
        self._callers[number].hang_up()

    def far_dialled(self, number: int) -> str:
        return self._rig.world.trunks[number].digits

    def set_rings(self, number: int) -> bool:
        return self._rig.world.sets[number].phase is Phase.RINGING

    def set_picks_up(self, number: int) -> None:
        self._rig.world.sets[number].pick_up()

    def set_puts_down(self, number: int) -> None:
        self._rig.world.sets[number].hang_up()

    def set_flashes(self, number: int) -> None:
        self._rig.world.sets[number].flash()

    def set_dials_pulses(self, number: int, digits: str) -> None:
        self._rig.world.sets[number].dial_pulses(digits)

    def say(self, number: int, digits: str) -> None:
        self._rig.say(number, digits)

    def far_says(self, number: int, digits: str) -> None:
        self._far(number).press(digits, 60, 60)

    def heard(self, number: int) -> str:
        return self._rig.digits[number]

    def far_heard(self, number: int) -> str:
        return self._far(number).heard_digits

    def _far(self, number: int) -> Handset:
        return self._rig.world.sets.get(number) or self._callers.get(number) or self._rig.world.telephones[DIALLED]


@pytest.mark.parametrize("run", CASES.values(), ids=CASES.keys())
@pytest.mark.parametrize(("config", "trunks", "sets"), [(ANALOGUE, (1, 2), (3, 4)), (E1, (17, 31), (32, 33))], ids=["analogue", "e1"])
def test_card(config: VirtualConfig, trunks: tuple[int, int], sets: tuple[int, int], run: Case) -> None:
    async def main(rig: Rig) -> None:
        await run(VirtualBench(rig, trunks, sets))

    run_rig(config, main)
