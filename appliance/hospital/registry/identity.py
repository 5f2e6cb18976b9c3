"""Numbers of identity documents. Pure. Source of the check digit and of what the digits mean: GB 11643-1999 (ISO 7064, MOD 11-2)."""

import re
from datetime import date

_CARD = re.compile(r"[1-9]\d{16}[0-9X]")
_OLD_CARD = re.compile(r"[1-9]\d{14}")
_OTHER = re.compile(r"[A-Z0-9]{5,24}")
_CHECK = "10X98765432"


def fault_of(number: str) -> str | None:
    """Code of what is wrong with it (see field_fault.TEXTS); None when it may be one. Passports and old cards have no check digit."""
    if _CARD.fullmatch(number):
        if check_digit(number) != number[-1]:
            return "id_checksum"
        return None if birth_date(number) else "id_number"
    is_other = _OLD_CARD.fullmatch(number) or (_OTHER.fullmatch(number) and not number.isdigit())
    return None if is_other else "id_number"


def check_digit(number: str) -> str:
    """The eighteenth of an identity card's first seventeen digits."""
    return _CHECK[sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(number[:17])) % 11]


def birth_date(number: str) -> date | None:
    """As an identity card's number has it; None for other documents."""
    if not _CARD.fullmatch(number):
        return None
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None


def sex(number: str) -> str:
    """ "m", "f", or "" where the number does not say."""
    return "" if not _CARD.fullmatch(number) else "fm"[int(number[16]) % 2]


def keyed(number: str) -> str:
    """As it is keyed on a telephone: star for the X at the end."""
    return number.replace("X", "*")
