"""What a modem is asked: that it is ready, what it has received, that it sends. One thread uses it; every question has a limit.

Source: 3GPP TS 27.005 (SMS), TS 27.007 (the rest).
"""

import re
from enum import Enum

import msgspec

from drivers.modem.errors import ModemError
from drivers.modem.faults import Refusal
from drivers.modem.lines import Line
from drivers.modem.link import Answer, Link
from drivers.modem.pdu import Submit

SEND_LIMIT_S = 60.0  # networks take up to 30 s (TS 24.011, 10.1: timers of the relay layer), modems add theirs
LIST_LINE_LIMIT_S = 20.0
PIN_LIMIT_S = 20.0
OPERATOR_LIMIT_S = 10.0
WAKE_TRIES = 3
TELLING = ("2,1,0,2,0", "2,1,0,1,0", "1,1,0,1,0", "2,1,0,0,0")
"""AT+CNMI, the best first: reports kept in the memory, reports told at once (those told while nobody listens are lost), no reports."""
SETTINGS_TRIED = ("AT+CMEE=1", "AT+CREG=0", "AT+CSMS=0", "AT+CLIP=0", "AT+CMMS=1")
_WORDS = re.compile(r"(?![+^*$%]|RING|OK|RDY|SMS|Call|NO |BUSY).+")
_LISTED = re.compile(r"\+CMGL: *(\d+), *(\d+)")
_TOLD_AT = re.compile(r"\+C(?:MT|DS)I: *\"(\w+)\", *(\d+)")
ALL_MESSAGES = 4
REPORTS = "SR"  # the memory of status reports
RECEIVED = (0, 1)  # unread, read; 2 and 3 are what somebody stored to be sent


class Sim(Enum):
    READY = "READY"
    PIN = "SIM PIN"
    PUK = "SIM PUK"
    OTHER = "other"


class Stored(msgspec.Struct, frozen=True):
    """What lies in the modem's memory. `memory` empty: the one it listed."""

    index: int
    pdu: str
    memory: str = ""


class Place(msgspec.Struct, frozen=True):
    """Where the modem says that something new lies."""

    memory: str
    index: int


class Sent(msgspec.Struct, frozen=True):
    """`reference`: what the status report will carry; None: the modem did not say."""

    reference: int | None


class Condition(msgspec.Struct, frozen=True):
    """How it stands. `signal_dbm` None: unknown. `registered`: home or roaming."""

    name: str = ""
    sim: str = ""
    registered: bool = False
    operator: str = ""
    signal_dbm: int | None = None


class Modem:
    """Raises: ModemError when it does not answer or the line breaks."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._memory = ""
        self._elsewhere = False
        self._also: tuple[str, ...] = ()
        self.name = ""

    def wake(self) -> None:
        """Any state it was left in: in the middle of a message, or half a command. Raises: ModemError SMS-003."""
        for tries_left in reversed(range(WAKE_TRIES)):
            try:
                self._link.cancel()
                if self._link.ask("AT", limit_s=2.0).refusal is None:
                    break
            except ModemError as error:
                if error.code != "SMS-003" or not tries_left:
                    raise
        self._must("ATE0")
        for setting in SETTINGS_TRIED:
            self._link.ask(setting)
        self.name = " ".join(self._word(command) for command in ("AT+CGMI", "AT+CGMM")).strip()

    def sim(self) -> Sim:
        """Raises: ModemError SMS-005 for no SIM."""
        answer = self._link.ask("AT+CPIN?", re.compile(r"\+CPIN: "), limit_s=PIN_LIMIT_S)
        if answer.refusal is not None:
            raise ModemError("SMS-005", f"the modem has no SIM that works ({answer.refusal})", "Put one in, then plug the modem anew")
        state = answer.lines[0].text.removeprefix("+CPIN:").strip() if answer.lines else ""
        return next((sim for sim in Sim if sim.value == state), Sim.OTHER)

    def pin_tries_left(self) -> int | None:
        """None: the modem cannot say."""
        for command, own in (('AT+CPINR="SIM PIN"', r'\+CPINR: *"?SIM PIN"?, *(\d+)'), ("AT^CPIN?", r"\^CPIN: *SIM PIN,\d*,\d*,\d*,(\d+)")):
            answer = self._link.ask(command, re.compile(own))
            if answer.lines and (found := re.match(own, answer.lines[0].text)):
                return int(found[1])
        return None

    def card_number(self) -> str:
        """Of the SIM (ICCID); empty where the modem does not tell it."""
        answer = self._link.ask("AT+CCID", re.compile(r"(?:\+CCID: *)?\"?(\d{18,20})"))
        return "".join(letter for letter in answer.lines[0].text if letter.isdigit()) if answer.lines else ""

    def enter_pin(self, pin: str) -> bool:
        """Costs a try. Raises: ValueError for what is no PIN."""
        if not (pin.isascii() and pin.isdigit() and 4 <= len(pin) <= 8):
            raise ValueError("a PIN has 4 to 8 digits")
        return self._link.ask(f'AT+CPIN="{pin}"', limit_s=PIN_LIMIT_S).refusal is None

    def set_up(self, memory: str) -> str:
        """PDU mode, the memory messages arrive in (and that of reports, where the modem has one), and that it tells of them; which of
        TELLING it took.

        Raises: ModemError SMS-004.
        """
        self._must("AT+CMGF=0")
        self._memory = memory
        self._must(f'AT+CPMS="{memory}","{memory}","{memory}"', re.compile(r"\+CPMS: "))
        self._also = (REPORTS,) if self._link.ask(f'AT+CPMS="{REPORTS}"', re.compile(r"\+CPMS: ")).refusal is None else ()
        self._elsewhere = bool(self._also)
        self._use("")
        taken = next((telling for telling in TELLING if self._link.ask(f"AT+CNMI={telling}").refusal is None), None)
        if taken is None:
            raise ModemError("SMS-004", f"the modem {self.name} does not tell of messages (AT+CNMI)", "Use another modem")
        return taken

    def condition(self, sim: Sim) -> Condition:
        """Never raises for what the modem does not know."""
        found = self._field("AT+CREG?", r"\+CREG: *\d, *(\d)") or self._field("AT+CEREG?", r"\+CEREG: *\d, *(\d)")
        operator = self._field("AT+COPS?", r'\+COPS: *\d, *\d, *"([^"]*)"')
        strength = self._field("AT+CSQ", r"\+CSQ: *(\d+)")
        dbm = 2 * int(strength) - 113 if strength and int(strength) <= 31 else None
        return Condition(self.name, sim.value, found in ("1", "5"), operator, dbm)

    def send(self, submit: Submit) -> Sent | Refusal:
        """Raises: ModemError; with its `sent` set, nobody knows whether the message is on its way."""
        answer = self._link.ask(f"AT+CMGS={submit.octets}", re.compile(r"\+CMGS: *(\d+)"), limit_s=SEND_LIMIT_S, pdu=submit.hex)
        if answer.refusal is not None:
            return answer.refusal
        found = re.match(r"\+CMGS: *(\d+)", answer.lines[-1].text) if answer.lines else None
        return Sent(int(found[1]) & 0xFF if found else None)

    def received(self) -> list[Stored]:
        """All that lies in its memories, whether the modem told of it or not."""
        found: list[Stored] = []
        try:
            for memory in ("", *self._also):
                self._use(memory)
                own = re.compile(r"\+CMGL: *\d")
                answer = self._link.ask(f"AT+CMGL={ALL_MESSAGES}", own, with_pdu=True, limit_s=LIST_LINE_LIMIT_S)
                found += [stored for line in answer.lines if (stored := _listed(line, memory))]
        finally:
            self._use("")
        return found

    def read(self, place: Place) -> Stored | None:
        """What the modem told of; None: it is not there (any more)."""
        self._use(place.memory)
        try:
            answer = self._link.ask(f"AT+CMGR={place.index}", re.compile(r"\+CMGR: *\d"), with_pdu=True)
        finally:
            self._use("")
        return Stored(place.index, answer.lines[0].pdu, place.memory) if answer.lines else None

    def remove(self, stored: Stored) -> bool:
        """From the modem's memory."""
        self._use(stored.memory)
        try:
            return self._link.ask(f"AT+CMGD={stored.index}").refusal is None
        finally:
            self._use("")

    def _use(self, memory: str) -> None:
        """Messages are read from another memory for a moment: reports are kept in one of their own by some modems."""
        if memory not in ("", self._memory):
            self._link.ask(f'AT+CPMS="{memory}"', re.compile(r"\+CPMS: "))
            self._elsewhere = True
        elif self._elsewhere:
            self._link.ask(f'AT+CPMS="{self._memory}"', re.compile(r"\+CPMS: "))
            self._elsewhere = False

    def _field(self, command: str, own: str) -> str:
        answer = self._link.ask(command, re.compile(own), limit_s=OPERATOR_LIMIT_S)
        found = re.match(own, answer.lines[0].text) if answer.lines else None
        return found[1] if found else ""

    def _word(self, command: str) -> str:
        answer = self._link.ask(command, _WORDS)
        return answer.lines[0].text[:40] if answer.lines else ""

    def _must(self, command: str, own: re.Pattern[str] | None = None) -> Answer:
        answer = self._link.ask(command, own)
        if answer.refusal is not None:
            raise ModemError("SMS-004", f"the modem {self.name} refuses {command} ({answer.refusal})", "Use another modem or [sms] memory")
        return answer


def place_told(line: Line) -> Place | None:
    """Where something new lies, if that is what the line tells."""
    found = _TOLD_AT.match(line.text)
    return Place(found[1], int(found[2])) if found else None


def _listed(line: Line, memory: str) -> Stored | None:
    """None: something that somebody stored to be sent."""
    found = _LISTED.match(line.text)
    return Stored(int(found[1]), line.pdu, memory) if found and int(found[2]) in RECEIVED else None
