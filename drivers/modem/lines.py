"""What a modem says, cut into lines and sorted: answer to the command that runs, its end, or something nobody asked for. Pure.

A modem may say unasked things between any two lines of an answer. A line belongs to the answer only when it looks like one of this
command; a PDU belongs to the head line before it whose length it has, and the last head goes first. Source: 3GPP TS 27.005, 3.4, 4.1.
"""

import re
from enum import Enum

import msgspec

from drivers.modem.faults import refusal_in

LINE_MOST = 2048  # a PDU has at most 400 letters; more without an end is noise
PROMPT = ">"
_NOISE = bytes((*range(0x0A), *range(0x0B, 0x0D), *range(0x0E, 0x20), *range(0x7F, 0xA0)))
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2}){2,}$")
_TOLD_WITH_PDU = re.compile(r"\+(?:CMT|CDS|CBM): ?(?:.*,)? *\d+$")
_LENGTH = re.compile(r"(\d+)$")


class Cutter:
    """Lines without their ends; the prompt of AT+CMGS, which has none, is a line of its own."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, octets: bytes) -> list[str]:
        *whole, self._rest = re.split(rb"[\r\n]", self._rest + octets.translate(None, _NOISE))
        if self._rest.strip() == PROMPT.encode():
            whole.append(self._rest)
            self._rest = b""
        if len(self._rest) > LINE_MOST:
            self._rest = b""
        lines = (line.decode("latin-1").strip() for line in whole)
        return [line for line in lines if line]


class Kind(Enum):
    ANSWER = "answer"
    FINAL = "final"
    UNASKED = "unasked"


class Line(msgspec.Struct, frozen=True):
    """`pdu`: the line behind it, where it is the head of one."""

    kind: Kind
    text: str
    pdu: str = ""


class Expected(msgspec.Struct, frozen=True):
    """How the answer to a command looks. `own`: begins each of its lines; None: it has none. `with_pdu`: each is followed by a PDU."""

    command: str
    own: re.Pattern[str] | None = None
    with_pdu: bool = False
    prompt: bool = False


class _Head(msgspec.Struct, frozen=True):
    kind: Kind
    text: str
    octets: int


class Sorter:
    """Told what is expected, then line after line."""

    def __init__(self) -> None:
        self._expected: Expected | None = None
        self._heads: list[_Head] = []

    def expect(self, expected: Expected | None) -> None:
        """None: no command runs."""
        self._expected = expected
        self._forget_answer()

    def sort(self, line: str) -> Line | None:
        """None: nothing whole yet, or an echo."""
        if self._heads and _HEX.match(line) and (head := self._head_of(line)):
            return Line(head.kind, head.text, line)
        expected = self._expected
        if expected is not None:
            if line == expected.command:
                return None
            if self._is_final(line, expected):
                self._forget_answer()
                return Line(Kind.FINAL, line)
            if expected.own is not None and expected.own.match(line):
                return self._begin(Kind.ANSWER, line, expected.with_pdu)
        return self._begin(Kind.UNASKED, line, bool(_TOLD_WITH_PDU.match(line)))

    @staticmethod
    def _is_final(line: str, expected: Expected) -> bool:
        return line == "OK" or refusal_in(line) is not None or (expected.prompt and line == PROMPT)

    def _begin(self, kind: Kind, line: str, with_pdu: bool) -> Line | None:
        length = _LENGTH.search(line)
        if not with_pdu or length is None:
            return Line(kind, line)
        self._heads.append(_Head(kind, line, int(length[1])))
        return None

    def _head_of(self, line: str) -> _Head | None:
        """A PDU has the octets its head tells, and before them the service centre's address with its length."""
        octets = len(line) // 2 - 1 - int(line[:2], 16)
        found = next((head for head in reversed(self._heads) if head.octets == octets), None)
        if found is not None:
            self._heads.remove(found)
        return found

    def _forget_answer(self) -> None:
        """Of unasked heads only the last few may still get their PDU."""
        self._heads = [head for head in self._heads if head.kind is Kind.UNASKED][-4:]
