"""What looking after lines is made of: tests of channels, errors of spans, what cards are found to be, and faults of the set-up."""

from datetime import datetime
from enum import StrEnum

import msgspec


class LineTestKind(StrEnum):
    """ring: rings a set until somebody picks up. dial_tone: seizes a line of an exchange and waits for its dial tone.

    learn_tones: calls a number on a line of an exchange, measures the tones of its switch, and keeps them. level: meters what comes in.
    tone: sends 1004 Hz and measures what a loop at the far end returns. echo: rings a set, who picks up hears the own voice. loopback:
    sends back what comes in. bert: the pattern of O.151 through a loop at the far end.
    """

    RING = "ring"
    DIAL_TONE = "dial_tone"
    LEARN_TONES = "learn_tones"
    LEVEL = "level"
    TONE = "tone"
    ECHO = "echo"
    LOOPBACK = "loopback"
    BERT = "bert"


# Which channels a test fits, by their signalling.
LINE_TESTS: dict[LineTestKind, tuple[str, ...]] = {
    LineTestKind.RING: ("fxoks", "fxols"),
    LineTestKind.DIAL_TONE: ("fxsks", "fxsls"),
    LineTestKind.LEARN_TONES: ("fxsks", "fxsls"),
    LineTestKind.LEVEL: ("fxsks", "fxsls", "bchan", "cas"),
    LineTestKind.TONE: ("fxsks", "fxsls", "bchan", "cas"),
    LineTestKind.ECHO: ("fxoks", "fxols"),
    LineTestKind.LOOPBACK: ("fxsks", "fxsls", "bchan", "cas"),
    LineTestKind.BERT: ("bchan", "cas"),
}

# Tests that call a number, which must be told with them.
CALLING_TESTS = frozenset({LineTestKind.LEARN_TONES})


class LineTestPhase(StrEnum):
    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    STOPPED = "stopped"


class Figure(msgspec.Struct, frozen=True):
    """Something measured: `name` is a stable key ("level", "after"), `unit` is dBm0, ms, Hz, s, bit or empty."""

    name: str
    value: float
    unit: str = ""


class LineTest(msgspec.Struct, frozen=True, kw_only=True):
    """A test of one channel, as it stands at `at`. `reason`: a stable key that says why it failed or was stopped."""

    test_id: str
    channel: int
    kind: LineTestKind
    phase: LineTestPhase
    began_at: datetime
    at: datetime
    figures: tuple[Figure, ...] = ()
    reason: str = ""


class SpanErrors(msgspec.Struct, frozen=True, kw_only=True):
    """What a span counted since `since`. Source: G.704 (frame, CRC-4 and E bit errors), dahdi/user.h."""

    since: datetime | None = None
    bipolar_violations: int = 0
    crc4_errors: int = 0
    e_bit_errors: int = 0
    frame_errors: int = 0
    irq_misses: int = 0


NO_CARD, NOT_SET_UP = "LIN-103", "LIN-188"
"""Codes of the faults of a box without any line: no card, or none of its ports set up."""


class LineFault(msgspec.Struct, frozen=True, kw_only=True):
    """Something of the lines' set-up that cannot be used as it is; the rest is in use."""

    code: str
    what: str
    remedy: str


class PortFound(msgspec.Struct, frozen=True, kw_only=True):
    """A port or timeslot of a card: what signalling it can have, in DAHDI's words, and which it has now (empty: none)."""

    number: int
    timeslot: int
    name: str
    can: tuple[str, ...] = ()
    now: str = ""


class SpanFound(msgspec.Struct, frozen=True, kw_only=True):
    """A span of a card as its driver finds it. `digital`: one plug with timeslots rather than a row of ports."""

    number: int
    name: str
    description: str
    digital: bool
    ports: tuple[PortFound, ...]
    alarms: tuple[str, ...] = ()


class FieldFound(msgspec.Struct, frozen=True, kw_only=True):
    """A key of the configuration: `kind` is choice, flag, number, list (of words) or text; `default` as text ("true", "5000")."""

    name: str
    kind: str
    default: str = ""
    choices: tuple[str, ...] = ()
