"""A serial line of an emulated machine: a unix socket whose bytes are kept, looked for, and written to a log. Host side.

One thread a line reads: a machine whose console nobody reads stands still.
"""

import contextlib
import os
import re
import select
import socket
import sys
import termios
import threading
import time
import tty
from collections.abc import Callable
from pathlib import Path

CONNECT_LIMIT_S = 20.0
READ_BYTES = 65536
ESCAPE = b"\x1d"  # Ctrl-]


class SerialLine:
    """What is found is looked for in all that came since the last connect, each time behind what was found before."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._socket: socket.socket | None = None
        self._heard = bytearray()
        self._cursor = 0
        self._news = threading.Condition()

    def connect(self, path: Path, is_on: Callable[[], bool]) -> None:
        """To QEMU's socket, which comes a moment after its start. Raises: ConnectionError."""
        deadline_s = time.monotonic() + CONNECT_LIMIT_S
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        while True:
            try:
                line.connect(str(path))
                break
            except OSError as error:
                if time.monotonic() > deadline_s or not is_on():
                    raise ConnectionError(f"no serial line at {path}: {error}") from error
            time.sleep(0.05)
        self._socket, self._cursor, self._heard = line, 0, bytearray()
        threading.Thread(target=self._read, args=(line, self._heard), daemon=True).start()

    def close(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()
            self._socket = None

    def send(self, data: bytes) -> None:
        """All of it; the far end may be slow. Raises: OSError when the machine is off."""
        if self._socket is None:
            raise ConnectionError("the machine is off")
        self._socket.sendall(data)

    def _read(self, line: socket.socket, heard: bytearray) -> None:
        with self._log.open("ab") as log, contextlib.suppress(OSError):
            while came := line.recv(READ_BYTES):
                log.write(came)
                log.flush()
                with self._news:
                    heard += came
                    self._news.notify_all()

    def find(self, pattern: bytes, limit_s: float) -> re.Match[bytes] | None:
        """The next place where `pattern` (a regular expression) matches behind what was found before; None when it did not come in time."""
        wanted, deadline_s = re.compile(pattern), time.monotonic() + limit_s
        with self._news:
            while True:
                if found := wanted.search(bytes(self._heard), self._cursor):
                    self._cursor = found.end()
                    return found
                left_s = deadline_s - time.monotonic()
                if left_s <= 0:
                    return None
                self._news.wait(left_s)

    def tail(self, lines: int) -> list[str]:
        with self._news:
            return self._heard.decode(errors="replace").splitlines()[-lines:]

    def attach_terminal(self, is_on: Callable[[], bool]) -> None:
        """This terminal is the line's until Ctrl-] or the machine goes off."""
        keyboard = sys.stdin.fileno()
        saved = termios.tcgetattr(keyboard) if sys.stdin.isatty() else None
        try:
            if saved is not None:
                tty.setraw(keyboard)
            shown = 0
            while is_on():
                with self._news:
                    fresh = bytes(self._heard[shown:])
                shown += len(fresh)
                sys.stdout.buffer.write(fresh)
                sys.stdout.flush()
                if select.select([keyboard], [], [], 0.05)[0]:
                    typed = os.read(keyboard, 1024)
                    if not typed or ESCAPE in typed:
                        return
                    self.send(typed)
        finally:
            if saved is not None:
                termios.tcsetattr(keyboard, termios.TCSADRAIN, saved)
