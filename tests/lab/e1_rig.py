"""The bench of the E1 contract suites on the kernel's loopback spans: a PRI span and a CAS span, each wired to a far end of its own, and a
timeslot on which anything can be sent. Runs as root inside the guest only.

The box's card and the far end's are two cards of this process with one media core.
"""

import asyncio
import os
import time
import traceback
from collections.abc import Callable

from drivers.dahdi.card import DahdiCard
from drivers.dahdi.configure import configure
from drivers.dahdi.device import Channel
from drivers.dahdi.records import BufferPolicy, Policy
from drivers.dahdi.setup import CardSetup, ChannelGroup, DynamicSpan
from drivers.errors import LineError
from drivers.io import LineEvent, Signalling
from drivers.media import Engine, EngineConfig
from tests.contract.e1_bench import LIMIT_MS, Case
from tests.contract.e1_end import E1End
from tests.lab import cards
from tests.lab.exchange import WRITE_AHEAD
from tests.lab.hdlc import broken_off, spoilt
from tests.lab.scenario import Report

LIMIT_FACTOR = 3  # the emulated machine is slow
TRIES = 2
LOOK_S = 0.01
QUIET_S = 0.3
BOX_PRI, FAR_PRI, BOX_CAS, FAR_CAS = 1, 32, 63, 94  # first channels
BOX_SPOILT, FAR_SPOILT = 125, 126
NEIGHBOURS = range(10, 18)


def e1_setup() -> CardSetup:
    """Spans 1 and 2: PRI. 3 and 4: CAS. 5 and 6: one timeslot, a D-channel at the box's end and anything at the far end."""
    return CardSetup(
        dynamic_spans=(
            *(DynamicSpan("loc", address, 31) for address in ("1:0", "1:1", "2:0", "2:1")),
            *(DynamicSpan("loc", address, 1) for address in ("3:0", "3:1")),
        ),
        groups=(
            ChannelGroup(_text(_bearers(BOX_PRI)), Signalling.BCHAN, law="alaw"),
            ChannelGroup(_text(_bearers(FAR_PRI)), Signalling.BCHAN, law="alaw"),
            ChannelGroup(_text(_bearers(BOX_CAS)), Signalling.CAS, law="alaw"),
            ChannelGroup(_text(_bearers(FAR_CAS)), Signalling.CAS, law="alaw"),
            ChannelGroup(f"{BOX_PRI + 15},{FAR_PRI + 15},{BOX_SPOILT}", Signalling.DCHAN),
            ChannelGroup(str(FAR_SPOILT), Signalling.BCHAN),
        ),
    )


def _bearers(first: int) -> list[int]:
    return [first + slot for slot in range(31) if slot != 15]


def _text(numbers: list[int]) -> str:
    return ",".join(map(str, numbers))


class LabBench:
    """An `E1Bench`."""

    pri_span, cas_span = 1, 3

    def __init__(self) -> None:
        self._setup = e1_setup()
        cards.install(self._setup)
        self._engine = Engine(EngineConfig(max_ports=64, max_lines=1, max_recordings=1))
        self.box = self._end(BOX_PRI, BOX_CAS)
        self.far = self._end(FAR_PRI, FAR_CAS)
        self._pulled: dict[int, cards.Pulled] = {}

    def _end(self, pri: int, cas: int) -> E1End:
        card = DahdiCard(self._engine, write_ahead=WRITE_AHEAD)
        return E1End(card, self._engine, pri + 15, _bearers(pri), [cas + at for at in NEIGHBOURS if at != 15])

    async def __aenter__(self) -> "LabBench":
        for end in (self.box, self.far):
            end.card.spans()
            end.start()
        self._engine.start()
        asyncio.get_running_loop().add_reader(self._engine.eventfd, self._media_events)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.box.card.close()
        self.far.card.close()
        await asyncio.sleep(QUIET_S)
        asyncio.get_running_loop().remove_reader(self._engine.eventfd)
        self._engine.close()

    async def rest(self) -> None:
        """Ready for the next case, whatever the last one left."""
        for end in (self.box, self.far):
            end.rest()
        for span in tuple(self._pulled):
            await self._put_back(span)
        await asyncio.sleep(QUIET_S)
        for end in (self.box, self.far):
            end.forget()

    async def pass_ms(self, ms: int) -> None:
        await asyncio.sleep(ms / 1000)

    async def until(self, reached: Callable[[], bool], limit_ms: int = LIMIT_MS) -> bool:
        deadline_s = time.monotonic() + LIMIT_FACTOR * limit_ms / 1000
        while not (found := reached()):
            if time.monotonic() > deadline_s:
                break
            await asyncio.sleep(LOOK_S)
        return found

    def cut_link(self, cut: bool) -> None:
        """What a D-channel without its far end is: frames vanish."""
        if cut:
            self.far.close(self.far.link)
        else:
            self.far.open_link()

    async def spoil(self, event: LineEvent) -> list[LineEvent]:
        frames: list[bytes] = []
        link = self.box.card.open_link(BOX_SPOILT, frames.append)
        raw = Channel(FAR_SPOILT)
        raw.set_buffers(BufferPolicy(blocks=4, write=Policy.IMMEDIATE))
        await asyncio.sleep(QUIET_S)
        told = self.box.events[BOX_SPOILT]
        told.clear()
        assert raw.write_block(spoilt(bytes(range(80))) if event is LineEvent.BADFCS else broken_off(bytes(range(80))))
        await self.until(lambda: bool(told))
        await asyncio.sleep(QUIET_S)
        raw.close()
        link.close()
        assert frames == []
        return list(told)

    async def far_goes(self) -> None:
        await self._pull(2)
        self.far.close(*self.far.bearers, self.far.link)

    async def far_returns(self) -> None:
        await self._put_back(2)

    async def pull(self) -> None:
        await self._pull(1)

    async def plug(self) -> None:
        await self._put_back(1)

    async def _pull(self, span: int) -> None:
        self._pulled[span] = await asyncio.to_thread(cards.pull_span, span)

    async def _put_back(self, span: int) -> None:
        await asyncio.to_thread(cards.plug_span, self._pulled.pop(span))
        await asyncio.to_thread(configure, self._setup, cards.SYSTEM_CONF)

    def _media_events(self) -> None:
        os.eventfd_read(self._engine.eventfd)
        while events := self._engine.poll_events():
            for event in events:
                self.box.media_event(event)
                self.far.media_event(event)


async def play(report: Report, cases: dict[str, Case]) -> None:
    """Every case, one after the other; one that went wrong is tried again."""
    wrong: dict[str, str] = {}
    async with LabBench() as bench:
        for name, run in cases.items():
            for _ in range(TRIES):
                fault = await _fault_of(bench, run)
                await bench.rest()
                if not fault:
                    wrong.pop(name, None)
                    break
                wrong[name] = fault
                report.remark(f"{name}: {fault.splitlines()[-1]}")
    report.figure("cases_right", len(cases) - len(wrong))
    assert not wrong, "\n".join(f"{name}: {fault}" for name, fault in wrong.items())


async def _fault_of(bench: LabBench, run: Case) -> str:
    try:
        await run(bench)
    except (AssertionError, LineError):
        return traceback.format_exc()
    return ""
