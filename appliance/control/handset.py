"""A telephone of the line server's virtual card, for the browser, the command line and tests: client of the handset socket.

`Handset` blocks and is for programs with threads: one thread may read (`messages`, `wait_for`) while others send. `AsyncHandset` is the
same for an event loop. Closing either hangs up. Audio is A-law, 8000 Hz, one byte a sample. Every wait has a limit.
"""

import asyncio
import contextlib
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import msgspec

from drivers.errors import LineError
from drivers.protocol import (
    VERSION,
    AnyHandsetReply,
    FrameReader,
    HandsetAudio,
    HandsetDial,
    HandsetFlash,
    HandsetHangUp,
    HandsetKeys,
    HandsetKeysSent,
    HandsetPickUp,
    HandsetSpeak,
    HandsetSpoken,
    HandsetState,
    Refused,
    encode,
)

CONNECT_LIMIT_S = 5.0
WAIT_LIMIT_S = 120.0
SPEAK_SAMPLES = 60 * 8000  # of one HandsetSpeak
RECEIVE_BYTES = 65536

Reply = HandsetState | HandsetAudio | HandsetKeysSent | HandsetSpoken


def dial_message(number: str = "", channel: int | None = None, caller: str = "", stream: bool = False) -> HandsetDial:
    """Either `number`: call it from outside, shown as `caller`; or `channel`: be the set on that FXS port."""
    return HandsetDial(version=VERSION, number=number, channel=channel, caller=caller, stream=stream)


def speak_messages(samples: bytes) -> list[HandsetSpeak]:
    """Audio to be said, in pieces that fit a message."""
    return [HandsetSpeak(samples=samples[at : at + SPEAK_SAMPLES]) for at in range(0, len(samples), SPEAK_SAMPLES)]


def not_there(path: Path, error: Exception) -> LineError:
    return LineError("LIN-080", f"no virtual telephones at {path} ({error})", "Start careline-lines with the virtual card")


def too_late() -> LineError:
    return LineError("LIN-081", "the telephone told nothing new in time", "See what the box does with the call")


def checked(message: object) -> Reply:
    """Raises: LineError with the server's code for Refused."""
    if isinstance(message, Refused):
        raise LineError(message.code, message.what, message.remedy)
    assert isinstance(message, HandsetState | HandsetAudio | HandsetKeysSent | HandsetSpoken)
    return message


class Handset:
    """One telephone over a blocking socket. Raises: LineError LIN-080 nobody there, LIN-081 no answer in time, or the server's code."""

    def __init__(self, path: Path, dial: HandsetDial) -> None:
        self._path = path
        self._frames = FrameReader(AnyHandsetReply)
        self._ready: deque[object] = deque()
        self._sending = threading.Lock()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(CONNECT_LIMIT_S)
        try:
            self._socket.connect(str(path))
            self._socket.sendall(encode(dial))
        except OSError as error:
            self._socket.close()
            raise not_there(path, error) from error

    def __enter__(self) -> "Handset":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def press(self, keys: str, on_ms: int = 100, off_ms: int = 100) -> None:
        """Answered by HandsetKeysSent."""
        self._send(HandsetKeys(keys=keys, on_ms=on_ms, off_ms=off_ms))

    def speak(self, samples: bytes) -> None:
        """Say A-law audio sample for sample; each minute of it, begun or whole, is answered by HandsetSpoken."""
        for message in speak_messages(samples):
            self._send(message)

    def send_audio(self, samples: bytes) -> None:
        """A microphone's A-law audio, as it comes."""
        self._send(HandsetAudio(samples=samples))

    def pick_up(self) -> None:
        """A set goes off-hook."""
        self._send(HandsetPickUp())

    def flash(self) -> None:
        """A set presses its hook for a moment."""
        self._send(HandsetFlash())

    def hang_up(self) -> None:
        """A set goes on-hook and stays; a telephone of outside goes away and the messages end."""
        self._send(HandsetHangUp())

    def messages(self, limit_s: float = WAIT_LIMIT_S) -> Iterator[Reply]:
        """Whatever the telephone tells, until it is gone. Raises: LineError LIN-081 after `limit_s` of nothing at all."""
        while (message := self._next(limit_s)) is not None:
            yield message

    def wait_for(self, *states: str, limit_s: float = WAIT_LIMIT_S) -> HandsetState:
        """The next of these states, throwing away what comes before. Raises: LineError LIN-081."""
        until = time.monotonic() + limit_s
        while True:
            message = self._next(max(0.001, until - time.monotonic()))
            if message is None:
                raise not_there(self._path, ConnectionError("the telephone is gone"))
            if isinstance(message, HandsetState) and message.state in states:
                return message

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _send(self, message: msgspec.Struct) -> None:
        try:
            with self._sending:
                self._socket.sendall(encode(message))
        except OSError as error:
            raise not_there(self._path, error) from error

    def _next(self, limit_s: float) -> Reply | None:
        until = time.monotonic() + limit_s
        while not self._ready:
            received = self._receive(until)
            if not received:
                return None
            self._ready.extend(self._frames.feed(received))
        return checked(self._ready.popleft())

    def _receive(self, until: float) -> bytes:
        try:
            self._socket.settimeout(max(0.001, until - time.monotonic()))
            return self._socket.recv(RECEIVE_BYTES)
        except TimeoutError:
            raise too_late() from None
        except OSError:
            return b""


class AsyncHandset:
    """One telephone on the running event loop; made by `connect`. Same methods, same errors as `Handset`."""

    def __init__(self, path: Path, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._path, self._reader, self._writer = path, reader, writer
        self._frames = FrameReader(AnyHandsetReply)
        self._ready: deque[object] = deque()

    @classmethod
    async def connect(cls, path: Path, dial: HandsetDial) -> "AsyncHandset":
        try:
            async with asyncio.timeout(CONNECT_LIMIT_S):
                reader, writer = await asyncio.open_unix_connection(str(path))
        except (OSError, TimeoutError) as error:
            raise not_there(path, error) from error
        handset = cls(path, reader, writer)
        await handset.send(dial)
        return handset

    async def send(self, message: msgspec.Struct) -> None:
        """Any request of the handset socket."""
        try:
            self._writer.write(encode(message))
            async with asyncio.timeout(CONNECT_LIMIT_S):
                await self._writer.drain()
        except (OSError, TimeoutError) as error:
            raise not_there(self._path, error) from error

    async def press(self, keys: str, on_ms: int = 100, off_ms: int = 100) -> None:
        await self.send(HandsetKeys(keys=keys, on_ms=on_ms, off_ms=off_ms))

    async def speak(self, samples: bytes) -> None:
        for message in speak_messages(samples):
            await self.send(message)

    async def next(self, limit_s: float = WAIT_LIMIT_S) -> Reply | None:
        """What the telephone tells next, None when it is gone. Raises: LineError LIN-081 after `limit_s`."""
        try:
            async with asyncio.timeout(limit_s):
                while not self._ready:
                    received = await self._reader.read(RECEIVE_BYTES)
                    if not received:
                        return None
                    self._ready.extend(self._frames.feed(received))
        except TimeoutError:
            raise too_late() from None
        except OSError:
            return None
        return checked(self._ready.popleft())

    async def wait_for(self, *states: str, limit_s: float = WAIT_LIMIT_S) -> HandsetState:
        """The next of these states, throwing away what comes before."""
        try:
            async with asyncio.timeout(limit_s):
                return await self._state_among(states)
        except TimeoutError:
            raise too_late() from None

    async def _state_among(self, states: tuple[str, ...]) -> HandsetState:
        while (message := await self.next()) is not None:
            if isinstance(message, HandsetState) and message.state in states:
                return message
        raise not_there(self._path, ConnectionError("the telephone is gone"))

    async def close(self) -> None:
        """The telephone hangs up."""
        self._writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(CONNECT_LIMIT_S):
                await self._writer.wait_closed()
