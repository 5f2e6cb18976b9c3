"""A line server that can die and be started again.

Its card is the virtual one made to outlive its opener, as the kernel's channels do while somebody holds their descriptors.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from drivers.io import ChannelIO
from drivers.protocol import Welcome
from drivers.server import LineServer
from drivers.virtual.card import VirtualCard
from drivers.virtual.channel import LoopChannel, VirtualChannel
from tests.scenarios.lines_rig import Agent, Rig, run_rig


class KeptChannel(LoopChannel):
    """A channel with a descriptor that stands for it."""

    descriptor = -1

    def store_fd(self) -> int | None:
        return self.descriptor


class KeptCard(VirtualCard):
    """Opening by a descriptor of an earlier process finds the channel as that one left it."""

    def __init__(self, rig: Rig) -> None:
        super().__init__(rig.server.config.virtual, rig.engine)
        self.kept: dict[int, ChannelIO] = {}

    def open(self, number: int, adopted_fd: int | None = None) -> VirtualChannel:
        if adopted_fd is not None:
            assert os.readlink(f"/proc/self/fd/{adopted_fd}").startswith("anon_inode")
            return self._open[number]
        channel = super().open(number)
        channel.__class__ = KeptChannel
        assert isinstance(channel, KeptChannel)
        channel.descriptor = os.eventfd(0)
        return channel

    def close(self) -> None:
        for channel in self._open.values():
            if isinstance(channel, KeptChannel):
                os.close(channel.descriptor)
        super().close()


class MemoryStore:
    """A keeper of descriptors that forgets nothing (the real ones: test_holder_*)."""

    def __init__(self) -> None:
        self.kept: dict[str, int] = {}

    def store(self, name: str, fd: int) -> None:
        self.kept[name] = fd

    def drop(self, name: str) -> None:
        self.kept.pop(name, None)

    def fetch(self) -> dict[str, int]:
        return dict(self.kept)


class Mortal:
    """A rig whose line server can die and be started again."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.store = MemoryStore()
        rig.card.close()
        rig.card = KeptCard(rig)
        rig.world = rig.card.world

    async def start(self) -> Welcome:
        rig = self.rig
        rig.server = LineServer(rig.server.config, rig.paths, rig.card, rig.engine, rig.clock, self.store)
        rig.server.start()
        rig.agent = Agent(rig.server)
        return await rig.agent.welcome()

    async def die(self) -> None:
        """As by SIGKILL: its timers, ports and connections are gone, nothing else has changed."""
        await asyncio.sleep(0.1)
        server = self.rig.server
        self.rig.agent.die()
        await asyncio.sleep(0)
        for channel in server.lines.channels.values():
            channel.close()
            self.rig.engine.port_free(channel.port.number)
        asyncio.get_running_loop().remove_reader(self.rig.engine.eventfd)
        assert server._report_timer is not None
        server._report_timer.cancel()
        self.rig.card.start(lambda number, event: None, lambda status: None)

    async def restart(self, dead_s: float = 2.0) -> Welcome:
        await self.die()
        await asyncio.sleep(dead_s)
        return await self.start()


def run_mortal(folder: Path, main: Callable[[Rig, Mortal], Awaitable[None]]) -> None:
    async def within(rig: Rig) -> None:
        await rig.server.stop()
        mortal = Mortal(rig)
        await mortal.start()
        await main(rig, mortal)

    run_rig(folder, within, connected=False)
