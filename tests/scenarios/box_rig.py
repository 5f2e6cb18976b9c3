"""The whole box but the web: virtual card, line server and call agent in one event loop, on a virtual clock."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from appliance.agent import CallAgent
from appliance.config import Config
from appliance.ivr.prompts.library import PromptLibrary
from drivers.clock import VirtualClock, run_virtual
from drivers.config import LinesConfig
from drivers.media import Engine, EngineConfig
from drivers.server import LineServer
from drivers.virtual.card import VirtualCard
from drivers.virtual.config import Answering, NumberConfig, SetConfig, SpanConfig, SpanKind, VirtualConfig
from drivers.virtual.handset import Phase
from drivers.virtual.telephone import OutsideTelephone, WiredSet
from tests.scenarios.killing import Life, start_agent

BOX = "96120"
DEAF_S = 2.1  # lines just opened hear no ring for 2 s


def world(trunks: int, sets: int, answering: Answering = Answering.COMMAND) -> LinesConfig:
    """So many lines to the exchange, and sets on the channels after them."""
    numbers = range(trunks + 1, trunks + sets + 1)
    return LinesConfig(
        virtual=VirtualConfig(
            spans=(SpanConfig(kind=SpanKind.FXO, channels=trunks), SpanConfig(kind=SpanKind.FXS, channels=sets)),
            numbers=(NumberConfig(number=BOX, spans=(1,)),),
            sets=tuple(SetConfig(channel=number, answering=answering) for number in numbers),
            visitors=trunks + 4,
        )
    )


class Box:
    """A running box. `agent` may be killed and started anew."""

    def __init__(self, clock: VirtualClock, config: Config, lines: LinesConfig, prompts: PromptLibrary) -> None:
        self.clock = clock
        self.config = config
        self.prompts = prompts
        world = lines.virtual
        ports = sum(span.channels for span in world.spans) + world.ports_needed()
        self.engine = Engine(EngineConfig(max_ports=ports, max_lines=world.lines_needed(), max_recordings=512))
        self.card = VirtualCard(world, self.engine)
        self.server = LineServer(lines, config.paths, self.card, self.engine, clock)
        self.agent: CallAgent
        self._on = True
        clock.every_frame(self._frame)

    async def start(self, life: Life | None = None) -> None:
        self.server.start()
        await asyncio.sleep(DEAF_S)
        await self.start_agent(life or Life())

    async def start_agent(self, life: Life) -> None:
        self.agent = await start_agent(self.config, self.server, self.clock, self.prompts, life)
        await until(lambda: self.agent.lines.connected, 10.0)

    async def next_agent(self, life: Life) -> None:
        """The call agent ends, and half a second later the next one is there."""
        await self.agent.stop()
        await asyncio.sleep(0.5)
        await self.start_agent(life)

    def _frame(self) -> None:
        if self._on:
            self.engine.step()

    async def stop(self) -> None:
        await self.agent.stop()
        await self.server.stop()
        self.card.close()
        self._on = False
        self.engine.close()

    def telephone(self, number: str = "") -> OutsideTelephone:
        """A telephone outside, not yet calling."""
        return self.card.world.visitor(number)

    def set(self, channel: int) -> WiredSet:
        return self.card.world.sets[channel]

    async def idle(self, limit_s: float = 120.0) -> None:
        """Wait until no call is left."""
        await until(lambda: not (self.agent.switchboard.calls or self.server.lines.book.states()), limit_s)

    async def ask(self, question: Callable[[], Any]) -> Any:
        """Something of the store, after all that was decided so far is in it."""
        return await self.agent.store.run(question)


async def until(holds: Callable[[], bool], limit_s: float) -> None:
    """Look ten times a second. Raises: TimeoutError."""
    for _ in range(round(limit_s * 10)):
        if holds():
            return
        await asyncio.sleep(0.1)
    raise TimeoutError


async def call(box: Box, keys: str = "", hang_up: bool = True, number: str = "") -> None:
    """Ring the box and press keys; a space waits 6 s, a dot 1 s; then hang up or wait for the box to."""
    telephone = box.telephone(number)
    telephone.dial(BOX)
    phase = await telephone.reached(Phase.TALKING, Phase.BUSY, Phase.ENDED, Phase.NO_ANSWER)
    if phase is Phase.TALKING:
        await press(telephone, keys)
        if not hang_up:
            await telephone.reached(Phase.ENDED, Phase.IDLE, limit_s=600)
    box.card.world.dismiss(telephone)


async def press(telephone: OutsideTelephone, keys: str) -> None:
    for key in keys:
        if telephone.phase is not Phase.TALKING:
            return
        if key in " .":
            await asyncio.sleep(6.0 if key == " " else 1.0)
        else:
            telephone.press(key)
            await telephone.keys_sent()


B = TypeVar("B", bound=Box)


def run_box(config: Config, prompts: PromptLibrary, main: Callable[[Box], Awaitable[Any]], lines: LinesConfig | None = None) -> Any:
    """Run `main(box)` in virtual time on a box that is up."""
    return run_box_of(Box, config, prompts, main, lines)


def run_box_of(
    kind: type[B], config: Config, prompts: PromptLibrary, main: Callable[[B], Awaitable[Any]], lines: LinesConfig | None = None
) -> Any:
    """The same on a box of that kind."""

    async def within(clock: VirtualClock) -> Any:
        box = kind(clock, config, lines or world(8, 2), prompts)
        await box.start()
        try:
            return await main(box)
        finally:
            await box.stop()

    return run_virtual(within)


def recording(config: Config, path: str) -> Path:
    return config.paths.recordings_dir / path
