"""A client of the box service for programs with threads (web, console, command line). One connection, one owner thread; every wait has a
limit.
"""

import contextlib
import itertools
import socket
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import msgspec

from appliance.system.actions import replies
from appliance.system.errors import BoxError
from appliance.system.messages import VERSION, Progress, SystemDone, SystemFailed, SystemHello, SystemRequest
from drivers.errors import CarelineError, ProtocolError
from drivers.protocol import FrameReader, Message, Refused, encode

CONNECT_LIMIT_S = 5.0
QUIET_LIMIT_S = 60.0  # between an answer and the next Progress of what takes long

M = TypeVar("M", bound=Message)


class SystemClient:
    """One connection. Raises: BoxError SYS-005 not running, SYS-006 no answer, or the service's own code."""

    def __init__(self, path: Path, client: str) -> None:
        self._path = path
        self._ids = itertools.count(1)
        self._reader = FrameReader(replies())
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(CONNECT_LIMIT_S)
        try:
            self._socket.connect(str(path))
            self.do(SystemHello(version=VERSION, client=client))
        except OSError as error:
            self._socket.close()
            raise self._gone(error) from error
        except CarelineError:
            self._socket.close()
            raise

    def __enter__(self) -> "SystemClient":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def ask(
        self, request: SystemRequest, kind: type[M], limit_s: float = QUIET_LIMIT_S, told: Callable[[Progress], None] | None = None
    ) -> M:
        """What the service answers, which is a `kind`. `told`, `limit_s`: as in `do`."""
        answers = [answer for answer in self._run(request, limit_s, told) if isinstance(answer, kind)]
        if not answers:
            raise BoxError("SYS-007", f"no {kind.__name__} among the answers", "Upgrade both to the same version")
        return answers[-1]

    def do(self, request: SystemRequest, limit_s: float = QUIET_LIMIT_S, told: Callable[[Progress], None] | None = None) -> None:
        """Until it is done. `told` hears of its progress; `limit_s` is between two signs of life."""
        self._run(request, limit_s, told)

    def _run(self, request: SystemRequest, limit_s: float, told: Callable[[Progress], None] | None) -> list[Message]:
        numbered = msgspec.structs.replace(request, request_id=next(self._ids))
        self._socket.settimeout(limit_s)
        answers: list[Message] = []
        try:
            self._socket.sendall(encode(numbered))
            while not answers or not isinstance(answers[-1], SystemDone):
                for message in self._received():
                    if isinstance(message, Progress) and told is not None:
                        told(message)
                    answers.append(self._checked(message))
        except TimeoutError as error:
            raise BoxError("SYS-006", "the box service does not answer", "Restart careline-system; see its log") from error
        except (OSError, ProtocolError) as error:
            raise self._gone(error) from error
        return answers

    def _received(self) -> list[Message]:
        received = self._socket.recv(65536)
        if not received:
            raise ConnectionError("it closed the connection")
        return [message for message in self._reader.feed(received) if isinstance(message, Message)]

    @staticmethod
    def _checked(message: Message) -> Message:
        if isinstance(message, SystemFailed | Refused):
            raise BoxError(message.code, message.what, message.remedy)
        return message

    def _gone(self, error: Exception) -> BoxError:
        return BoxError("SYS-005", f"no box service at {self._path} ({error})", "Start careline-system; calls do not need it")
