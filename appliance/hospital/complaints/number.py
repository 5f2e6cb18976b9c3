"""The number of a case as callers hear and key it: eight digits, the last of which proves the others. Pure.

It follows from the key under which the complaint is filed, so that filing again gives the same; it tells nothing of how many there are.
"""

import hashlib

DIGITS = 8
_SPACE = 10 ** (DIGITS - 1)


def number_of(once_key: str, attempt: int = 0) -> str:
    """A number for what is filed under that key; another one for every attempt, where the first is somebody else's."""
    digest = hashlib.sha256(f"{attempt} {once_key}".encode()).digest()
    body = f"{int.from_bytes(digest[:8], 'big') % _SPACE:0{DIGITS - 1}d}"
    return body + _check_digit(body)


def is_number(keyed: str) -> bool:
    """Whether this can be the number of a case: one wrong digit is always noticed, and most pairs keyed the wrong way round."""
    return len(keyed) == DIGITS and keyed.isascii() and keyed.isdigit() and _check_digit(keyed[:-1]) == keyed[-1]


def _check_digit(body: str) -> str:
    """Source: ISO/IEC 7812-1 annex B (Luhn)."""
    doubled = (int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(body)))
    return str(-sum(value - 9 * (value > 9) for value in doubled) % 10)
