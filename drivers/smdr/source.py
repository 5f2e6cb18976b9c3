"""Where lines come from: a serial line, a TCP connection made to us, or one that we make. One thread reads; every wait is short.

Used by the thread of one source (call records, SMDI). What cannot be taken now is not read: the switch keeps it as long as it can.
"""

import contextlib
import socket
from typing import Protocol

import serial

from drivers.errors import CarelineError
from drivers.smdr.where import Where, address_of

READ_LIMIT_S = 0.5
WRITE_LIMIT_S = 5.0
CONNECT_LIMIT_S = 5.0
READ_MOST = 4096
PARITIES = {"N": serial.PARITY_NONE, "E": serial.PARITY_EVEN, "O": serial.PARITY_ODD}


class SourceError(CarelineError):
    """SDR-001 it cannot be opened, SDR-002 it broke."""


class Source(Protocol):
    """Bytes of a link that is up."""

    def read(self) -> bytes | None:
        """Empty: nothing came within READ_LIMIT_S; None: a new connection begins here. Raises: SourceError SDR-002."""

    def write(self, octets: bytes) -> None:
        """Raises: SourceError SDR-002."""

    def close(self) -> None: ...


def opened(where: Where) -> Source:
    """Raises: SourceError SDR-001."""
    try:
        if where.listen:
            return _Listener(where.listen)
        return _Connection(where.connect) if where.connect else _SerialLine(where)
    except (OSError, ValueError, serial.SerialException) as error:
        raise SourceError("SDR-001", f"cannot open {where} ({error})", "See the cable, the address, and who may use the device") from error


def _broken(what: str, error: object) -> SourceError:
    return SourceError("SDR-002", f"the link {what} broke ({error})", "It is opened anew by itself")


class _SerialLine:
    def __init__(self, where: Where) -> None:
        self._name = where.device
        self._line = serial.Serial(
            where.device,
            where.baud,
            bytesize=int(where.framing[0]),
            parity=PARITIES[where.framing[1]],
            stopbits=int(where.framing[2]),
            timeout=READ_LIMIT_S,
            write_timeout=WRITE_LIMIT_S,
            rtscts=where.flow == "rtscts",
            xonxoff=where.flow == "xonxoff",
            exclusive=True,
        )

    def read(self) -> bytes | None:
        try:
            return bytes(self._line.read(min(READ_MOST, max(1, self._line.in_waiting))))
        except (OSError, serial.SerialException) as error:
            raise _broken(self._name, error) from error

    def write(self, octets: bytes) -> None:
        try:
            self._line.write(octets)
        except (OSError, serial.SerialException) as error:
            raise _broken(self._name, error) from error

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._line.close()


class _Connection:
    """We call the switch, or a converter beside it."""

    def __init__(self, address: str) -> None:
        self._name = address
        self._socket = socket.create_connection(address_of(address) or ("", 0), CONNECT_LIMIT_S)
        self._socket.settimeout(READ_LIMIT_S)

    def read(self) -> bytes | None:
        received = _received(self._socket, self._name)
        if received is None:
            raise _broken(self._name, "it was closed there")
        return received

    def write(self, octets: bytes) -> None:
        _sent(self._socket, octets, self._name)

    def close(self) -> None:
        self._socket.close()


class _Listener:
    """The switch calls us. A second connection goes before the first, which may be dead without anybody having said so; what the first
    had sent is read before."""

    def __init__(self, address: str) -> None:
        self._name = address
        host, port = address_of(address) or ("", 0)
        self._listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=2)
        self._listening.settimeout(READ_LIMIT_S)
        self._socket: socket.socket | None = None

    def read(self) -> bytes | None:
        if self._socket is None:
            return self._take_next(READ_LIMIT_S)
        try:
            received = _received(self._socket, self._name)
        except SourceError:
            received = None
        if received is None:
            self._drop()
            return b""
        return received or self._take_next(0)

    def write(self, octets: bytes) -> None:
        if self._socket is not None:
            _sent(self._socket, octets, self._name)

    def close(self) -> None:
        self._drop()
        self._listening.close()

    def _take_next(self, limit_s: float) -> bytes | None:
        self._listening.settimeout(limit_s)
        try:
            fresh, _ = self._listening.accept()
        except OSError:  # nobody within the limit
            return b""
        self._drop()
        self._socket = fresh
        fresh.settimeout(READ_LIMIT_S)
        return None

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _received(connection: socket.socket, name: str) -> bytes | None:
    """Empty: nothing yet; None: closed."""
    try:
        return connection.recv(READ_MOST) or None
    except TimeoutError:
        return b""
    except OSError as error:
        raise _broken(name, error) from error


def _sent(connection: socket.socket, octets: bytes, name: str) -> None:
    try:
        connection.sendall(octets)
    except OSError as error:
        raise _broken(name, error) from error
