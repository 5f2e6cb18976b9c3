"""The front panel: a client of LCDproc's LCDd with one screen of four lines. Thread `panel`; every wait has a limit. ASCII, for character
displays have no other letters.

Source: lcdproc.org, developer's guide, "The LCDproc client language".
"""

import logging
import socket
import threading
import time
from collections.abc import Callable

from appliance.health.config import PanelConfig

EVERY_S = 2.0
AGAIN_S = 10.0
LIMIT_S = 3.0
LINES = 4
WIDTH_LEAST = 16

log = logging.getLogger("careline.health")


class Panel:
    """`draw`: four lines of text for so many columns."""

    def __init__(self, config: PanelConfig, draw: Callable[[int], tuple[str, ...]]) -> None:
        self.fault = ""
        self._config, self._draw = config, draw
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="panel", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ending.set()

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self._serve()
            except (OSError, ValueError) as error:
                self.fault = f"LCDd at {self._config.host}:{self._config.port}: {error}"
                log.debug("%s", self.fault)
            self._ending.wait(AGAIN_S)

    def _serve(self) -> None:
        """Until LCDd goes. Raises: OSError, ValueError."""
        with socket.create_connection((self._config.host, self._config.port), LIMIT_S) as connection:
            columns = self._greet(connection)
            shown: tuple[str, ...] = ()
            while not self._ending.is_set():
                lines = self._draw(columns)
                if lines != shown:
                    self._show(connection, lines, columns)
                    shown = lines
                self.fault = ""
                self._drain(connection)
                self._ending.wait(EVERY_S)

    def _greet(self, connection: socket.socket) -> int:
        """How many columns it has."""
        connection.sendall(b"hello\n")
        words = connection.recv(1024).decode("ascii", "replace").split()
        if words[:1] != ["connect"]:
            raise ValueError(f"it says {' '.join(words)[:80]!r}")
        columns = int(words[words.index("wid") + 1]) if "wid" in words else WIDTH_LEAST
        connection.sendall(b"client_set -name careline\nscreen_add c\nscreen_set c -name careline -heartbeat off -priority foreground\n")
        for line in range(1, LINES + 1):
            connection.sendall(f"widget_add c l{line} string\n".encode())
        return columns

    @staticmethod
    def _show(connection: socket.socket, lines: tuple[str, ...], columns: int) -> None:
        for at, line in enumerate(lines[:LINES], 1):
            text = line.encode("ascii", "replace").decode().replace("\\", "/").replace('"', "'")[:columns].ljust(columns)
            connection.sendall(f'widget_set c l{at} 1 {at} "{text}"\n'.encode())

    @staticmethod
    def _drain(connection: socket.socket) -> None:
        """What LCDd says (success, listen, ignore) is of no interest, but must be read. Raises: ConnectionError."""
        connection.settimeout(0.05)
        try:
            deadline_s = time.monotonic() + LIMIT_S
            while time.monotonic() < deadline_s:
                if not connection.recv(4096):
                    raise ConnectionError("it closed the connection")
        except TimeoutError:
            return
        finally:
            connection.settimeout(LIMIT_S)
