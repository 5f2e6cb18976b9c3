"""A handset server in virtual time and everybody who connects to it."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from appliance.control.handset import AsyncHandset, dial_message
from drivers.protocol import HandsetDial, HandsetState
from drivers.virtual.config import Answering, NumberConfig, SetConfig, SpanConfig, SpanKind, TelephoneConfig, VirtualConfig
from drivers.virtual.socket import HandsetServer
from tests.contract.rig import Rig, run_rig

BOX = "88886666"
CONFIG = VirtualConfig(
    spans=(SpanConfig(kind=SpanKind.FXO, channels=1), SpanConfig(kind=SpanKind.FXS, channels=1)),
    numbers=(NumberConfig(number=BOX, spans=(1,)),),
    telephones=(TelephoneConfig(number="7", answering=Answering.NEVER),),
    sets=(SetConfig(channel=2, after_ms=6000),),
    visitors=3,
    ring_limit_ms=20_000,
)
SET = 2
Main = Callable[[Rig, "Clients"], Awaitable[None]]


class Clients:
    """Everybody who connected; all are closed at the end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._all: list[AsyncHandset] = []

    async def connect(self, dial: HandsetDial) -> AsyncHandset:
        handset = await AsyncHandset.connect(self.path, dial)
        self._all.append(handset)
        return handset

    async def stranger(self, sent: bytes) -> AsyncHandset:
        """Sends what it likes."""
        reader, writer = await asyncio.open_unix_connection(str(self.path))
        writer.write(sent)
        self._all.append(AsyncHandset(self.path, reader, writer))
        return self._all[-1]

    async def close(self) -> None:
        for handset in self._all:
            await handset.close()


def served(tmp_path: Path, main: Main, config: VirtualConfig = CONFIG) -> None:
    """Run `main(rig, clients)` with a handset server, in virtual time."""

    async def within(rig: Rig) -> None:
        clients = Clients(tmp_path / "handset.sock")
        server = HandsetServer(rig.world, clients.path)
        await server.start()
        try:
            await main(rig, clients)
        finally:
            await clients.close()
            await server.close()

    run_rig(config, within)


async def until_state(handset: AsyncHandset, *states: str) -> HandsetState:
    return await handset.wait_for(*states, limit_s=60)


async def states_until(handset: AsyncHandset, last: str) -> list[str]:
    seen: list[str] = []
    while not seen or seen[-1] != last:
        message = await handset.next(60)
        if isinstance(message, HandsetState):
            seen.append(message.state)
    return seen


async def talking(rig: Rig, clients: Clients, stream: bool = False) -> AsyncHandset:
    rig.answers(1)
    handset = await clients.connect(dial_message(BOX, stream=stream))
    await until_state(handset, "talking")
    await rig.pass_ms(700)
    return handset
