"""The unix socket of the line server: greeting, garbage, clients that say nothing or do not read."""

import asyncio
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from drivers.errors import LineError
from drivers.private_socket import LOOK_S
from drivers.protocol import VERSION, AnyEvent, Command, Event, FrameReader, Hello, Offered, Ping, Pong, Refused, Welcome, encode
from drivers.settings import Paths
from tests.scenarios.lines_rig import LINES, Rig, run_rig

CLIENTS: list["Client"] = []


class Client:
    """A program on the socket, well-behaved or not."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer
        self._frames = FrameReader(AnyEvent)
        self._received: list[Event] = []
        CLIENTS.append(self)

    @classmethod
    async def at(cls, paths: Paths) -> "Client":
        return cls(*await asyncio.open_unix_connection(paths.lines_socket))

    def send(self, *commands: Command) -> None:
        self.writer.write(b"".join(map(encode, commands)))

    async def next(self) -> Event | None:
        """The next event; None at the end."""
        async with asyncio.timeout(30):
            while not self._received:
                received = await self._reader.read(65536)
                if not received:
                    return None
                self._received += [event for event in self._frames.feed(received) if isinstance(event, Event)]
        return self._received.pop(0)

    async def welcome(self) -> Welcome:
        self.send(Hello(version=VERSION, client="test"))
        event = await self.next()
        assert isinstance(event, Welcome)
        return event


def on_socket(folder: Path, main: Callable[[Rig], Awaitable[None]], max_unsent_kb: int = 64) -> None:
    async def listening(rig: Rig) -> None:
        CLIENTS.clear()
        await rig.server.listen()
        try:
            await main(rig)
        finally:
            for client in CLIENTS:
                client.writer.close()
            await asyncio.sleep(0.1)

    run_rig(folder, listening, msgspec.structs.replace(LINES, max_unsent_kb=max_unsent_kb), connected=False)


def test_greeting_commands_and_events(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        client = await Client.at(rig.paths)
        assert len((await client.welcome()).channels) == 6
        client.send(Ping())
        assert isinstance(await client.next(), Pong)
        rig.call_in()
        while not isinstance(event := await client.next(), Offered):
            assert event is not None

    on_socket(folder, main)


def test_socket_is_for_us_alone(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        assert rig.paths.lines_socket.stat().st_mode & 0o777 == 0o600

    on_socket(folder, main)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "LIN-020"),
        (struct.pack(">I", 5) + b"\xc1\xc1\xc1\xc1\xc1", "LIN-021"),
        (struct.pack(">I", 0), "LIN-021"),
        (encode(Ping()), "LIN-053"),
        (encode(Pong()), "LIN-021"),
        (encode(Hello(version=2, client="future")), "LIN-050"),
    ],
)
def test_garbage_ends_the_connection_with_a_reason(folder: Path, sent: bytes, code: str) -> None:
    async def main(rig: Rig) -> None:
        client = await Client.at(rig.paths)
        client.writer.write(sent)
        refused = await client.next()
        assert isinstance(refused, Refused)
        assert refused.code == code
        assert refused.remedy
        assert await client.next() is None
        await (await Client.at(rig.paths)).welcome()

    on_socket(folder, main)


def test_garbage_from_the_call_agent_costs_no_call(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        client = await Client.at(rig.paths)
        await client.welcome()
        rig.call_in()
        while not isinstance(event := await client.next(), Offered):
            assert event is not None
        client.writer.write(b"\xff" * 100)
        while not isinstance(event, Refused):
            event = await client.next()
            assert event is not None
        assert len((await (await Client.at(rig.paths)).welcome()).legs) == 1

    on_socket(folder, main)


def test_silent_client_is_sent_away(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        client = await Client.at(rig.paths)
        refused = await client.next()
        assert isinstance(refused, Refused)
        assert refused.code == "LIN-053"

    on_socket(folder, main)


def test_client_that_does_not_read_is_cut_off(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        stuck = await Client.at(rig.paths)
        await stuck.welcome()
        assert isinstance(stuck.writer.transport, asyncio.Transport)
        stuck.writer.transport.pause_reading()
        for _ in range(60):
            stuck.send(*[Ping()] * 1000)
            await asyncio.sleep(0.01)
        await (await Client.at(rig.paths)).welcome()

    on_socket(folder, main)


def test_frame_in_pieces(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        client = await Client.at(rig.paths)
        for byte in encode(Hello(version=VERSION, client="slow")):
            client.writer.write(bytes([byte]))
            await asyncio.sleep(0.05)
        assert isinstance(await client.next(), Welcome)

    on_socket(folder, main)


def test_deleted_socket_is_made_again(folder: Path) -> None:
    """Somebody's cleaner of temporary files: whoever is connected stays, and the next one gets in."""

    async def main(rig: Rig) -> None:
        first = await Client.at(rig.paths)
        await first.welcome()
        for _ in range(2):
            rig.paths.lines_socket.unlink()
            await asyncio.sleep(2 * LOOK_S)
            assert rig.paths.lines_socket.stat().st_mode & 0o777 == 0o600
            first.send(Ping())
            while not isinstance(await first.next(), Pong):
                pass
        first.writer.close()
        await asyncio.sleep(0.1)
        await (await Client.at(rig.paths)).welcome()

    on_socket(folder, main)


def test_socket_that_cannot_be_made_again_is_tried_on(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        path = rig.paths.lines_socket
        path.unlink()
        path.mkdir()
        await asyncio.sleep(3 * LOOK_S)
        path.rmdir()
        await asyncio.sleep(2 * LOOK_S)
        await (await Client.at(rig.paths)).welcome()

    on_socket(folder, main)


def test_second_server_on_the_same_socket(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        with pytest.raises(LineError, match="LIN-022"):
            await rig.server.listen()

    on_socket(folder, main)
