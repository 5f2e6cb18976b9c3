"""The unix socket of the line server, and its in-process twin for tests. Line server's event loop only; nothing here waits for a client."""

import asyncio
import logging
from pathlib import Path

from drivers import private_socket
from drivers.errors import ProtocolError
from drivers.protocol import AnyCommand, Command, Event, FrameReader, Welcome, encode
from drivers.server.session import HELLO_LIMIT_S, Reception, Session

log = logging.getLogger("careline.lines")


class SocketLink(asyncio.Protocol):
    """One client on the socket. One that does not read until `max_unsent_kb` and the Welcome wait for it is cut off."""

    def __init__(self, reception: Reception, group: str | None, max_unsent_kb: int) -> None:
        self._reception = reception
        self._group = group
        self._max_unsent = max_unsent_kb * 1024
        self._frames = FrameReader(AnyCommand)
        self._session = Session(reception, self)
        self._transport: asyncio.Transport | None = None
        self._hello_limit: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=self._max_unsent)
        connection = transport.get_extra_info("socket")
        if not private_socket.may_enter(connection, self._group):
            _, uid, _ = private_socket.peer_ids(connection)
            self._session.refuse("LIN-052", f"user {uid} may not control the lines", "Run it as the user of careline-calls or as root")
            return
        self._hello_limit = asyncio.get_running_loop().call_later(HELLO_LIMIT_S, self._too_late)

    @property
    def closed(self) -> bool:
        return self._transport is not None and self._transport.is_closing()

    def data_received(self, received: bytes) -> None:
        try:
            for message in self._frames.feed(received):
                self._session.receive(message)
        except ProtocolError as error:
            self._session.broken(error)

    def connection_lost(self, error: Exception | None) -> None:
        if self._hello_limit:
            self._hello_limit.cancel()
        self._session.lost()

    def send(self, event: Event) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        frame = encode(event)
        if isinstance(event, Welcome):
            self._max_unsent += len(frame)
        transport.write(frame)
        if transport.get_write_buffer_size() > self._max_unsent:
            log.error("LIN-055 the call agent does not read its events; connection dropped. Restart careline-calls")
            transport.abort()
            self._session.lost()

    def end(self) -> None:
        if self._transport:
            self._transport.close()

    def _too_late(self) -> None:
        if not self._session.greeted:
            self._session.refuse("LIN-053", f"no Hello within {HELLO_LIMIT_S:.0f} s", "Say Hello first")


class Listener:
    """The listening socket. Raises: LineError LIN-022, LIN-023 (see drivers.private_socket) on start."""

    def __init__(self, reception: Reception, path: Path, group: str | None, max_unsent_kb: int) -> None:
        self._reception = reception
        self._group = group
        self._max_unsent_kb = max_unsent_kb
        loop = asyncio.get_running_loop()
        self._server = private_socket.PrivateServer(path, group, lambda sock: loop.create_unix_server(self._new_link, sock=sock))
        self._links: list[SocketLink] = []

    async def start(self) -> None:
        await self._server.open()

    def close(self) -> None:
        """Stop listening and end every connection."""
        self._server.close()
        for link in self._links:
            link.end()

    def _new_link(self) -> SocketLink:
        link = SocketLink(self._reception, self._group, self._max_unsent_kb)
        self._links = [each for each in self._links if not each.closed] + [link]
        return link


class InProcessLink:
    """The call agent's end of a connection without a socket: the same structs, handed over by the event loop.

    Nothing that one side does runs inside the other's call.
    """

    def __init__(self, reception: Reception) -> None:
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()
        self._session = Session(reception, _InProcessWire(self._events))

    def send(self, command: Command) -> None:
        """Hand over one command, Hello first."""
        asyncio.get_running_loop().call_soon(self._session.receive, command)

    async def receive(self) -> Event | None:
        """The next event, in order; None at the end of the connection."""
        event = await self._events.get()
        if event is None:
            self._events.put_nowait(None)  # for whoever asks again
        return event

    def close(self) -> None:
        """Leave as a process that dies: what was sent before is still carried out."""
        asyncio.get_running_loop().call_soon(self._session.lost)
        self._events.put_nowait(None)


class _InProcessWire:
    def __init__(self, events: "asyncio.Queue[Event | None]") -> None:
        self._events = events

    def send(self, event: Event) -> None:
        self._events.put_nowait(event)

    def end(self) -> None:
        self._events.put_nowait(None)
