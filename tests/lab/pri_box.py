"""The box on the kernel's loopback E1 pair, user side: real daemons; the far span is for an exchange in the scenario's process.

Guest only. Started anew for each scenario and ended with it. Span 1 (channels 1-31) is the box's, span 2 (32-62) the exchange's.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import cast

from drivers.clock import RealClock
from drivers.dahdi.card import DahdiCard
from drivers.dahdi.setup import CardSetup, ChannelGroup, DynamicSpan
from drivers.io import Signalling
from drivers.media import Engine, EngineConfig
from drivers.protocol import AnyEvent, Command, Event, FrameReader, encode
from tests.lab import product
from tests.lab.exchange import WRITE_AHEAD
from tests.lab.fresh_box import fresh_box
from tests.lab.product import Box
from tests.pri_exchange import NETWORK, Exchange

BOX_SPAN, FAR_SPAN = 1, 2
FAR_D_CHANNEL = 47
FAR_OFFSET = 31
UP_LIMIT_S = 120.0
CONFIG_TEXT = """
[[lines.groups]]
name = "trunk"
channels = "1-15,17-31"

[[lines.pri]]
span = 1
d_channel = 16
switch = "euroisdn"
side = "user"
"""


def card_setup() -> CardSetup:
    """Two spans wired to each other, A-law."""
    return CardSetup(
        dynamic_spans=(DynamicSpan("loc", "1:0", 31), DynamicSpan("loc", "1:1", 31)),
        groups=(
            ChannelGroup("1-15,17-31,32-46,48-62", Signalling.BCHAN, law="alaw"),
            ChannelGroup("16,47", Signalling.DCHAN),
        ),
    )


def pri_box(programs: tuple[str, ...] = ("lines", "calls"), more: str = "") -> contextlib.AbstractContextManager[Box]:
    """Those programs running on the near span."""
    return fresh_box(CONFIG_TEXT + more, card_setup(), programs)


@contextlib.asynccontextmanager
async def far_exchange() -> AsyncIterator[Exchange]:
    """The exchange on the far span, its link up and every channel free. It has no audio."""
    engine = Engine(EngineConfig(max_ports=1, max_lines=1, max_recordings=1))
    card = DahdiCard(engine, write_ahead=WRITE_AHEAD)
    exchange = Exchange(card, RealClock(), NETWORK, (FAR_SPAN,))
    exchange.start()
    try:
        await exchange.until(lambda: bool(exchange.up), UP_LIMIT_S)
        await exchange.until(lambda: len(exchange.free()) == len(exchange.lines), UP_LIMIT_S)
        yield exchange
    finally:
        exchange.close()
        card.close()
        engine.close()


class AgentWire:
    """A call agent's end of the line server's socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._frames = FrameReader(AnyEvent)
        self._waiting: list[Event] = []

    @classmethod
    async def connect(cls) -> "AgentWire":
        return cls(*await asyncio.open_unix_connection(str(product.PATHS.lines_socket)))

    def send(self, message: Command) -> None:
        self._writer.write(encode(message))

    async def receive(self) -> Event | None:
        while not self._waiting:
            received = await self._reader.read(65536)
            if not received:
                return None
            self._waiting = cast(list[Event], list(self._frames.feed(received)))
        return self._waiting.pop(0)

    def close(self) -> None:
        self._writer.close()
