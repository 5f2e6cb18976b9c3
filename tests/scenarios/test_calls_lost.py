"""Records of calls that the line server lost get their end; those of calls begun while its snapshot was under way are left alone."""

import asyncio
from datetime import timedelta

from appliance.agent import CallAgent
from appliance.config import Config
from appliance.events import CallOffered
from appliance.ivr.prompts.library import PromptLibrary
from appliance.store.models import CallRecord
from appliance.store.writer import Store
from drivers.clock import VirtualClock, run_virtual
from drivers.protocol import VERSION, Command, Event, Welcome
from tests.scenarios.killing import JumpingClock


class Snapshot:
    """A line server that knows of no call: it greets and says no more."""

    def __init__(self, welcome: Welcome) -> None:
        self._events: list[Event] = [welcome]

    def send(self, command: Command) -> None:
        """Nothing is asked of it here."""

    async def receive(self) -> Event | None:
        if self._events:
            return self._events.pop()
        await asyncio.sleep(3600)
        return None

    def close(self) -> None:
        """It holds nothing."""


def test_only_calls_older_than_the_snapshot_are_closed(config: Config, prompts: PromptLibrary) -> None:
    async def main(clock: VirtualClock) -> dict[str, bool]:
        await asyncio.sleep(10)
        taken_at = clock.now()
        begun = {"older": taken_at - timedelta(seconds=1), "newer": taken_at + timedelta(milliseconds=5)}
        await asyncio.sleep(1)

        async def connect() -> Snapshot:
            nothing = Welcome(version=VERSION, card="none", at=taken_at, started_at=taken_at, legs=(), channels=(), spans=(), groups=())
            return Snapshot(nothing)

        store = Store(config.paths.database, clock)
        agent = CallAgent(config, connect, clock, prompts, store)
        await agent.start()
        for call_id, at in begun.items():
            store.append(CallOffered(call_id=call_id, seq=1, at=at, leg="L1", group="trunk", channel=1, direction="inbound"))
        await asyncio.sleep(2)
        ended = await store.run(lambda: {row.call_id: row.ended_at is not None for row in CallRecord.select()})
        await agent.stop()
        return ended

    assert run_virtual(main, JumpingClock()) == {"older": True, "newer": False}
