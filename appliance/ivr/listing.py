"""Lists of what is said, as one variable of a call: rows of parts, each of a kind and a value as in "{money:balance_fen}". Pure.

An action that finds several things (doctors, times, movements) gives them so; "{list:x}" says them one after another, "{choices:x}" with
the key that takes each. How many there are is nobody's business but the action's, so a menu of them has no gaps.
"""

from collections.abc import Iterable

Part = tuple[str, str | int]
ROW, PART, KIND = "\n", "\t", ":"
CHOICES_MOST = 9


def row(*parts: Part) -> str:
    """One row; parts without a value are left out."""
    return PART.join(f"{kind}{KIND}{' '.join(str(value).split())}" for kind, value in parts if value != "")


def rows(lines: Iterable[str]) -> str:
    return ROW.join(line for line in lines if line)


def parts_of(value: str) -> list[list[tuple[str, str]]]:
    """Row by row. Raises: ValueError for a part without a kind."""
    return [[_part(part) for part in line.split(PART)] for line in value.split(ROW) if line]


def _part(written: str) -> tuple[str, str]:
    kind, colon, value = written.partition(KIND)
    if not colon:
        raise ValueError(f"{written!r} has no kind")
    return kind, value
