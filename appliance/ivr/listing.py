"""Lists of what is said, as one variable of a call: rows of parts, each of a kind and a value as in "{money:balance_fen}". Pure.

An action that finds several things (doctors, times, movements) gives them so; "{list:x}" says them one after another, "{choices:x}" with
the key that takes each. How many there are is nobody's business but the action's, so a menu of them has no gaps. What is more than nine
goes on by key 8, page after page.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Part = tuple[str, str | int]
ROW, PART, KIND = "\n", "\t", ":"
CHOICES_MOST = 9
PAGE_MOST = 7
"""On a page that another follows."""
MORE, NOTHING = "more", "-"
MORE_PROMPT = "more_press_eight"


def row(*parts: Part) -> str:
    """One row; parts without a value are left out."""
    return PART.join(f"{kind}{KIND}{' '.join(str(value).split())}" for kind, value in parts if value != "")


def rows(lines: Iterable[str]) -> str:
    return ROW.join(line for line in lines if line)


@dataclass(frozen=True)
class Page:
    """Some of a list. `among`: its values by key, with MORE where the list goes on; `choices`: its rows; `more`: a row that says so."""

    among: str
    choices: str
    more: str


def page(entries: Sequence[tuple[str, str]], number: int) -> Page:
    """Page `number` (from 0) of values and their rows; all on one where they fit."""
    if len(entries) <= CHOICES_MOST:
        return part_of(entries, goes_on=False)
    first = number * PAGE_MOST
    return part_of(entries[first : first + PAGE_MOST], goes_on=len(entries) > first + PAGE_MOST)


def part_of(entries: Sequence[tuple[str, str]], *, goes_on: bool) -> Page:
    """These, and whether there are others: at most PAGE_MOST then."""
    among = [value for value, _ in entries]
    if goes_on:
        among += [NOTHING] * (PAGE_MOST - len(entries)) + [MORE]
    return Page(" ".join(among), rows(said for _, said in entries), row(("prompt", MORE_PROMPT)) if goes_on else "")


def parts_of(value: str) -> list[list[tuple[str, str]]]:
    """Row by row. Raises: ValueError for a part without a kind."""
    return [[_part(part) for part in line.split(PART)] for line in value.split(ROW) if line]


def _part(written: str) -> tuple[str, str]:
    kind, colon, value = written.partition(KIND)
    if not colon:
        raise ValueError(f"{written!r} has no kind")
    return kind, value
