"""SMDI, the message desk interface between another switch and us: what is said of calls forwarded to us, and its message lamps. Pure.

Source: Bellcore TR-NWT-000283 as summed up by implementations; OP:MWI, RMV:MWI and the answer MWI with a cause.
"""

import re
from collections.abc import Iterator
from typing import Literal

import msgspec

END = b"\x04"  # ^D behind each of our commands
REST_MOST = 512
Reason = Literal["direct", "all", "busy", "no_answer", "unknown"]
REASONS: dict[str, Reason] = {"D": "direct", "A": "all", "B": "busy", "N": "no_answer", "U": "unknown"}
_CALL = re.compile(r"MD *(\d{3}) ?(\d{4}) ?([DABNU])(\d{0,15}) +(\d{0,15})")
_REFUSED = re.compile(r"MWI *(\d{1,15}) +([A-Z]{3})")
_STATION = re.compile(r"\d{1,15}")


class Forwarded(msgspec.Struct, frozen=True):
    """A call that reaches us at `terminal` of `desk`. `station`: it was meant for; empty where the switch does not say."""

    desk: int
    terminal: int
    reason: Reason
    station: str
    caller: str


class LampRefused(msgspec.Struct, frozen=True):
    """`cause`: INV, no such station; BLK, not now; or another of three letters."""

    station: str
    cause: str


class SmdiReader:
    """Bytes as they come, noise and all, into what was said. The eighth bit is not part of it."""

    def __init__(self) -> None:
        self._rest = ""

    def feed(self, octets: bytes) -> Iterator[Forwarded | LampRefused]:
        text = self._rest + bytes(octet & 0x7F for octet in octets).decode("ascii")
        *whole, rest = re.split(r"[\r\n\x19\x04]", text)
        self._rest = rest[-REST_MOST:]
        for line in whole:
            if found := _CALL.search(line):
                yield Forwarded(int(found[1]), int(found[2]), REASONS[found[3]], found[4], found[5])
            elif found := _REFUSED.search(line):
                yield LampRefused(found[1], found[2])


def is_station(text: str) -> bool:
    return text.isascii() and _STATION.fullmatch(text) is not None


def lamp(station: str, *, lit: bool) -> bytes:
    """The command for the lamp at `station` of the switch. Raises: ValueError for what is no station."""
    if not is_station(station):
        raise ValueError(f"{station!r} is no station")
    return f"{'OP' if lit else 'RMV'}:MWI {station}!".encode("ascii") + END
