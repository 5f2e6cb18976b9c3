"""Killing a call agent at any message: what it sends and writes after that instant never happens, as with SIGKILL."""

import asyncio
from pathlib import Path
from typing import Any

from appliance.agent import CallAgent
from appliance.config import Config
from appliance.events import Happened
from appliance.ivr.flow import FlowSet
from appliance.ivr.prompts.library import PromptLibrary
from appliance.ivr.reading import read
from appliance.lines import LineChannel
from appliance.store.place import StorePlace, place_of
from appliance.store.writer import Store
from drivers.clock import VirtualClock
from drivers.protocol import Command, Event

NEVER = 1 << 30


class JumpingClock(VirtualClock):
    """Without a media core there are no frames to run: time goes straight to the next timer."""

    def advance(self, timeout_s: float | None) -> None:
        if timeout_s is None or self._frames:
            return super().advance(timeout_s)
        self._ns += max(1, round(timeout_s * 1e9))
        return None


class Life:
    """Ends after so many messages in or out. `slow_disk`: events reach the disk only when somebody waits for it."""

    def __init__(self, messages: int = NEVER, slow_disk: bool = False) -> None:
        self.left = messages
        self.slow_disk = slow_disk
        self.over = asyncio.Event()
        self.count = 0

    def message(self) -> bool:
        """False when life has ended."""
        if self.over.is_set():
            return False
        self.count += 1
        self.left -= 1
        if self.left <= 0:
            self.over.set()
        return not self.over.is_set()


class MortalChannel:
    """A connection of a call agent that may die."""

    def __init__(self, channel: LineChannel, life: Life) -> None:
        self._channel = channel
        self._life = life

    def send(self, command: Command) -> None:
        if not self._life.over.is_set():
            self._channel.send(command)
            self._life.message()

    async def receive(self) -> Event | None:
        event = await self._channel.receive()
        if not self._life.message():
            await asyncio.get_running_loop().create_future()
        return event

    def close(self) -> None:
        self._channel.close()


class MortalStore(Store):
    """The store of a call agent that may die: what was not on its way to disk is lost."""

    def __init__(self, place: StorePlace, clock: VirtualClock, life: Life) -> None:
        super().__init__(place, clock)
        self._life = life
        self._held: list[Happened] = []

    def append(self, event: Happened) -> None:
        if self._life.over.is_set():
            return
        if self._life.slow_disk:
            self._held.append(event)
        else:
            super().append(event)

    async def run(self, job: Any, limit_s: float = 10.0, *, lasting: bool = True) -> Any:
        if not self._life.over.is_set():
            for event in self._held:
                super().append(event)
            self._held.clear()
        return await super().run(job, limit_s, lasting=lasting)


def small_hotline() -> FlowSet:
    """What calls walk where it is calls that are looked at, not the hotline's services."""
    flow, faults = read((Path(__file__).parent / "small_hotline.yaml").read_text(encoding="utf-8"), "hotline")
    assert flow, faults
    return FlowSet({"hotline": flow})


SMALL_HOTLINE = small_hotline()


async def start_agent(
    config: Config, server: Any, clock: VirtualClock, prompts: PromptLibrary, life: Life, flows: FlowSet = SMALL_HOTLINE
) -> CallAgent:
    """A call agent on the server's in-process channel."""

    async def connect() -> MortalChannel:
        return MortalChannel(await server.connect(), life)

    store = MortalStore(place_of(config.paths), clock, life)
    agent = CallAgent(config, connect, clock, prompts, store, flows=flows)
    await agent.start()
    return agent


async def restart_when_dead(
    config: Config,
    server: Any,
    clock: VirtualClock,
    prompts: PromptLibrary,
    agent: CallAgent,
    life: Life,
    flows: FlowSet = SMALL_HOTLINE,
) -> CallAgent:
    """Wait for the end of that life, then start the next call agent half a second later."""
    await life.over.wait()
    await agent.stop()
    await asyncio.sleep(0.5)
    return await start_agent(config, server, clock, prompts, Life(), flows)
