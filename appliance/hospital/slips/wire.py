"""Printing: a printer on the network (raw, TCP) or at a device file, told and asked over one connection a slip.

Blocks the thread that calls it, never longer than the limits here. Whether a slip came out is answered in three ways, since a printer that
vanishes after it was given everything may have printed it or not.
"""

import os
import select
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

import msgspec

from appliance.hospital.errors import HospitalError
from appliance.hospital.slips import escpos
from appliance.hospital.slips.address import is_device, network_of

CONNECT_S = 3.0
ANSWER_S = 3.0  # of a question that is answered at once
WRITE_S = 10.0
PRINT_S = 20.0  # a slip of ten centimetres takes 1 s; a slow printer of a long one with cut 8 s


class PrinterError(HospitalError):
    """A printer does not print: HOS-230 not reached, HOS-231 no paper, HOS-232 open or faulty, HOS-233 no answer."""


class Printed(StrEnum):
    YES = "yes"
    NO = "no"  # for certain not whole
    UNSURE = "unsure"


class Printing(msgspec.Struct, frozen=True):
    """What came of a slip; `fault` says why it was not, or not surely, printed."""

    printed: Printed
    fault: str = ""


def look(address: str) -> None:
    """Ask a printer how it is. Raises: PrinterError when it would not print."""
    with _connected(address) as descriptor:
        _well(descriptor, address)


def print_slip(address: str, slip: bytes) -> Printing:
    """Print what `escpos.render` made, and wait until the printer says that it did."""
    try:
        with _connected(address) as descriptor:
            _well(descriptor, address)
            return _printing(descriptor, address, slip)
    except PrinterError as error:
        return Printing(Printed.NO, str(error))


def _printing(descriptor: int, address: str, slip: bytes) -> Printing:
    try:
        _write(descriptor, slip + escpos.ASK_DONE, WRITE_S)
    except (OSError, TimeoutError) as error:  # the cut was not given to it
        return Printing(Printed.NO, str(_not_reached(address, error)))
    try:
        status = _read(descriptor, PRINT_S)
    except (OSError, TimeoutError):
        return Printing(Printed.UNSURE, f"HOS-234: the printer {address} did not say that it printed. See whether the slip came out")
    if status & escpos.NO_PAPER_DONE == escpos.NO_PAPER_DONE:
        return Printing(Printed.UNSURE, f"HOS-235: the paper of the printer {address} ended. See whether the slip is whole")
    return Printing(Printed.YES)


def _well(descriptor: int, address: str) -> None:
    """Raises: PrinterError."""
    try:
        _write(descriptor, escpos.ASK_PAPER, WRITE_S)
        paper = _read(descriptor, ANSWER_S)
        _write(descriptor, escpos.ASK_CAUSE, WRITE_S)
        cause = _read(descriptor, ANSWER_S)
    except (OSError, TimeoutError) as error:
        what = f"the printer {address} does not answer ({error or 'too late'})"
        raise PrinterError("HOS-233", what, "Switch it on, and off and on again; it must understand ESC/POS") from error
    if paper & escpos.NO_PAPER:
        raise PrinterError("HOS-231", f"the printer {address} has no paper", "Put in a new roll")
    if cause & (escpos.COVER_OPEN | escpos.FAULTY):
        raise PrinterError("HOS-232", f"the printer {address} is open or has a fault", "Close its cover; see its lamps")


@contextmanager
def _connected(address: str) -> Iterator[int]:
    """The descriptor of a connection, not blocking. Raises: PrinterError HOS-230."""
    try:
        opened = _opened(address)
    except OSError as error:
        raise _not_reached(address, error) from error
    try:
        yield opened
    finally:
        os.close(opened)


def _opened(address: str) -> int:
    if is_device(address):
        return os.open(address, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    target = network_of(address)
    if target is None:
        raise OSError(f"{address!r} is no address of a printer")
    connection = socket.create_connection(target, CONNECT_S)
    connection.setblocking(False)
    return connection.detach()


def _write(descriptor: int, data: bytes, limit_s: float) -> None:
    """Raises: OSError, TimeoutError; then not all of it was written."""
    until = time.monotonic() + limit_s
    while data:
        _, ready, _ = select.select([], [descriptor], [], max(0.0, until - time.monotonic()))
        if not ready:
            raise TimeoutError("it takes nothing")
        data = data[os.write(descriptor, data) :]


def _read(descriptor: int, limit_s: float) -> int:
    """One byte of status. Raises: OSError, TimeoutError."""
    ready, _, _ = select.select([descriptor], [], [], limit_s)
    if not ready:
        raise TimeoutError("no answer")
    answer = os.read(descriptor, 1)
    if not answer:
        raise OSError("it closed the connection")
    return answer[0]


def _not_reached(address: str, error: Exception) -> PrinterError:
    return PrinterError("HOS-230", f"the printer {address} cannot be reached ({error})", "Check its cable, its power and its address")
