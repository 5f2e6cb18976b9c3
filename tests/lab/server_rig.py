"""The line server on the kernel's card and its call agent, in one process with the scenario. Guest only."""

import asyncio
from pathlib import Path
from typing import Self

from drivers.clock import RealClock
from drivers.config import LinesConfig
from drivers.dahdi.card import DahdiCard
from drivers.media import Engine, EngineConfig
from drivers.server import LineServer
from drivers.settings import Paths
from tests.scenarios.lines_rig import Agent


class ServerRig:
    """Runs within `async with`, which begins when the call agent is welcomed."""

    def __init__(self, lines: LinesConfig, folder: Path, engine: EngineConfig, write_ahead: int) -> None:
        self._engine = Engine(engine)
        self._card = DahdiCard(self._engine, write_ahead=write_ahead)
        paths = Paths(run_dir=str(folder / "run"), data_dir=str(folder / "data"))
        self.server = LineServer(lines, paths, self._card, self._engine, RealClock())
        self.agent = Agent(self.server)

    def is_free(self, channel: int) -> bool:
        return self.server.lines.channels[channel].is_free()

    async def __aenter__(self) -> Self:
        self._card.spans()
        self._engine.start()
        self.server.start()
        await self.agent.welcome()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.server.stop()
        self._card.close()
        await asyncio.sleep(0.3)
        self._engine.close()
