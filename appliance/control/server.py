"""The control socket of the call agent: who may come in, requests to actions, live state out. Runs in the call agent's event loop.

A client that does not read is cut off after QUEUE_LIMIT messages; it never holds up a call.
"""

import asyncio
import contextlib
import logging
import socket
from functools import partial
from pathlib import Path
from typing import Protocol

import msgspec

from appliance.control.live import LiveState
from appliance.control.messages import (
    VERSION,
    AnyRequest,
    AskHealth,
    AskLineSetup,
    ControlHello,
    Done,
    EndLineTest,
    Failed,
    FlowsTold,
    HangUpCall,
    HealthChanged,
    LineSetupChecked,
    LineSetupTold,
    MusicRequest,
    MusicTold,
    PutCallBack,
    ReadPromptUpload,
    Request,
    ResetLineCounters,
    RunLineTest,
    RunSelfCall,
    SelfCallTold,
    SetClosing,
    SetLinesBlocked,
    SettleLineSetup,
    Subscribe,
    TryLineSetup,
    UseFlows,
    UsePrompts,
)
from drivers import private_socket
from drivers.errors import CarelineError, ProtocolError
from drivers.protocol import FrameReader, Refused, encode

QUEUE_LIMIT = 4096
HELLO_LIMIT_S = 5.0
ACCEPTING_ROUNDS = 8  # of the event loop, from accept to a session; asyncio needs four

log = logging.getLogger("careline.control")


class Actions(Protocol):
    """What a client may ask for. Raises: CarelineError, told to the client as Failed."""

    async def hang_up_call(self, call_id: str, by: str) -> None: ...

    async def set_closing(self, request: SetClosing) -> None: ...

    async def music(self, request: MusicRequest) -> MusicTold: ...


class LineActions(Protocol):
    """What a client may ask of lines. Raises: as Actions."""

    async def set_blocked(self, request: SetLinesBlocked) -> None: ...

    async def reset_counters(self, request: ResetLineCounters) -> None: ...

    async def run_test(self, request: RunLineTest) -> None: ...

    async def end_test(self, request: EndLineTest) -> None: ...

    async def ask_setup(self, request: AskLineSetup) -> LineSetupTold: ...

    async def try_setup(self, request: TryLineSetup) -> LineSetupChecked: ...

    async def settle_setup(self, request: SettleLineSetup) -> None: ...


class FlowActions(Protocol):
    """What a client may ask of flows. Raises: as Actions."""

    async def use_flows(self, request: UseFlows) -> FlowsTold: ...

    async def put_back(self, request: PutCallBack) -> None: ...


class PromptActions(Protocol):
    """What a client may ask of prompts. Raises: as Actions."""

    async def use_prompts(self, request: UsePrompts) -> None: ...

    async def read_upload(self, request: ReadPromptUpload) -> None: ...


class SelfCallActions(Protocol):
    """What a client may ask of self-calls. Raises: as Actions."""

    async def run(self, request: RunSelfCall) -> SelfCallTold: ...


class ControlServer:
    """Serves `path` until closed."""

    def __init__(
        self,
        path: Path,
        live: LiveState,
        actions: Actions,
        lines: LineActions,
        flows: FlowActions,
        prompts: PromptActions,
        self_calls: SelfCallActions,
        group: str | None = None,
    ) -> None:
        self._session = partial(_Session, live=live, actions=actions, lines=lines, flows=flows, prompts=prompts, self_calls=self_calls)
        self._group = group
        self._sessions: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._server = private_socket.PrivateServer(path, group, lambda sock: asyncio.start_unix_server(self._accepted, sock=sock))

    async def start(self) -> None:
        """Raises: LineError when the socket cannot be made."""
        await self._server.open()

    async def close(self) -> None:
        """Stop listening and end every session, also one that has only just been accepted."""
        self._server.stop_accepting()  # a server that is closed while asyncio accepts leaves that connection open
        for _ in range(ACCEPTING_ROUNDS):
            await asyncio.sleep(0)
        self._server.close()
        ending = dict(self._sessions)
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        for writer in ending.values():
            writer.transport.abort()
        await asyncio.sleep(0)  # transports end in the next round

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._sessions[task] = writer
        task.add_done_callback(lambda ended: self._sessions.pop(ended, None))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._session(reader, writer).run(self._group)
        except (OSError, ProtocolError, TimeoutError) as error:
            log.info("APP-032: a control client left: %s", error)
        finally:
            writer.close()


class _Session:
    """One client."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        live: LiveState,
        actions: Actions,
        lines: LineActions,
        flows: FlowActions,
        prompts: PromptActions,
        self_calls: SelfCallActions,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._live = live
        self._actions = actions
        self._lines = lines
        self._flows = flows
        self._prompts = prompts
        self._self_calls = self_calls
        self._frames = FrameReader(AnyRequest)
        self._queue: asyncio.Queue[msgspec.Struct] = asyncio.Queue(QUEUE_LIMIT)
        self._cleanup = contextlib.ExitStack()

    async def run(self, group: str | None) -> None:
        connection: socket.socket = self._writer.get_extra_info("socket")
        sender = asyncio.create_task(self._send_all())
        try:
            if not private_socket.may_enter(connection, group):
                raise ProtocolError("APP-033", "this user may not control the call agent", "Join the group careline")
            with self._cleanup:
                await self._greet_and_serve(sender)
        except ProtocolError as error:
            await self._refuse(error)
            raise
        finally:
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)

    async def _greet_and_serve(self, sender: asyncio.Task[None]) -> None:
        greeted = False
        while not sender.done():
            received = await asyncio.wait_for(self._reader.read(65536), None if greeted else HELLO_LIMIT_S)
            if not received:
                return
            for request in self._parsed(received):
                if not greeted and not self._is_welcome(request):
                    raise ProtocolError("APP-034", _wrong_version(request), "Upgrade both to the same version")
                greeted = True
                await self._serve(request)

    def _parsed(self, received: bytes) -> list[Request]:
        return [request for request in self._frames.feed(received) if isinstance(request, Request)]

    @staticmethod
    def _is_welcome(request: Request) -> bool:
        return isinstance(request, ControlHello) and request.version == VERSION

    async def _serve(self, request: Request) -> None:
        try:
            await self._act(request)
            self._tell(Done(request_id=request.request_id))
        except CarelineError as error:
            self._tell(Failed(request_id=request.request_id, code=error.code, what=error.what, remedy=error.remedy))
        except Exception:  # the outer border of a control command
            log.exception("APP-035: the request %s failed", type(request).__name__)
            self._tell(
                Failed(
                    request_id=request.request_id,
                    code="APP-035",
                    what="an internal fault",
                    remedy="See the log of careline-calls",
                )
            )

    async def _act(self, request: Request) -> None:
        match request:
            case Subscribe():
                self._subscribe()
            case AskHealth():
                self._tell(HealthChanged(health=self._live.health))
            case RunSelfCall():
                self._tell(await self._self_calls.run(request))
            case MusicRequest():
                self._tell(await self._actions.music(request))
            case HangUpCall():
                await self._actions.hang_up_call(request.call_id, request.by)
            case SetClosing():
                await self._actions.set_closing(request)
            case UseFlows():
                self._tell(await self._flows.use_flows(request))
            case PutCallBack():
                await self._flows.put_back(request)
            case UsePrompts():
                await self._prompts.use_prompts(request)
            case ReadPromptUpload():
                await self._prompts.read_upload(request)
            case _:
                await self._act_on_lines(request)

    async def _act_on_lines(self, request: Request) -> None:
        match request:
            case SetLinesBlocked():
                await self._lines.set_blocked(request)
            case ResetLineCounters():
                await self._lines.reset_counters(request)
            case RunLineTest():
                await self._lines.run_test(request)
            case EndLineTest():
                await self._lines.end_test(request)
            case AskLineSetup():
                self._tell(await self._lines.ask_setup(request))
            case TryLineSetup():
                self._tell(await self._lines.try_setup(request))
            case SettleLineSetup():
                await self._lines.settle_setup(request)

    def _subscribe(self) -> None:
        self._tell(self._live.snapshot())
        self._cleanup.callback(self._live.listen(self._tell))

    def _tell(self, message: msgspec.Struct) -> None:
        try:
            self._queue.put_nowait(message)
        except asyncio.QueueFull:
            log.warning("APP-036: a control client does not read; cut off")
            self._writer.transport.abort()

    async def _send_all(self) -> None:
        while True:
            self._writer.write(encode(await self._queue.get()))
            await self._writer.drain()

    async def _refuse(self, error: CarelineError) -> None:
        self._writer.write(encode(Refused(code=error.code, what=error.what, remedy=error.remedy)))
        await asyncio.wait_for(self._writer.drain(), HELLO_LIMIT_S)


def _wrong_version(request: Request) -> str:
    spoken = request.version if isinstance(request, ControlHello) else "no greeting"
    return f"a client of protocol version {spoken}, this call agent speaks {VERSION}"
