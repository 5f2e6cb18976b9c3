"""The line server on CAS spans of the virtual card with an exchange of our own at their far end, in virtual time."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from drivers.clock import VirtualClock, run_virtual
from drivers.config import LinesConfig
from drivers.media import Engine, EngineConfig, MediaEvent
from drivers.protocol import Answer, Answered, Offered, Release, Released, Seize, Welcome
from drivers.server import LineServer
from drivers.settings import Paths
from drivers.signalling.r2 import R2Span
from drivers.virtual.card import VirtualCard
from drivers.virtual.channel import VirtualChannel
from drivers.virtual.config import SpanConfig, SpanKind, VirtualConfig
from drivers.virtual.timeslot import TimeslotChannel
from tests.scenarios.lines_rig import Agent
from tests.scenarios.mortal_rig import MemoryStore
from tests.scenarios.r2_office import R2Office

R = TypeVar("R")

DNIS = "88886666"
ANI = "13800138000"


def r2_lines(spans: int = 1, **settings: object) -> LinesConfig:
    """So many CAS spans, all with these `[[lines.r2]]` settings."""
    cas = SpanConfig(kind=SpanKind.CAS)
    r2 = msgspec.convert({"dnis_length": len(DNIS), **settings}, R2Span)
    return LinesConfig(virtual=VirtualConfig(spans=(cas,) * spans), r2=(r2,))


class CardWithOffice(VirtualCard):
    """Events of the media core that are of the exchange's ports go there."""

    office: R2Office

    def media_event(self, event: MediaEvent) -> bool:
        return self.office.media_event(event) or super().media_event(event)


class KeptTimeslot(TimeslotChannel):
    """A channel with a descriptor that stands for it."""

    descriptor = -1

    def store_fd(self) -> int | None:
        return self.descriptor


class KeptCard(CardWithOffice):
    """Opening by a descriptor of an earlier process finds the channel as that one left it, bits included."""

    def __init__(self, world: VirtualConfig, engine: Engine) -> None:
        super().__init__(world, engine)
        self.kept: dict[int, KeptTimeslot] = {}

    def open(self, number: int, adopted_fd: int | None = None) -> VirtualChannel:
        if adopted_fd is not None:
            return self.kept[number]
        channel = super().open(number)
        channel.__class__ = KeptTimeslot
        assert isinstance(channel, KeptTimeslot)
        channel.descriptor = os.eventfd(0)
        self.kept[number] = channel
        return channel

    def close(self) -> None:
        for channel in self.kept.values():
            os.close(channel.descriptor)
        super().close()


class R2Rig:
    """Everything in one event loop; `agent` is welcomed."""

    def __init__(self, clock: VirtualClock, folder: Path, lines: LinesConfig, far: LinesConfig) -> None:
        self.clock = clock
        self.paths = Paths(run_dir=str(folder / "run"), data_dir=str(folder / "data"))
        world = lines.virtual
        channels = 31 * len(world.spans)
        self.engine = Engine(EngineConfig(max_ports=2 * channels + 16, max_lines=world.lines_needed() + channels, max_recordings=64))
        self.card = KeptCard(world, self.engine)
        self.store = MemoryStore()
        self.office = self.card.office = R2Office(self.card.far, self.engine, far, clock, folder / "far")
        self.server = LineServer(lines, self.paths, self.card, self.engine, clock, self.store)
        self.agent = Agent(self.server)
        clock.every_frame(self.engine.step)

    async def offered(self) -> Offered:
        return await self.agent.told(Offered)

    async def answered_in(self, dnis: str = DNIS, ani: str | None = ANI) -> str:
        """A call from outside that is answered here: its leg."""
        self.office.call(dnis, ani)
        leg = (await self.offered()).state.leg
        self.agent.send(Answer(leg=leg))
        await self.agent.told(Answered, leg=leg)
        return leg

    async def answered_out(self, leg: str = "out", dnis: str = "01066668888") -> str:
        """A call to the exchange that is answered there."""
        self.agent.send(Seize(leg=leg, group=self.group, number=dnis, caller=DNIS))
        await self.agent.told(Answered, leg=leg)
        return leg

    async def released(self, leg: str) -> Released:
        self.agent.send(Release(leg=leg))
        return await self.agent.told(Released, leg=leg)

    async def restart(self, dead_s: float = 2.0) -> Welcome:
        """The line server ends as by SIGKILL, and is started again after a while."""
        await asyncio.sleep(0.1)
        old = self.server
        self.agent.die()
        await asyncio.sleep(0)
        await old.stop()
        for channel in old.lines.channels.values():
            self.engine.port_free(channel.port.number)
        self.card.start(lambda number, event: None, lambda status: None)
        await asyncio.sleep(dead_s)
        self.server = LineServer(old.config, self.paths, self.card, self.engine, self.clock, self.store)
        self.server.start()
        self.agent = Agent(self.server)
        return await self.agent.welcome()

    @property
    def group(self) -> str:
        return next(iter(self.server.lines.groups))

    async def all_idle(self, limit_s: float = 60.0) -> None:
        """Every channel of both sides is back at rest, bits and signalling."""
        ours, theirs = self.server.lines.channels, self.office.channels

        def rests(number: int) -> bool:
            here, there = ours[number], theirs[number]
            return here.is_free() and there.is_free() and here.state().state == there.state().state == "idle"

        async with asyncio.timeout(limit_s):
            while not all(rests(number) for number in theirs):  # noqa: ASYNC110  # virtual time
                await asyncio.sleep(0.05)
        for number in theirs:
            ours_io, theirs_io = ours[number].io, theirs[number].io
            assert ours_io is not None
            assert theirs_io is not None
            assert ours_io.bits() == theirs_io.bits(), f"channel {number}"


def run_r2(folder: Path, main: Callable[[R2Rig], Awaitable[R]], lines: LinesConfig, far: LinesConfig | None = None) -> R:
    """Run `main(rig)` in virtual time; `far` when the exchange is not set up like the box."""

    async def within(clock: VirtualClock) -> R:
        rig = R2Rig(clock, folder, lines, far or lines)
        faults: list[str] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(str(context)))
        try:
            rig.office.open()
            rig.server.start()
            await rig.agent.welcome()
            await rig.all_idle()
            return await main(rig)
        finally:
            await rig.server.stop()
            rig.office.close()
            rig.card.close()
            rig.engine.close()
            assert not faults

    result: R = run_virtual(within)
    return result
