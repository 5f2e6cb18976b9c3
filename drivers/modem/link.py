"""The serial line to a modem: one command at a time, each with a limit; what nobody asked for goes into a queue of its own.

Threads: the reader, which only cuts and sorts lines; whoever calls `ask`, one thread. Nothing else reads or writes the device.
"""

import contextlib
import queue
import re
import threading
from typing import Protocol

import msgspec
import serial

from drivers.clock import Clock
from drivers.modem.errors import ModemError
from drivers.modem.faults import Refusal, refusal_in
from drivers.modem.lines import PROMPT, Cutter, Expected, Kind, Line, Sorter

READ_LIMIT_S = 0.2
WRITE_LIMIT_S = 5.0
ANSWER_LIMIT_S = 5.0
PROMPT_LIMIT_S = 5.0
ENDING_LIMIT_S = 2.0
LIST_LIMIT_S = 120.0
END_OF_PDU, ESCAPE = b"\x1a", b"\x1b"
UNASKED_MOST = 10_000


class Answer(msgspec.Struct, frozen=True):
    """`refusal` None: the modem said OK."""

    lines: tuple[Line, ...]
    refusal: Refusal | None = None


class Lost(msgspec.Struct, frozen=True):
    """The line broke; in the queue of what was not asked for, so that whoever waits there wakes."""

    why: str


class Link(Protocol):
    """What a modem is asked through."""

    unasked: "queue.Queue[Line | Lost]"

    def ask(
        self, command: str, own: re.Pattern[str] | None = None, *, with_pdu: bool = False, limit_s: float = ANSWER_LIMIT_S, pdu: str = ""
    ) -> Answer: ...

    def cancel(self) -> None: ...


class SerialLink:
    """Raises: ModemError SMS-001 it cannot be opened."""

    def __init__(self, device: str, baud: int, clock: Clock, *, rtscts: bool = False) -> None:
        self.device = device
        self.unasked: queue.Queue[Line | Lost] = queue.Queue(UNASKED_MOST)
        self._clock = clock
        self._answer: queue.Queue[Line | Lost] = queue.Queue()
        self._sorter = Sorter()
        self._sorting = threading.Lock()
        self._closing = threading.Event()
        self._serial = _opened(device, baud, rtscts)
        self._reader = threading.Thread(target=self._read, name="modem reader", daemon=True)
        self._reader.start()

    def close(self) -> None:
        self._closing.set()
        self._reader.join(ENDING_LIMIT_S)
        with contextlib.suppress(OSError):  # the device may be gone
            self._serial.close()

    def ask(
        self, command: str, own: re.Pattern[str] | None = None, *, with_pdu: bool = False, limit_s: float = ANSWER_LIMIT_S, pdu: str = ""
    ) -> Answer:
        """Say `command` and wait for its end; `limit_s` is from line to line. `pdu`: given when the modem asks for it.

        Raises: ModemError SMS-002, SMS-003.
        """
        self._expect(Expected(command, own, with_pdu, prompt=bool(pdu)))
        try:
            self._write(command.encode("ascii") + b"\r")
            if not pdu:
                return self._until_end(command, limit_s)
            asked = self._until_end(command, PROMPT_LIMIT_S)
            if asked.refusal is not None or not _is_prompt(asked):
                return asked if asked.refusal else Answer((), Refusal("", -1))
            self._expect(Expected(pdu, own))
            return self._hand_over(command, pdu, limit_s)
        finally:
            with self._sorting:
                self._sorter.expect(None)

    def _hand_over(self, command: str, pdu: str, limit_s: float) -> Answer:
        """From here on the message may be on its way, whatever goes wrong."""
        try:
            self._write(pdu.encode("ascii") + END_OF_PDU)
            return self._until_end(command, limit_s)
        except ModemError as error:
            raise ModemError(error.code, error.what, error.remedy, sent=True) from error

    def cancel(self) -> None:
        """Leave a prompt that was never answered; a modem that shows none takes it for an empty line."""
        self._write(ESCAPE + b"\r")

    def _expect(self, expected: Expected) -> None:
        with self._sorting:
            self._sorter.expect(expected)
            while not self._answer.empty():
                self._answer.get_nowait()

    def _until_end(self, command: str, limit_s: float) -> Answer:
        lines: list[Line] = []
        ends_at_s = self._clock.monotonic_s() + LIST_LIMIT_S
        while self._clock.monotonic_s() < ends_at_s:
            try:
                line = self._answer.get(timeout=limit_s)
            except queue.Empty:
                break
            if isinstance(line, Lost):
                raise _lost(self.device, line.why)
            if line.kind is Kind.FINAL:
                return Answer((*lines, line) if line.text == PROMPT else tuple(lines), refusal_in(line.text))
            lines.append(line)
        raise ModemError("SMS-003", f"the modem {self.device} does not answer {command[:12]}", "It is tried again; else unplug and plug it")

    def _write(self, octets: bytes) -> None:
        try:
            self._serial.write(octets)
        except (OSError, serial.SerialException) as error:
            raise _lost(self.device, str(error)) from error

    def _read(self) -> None:
        cutter = Cutter()
        while not self._closing.is_set():
            try:
                octets = self._serial.read(max(1, self._serial.in_waiting))
            except (OSError, serial.SerialException, TypeError) as error:  # TypeError: pyserial, closed while it reads
                self._tell_lost(str(error))
                return
            for text in cutter.feed(octets):
                self._sort(text)

    def _sort(self, text: str) -> None:
        with self._sorting:
            line = self._sorter.sort(text)
            if line is not None and line.kind is not Kind.UNASKED:
                self._answer.put(line)
        if line is not None and line.kind is Kind.UNASKED:
            with contextlib.suppress(queue.Full):  # what was told is looked for in the modem's memory too
                self.unasked.put_nowait(line)

    def _tell_lost(self, why: str) -> None:
        self._answer.put(Lost(why))
        with contextlib.suppress(queue.Full):
            self.unasked.put_nowait(Lost(why))


def _is_prompt(answer: Answer) -> bool:
    return bool(answer.lines) and answer.lines[-1].text == PROMPT


def _opened(device: str, baud: int, rtscts: bool) -> serial.Serial:
    try:
        return serial.Serial(device, baud, timeout=READ_LIMIT_S, write_timeout=WRITE_LIMIT_S, rtscts=rtscts, exclusive=True)
    except (OSError, ValueError, serial.SerialException) as error:
        raise ModemError("SMS-001", f"cannot open the modem {device} ({error})", "Plug it in; see [sms] device and its rights") from error


def _lost(device: str, why: str) -> ModemError:
    return ModemError("SMS-002", f"the line to the modem {device} broke ({why})", "Plug it in again; it is opened anew by itself")
