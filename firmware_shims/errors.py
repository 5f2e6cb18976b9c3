"""Faults of cards and their firmware. Codes: CRD-001..009 files, CRD-010..019 talking to a card, CRD-020..029 what a card lacks."""

from drivers.errors import CarelineError
from drivers.protocol import CardFault

FILE_MISSING = "CRD-001"
FILE_DAMAGED = "CRD-002"
NAME_UNKNOWN = "CRD-003"
FILE_CHANGED = "CRD-004"
FILE_UNWRITABLE = "CRD-005"
FILE_UNREADABLE = "CRD-006"

NOT_OPENED = "CRD-010"
TRANSFER = "CRD-011"
NOT_BACK = "CRD-012"
BAD_ANSWER = "CRD-013"
REFUSED = "CRD-014"
BUSY = "CRD-015"
NOT_THERE = "CRD-016"
LOADING_FAILED = "CRD-017"

NOT_IN_DEBIAN = "CRD-020"
DRIVER_MISSING = "CRD-021"
DRIVER_NOT_BOUND = "CRD-022"
NO_SPANS = "CRD-023"
OTHER_DRIVER = "CRD-024"
OPTION_MISSING = "CRD-025"
NO_NUMBERS = "CRD-026"


class FirmwareError(CarelineError):
    """A file that cannot be used, or a card that does not do as its protocol says."""


def told(error: CarelineError, blocking: bool = True) -> CardFault:
    """An error as what crosses to other programs."""
    return CardFault(code=error.code, what=error.what, remedy=error.remedy, blocking=blocking)


def damaged(name: str, why: str, line: int = 0) -> FirmwareError:
    """`line`: the line of a HEX file, from 1; 0 for the file as a whole."""
    where = f"{name}, line {line}" if line else name
    remedy = "Copy the file anew from the card's maker, byte for byte; nothing of it was sent to a card"
    return FirmwareError(FILE_DAMAGED, f"{where}: {why}", remedy)
