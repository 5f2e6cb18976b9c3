"""A client of the control socket for programs with threads (the web process, the command line). One connection, one owner thread.

`subscribe()` yields the live state as it changes; `request()` does one thing and returns. Both raise ControlError with a code, never hang:
every wait has a limit.
"""

import contextlib
import itertools
import socket
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import msgspec

from appliance.control.messages import (
    VERSION,
    AnyReply,
    AskHealth,
    AskLineSetup,
    ControlHello,
    Done,
    Failed,
    FlowsTold,
    HealthChanged,
    LineSetupChecked,
    LineSetupTold,
    MusicEntry,
    MusicRequest,
    MusicTold,
    Request,
    RunSelfCall,
    SelfCallTold,
    Subscribe,
    TryLineSetup,
    UseFlows,
)
from drivers.errors import CarelineError, ProtocolError
from drivers.protocol import FrameReader, Refused, SetupChecked, SetupTold, encode

ANSWER_LIMIT_S = 5.0
MUSIC_LIMIT_S = 300.0
FLOWS_LIMIT_S = 30.0
APPLY_LIMIT_S = 110.0
QUIET_LIMIT_S = 30.0
SELF_CALL_END_S = 70.0  # hanging up, and another one that runs already

M = TypeVar("M", bound=msgspec.Struct)


class ControlError(CarelineError):
    """The call agent is not there, refused, or did not answer in time."""


class ControlClient:
    """One connection to the call agent. Raises: ControlError APP-030 not running, APP-031 no answer, or the agent's own code."""

    def __init__(self, path: Path, client: str = "web") -> None:
        self._path = path
        self._client = client
        self._ids = itertools.count(1)
        self._reader = FrameReader(AnyReply)
        self._waiting: list[object] = []
        self._socket = self._connect()

    def __enter__(self) -> "ControlClient":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def request(self, request: Request, limit_s: float = ANSWER_LIMIT_S) -> Done:
        """Send and wait for its Done. Raises: ControlError with the agent's code when it answers Failed or Refused."""
        numbered = self._send(request)
        for message in self._messages(limit_s):
            if isinstance(message, Done | Failed) and message.request_id == numbered.request_id:
                return self._settled(message)
            self._waiting.append(message)
        raise AssertionError("the iterator ends only by raising")

    def ask_health(self) -> HealthChanged:
        """The state of health now."""
        self.request(AskHealth())
        return self._waited_for(HealthChanged)

    def run_self_call(self, request: RunSelfCall) -> SelfCallTold:
        """Let the box call itself; how it went."""
        self.request(request, request.limit_ms / 1000 + SELF_CALL_END_S)
        return self._waited_for(SelfCallTold)

    def ask_setup(self, by: str) -> SetupTold:
        """The set-up of the lines, and what the cards are."""
        self.request(AskLineSetup(by=by))
        return self._waited_for(LineSetupTold).told

    def try_setup(self, setup: bytes, apply: bool, by: str) -> SetupChecked:
        """Check it, and with `apply` put it into use for a minute; real cards take their time."""
        self.request(TryLineSetup(setup=setup, apply=apply, by=by), APPLY_LIMIT_S if apply else ANSWER_LIMIT_S)
        return self._waited_for(LineSetupChecked).checked

    def music(self, request: MusicRequest) -> tuple[MusicEntry, ...]:
        """Do what is asked about music on hold; what there is now. A file that is added takes a while to be levelled."""
        self.request(request, MUSIC_LIMIT_S)
        return self._waited_for(MusicTold).entries

    def use_flows(self, by: str) -> int:
        """New calls walk what was published last; the edition they do walk. Reading a long flow takes a while."""
        self.request(UseFlows(by=by), FLOWS_LIMIT_S)
        return self._waited_for(FlowsTold).edition

    def _waited_for(self, kind: type[M]) -> M:
        """The last such message that came before the Done."""
        found = [message for message in self._waiting if isinstance(message, kind)]
        self._waiting.clear()
        return found[-1]

    def subscribe(self, quiet_limit_s: float = QUIET_LIMIT_S) -> Iterator[object]:
        """LiveSnapshot first, then every change. The agent sends its health at least every 5 s, so silence means it is gone."""
        self.request(Subscribe())
        waiting, self._waiting = self._waiting, []
        yield from waiting
        yield from self._messages(quiet_limit_s)

    def _send(self, request: Request) -> Request:
        numbered = msgspec.structs.replace(request, request_id=next(self._ids))
        try:
            self._socket.sendall(encode(numbered))
        except OSError as error:
            raise self._gone(error) from error
        return numbered

    def _messages(self, limit_s: float) -> Iterator[object]:
        self._socket.settimeout(limit_s)
        while True:
            for message in self._received():
                if isinstance(message, Refused):
                    raise ControlError(message.code, message.what, message.remedy)
                yield message

    def _received(self) -> list[object]:
        try:
            received = self._socket.recv(65536)
            if not received:
                raise ConnectionError("it closed the connection")
            return list(self._reader.feed(received))
        except TimeoutError as error:
            raise ControlError("APP-031", "the call agent does not answer", "Restart careline-calls; see its log") from error
        except (OSError, ProtocolError) as error:
            raise self._gone(error) from error

    def _connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(ANSWER_LIMIT_S)
        self._socket = connection
        try:
            connection.connect(str(self._path))
            self.request(ControlHello(version=VERSION, client=self._client))
        except OSError as error:
            connection.close()
            raise self._gone(error) from error
        except CarelineError:
            connection.close()
            raise
        return connection

    def _gone(self, error: Exception) -> ControlError:
        return ControlError(
            "APP-030",
            f"no call agent at {self._path} ({error})",
            "Start careline-calls; calls that are up go on meanwhile",
        )

    @staticmethod
    def _settled(message: Done | Failed) -> Done:
        if isinstance(message, Failed):
            raise ControlError(message.code, message.what, message.remedy)
        return message
