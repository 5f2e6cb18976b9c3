"""The handset socket: a program takes a telephone of the virtual world, one connection per telephone. Closing it hangs up.

Runs on the line server's event loop. Opens no file a client names: audio comes and goes in messages, and what is to be said
is played from anonymous memory, so that it leaves sample for sample whatever the client's timing.
"""

import asyncio
import contextlib
import socket as sockets
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import msgspec

from drivers import private_socket
from drivers.errors import CarelineError, LineError, ProtocolError
from drivers.protocol import (
    VERSION,
    AnyHandsetRequest,
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
from drivers.virtual.handset import Handset, Phase
from drivers.virtual.telephone import OutsideTelephone, WiredSet
from drivers.virtual.timer import Timer
from drivers.virtual.world import World

FIRST_MESSAGE_S = 10.0
CALL_LIMIT_S = 4 * 3600.0
AFTER_END_MS = 10_000  # of busy tone, then the telephone hangs up by itself
FRAME_MS = 20
READ_MAX_SAMPLES = 3200
UNSENT_MAX_BYTES = 64_000  # a client that reads slower than it hears misses audio
LANE_LIMIT = 64
OVER = (Phase.BUSY, Phase.NO_ANSWER, Phase.ENDED)


class HandsetServer:
    """Serves `path`. `group`: members of that Unix group may come in beside our own user and root."""

    def __init__(self, world: World, path: Path, group: str | None = None) -> None:
        self._world, self._group = world, group
        self._server = private_socket.PrivateServer(path, group, lambda sock: asyncio.start_unix_server(self._connected, sock=sock))
        self._calls: set[asyncio.Task[None]] = set()
        self._taken_sets: set[int] = set()

    async def start(self) -> None:
        """Raises: LineError LIN-022, LIN-023."""
        await self._server.open()

    async def close(self) -> None:
        """Every telephone hangs up, the socket goes."""
        self._server.close()
        for call in tuple(self._calls):
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        call = asyncio.current_task()
        assert call is not None
        self._calls.add(call)
        try:
            await self._serve(reader, writer)
        except CarelineError as error:
            _send(writer, refusal(error))
        except (OSError, TimeoutError):
            _send(writer, Refused(code="LIN-077", what="the connection was silent too long or broke", remedy="Dial again"))
        finally:
            self._calls.discard(call)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection: sockets.socket = writer.get_extra_info("socket")
        if not private_socket.may_enter(connection, self._group):
            raise LineError("LIN-075", "this user may not use the handset socket", "Run as root, as careline, or as a member of its group")
        frames = Frames(reader)
        async with asyncio.timeout(FIRST_MESSAGE_S):
            first = await frames.next()
        if first is None:
            return
        dial = _checked_dial(first)
        with self._telephone(dial) as telephone:
            await HandsetCall(telephone, dial, frames, writer).run()

    @contextlib.contextmanager
    def _telephone(self, dial: HandsetDial) -> Iterator[Handset]:
        """The telephone of one connection; it hangs up afterwards."""
        if dial.channel is None:
            visitor = self._world.visitor(dial.caller)
            try:
                yield visitor
            finally:
                self._world.dismiss(visitor)
            return
        channel = self._free_set(dial.channel)
        self._taken_sets.add(channel)
        wired = self._world.sets[channel]
        wired.take_over()
        try:
            yield wired
        finally:
            self._taken_sets.discard(channel)
            wired.leave()

    def _free_set(self, channel: int) -> int:
        if channel not in self._world.sets:
            known = ", ".join(map(str, self._world.sets)) or "none"
            raise LineError("LIN-078", f"there is no set on channel {channel}", f"Sets are on: {known}")
        if channel in self._taken_sets:
            raise LineError("LIN-079", f"the set on channel {channel} is taken over already", "Close the other handset first")
        return channel


def _checked_dial(first: object) -> HandsetDial:
    if not isinstance(first, HandsetDial):
        raise ProtocolError("LIN-021", "the first message on the handset socket was not HandsetDial", "Connect a Careline program")
    if first.version != VERSION:
        raise ProtocolError("LIN-024", f"protocol version {first.version}, here it is {VERSION}", "Install the same Careline everywhere")
    return first


class Frames:
    """Messages of a client, one after another."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._cut = FrameReader(AnyHandsetRequest)
        self._ready: deque[object] = deque()

    async def next(self) -> object | None:
        """None at the end. Raises: ProtocolError for garbage."""
        while not self._ready:
            received = await self._reader.read(65536)
            if not received:
                return None
            self._ready.extend(self._cut.feed(received))
        return self._ready.popleft()


class Lane:
    """Does one thing after another, as many as `limit` waiting. A fault goes to `failed`, and nothing more is done."""

    def __init__(self, limit: int, failed: Callable[[CarelineError], None]) -> None:
        self._failed = failed
        self._jobs: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue(limit)
        self._worker: asyncio.Task[None] | None = None

    def put(self, job: Callable[[], Awaitable[None]]) -> None:
        """Raises: LineError LIN-077 when too much waits."""
        self._worker = self._worker or asyncio.create_task(self._work())
        try:
            self._jobs.put_nowait(job)
        except asyncio.QueueFull:
            raise LineError("LIN-077", "too much waits to be said or pressed", "Wait for HandsetSpoken and HandsetKeysSent") from None

    async def stop(self) -> None:
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.wait({self._worker})

    async def _work(self) -> None:
        try:
            while True:
                await (await self._jobs.get())()
        except CarelineError as error:
            self._failed(error)


class HandsetCall:
    """One telephone and the client that holds it."""

    def __init__(self, telephone: Handset, dial: HandsetDial, frames: Frames, writer: asyncio.StreamWriter) -> None:
        self._telephone, self._dial, self._frames, self._writer = telephone, dial, frames, writer
        self._speech, self._keys = Lane(LANE_LIMIT, self._refuse), Lane(LANE_LIMIT, self._refuse)
        self._over = Timer(writer.close)
        self._hear = Timer(self._send_heard)
        self._streaming = False

    async def run(self) -> None:
        """Until the client hangs up or goes away, or the tone after the end was heard long enough."""
        self._telephone.on_state.append(self._state_changed)
        try:
            async with asyncio.timeout(CALL_LIMIT_S):
                self._begin()
                await self._obey_all()
        finally:
            self._telephone.on_state.remove(self._state_changed)
            self._over.stop()
            self._hear.stop()
            await self._speech.stop()
            await self._keys.stop()

    def _begin(self) -> None:
        if isinstance(self._telephone, OutsideTelephone):
            self._telephone.dial(self._dial.number)
        else:
            self._state_changed(self._telephone)

    async def _obey_all(self) -> None:
        while (message := await self._frames.next()) is not None:
            if isinstance(message, HandsetHangUp) and not isinstance(self._telephone, WiredSet):
                return
            self._obey(message)

    def _obey(self, message: object) -> None:
        match message:
            case HandsetKeys():
                self._keys.put(lambda: self._press(message))
            case HandsetSpeak():
                self._speech.put(lambda: self._speak(message.samples))
            case HandsetAudio():
                self._say(message.samples)
            case HandsetPickUp():
                self._pick_up()
            case HandsetFlash():
                self._flash()
            case HandsetHangUp():
                self._telephone.hang_up()
            case _:
                raise ProtocolError("LIN-021", "a second HandsetDial on one connection", "Connect once for each call")

    async def _press(self, message: HandsetKeys) -> None:
        self._telephone.press(message.keys, message.on_ms, message.off_ms)
        await self._telephone.keys_sent()
        _send(self._writer, HandsetKeysSent())

    async def _speak(self, samples: bytes) -> None:
        self._telephone.speak_samples(samples)
        await self._telephone.spoken()
        _send(self._writer, HandsetSpoken())

    def _refuse(self, error: CarelineError) -> None:
        _send(self._writer, refusal(error))
        self._writer.close()

    def _pick_up(self) -> None:
        if isinstance(self._telephone, WiredSet):
            self._telephone.pick_up()

    def _flash(self) -> None:
        if isinstance(self._telephone, WiredSet):
            self._telephone.flash()

    def _say(self, samples: bytes) -> None:
        self._stream_on()
        self._telephone.stream_write(samples)

    def _state_changed(self, telephone: Handset) -> None:
        state = "ended" if telephone.phase is Phase.IDLE and isinstance(telephone, OutsideTelephone) else telephone.phase.value
        _send(self._writer, HandsetState(state=state, detail=telephone.detail))
        if telephone.port is None:
            self._streaming = False
        elif self._dial.stream:
            self._stream_on()
        if telephone.phase in OVER:
            self._over.start(AFTER_END_MS)

    def _stream_on(self) -> None:
        """The program's audio becomes the telephone's, from the moment it is off-hook."""
        if not self._streaming and self._telephone.port is not None:
            self._streaming = True
            self._telephone.stream(True)
            self._hear.start(FRAME_MS)

    def _send_heard(self) -> None:
        if not self._streaming:
            return
        heard = self._telephone.stream_read(READ_MAX_SAMPLES)
        if heard and self._dial.stream and self._writer.transport.get_write_buffer_size() < UNSENT_MAX_BYTES:
            _send(self._writer, HandsetAudio(samples=heard))
        self._hear.start(FRAME_MS)


def refusal(error: CarelineError) -> Refused:
    return Refused(code=error.code, what=error.what, remedy=error.remedy)


def _send(writer: asyncio.StreamWriter, message: msgspec.Struct) -> None:
    if not writer.is_closing():
        writer.write(encode(message))
