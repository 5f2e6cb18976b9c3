"""Caller id as messages of FSK and as keys of DTMF: read into a `Caller`, written from one. Pure; nothing read ever raises.

Sources: Telcordia GR-30-CORE and GR-31 (SDMF, MDMF), ETSI EN 300 659-3 (parameters, the same numbers where both have them) and
EN 300 659-1 (DTMF); China's exchanges follow the first for FSK, and begin DTMF with A or D, or with the number at once.
"""

from collections.abc import Iterator
from datetime import datetime

from drivers.protocol import Caller, NumberSource, Presentation

SDMF, MDMF = 0x04, 0x80
DATE_TIME, NUMBER, NO_NUMBER, NAME, NO_NAME = 0x01, 0x02, 0x04, 0x07, 0x08
MAX_NUMBER = 20  # EN 300 659-3
MAX_NAME_BYTES = 50
DTMF_PAUSE_MS = 700  # after the last key of a number without an end code; keys come every 100 to 200 ms

_SDMF_DATE_BYTES = 8
_NUMBER_CHARACTERS = frozenset("0123456789*#+")
_REASONS = {"P": Presentation.RESTRICTED, "O": Presentation.UNAVAILABLE}
_ABSENCE = {Presentation.RESTRICTED: b"P", Presentation.UNAVAILABLE: b"O"}
_DTMF_START, _DTMF_END = "ABD", "C#"
_DTMF_REASONS = {"10": Presentation.RESTRICTED, "1": Presentation.RESTRICTED}  # Denmark's "D1#". Others: unavailable


def unreadable(source: NumberSource) -> Caller:
    """The caller of a message that came and cannot be read."""
    return Caller(source=source)


# --- FSK ---------------------------------------------------------------------------------------------------------


def from_message(message: bytes) -> Caller | None:
    """The caller of a message: type, length, content, check sum already checked and gone. None: a message about something else."""
    if len(message) < 2 or message[0] not in (SDMF, MDMF):
        return None
    content = message[2 : 2 + message[1]]
    return _of_single(content) if message[0] == SDMF else _of_multiple(content)


def _of_single(content: bytes) -> Caller:
    return _caller(_number(content[_SDMF_DATE_BYTES:]), _reason(content[_SDMF_DATE_BYTES:]), "")


def _of_multiple(content: bytes) -> Caller:
    parameters = tuple(_parameters(content))
    if sum(2 + len(value) for _, value in parameters) != len(content):
        return unreadable(NumberSource.FSK)  # the check sum is of 8 bits only: noise can pass it, but hardly this
    found = dict(parameters)
    number = _number(found.get(NUMBER, b""))
    reason = _reason(found.get(NO_NUMBER, found.get(NUMBER, b"")))
    return _caller(number, reason, _name(found.get(NAME, b"")))


def _parameters(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Whole parameters, up to the first that is cut off."""
    at = 0
    while at + 2 <= len(content) and at + 2 + content[at + 1] <= len(content):
        yield content[at], content[at + 2 : at + 2 + content[at + 1]]
        at += 2 + content[at + 1]


def _caller(number: str, reason: Presentation, name: str) -> Caller:
    return Caller(number, Presentation.ALLOWED if number else reason, NumberSource.FSK, name)


def _number(content: bytes) -> str:
    text = content.decode("ascii", "replace").replace(" ", "").replace("-", "")
    return text if set(text) <= _NUMBER_CHARACTERS else ""


def _reason(content: bytes) -> Presentation:
    return _REASONS.get(content[:1].decode("ascii", "replace"), Presentation.UNAVAILABLE)


def _name(content: bytes) -> str:
    """ASCII, or GBK as China's exchanges send it."""
    text = content.decode("gbk", "replace")
    return "".join(letter for letter in text if letter.isprintable() and letter != "\ufffd").strip()


def to_message(caller: Caller, at: datetime | None = None) -> bytes:
    """MDMF without its check sum; `at` in local time. A number that may not be shown is left out."""
    content = _parameter(DATE_TIME, at.strftime("%m%d%H%M").encode()) if at else b""
    if caller.ani:
        content += _parameter(NUMBER, caller.ani.encode("ascii", "ignore")[:MAX_NUMBER])
    else:
        content += _parameter(NO_NUMBER, _ABSENCE.get(caller.presentation, b"O"))
    if caller.name and caller.presentation is not Presentation.RESTRICTED:
        content += _parameter(NAME, _gbk(caller.name))
    elif caller.presentation is Presentation.RESTRICTED:
        content += _parameter(NO_NAME, b"P")
    return bytes((MDMF, len(content))) + content


def _parameter(kind: int, content: bytes) -> bytes:
    return bytes((kind, len(content))) + content


def _gbk(name: str) -> bytes:
    """As many whole letters as fit."""
    letters = [letter.encode("gbk", "replace") for letter in name]
    while sum(map(len, letters)) > MAX_NAME_BYTES:
        letters.pop()
    return b"".join(letters)


# --- DTMF --------------------------------------------------------------------------------------------------------


def dtmf_is_complete(keys: str) -> bool:
    """True at an end code; without one a pause of DTMF_PAUSE_MS ends the number."""
    return len(keys) > 1 and keys[-1] in _DTMF_END


def from_dtmf(keys: str) -> Caller:
    """The caller of keys in any of these forms: `A` number `D` number it was diverted from `B` reason `C`; `A` or `D` number `C` or `#`;
    `D` reason `#` (Denmark); `*` or `#` on both sides; the number alone.
    """
    fields = _dtmf_fields(keys.strip("*#") if keys[:1] in ("*", "#") else keys.rstrip(_DTMF_END))
    number = fields.get("A") or fields.get("")
    reason = fields.get("B")
    if "D" in fields and "A" not in fields and "B" not in fields:
        if fields["D"] in ("00", "10") or (keys.endswith("#") and len(fields["D"]) == 1):
            reason = fields["D"]
        else:
            number = fields["D"]
    presentation = Presentation.ALLOWED if number else _DTMF_REASONS.get(reason or "", Presentation.UNAVAILABLE)
    return Caller(number or "", presentation, NumberSource.DTMF)


def _dtmf_fields(keys: str) -> dict[str, str]:
    """Digits by the letter before them; by "" those without a letter. The first of each letter counts."""
    fields: dict[str, str] = {}
    letter = ""
    for key in keys:
        if key in _DTMF_START:
            letter = key
            fields.setdefault(letter, "")
        elif key.isdecimal():
            fields[letter] = (fields.get(letter, "") + key)[:MAX_NUMBER]
    return fields


def to_dtmf(caller: Caller) -> str:
    """The keys, in the form that ends with C. Source: EN 300 659-1."""
    if caller.ani:
        return "A" + "".join(key for key in caller.ani if key.isdecimal())[:MAX_NUMBER] + "C"
    return "B10C" if caller.presentation is Presentation.RESTRICTED else "B00C"
