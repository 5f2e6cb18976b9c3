"""The socket of the box service: who may come in, requests to actions. Runs in its event loop; each action in a thread.

A client that leaves does not end what it asked for.
"""

import asyncio
import logging
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from appliance.system.actions import ACTIONS, Box, requests
from appliance.system.messages import VERSION, Progress, SystemDone, SystemFailed, SystemHello, SystemRequest
from drivers import private_socket
from drivers.errors import CarelineError, ProtocolError
from drivers.protocol import FrameReader, Message, Refused, encode

HELLO_LIMIT_S = 5.0
SEND_LIMIT_S = 5.0
ACTIONS_AT_ONCE = 16

log = logging.getLogger("careline.system")


class SystemServer:
    """Serves `path` until closed."""

    def __init__(self, path: Path, box: Box, group: str | None = None) -> None:
        self._box, self._group = box, group
        self._pool = ThreadPoolExecutor(ACTIONS_AT_ONCE, thread_name_prefix="action")
        self._sessions: set[asyncio.Task[None]] = set()
        self._server = private_socket.PrivateServer(path, group, lambda sock: asyncio.start_unix_server(self._accepted, sock=sock))

    async def start(self) -> None:
        """Raises: LineError when the socket cannot be made."""
        await self._server.open()

    async def close(self) -> None:
        """Stop listening; sessions end, actions that have begun are let finish."""
        self._server.close()
        for task in self._sessions:
            task.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)
        await asyncio.to_thread(self._pool.shutdown)

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._sessions.add(task)
        task.add_done_callback(self._sessions.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = _Session(reader, writer, self._box, self._pool)
        try:
            await session.run(self._group)
        except ProtocolError as error:
            session.send(Refused(code=error.code, what=error.what, remedy=error.remedy))
            log.warning("%s", error)
        except (OSError, TimeoutError) as error:
            log.info("SYS-001: a client left: %s", error)
        finally:
            writer.close()


class _Session:
    """One client: one request after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, box: Box, pool: ThreadPoolExecutor) -> None:
        self._reader, self._writer, self._box, self._pool = reader, writer, box, pool
        self._frames = FrameReader(requests())
        self._loop = asyncio.get_running_loop()

    async def run(self, group: str | None) -> None:
        connection: socket.socket = self._writer.get_extra_info("socket")
        if not private_socket.may_enter(connection, group):
            raise ProtocolError("SYS-002", "this user may not ask the box service", "Join the group careline")
        greeted = False
        while received := await asyncio.wait_for(self._reader.read(65536), None if greeted else HELLO_LIMIT_S):
            for request in self._frames.feed(received):
                assert isinstance(request, SystemRequest)
                self._check_greeting(request, greeted)
                greeted = True
                await self._answer(request)

    @staticmethod
    def _check_greeting(request: SystemRequest, greeted: bool) -> None:
        spoken = request.version if isinstance(request, SystemHello) else VERSION if greeted else None
        if spoken != VERSION:
            what = f"a client of protocol version {spoken}, this box service speaks {VERSION}"
            raise ProtocolError("SYS-003", what, "Upgrade both to the same version")

    async def _answer(self, request: SystemRequest) -> None:
        try:
            answer = None if isinstance(request, SystemHello) else await self._loop.run_in_executor(self._pool, self._act, request)
            if answer is not None:
                self.send(answer)
            self.send(SystemDone(request_id=request.request_id))
        except CarelineError as error:
            self.send(SystemFailed(request_id=request.request_id, code=error.code, what=error.what, remedy=error.remedy))
        except Exception:  # the outer border of a control command
            log.exception("SYS-004: the request %s failed", type(request).__name__)
            fault = SystemFailed(
                request_id=request.request_id, code="SYS-004", what="an internal fault", remedy="See the log of careline-system"
            )
            self.send(fault)
        await asyncio.wait_for(self._writer.drain(), SEND_LIMIT_S)

    def _act(self, request: SystemRequest) -> Message | None:
        def tell(percent: int, step: str) -> None:
            told = Progress(request_id=request.request_id, percent=percent, step=step)
            self._loop.call_soon_threadsafe(self.send, told)

        return ACTIONS[type(request)](self._box, request, tell)

    def send(self, message: Message) -> None:
        if not self._writer.is_closing():
            self._writer.write(encode(message))
