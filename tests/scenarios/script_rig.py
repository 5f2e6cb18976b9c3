"""A call agent that runs a script of the test's own for every call, on any line server; it may die like the real one (killing.py)."""

import asyncio
from collections.abc import Callable
from typing import Any

from appliance.call.call import Script
from appliance.config import Config
from appliance.control.live import LiveState
from appliance.extensions.session import Extensions
from appliance.ivr.paths import SERVICES
from appliance.ivr.prompts.library import PromptLibrary
from appliance.lines import Lines
from appliance.switchboard import Switchboard
from appliance.system import health
from drivers.clock import VirtualClock
from tests.scenarios.killing import Life, MortalChannel, MortalStore


class ScriptAgent:
    """The parts of a call agent that calls need."""

    def __init__(self, config: Config, server: Any, clock: VirtualClock, prompts: PromptLibrary, life: Life, script: Script) -> None:
        self.store = MortalStore(config.paths.database, clock, life)
        self._clock = clock

        async def connect() -> MortalChannel:
            return MortalChannel(await server.connect(), life)

        self.lines = Lines(connect, clock)
        self.live = LiveState(health.health(clock.now(), clock.now(), (), None, 0, 0, 0))
        scripts = dict.fromkeys(SERVICES, script)
        extensions = Extensions(config.calls)
        self.switchboard = Switchboard(config, self.lines, self.store, self.live, clock, prompts, scripts, extensions)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self._in_thread(self.store.start)
        await self.switchboard.start()
        self._task = asyncio.create_task(self.lines.run(self.switchboard))

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.wait({self._task})
        await self.switchboard.stop()
        await self._in_thread(self.store.close)

    async def _in_thread(self, work: Callable[[], None]) -> None:
        with self._clock.external_work():
            await asyncio.to_thread(work)
