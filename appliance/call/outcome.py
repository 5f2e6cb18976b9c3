"""What may come of a verb: expected outcomes are values, never exceptions."""

from enum import StrEnum

import msgspec


class Said(StrEnum):
    """How saying something ended. barged: a key stopped it, and still waits to be asked for."""

    FINISHED = "finished"
    BARGED = "barged"
    FAILED = "failed"


class Keyed(StrEnum):
    """Why asking for digits ended. enough: all there; ended: the end key; silent: time ran out."""

    ENOUGH = "enough"
    ENDED = "ended"
    SILENT = "silent"


class Digits(msgspec.Struct, frozen=True):
    """`keys` without the end key."""

    keys: str
    keyed: Keyed


class Taken(StrEnum):
    """What became of a message. limit: the time was used up, and it is kept."""

    SAVED = "saved"
    LIMIT = "limit"
    TOO_SHORT = "too_short"
    EMPTY = "empty"
    FAILED = "failed"


class Rung(StrEnum):
    """What ringing an extension came to."""

    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    FAILED = "failed"


class BridgeEnd(StrEnum):
    """Why two parties were parted, when the caller did not hang up."""

    OPERATOR_LEFT = "operator_left"
    LIMIT = "limit"
    FAILED = "failed"
