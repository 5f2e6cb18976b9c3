"""The call agent's end of the line to the line server: connects, greets, reads events, and connects again.

`Lines.run` is one task for the life of the process. What is on the lines is told to one listener: a snapshot
(`adopted`) whenever a connection stands, then single events, then `lost`. Runs in the call agent's event loop.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

import msgspec

from appliance.errors import LinesError
from drivers.clock import Clock
from drivers.errors import CarelineError, ProtocolError
from drivers.protocol import (
    MAX_WELCOME_BYTES,
    VERSION,
    AnyEvent,
    Command,
    EngineReport,
    Event,
    FrameReader,
    Hello,
    Ping,
    Refused,
    Welcome,
    encode,
)

log = logging.getLogger("careline.lines")

CONNECT_LIMIT_S = 5.0
WELCOME_LIMIT_S = 5.0
PING_EVERY_S = 5.0
QUIET_LIMIT_S = 15.0
BACK_OFF_S = (0.05, 0.1, 0.2, 0.5, 1.0)
UNSENT_LIMIT_BYTES = 8 << 20


class LineChannel(Protocol):
    """An open connection."""

    def send(self, command: Command) -> None:
        """Queue it; returns at once. Raises: LinesError when the server does not read."""

    async def receive(self) -> Event | None:
        """The next event, in order; None at the end of the connection. Raises: OSError, CarelineError."""

    def close(self) -> None: ...


class Listener(Protocol):
    """Who acts on what the lines say."""

    def adopted(self, welcome: Welcome) -> None:
        """A connection stands; this is all there is."""

    def lost(self, error: CarelineError) -> None:
        """The connection is gone; calls go on without us."""

    def event(self, event: Event) -> None:
        """Something happened on a line."""


class Listeners:
    """Several as one, each told in turn."""

    def __init__(self, *listeners: Listener) -> None:
        self._listeners = listeners

    def adopted(self, welcome: Welcome) -> None:
        for listener in self._listeners:
            listener.adopted(welcome)

    def lost(self, error: CarelineError) -> None:
        for listener in self._listeners:
            listener.lost(error)

    def event(self, event: Event) -> None:
        for listener in self._listeners:
            listener.event(event)


class UnixChannel:
    """The connection as it is in production."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._frames = FrameReader(AnyEvent, MAX_WELCOME_BYTES)
        self._received: deque[object] = deque()

    def send(self, command: Command) -> None:
        if self._writer.transport.get_write_buffer_size() > UNSENT_LIMIT_BYTES:
            raise LinesError("APP-021", "the line server does not read its commands", "Restart careline-lines")
        self._writer.write(encode(command))

    async def receive(self) -> Event | None:
        while not self._received:
            received = await self._reader.read(65536)
            if not received:
                return None
            self._received.extend(self._frames.feed(received))
        event = self._received.popleft()
        assert isinstance(event, Event)
        return event

    def close(self) -> None:
        self._writer.transport.abort()


async def connect_unix(path: Path) -> UnixChannel:
    """Raises: LinesError APP-020."""
    try:
        async with asyncio.timeout(CONNECT_LIMIT_S):
            return UnixChannel(*await asyncio.open_unix_connection(path))
    except (OSError, TimeoutError) as error:
        raise LinesError("APP-020", f"no line server at {path} ({error or 'no answer'})", "Start careline-lines; see its log") from error


class Lines:
    """The connection, kept up. `fault` says why there is none."""

    def __init__(self, connect: Callable[[], Awaitable[LineChannel]], clock: Clock, name: str = "calls") -> None:
        self._connect = connect
        self._clock = clock
        self._name = name
        self._channel: LineChannel | None = None
        self._last_id = 0
        self._heard_s = 0.0
        self.card = ""
        self.engine: EngineReport | None = None
        self.fault: CarelineError | None = LinesError("APP-020", "not connected yet", "Wait a moment")

    @property
    def connected(self) -> bool:
        return self.fault is None

    def send(self, command: Command) -> int:
        """Send it and return its id. Without a connection it is dropped: calls are rebuilt from the next snapshot."""
        self._last_id += 1
        if self._channel is None:
            return self._last_id
        try:
            self._channel.send(msgspec.structs.replace(command, command_id=self._last_id))
        except (CarelineError, OSError) as error:
            log.error("the line server takes no commands: %s", error)
            self._channel.close()
        return self._last_id

    async def run(self, listener: Listener) -> None:
        """Until cancelled."""
        attempt = 0
        while True:
            try:
                await self._session(listener)
            except CarelineError as error:
                attempt = 0 if self.connected else attempt + 1
                self._failed(listener, error)
            await asyncio.sleep(BACK_OFF_S[min(attempt, len(BACK_OFF_S) - 1)])

    def _failed(self, listener: Listener, error: CarelineError) -> None:
        if self.fault is None:
            log.error("lost the line server: %s", error)
        elif self.fault.code != error.code:
            log.warning("%s", error)
        was_connected, self.fault = self.connected, error
        if was_connected:
            listener.lost(error)

    async def _session(self, listener: Listener) -> None:
        """One connection from greeting to loss. Raises: CarelineError saying why it ended."""
        channel = await self._connect()
        with contextlib.closing(channel):
            self._channel = channel
            try:
                await self._serve(channel, listener)
            except OSError as error:
                raise LinesError("APP-022", f"the connection broke: {error}", "See the log of careline-lines") from error
            finally:
                self._channel = None
        raise LinesError("APP-022", "the line server closed the connection", "See the log of careline-lines")

    async def _serve(self, channel: LineChannel, listener: Listener) -> None:
        self.send(Hello(version=VERSION, client=self._name))
        self._greeted(await self._welcome(channel), listener)
        pings = asyncio.create_task(self._ping(channel), name="ping")
        try:
            while (event := await channel.receive()) is not None:
                self._heard(event, listener)
        finally:
            pings.cancel()

    async def _welcome(self, channel: LineChannel) -> Welcome:
        try:
            async with asyncio.timeout(WELCOME_LIMIT_S):
                first = await channel.receive()
        except TimeoutError as error:
            raise LinesError("APP-023", "the line server did not greet", "See the log of careline-lines") from error
        if isinstance(first, Refused):
            raise LinesError(first.code, first.what, first.remedy)
        if not isinstance(first, Welcome) or first.version != VERSION:
            raise ProtocolError("APP-024", f"the line server greets with {type(first).__name__}", "Install one version of both")
        return first

    def _greeted(self, welcome: Welcome, listener: Listener) -> None:
        log.info("connected to the line server: %s card, %d legs", welcome.card, len(welcome.legs))
        self.card = welcome.card
        self.fault = None
        self._heard_s = self._clock.monotonic_s()
        listener.adopted(welcome)

    def _heard(self, event: Event, listener: Listener) -> None:
        self._heard_s = self._clock.monotonic_s()
        if isinstance(event, EngineReport):
            self.engine = event
        listener.event(event)

    async def _ping(self, channel: LineChannel) -> None:
        """A server that hangs does not close its socket: ask, and give it up when it says nothing."""
        while self._clock.monotonic_s() - self._heard_s < QUIET_LIMIT_S:
            self.send(Ping())
            await asyncio.sleep(PING_EVERY_S)
        log.error("APP-025: the line server said nothing for %.0f s", QUIET_LIMIT_S)
        channel.close()
