"""The line a technician sits at: a serial port (pyserial), or the terminal this program was started on (SSH). Bytes in, text out.

One thread reads and writes it. Every wait has a limit; a line that is gone, or takes nothing for WRITE_LIMIT_S, raises HungUp.
"""

import contextlib
import os
import select
import termios
import tty
from abc import ABC, abstractmethod

import serial

from appliance.console.errors import ConsoleError, HungUp

COLUMNS, ROWS = 80, 24
READ_BYTES = 4096
WRITE_LIMIT_S = 10.0


class Line(ABC):
    """A line, and what it is called."""

    name: str

    def size(self) -> tuple[int, int]:
        """Columns and rows. A serial line cannot say; 80x24 fits every terminal."""
        return COLUMNS, ROWS

    @abstractmethod
    def fileno(self) -> int: ...

    @abstractmethod
    def received(self) -> bytes:
        """What is there now, at least one byte. Raises: HungUp."""

    @abstractmethod
    def write(self, text: str) -> None:
        """Raises: HungUp."""

    @abstractmethod
    def close(self) -> None: ...

    def check(self) -> None:
        """Raises: HungUp when there is nobody any more. Most lines tell that when they are read."""
        return

    def read(self, limit_s: float, also: int = -1) -> bytes:
        """What comes within `limit_s`; empty when nothing does, or when the file `also` can be read first. Raises: HungUp."""
        self.check()
        files = [self.fileno(), also] if also >= 0 else [self.fileno()]
        try:
            ready = select.select(files, (), (), limit_s)[0]
        except (OSError, ValueError) as error:
            raise HungUp(str(error)) from error
        return self.received() if self.fileno() in ready else b""


class _KeepsTyped(serial.Serial):
    """pyserial's throws away what came before it was opened."""

    def _reset_input_buffer(self) -> None:
        return


class SerialLine(Line):
    """A serial port: 8 data bits, no parity. A carrier that was there once and is lost is a hang-up; cables of three wires have none."""

    def __init__(self, path: str, baud: int, *, keeps_typed: bool = False) -> None:
        """`keeps_typed`: what was typed before is read too. Raises: ConsoleError SYS-030 when the port cannot be had."""
        self.name = os.path.basename(path)
        self._carrier_seen = False
        try:
            kind = _KeepsTyped if keeps_typed else serial.Serial
            self._port = kind(path, baud, timeout=0, write_timeout=WRITE_LIMIT_S, exclusive=True)
        except (OSError, ValueError) as error:
            raise ConsoleError(
                "SYS-030", f"cannot open the serial port {path} ({error})", "Check [console] and that the port is there"
            ) from error

    def fileno(self) -> int:
        number: int = self._port.fileno()
        return number

    def received(self) -> bytes:
        try:
            received: bytes = self._port.read(READ_BYTES)
        except (OSError, TypeError) as error:  # pyserial raises TypeError for a port that was closed meanwhile
            raise HungUp(str(error)) from error
        return received

    def write(self, text: str) -> None:
        try:
            self._port.write(text.encode("utf-8", "replace"))
        except OSError as error:
            raise HungUp(str(error)) from error

    def check(self) -> None:
        if self._has_carrier():
            self._carrier_seen = True
        elif self._carrier_seen:
            raise HungUp("carrier lost")

    def _has_carrier(self) -> bool:
        try:
            return bool(self._port.cd)
        except OSError:  # a port without modem lines, or one that is gone: reading it tells which
            return False

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._port.close()


class TerminalLine(Line):
    """The terminal of this program, unset from line editing and signals until closed."""

    name = "terminal"

    def __init__(self) -> None:
        """Raises: ConsoleError SYS-031 when there is no terminal."""
        try:
            self._before = termios.tcgetattr(0)
            tty.setraw(0)
        except termios.error as error:
            raise ConsoleError("SYS-031", "this is no terminal", "Run `careline COMMAND`, or `ssh -t`") from error

    def size(self) -> tuple[int, int]:
        """As it is now: windows are resized."""
        try:
            found = os.get_terminal_size(1)
        except OSError:
            return COLUMNS, ROWS
        return (found.columns or COLUMNS), (found.lines or ROWS)

    def fileno(self) -> int:
        return 0

    def received(self) -> bytes:
        try:
            received = os.read(0, READ_BYTES)
        except OSError as error:
            raise HungUp(str(error)) from error
        if not received:
            raise HungUp("end of input")
        return received

    def write(self, text: str) -> None:
        left = text.encode("utf-8", "replace")
        while left:
            if not select.select((), (1,), (), WRITE_LIMIT_S)[1]:
                raise HungUp("the terminal takes nothing")
            try:
                left = left[os.write(1, left[:READ_BYTES]) :]
            except OSError as error:
                raise HungUp(str(error)) from error

    def close(self) -> None:
        with contextlib.suppress(termios.error):
            termios.tcsetattr(0, termios.TCSANOW, self._before)
