"""Alarm contacts: a relay that is released in an alarm, and contacts that others close to tell one; on lines of the kernel's GPIO devices
or on modem-control lines of a serial port. Any thread; nothing waits.

Fail-safe: all well is the held relay, so a box without power or without this process tells an alarm too.
"""

import fcntl
import os
import struct
import termios
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

from appliance.health.config import ContactConfig
from drivers.errors import CarelineError

OUTPUTS = {"rts": termios.TIOCM_RTS, "dtr": termios.TIOCM_DTR}
INPUTS = {"cts": termios.TIOCM_CTS, "dsr": termios.TIOCM_DSR, "dcd": termios.TIOCM_CAR, "ri": termios.TIOCM_RNG}
DEBOUNCE = timedelta(milliseconds=20)


class ContactError(CarelineError):
    """A contact that cannot be had."""


class Line(Protocol):
    """One line, in or out."""

    def hold(self, on: bool) -> None:
        """Raises: OSError."""

    def is_closed(self) -> bool:
        """Raises: OSError."""

    def close(self) -> None: ...


class SerialLine:
    """A modem-control line. Source: tty_ioctl(4)."""

    def __init__(self, device: str, bit: int) -> None:
        self._bit = bit
        self._fd = os.open(device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)

    def hold(self, on: bool) -> None:
        fcntl.ioctl(self._fd, termios.TIOCMBIS if on else termios.TIOCMBIC, struct.pack("I", self._bit))

    def is_closed(self) -> bool:
        (bits,) = struct.unpack("I", fcntl.ioctl(self._fd, termios.TIOCMGET, struct.pack("I", 0)))
        return bool(bits & self._bit)

    def close(self) -> None:
        os.close(self._fd)


class GpioLine:
    """A line of a GPIO device, by libgpiod."""

    def __init__(self, device: str, offset: int, out: bool) -> None:
        import gpiod
        from gpiod.line import Bias, Direction, Value

        self._offset, self._active, self._inactive = offset, Value.ACTIVE, Value.INACTIVE
        settings = (
            gpiod.LineSettings(direction=Direction.OUTPUT, output_value=Value.INACTIVE)
            if out
            else gpiod.LineSettings(direction=Direction.INPUT, bias=Bias.PULL_UP, active_low=True, debounce_period=DEBOUNCE)
        )
        self._request = gpiod.request_lines(device, consumer="careline", config={offset: settings})

    def hold(self, on: bool) -> None:
        self._request.set_value(self._offset, self._active if on else self._inactive)

    def is_closed(self) -> bool:
        return bool(self._request.get_value(self._offset) == self._active)

    def close(self) -> None:
        self._request.release()


def open_line(where: str, out: bool) -> Line:
    """As ContactConfig writes it. Raises: ContactError ALM-020 not understood, ALM-021 not there."""
    kind, _, rest = where.partition(":")
    device, _, which = rest.rpartition(":")
    names = OUTPUTS if out else INPUTS
    if not device or not ((kind == "gpio" and which.isdecimal()) or (kind == "serial" and which in names)):
        remedy = f'Write "gpio:/dev/gpiochip0:17" or "serial:/dev/ttyS1:" and {", ".join(names)}'
        raise ContactError("ALM-020", f"{where!r} is no contact", remedy)
    try:
        return SerialLine(device, names[which]) if kind == "serial" else GpioLine(device, int(which), out)
    except (OSError, ImportError) as error:
        raise ContactError("ALM-021", f"the contact {where} cannot be used: {error}", "Check the device and who may use it") from error


class Contacts:
    """All of them. What cannot be used is in `fault`; the rest works."""

    def __init__(self, config: ContactConfig, open_: Callable[[str, bool], Line] = open_line) -> None:
        self.fault = ""
        self._open = open_
        self._inputs: dict[str, tuple[Line, bool]] = {}
        self._out = self._opened(config.out, out=True) if config.out else None
        for each in config.inputs:
            if (line := self._opened(each.line, out=False)) is not None:
                self._inputs[each.name] = (line, each.closed_is_alarm)

    @property
    def is_there(self) -> bool:
        return self._out is not None

    def _opened(self, where: str, out: bool) -> Line | None:
        try:
            return self._open(where, out)
        except ContactError as error:
            self.fault = str(error)
            return None

    def tell(self, alarm: bool) -> None:
        """Hold the relay while there is none."""
        if self._out is None:
            return
        try:
            self._out.hold(not alarm)
        except OSError as error:
            self.fault = f"ALM-021: the alarm relay cannot be switched: {error}"

    def look(self) -> dict[str, bool]:
        """By name: whether it tells an alarm. One that cannot be asked is not in it."""
        found: dict[str, bool] = {}
        for name, (line, closed_is_alarm) in self._inputs.items():
            try:
                found[name] = line.is_closed() is closed_is_alarm
            except OSError as error:
                self.fault = f"ALM-021: the contact {name} cannot be asked: {error}"
        return found

    def close(self) -> None:
        """The relay falls off."""
        for line in (*([self._out] if self._out else []), *(line for line, _ in self._inputs.values())):
            line.close()
