"""What a modem's refusal means for the message it was to send. Pure.

Source: 3GPP TS 27.005, 3.2.5 (+CMS ERROR), TS 24.011 annex E-2 (causes 1 to 127), TS 23.040, 9.2.3.22 (128 to 255), TS 27.007, 9.2 (+CME).
"""

import re
from enum import Enum

import msgspec


class Verdict(Enum):
    """RETRY: later, so many times. NEVER: not this message to this number. HOLD: the modem or its SIM is not ready, no message would go.
    UNCLEAR: it may have gone."""

    RETRY = "retry"
    NEVER = "never"
    HOLD = "hold"
    UNCLEAR = "unclear"


class Refusal(msgspec.Struct, frozen=True):
    """`kind`: CMS, CME or empty for a bare ERROR (`code` -1)."""

    kind: str
    code: int

    def __str__(self) -> str:
        return f"+{self.kind} ERROR: {self.code}" if self.kind else "ERROR"

    @property
    def verdict(self) -> Verdict:
        return _CMS.get(self.code, Verdict.RETRY) if self.kind == "CMS" else _CME.get(self.code, Verdict.RETRY)


_FINAL = re.compile(r"\+(CM[SE]) ERROR: *(\d+)$")
_NEVER = (1, 8, 10, 21, 28, 29, 30, 50, 69, 81, 95, 96, 97, 98, 99, 111, 127, 302, 303, 304, 305)
_HOLD = (310, 311, 312, 313, 314, 315, 316, 317, 318, 320, 322, 330, 331)
_CMS = dict.fromkeys(_NEVER, Verdict.NEVER) | dict.fromkeys(_HOLD, Verdict.HOLD) | {332: Verdict.UNCLEAR}
_CME = dict.fromkeys((10, 11, 12, 13, 14, 15, 17, 18, 30, 31), Verdict.HOLD)


def refusal_in(line: str) -> Refusal | None:
    """The refusal that this last line of an answer is."""
    if line == "ERROR":
        return Refusal("", -1)
    found = _FINAL.match(line)
    return Refusal(found[1], int(found[2])) if found else None
