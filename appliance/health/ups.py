"""The UPS, asked of NUT's upsd by its line protocol. Thread `ups`; every wait has a limit.

Drivers of UPSs are NUT's own. Source: networkupstools.org/docs/developer-guide.chunked/net-protocol.html
"""

import contextlib
import shlex
import socket
from collections.abc import Iterator

from appliance.health.config import UpsConfig
from appliance.health.facts import Ups

LIMIT_S = 3.0
EVERY_S = 2.0
LINE_MOST = 4096
LINES_MOST = 500


class UpsProbe:
    """How the UPS is; what keeps us from knowing is `fault`."""

    def __init__(self, config: UpsConfig) -> None:
        self._config = config

    def __call__(self) -> Ups:
        try:
            with _Connection(self._config) as upsd:
                return of_variables(dict(upsd.variables(self._config.name)))
        except (OSError, ValueError) as error:
            return Ups(fault=str(error) or type(error).__name__)


def of_variables(told: dict[str, str]) -> Ups:
    """What matters of `LIST VAR`. Raises: ValueError when there is no status."""
    status = tuple(told.get("ups.status", "").split())
    if not status:
        raise ValueError("the UPS tells no ups.status")
    return Ups(status=status, charge_percent=_number(told.get("battery.charge")), runtime_s=_number(told.get("battery.runtime")))


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None


class _Connection:
    """To upsd. Raises: OSError; ValueError with upsd's own word (UNKNOWN-UPS, DATA-STALE, DRIVER-NOT-CONNECTED)."""

    def __init__(self, config: UpsConfig) -> None:
        with socket.create_connection((config.host, config.port), LIMIT_S) as connection:
            self._file = connection.makefile("rw", encoding="utf-8", errors="replace", newline="\n")
        self._log_in = tuple((command, value) for command, value in (("USERNAME", config.user), ("PASSWORD", config.password)) if value)

    def __enter__(self) -> "_Connection":
        for command, value in self._log_in:
            self._do(f"{command} {value}")
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._file.write("LOGOUT\n")
        with contextlib.suppress(OSError):
            self._file.close()

    def variables(self, ups: str) -> Iterator[tuple[str, str]]:
        self._do(f"LIST VAR {ups}")
        for _ in range(LINES_MOST):
            words = shlex.split(self._line())
            if words[:2] == ["END", "LIST"]:
                return
            if len(words) == 4 and words[0] == "VAR":
                yield words[2], words[3]
        raise ValueError("upsd tells no end")

    def _do(self, command: str) -> None:
        self._file.write(command + "\n")
        self._file.flush()
        answer = self._line()
        if answer.startswith("ERR"):
            raise ValueError(f"upsd: {answer.removeprefix('ERR').strip()}")

    def _line(self) -> str:
        line = self._file.readline(LINE_MOST)
        if not line:
            raise ConnectionError("upsd closed the connection")
        return line.rstrip("\n")
