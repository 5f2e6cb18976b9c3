"""Where each caller of a storm stands, as the live view of the call agent tells it: what a person would know by listening.

Connects anew whenever the call agent was killed. Runs in the test's event loop.
"""

import asyncio
import contextlib
from dataclasses import dataclass, field
from pathlib import Path

from appliance.control.messages import VERSION, AnyReply, ControlHello, LiveCall, LiveCallChanged, LiveCallGone, LiveSnapshot, Subscribe
from drivers.protocol import FrameReader, encode

ASKED_ANEW = {"card/password"}
"""A secret is lost with the call agent that heard it: the caller hears the question once more."""


@dataclass
class Stand:
    """One caller. `visits` grows with every place he comes to."""

    place: str = ""
    visits: int = 0
    moved: asyncio.Event = field(default_factory=asyncio.Event)

    def come(self, place: str, *, anew: bool = False) -> None:
        if place != self.place or anew:
            self.place, self.visits = place, self.visits + 1
            self.moved.set()


class Board:
    """`stands` by the caller's number; whoever is not in it is not looked at."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self.stands: dict[str, Stand] = {}
        self._calls: set[str] = set()
        self._empty = asyncio.Event()

    async def run(self) -> None:
        while True:
            try:
                await self._listen()
            except OSError:
                await asyncio.sleep(0.05)

    async def over(self, limit_s: float) -> None:
        """Wait until the call agent has none left, but no longer than that."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await self._empty.wait()

    async def _listen(self) -> None:
        reader, writer = await asyncio.open_unix_connection(str(self._socket))
        try:
            writer.write(encode(ControlHello(version=VERSION, client="storm", request_id=1)))
            writer.write(encode(Subscribe(request_id=2)))
            frames = FrameReader(AnyReply)
            while received := await reader.read(65536):
                for message in frames.feed(received):
                    self._told(message)
        finally:
            writer.close()

    def _told(self, message: object) -> None:
        if isinstance(message, LiveCallChanged):
            self._calls.add(message.call.call_id)
            self._at(message.call, anew=False)
        elif isinstance(message, LiveCallGone):
            self._calls.discard(message.call_id)
        elif isinstance(message, LiveSnapshot):
            self._calls = {call.call_id for call in message.calls}
            for call in message.calls:
                self._at(call, anew=call.place in ASKED_ANEW)
        if self._calls:
            self._empty.clear()
        else:
            self._empty.set()

    def _at(self, call: LiveCall, *, anew: bool) -> None:
        if stand := self.stands.get(call.ani or ""):
            stand.come(call.place, anew=anew)
