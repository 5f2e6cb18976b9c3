"""A GSM modem in software at the end of a pseudo terminal: AT commands, SMS in PDU mode, a SIM with a PIN, a network behind it.

It knows nothing of the product's codec: PDUs are taken apart here, octet by octet, and what is said in them is only carried. gammu and
smstools work with it as well (tests/unit/test_modem_others.py). One thread reads; whoever has messages arrive may be another.
"""

import os
import random
import re
import select
import termios
import threading
import tty
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.sms_network import Submitted, report_pdu, taken_apart
from tests.terminals import terminal_pair

CAPACITY = 50
LOOK_S = 0.02  # between two looks whether it was unplugged
NOISE = ("RING", "^RSSI:17", "+CREG: 1", '+CLIP: "13900000000",129', "^BOOT:8888,0,0,0,4C", "+CGREG: 1", "$QCSIMSTAT: 1", "+CIEV: 2,4")
IDENTITY = {"AT+CGMI": "Acme", "AT+CGMM": "Sim900", "AT+CGMR": "R1.0", "AT+CGSN": "490154203237518", "AT+CIMI": "460001234567890"}
FIXED = {
    "AT+CPAS": "+CPAS: 0",
    "AT+CSCA?": '+CSCA: "+8613800100500",145',
    "AT+CREG?": "+CREG: 0,1",
    "AT+CGREG?": "+CGREG: 0,1",
    "AT+CSQ": "+CSQ: 21,0",
    "AT+COPS?": '+COPS: 0,0,"SIMNET"',
    "AT+CCID": "+CCID: 89860012345678901234",
    "AT+CMGF=?": "+CMGF: (0)",
    "AT+CMGF?": "+CMGF: 0",
    "AT+CSMS?": "+CSMS: 0,1,1,1",
    "AT+CNMI=?": "+CNMI: (0-2),(0,1),(0),(0-2),(0)",
    "AT+CPMS=?": '+CPMS: ("SM"),("SM"),("SM")',
    "AT+CSCS=?": '+CSCS: ("GSM","UCS2","HEX")',
    "AT+CSCS?": '+CSCS: "GSM"',
}
SETTINGS = (
    "ATZ",
    "ATE",
    "AT+CMEE=",
    "AT+CREG=",
    "AT+CSMS=",
    "AT+CLIP=",
    "AT+CMMS=",
    "AT+CSCS=",
    "AT+CMGF=0",
    "AT+CSCA=",
    "AT&",
    "AT+CFUN=",
)


@dataclass
class Trouble:
    """What goes wrong: `refuse` answers to the next messages, `deaf` commands without an answer, `swallow` messages taken in silence."""

    refuse: deque[str] = field(default_factory=deque)
    deaf: int = 0
    deaf_to: str = ""
    swallow: int = 0
    noise: float = 0.0  # how likely an unasked line stands before any line


class ModemSim:
    """`device`: what the client opens. `sent`: what was handed over, in order."""

    def __init__(self, *, pin: str = "", tries: int = 3, seed: int = 1, reports: bool = True) -> None:
        self.trouble = Trouble()
        self.sent: list[Submitted] = []
        self.stored: dict[int, tuple[int, str]] = {}
        self.pin, self.tries, self.unlocked = pin, tries, not pin
        self.commands: list[str] = []
        self._reports = reports
        self._on_sent: Callable[[Submitted], None] | None = None
        self._outside: deque[tuple[str, bool]] = deque()
        self._random = random.Random(seed)
        self._references = 0
        self._telling = (0, 0)
        self._echo = True
        self._lock = threading.RLock()
        self._master, self._slave, self.device = terminal_pair()
        tty.setraw(self._slave, termios.TCSANOW)
        self._unplugged = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """As if it were unplugged. Its own thread lets go of the device: nobody reads a descriptor that is somebody else's by then."""
        self._unplugged.set()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def link_at(self, path: Path) -> Path:
        """A name that stays while the device's own changes, as udev makes them."""
        fresh = path.with_suffix(".new")
        fresh.symlink_to(self.device)
        fresh.replace(path)
        return path

    def when_sent(self, call: Callable[[Submitted], None]) -> None:
        """Called in the modem's thread before it answers."""
        self._on_sent = call

    def arrive(self, pdu: str, *, report: bool = False) -> None:
        """Something comes from the network; what finds no room in the memory waits there."""
        with self._lock:
            if report and self._telling[1] == 1:
                self._say(f"+CDS: {len(pdu) // 2 - 1 - int(pdu[:2], 16)}\r\n{pdu}")
                return
            self._outside.append((pdu, report))
            self._let_in()

    def _let_in(self) -> None:
        while self._outside and len(self.stored) < CAPACITY:
            pdu, report = self._outside.popleft()
            index = next(number for number in range(1, CAPACITY + 1) if number not in self.stored)
            self.stored[index] = (0, pdu)
            if self._telling[1 if report else 0]:
                self._say(f'+CDSI: "SM",{index}' if report else f'+CMTI: "SM",{index}')

    def _run(self) -> None:
        try:
            self._listen()
        finally:
            with self._lock:
                os.close(self._slave)
                os.close(self._master)
                self._master = -1

    def _listen(self) -> None:
        line = b""
        while not self._unplugged.is_set():
            if not select.select([self._master], [], [], LOOK_S)[0]:
                continue
            octets = os.read(self._master, 4096)
            for octet in octets:
                if octet == 0x1B:
                    line = b""
                    continue
                if octet not in b"\r\n\x1a":
                    line += bytes((octet,))
                    continue
                text, line = line.decode("latin-1"), b""
                if text:
                    with suppress(OSError):
                        self._hear(text, octet == 0x1A)

    def _hear(self, text: str, is_pdu: bool) -> None:
        with self._lock:
            self.commands.append(text)
            if self.trouble.deaf:
                self.trouble.deaf -= 1
                return
            if self.trouble.deaf_to and text.startswith(self.trouble.deaf_to):
                return
            if is_pdu:
                self._take(text)
                return
            if self._echo:
                self._write(text + "\r")
            self._answer(text)

    def _answer(self, text: str) -> None:
        command = text.upper()
        if command.startswith(("AT+CPIN?", "AT+CPIN=")):
            self._pin(text)
        elif command.startswith("ATE"):
            self._echo = not command.startswith("ATE0")
            self._end()
        elif not self.unlocked and re.match(r"AT\+C(MG|PMS|NMI|MGF|SCA)", command):
            self._say("+CMS ERROR: 311")
        elif command in FIXED or command in IDENTITY:
            self._end(FIXED.get(command) or IDENTITY[command])
        elif found := next((call for start, call in self._calls() if command.startswith(start)), None):
            found(text)
        elif command == "AT" or command.startswith(SETTINGS):
            self._end()
        else:
            self._say("ERROR")

    def _calls(self) -> tuple[tuple[str, Callable[[str], None]], ...]:
        return (
            ("AT+CMGS=", lambda _: self._write("\r\n> ")),
            ("AT+CMGL", self._list),
            ("AT+CMGR=", self._read),
            ("AT+CMGD=", self._delete),
            ("AT+CNMI=", self._tell),
            ("AT+CPMS=", self._choose_memory),
            ("AT+CPMS", lambda _: self._end(f"+CPMS: {', '.join([f'{len(self.stored)},{CAPACITY}'] * 3)}")),
            ("AT+CPINR", lambda _: self._end(f"+CPINR: SIM PIN,{self.tries},3")),
        )

    def _pin(self, text: str) -> None:
        given = re.search(r'="?(\d+)"?', text)
        if given is None:
            locked = "SIM PUK" if not self.tries else "READY" if self.unlocked else "SIM PIN"
            self._end(f"+CPIN: {locked}")
        elif given[1] == self.pin and self.tries:
            self.unlocked = True
            self._end()
        else:
            self.tries = max(0, self.tries - 1)
            self._say("+CME ERROR: 16")

    def _take(self, text: str) -> None:
        if self.trouble.refuse:
            self._say(self.trouble.refuse.popleft())
            return
        self._references = (self._references + 1) % 256
        submitted = taken_apart(text, self._references)
        self.sent.append(submitted)
        if self._on_sent:
            self._on_sent(submitted)
        if self.trouble.swallow:
            self.trouble.swallow -= 1
            return
        self._end(f"+CMGS: {self._references}")
        if self._reports and submitted.report:
            self.arrive(report_pdu(submitted, at=datetime.now(UTC)), report=True)

    def _choose_memory(self, text: str) -> None:
        """It has no other than SM."""
        if set(re.findall(r'"(\w+)"', text)) == {"SM"}:
            self._end(f"+CPMS: {', '.join([f'{len(self.stored)},{CAPACITY}'] * 3)}")
        else:
            self._say("+CMS ERROR: 302")

    def _list(self, text: str) -> None:
        for index, (state, pdu) in sorted(self.stored.items()):
            self._say(f"+CMGL: {index},{state},,{_octets(pdu)}")
            self._say(pdu, before="")
            self.stored[index] = (1, pdu)
        self._end()

    def _read(self, text: str) -> None:
        stored = self.stored.get(int(text[8:]))
        if stored is None:
            self._say("+CMS ERROR: 321")
            return
        self._say(f"+CMGR: {stored[0]},,{_octets(stored[1])}")
        self._say(stored[1], before="")
        self.stored[int(text[8:])] = (1, stored[1])
        self._end()

    def _delete(self, text: str) -> None:
        self.stored.pop(int(text[8:].split(",")[0]), None)
        self._end()
        self._let_in()

    def _tell(self, text: str) -> None:
        values = [int(value) for value in re.findall(r"\d+", text)]
        self._telling = ((values + [0] * 5)[1], (values + [0] * 5)[3])
        self._end()

    def _end(self, line: str = "") -> None:
        if line:
            self._say(line)
        self._say("OK")

    def _say(self, line: str, before: str = "\r\n") -> None:
        if self._random.random() < self.trouble.noise:
            self._write(f"\r\n{self._random.choice(NOISE)}\r\n")
        self._write(f"{before}{line}\r\n")

    def _write(self, text: str) -> None:
        with self._lock:
            octets = text.encode("latin-1")
            while octets:
                octets = octets[os.write(self._master, octets) :]


def _octets(pdu: str) -> int:
    return len(pdu) // 2 - 1 - int(pdu[:2], 16)
