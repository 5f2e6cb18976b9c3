"""A receipt printer at the wire: takes ESC/POS over TCP, answers what it is asked, and keeps what came out as paper.

It speaks the protocol from its description, not by the table under test. Faults: no paper, cover open, silent, deaf, gone after some bytes.
"""

import contextlib
import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

LIMIT_S = 10.0
COMMAND = re.compile(
    rb"\x1b@|\x1c&|\x1ba[\x00\x01\x02]|\x1d![\x00-\x77]|\x1dVB.|\x1dr[\x01\x02]|\x10\x04[\x01-\x04]|\x1d\(k(..)", re.DOTALL
)


@dataclass
class Paper:
    """A slip as it came out: its text and what its QR codes say. `cut` False: the printer went before the knife fell."""

    text: str = ""
    codes: list[str] = field(default_factory=list)
    cut: bool = False


class FakePrinter:
    """Listens on loopback. `dies_after`: bytes of printing until its cable is pulled. `answers_done`: says that it has printed."""

    def __init__(self, *, dies_after: int | None = None, answers: bool = True, answers_done: bool = True) -> None:
        self.papers: list[Paper] = []
        self.paper_status, self.cause_status, self.done_status = 0x12, 0x12, 0x00
        self.dies_after, self.answers, self.answers_done = dies_after, answers, answers_done
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(LIMIT_S)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="fake printer", daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        self._ending.set()
        with contextlib.suppress(OSError), socket.create_connection(self._listener.getsockname(), 1):
            pass  # wakes the thread
        self._thread.join(LIMIT_S)
        self._listener.close()

    def _serve(self) -> None:
        while not self._ending.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                return
            with connection:
                connection.settimeout(LIMIT_S)
                with contextlib.suppress(OSError):
                    self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        """Until the other end hangs up, or the cable is pulled."""
        paper, pending, taken = Paper(), b"", 0
        while data := connection.recv(64):
            pending += data
            while pending:
                if self.dies_after is not None and self.papers_begun(taken):
                    self._keep(paper)
                    return
                size, answer = self._one(pending, paper)
                if size == 0:
                    break
                taken += 0 if answer is not None else size
                pending = pending[size:]
                if answer is not None:
                    connection.sendall(answer)
                if paper.cut:
                    self.papers.append(paper)
                    paper = Paper()
        self._keep(paper)

    def papers_begun(self, taken: int) -> bool:
        return self.dies_after is not None and taken >= self.dies_after

    def _keep(self, paper: Paper) -> None:
        if paper.text or paper.codes:
            self.papers.append(paper)

    def _one(self, pending: bytes, paper: Paper) -> tuple[int, bytes | None]:
        """One command or character: how many bytes it has (0: not all are there yet), and what is answered, None for nothing."""
        if pending[0] in b"\x10\x1b\x1c\x1d":
            return self._command(pending, paper)
        size = 1 if pending[0] < 0x80 else 4 if len(pending) > 1 and 0x30 <= pending[1] <= 0x39 else 2
        if len(pending) < size:
            return 0, None
        paper.text += pending[:size].decode("gb18030")
        return size, None

    def _command(self, pending: bytes, paper: Paper) -> tuple[int, bytes | None]:
        match = COMMAND.match(pending)
        if match is None:
            assert len(pending) < 5, f"no command of a printer: {pending[:8]!r}"
            return 0, None
        command = match.group()
        if match[1] is not None:
            return self._qr(pending, int.from_bytes(match[1], "little"), paper), None
        paper.cut = paper.cut or command.startswith(b"\x1dV")
        return len(command), self._answer(command)

    def _answer(self, command: bytes) -> bytes | None:
        asked = {b"\x10\x04\x04": self.paper_status, b"\x10\x04\x02": self.cause_status, b"\x1dr\x01": self.done_status}
        status = asked.get(command)
        silent = not self.answers or (command == b"\x1dr\x01" and not self.answers_done)
        return None if status is None else b"" if silent else bytes([status])

    def _qr(self, pending: bytes, size: int, paper: Paper) -> int:
        """GS ( k: function 180 keeps the text, 181 prints it."""
        if len(pending) < 5 + size:
            return 0
        parameters = pending[5 : 5 + size]
        if parameters[:3] == b"\x31\x50\x30":
            self._stored = parameters[3:].decode()
        elif parameters[:2] == b"\x31\x51":
            paper.codes.append(self._stored)
        return 5 + size


@contextlib.contextmanager
def printer(**faults: int | bool) -> Iterator[FakePrinter]:
    """One that is there for as long as the block lasts."""
    opened = FakePrinter(**faults)  # type: ignore[arg-type]  # by name, as its own arguments are
    try:
        yield opened
    finally:
        opened.close()
