"""What may come of a verb: expected outcomes are values, never exceptions."""

import re
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
    """`keys` without the end key, which is `ended_by`."""

    keys: str
    keyed: Keyed
    ended_by: str = ""

    def __len__(self) -> int:
        return len(self.keys)

    def fits(self, pattern: str) -> bool:
        """Whether all of them match this regular expression."""
        return re.fullmatch(pattern, self.keys) is not None


class Taken(StrEnum):
    """What became of a message. limit: the time was used up, and it is kept."""

    SAVED = "saved"
    LIMIT = "limit"
    TOO_SHORT = "too_short"
    EMPTY = "empty"
    FAILED = "failed"


class Transferred(StrEnum):
    """What a transfer came to, however it is done.

    answered: the two were joined until the other party left or the talk limit was reached. no_channel: nothing free to reach it by.
    unknown_destination: no such group, channel or number. abandoned: the caller was gone first; no script sees that.
    """

    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    NO_CHANNEL = "no_channel"
    UNKNOWN_DESTINATION = "unknown_destination"
    FAILED = "failed"
    ABANDONED = "abandoned"


class BridgeEnd(StrEnum):
    """Why two parties were parted, when the caller did not hang up."""

    PARTY_LEFT = "party_left"
    LIMIT = "limit"
    FAILED = "failed"
