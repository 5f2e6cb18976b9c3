"""The client of the line server on a real unix socket: greeting, loss, back-off, and everything a wrong server may say."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from appliance.lines import Lines, connect_unix
from drivers.clock import RealClock
from drivers.errors import CarelineError
from drivers.protocol import VERSION, AnyCommand, Command, Event, FrameReader, Ping, Pong, Refused, Release, Welcome, encode

LIMIT_S = 10.0
T0 = datetime(2026, 3, 8, tzinfo=UTC)
WELCOME = Welcome(version=VERSION, card="test", at=T0, started_at=T0, legs=(), channels=(), spans=(), groups=())


class Heard:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.news = asyncio.Event()

    def adopted(self, welcome: Welcome) -> None:
        self._note(welcome)

    def lost(self, error: CarelineError) -> None:
        self._note(error)

    def event(self, event: Event) -> None:
        self._note(event)

    def _note(self, what: Any) -> None:
        self.told.append(what)
        self.news.set()

    async def count(self, wanted: int) -> None:
        async with asyncio.timeout(LIMIT_S):
            while len(self.told) < wanted:
                self.news.clear()
                await self.news.wait()


@pytest.fixture
def socket_path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="cl-") as folder:
        yield Path(folder) / "lines.sock"


Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def with_server(path: Path, answer: Answer, test: Callable[[Lines, Heard], Awaitable[None]]) -> None:
    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer(reader, writer)
        writer.close()

    server = await asyncio.start_unix_server(served, path)
    heard = Heard()

    async def connect() -> Any:
        return await connect_unix(path)

    lines = Lines(connect, RealClock())
    running = asyncio.create_task(lines.run(heard))
    try:
        await test(lines, heard)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        server.close()


async def commands(reader: asyncio.StreamReader, count: int) -> list[Command]:
    frames = FrameReader(AnyCommand)
    found: list[Command] = []
    while len(found) < count:
        received = await reader.read(4096)
        if not received:
            break
        found += [each for each in frames.feed(received) if isinstance(each, Command)]
    return found


def test_greets_and_connects_again(socket_path: Path) -> None:
    connections = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await commands(reader, 1)
        writer.write(encode(WELCOME) + encode(Pong()))
        await commands(reader, 2)

    async def test(lines: Lines, heard: Heard) -> None:
        await heard.count(1)
        lines.send(Release(leg="a"))
        await heard.count(4)
        assert [type(each) for each in heard.told[:4]] == [Welcome, Pong, type(heard.told[2]), Welcome]
        assert heard.told[2].code == "APP-022"

    asyncio.run(with_server(socket_path, answer, test))
    assert connections == 2


def test_commands_are_numbered(socket_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await commands(reader, 1)
        writer.write(encode(WELCOME))
        received = await commands(reader, 3)
        numbers.extend(command.command_id for command in received if not isinstance(command, Ping))

    numbers: list[int] = []

    async def test(lines: Lines, heard: Heard) -> None:
        await heard.count(1)
        sent.extend(lines.send(Release(leg=leg)) for leg in "ab")
        await heard.count(2)

    sent: list[int] = []
    asyncio.run(with_server(socket_path, answer, test))
    assert numbers == sent
    assert sent[0] < sent[1]


@pytest.mark.parametrize(
    ("says", "code"),
    [
        (encode(Refused(code="LIN-051", what="another", remedy="stop it")), "LIN-051"),
        (encode(Pong()), "APP-024"),
        (b"", "APP-024"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "LIN-020"),
        (b"\x00\x00\x00\x04junk", "LIN-021"),
    ],
)
def test_a_wrong_server_is_named(socket_path: Path, says: bytes, code: str) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await commands(reader, 1)
        writer.write(says)

    async def test(lines: Lines, heard: Heard) -> None:
        async with asyncio.timeout(LIMIT_S):
            while lines.fault is None or lines.fault.code != code:  # noqa: ASYNC110  # nothing tells of a fault
                await asyncio.sleep(0.01)
        assert heard.told == []
        assert lines.fault.remedy

    asyncio.run(with_server(socket_path, answer, test))


def test_no_server_is_no_hang(socket_path: Path) -> None:
    async def main() -> None:
        with pytest.raises(CarelineError) as caught:
            await connect_unix(socket_path)
        assert caught.value.code == "APP-020"
        assert str(socket_path) in caught.value.what

    asyncio.run(main())
