"""Lines that a switch tells again once the link is back: a run of lines that were there before, in the same order. Pure.

One line that was there before is not enough to know: two calls may look the same. Nothing is thrown away for it; it is only marked.
"""

from collections import deque

KEPT = 2_000


class ReplayWatch:
    """`before`: the last lines of the source with the ids of their records, oldest first."""

    def __init__(self, before: list[tuple[int, str]] | None = None) -> None:
        self._before: deque[tuple[int, str]] = deque(before or (), KEPT)
        self._told: list[tuple[int, str]] = []
        self._at: int | None = None
        self._fresh = False

    def connected(self) -> None:
        """The next lines may be told for the second time."""
        self._told = list(self._before)
        self._at = None
        self._fresh = True

    def double_of(self, line: str) -> int | None:
        """The record that this line is told again of, before `keep` is told of it; None: a line that was not there."""
        if not self._fresh or not line.strip():
            return None
        place = self._place_of(line)
        if place is None:
            self._fresh = False
            return None
        self._at = place + 1
        return self._told[place][0]

    def keep(self, record: int, line: str) -> None:
        """A line that is new."""
        if line.strip():
            self._before.append((record, line))

    def _place_of(self, line: str) -> int | None:
        if self._at is None:
            return next((place for place in reversed(range(len(self._told))) if self._told[place][1] == line), None)
        return self._at if self._at < len(self._told) and self._told[self._at][1] == line else None
