"""The contract of E1 spans, run on the card in software. The lab runs the same cases on DAHDI."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from drivers.clock import VirtualClock, run_virtual
from drivers.io import LineEvent
from drivers.media import End, Engine, EngineConfig
from drivers.virtual.card import VirtualCard
from drivers.virtual.config import SpanConfig, SpanKind, VirtualConfig
from drivers.virtual.faults import Fault
from tests.contract.bits_suite import BIT_CASES
from tests.contract.e1_bench import LIMIT_MS, Case
from tests.contract.e1_end import E1End
from tests.contract.link_suite import LINK_CASES
from tests.contract.span_suite import SPAN_CASES

CONFIG = VirtualConfig(spans=(SpanConfig(kind=SpanKind.FXO, channels=2), SpanConfig(kind=SpanKind.PRI), SpanConfig(kind=SpanKind.CAS)))
PRI, CAS = 2, 3
LINK = 2 + 16


class VirtualBench:
    """An `E1Bench` of the virtual card and its far end."""

    pri_span, cas_span = PRI, CAS

    def __init__(self, clock: VirtualClock) -> None:
        self.engine = Engine(EngineConfig(max_ports=64, max_lines=CONFIG.lines_needed(), max_recordings=1))
        self._card = VirtualCard(CONFIG, self.engine)
        bearers, cas = CONFIG.span_channels(PRI), CONFIG.span_channels(CAS)[10:18]
        self.box = E1End(self._card, self.engine, LINK, bearers, cas)
        self.far = E1End(self._card.far, self.engine, LINK, bearers, cas)
        self._clock = clock

    def start(self) -> None:
        self.box.start()
        self.far.start()
        self._clock.every_frame(self._frame)

    async def pass_ms(self, ms: int) -> None:
        await sleep_ms(ms)

    async def until(self, reached: Callable[[], bool], limit_ms: int = LIMIT_MS) -> bool:
        for _ in range(limit_ms // 5):
            if reached():
                return True
            await sleep_ms(5)
        return reached()

    def cut_link(self, cut: bool) -> None:
        self._card.set_fault(LINK, Fault.CUT, cut)

    async def spoil(self, event: LineEvent) -> list[LineEvent]:
        self.box.open_link()
        far = self.far.open_link()
        self._card.set_fault(LINK, Fault.CORRUPT, event is LineEvent.BADFCS, 1.0, (End.NEAR,))
        far.send(bytes(100))
        if event is LineEvent.ABORT:
            await sleep_ms(5)
            self._card.set_fault(LINK, Fault.CUT, True, 0.0, (End.NEAR,))
        await sleep_ms(100)
        assert self.box.frames == []
        return self.box.events[LINK]

    async def far_goes(self) -> None:
        self._card.set_span_alarm(PRI, "red")

    async def far_returns(self) -> None:
        self._card.set_span_alarm(PRI)

    async def pull(self) -> None:
        self._card.unplug(PRI)

    async def plug(self) -> None:
        self._card.plug(PRI)

    def close(self) -> None:
        self._card.close()
        self.engine.close()

    def _frame(self) -> None:
        self.engine.step()
        for event in self.engine.poll_events():
            self.box.media_event(event)
            self.far.media_event(event)


async def sleep_ms(ms: int) -> None:
    await asyncio.sleep(ms / 1000)


def run_bench(main: Callable[[VirtualBench], Awaitable[None]]) -> None:
    async def within(clock: VirtualClock) -> None:
        bench = VirtualBench(clock)
        bench.start()
        try:
            await main(bench)
        finally:
            bench.close()

    run_virtual(within)


ALL = {**LINK_CASES, **BIT_CASES, **SPAN_CASES}


@pytest.mark.parametrize("run", ALL.values(), ids=ALL.keys())
def test_e1(run: Case) -> None:
    run_bench(run)
