"""What a person may undo and do again in a flow's draft, as long as the web process runs. Used by every request thread."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

DRAFTS_MOST, STEPS_MOST, LETTERS_MOST = 50, 100, 2_000_000

Whose = tuple[str, str, int]
"""A session, and the flow and version of its draft."""


@dataclass
class _Steps:
    """`at`: how often the draft was saved when these steps were true; whoever saves it another way ends them."""

    at: int
    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    last: str = ""


class StepsTaken:
    """Texts of drafts as they were before each change, and after each that was undone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._steps: OrderedDict[Whose, _Steps] = OrderedDict()

    def took(self, whose: Whose, saved: int, text: str, what: str) -> None:
        """A step from `text`, saved that often, to the next saving. Steps of the same `what`, one after the other, are undone together;
        an empty one stands alone."""
        with self._lock:
            steps = self._of(whose, saved)
            if not (what and what == steps.last and steps.before):
                steps.before.append(text)
            steps.after.clear()
            steps.at, steps.last = saved + 1, what
            self._forget(steps)

    def undone(self, whose: Whose, saved: int, text: str) -> str | None:
        """The text before the last step, which is then the draft's again; None when there is no step to undo."""
        with self._lock:
            steps = self._of(whose, saved)
            return self._exchanged(steps, steps.before, steps.after, text)

    def redone(self, whose: Whose, saved: int, text: str) -> str | None:
        """The text that was undone last."""
        with self._lock:
            steps = self._of(whose, saved)
            return self._exchanged(steps, steps.after, steps.before, text)

    def counts(self, whose: Whose, saved: int) -> tuple[int, int]:
        """How many steps can be undone, and how many done again."""
        with self._lock:
            steps = self._of(whose, saved)
            return len(steps.before), len(steps.after)

    def _exchanged(self, steps: _Steps, taken: list[str], kept: list[str], text: str) -> str | None:
        if not taken:
            return None
        kept.append(text)
        steps.at, steps.last = steps.at + 1, ""
        return taken.pop()

    def _of(self, whose: Whose, saved: int) -> _Steps:
        steps = self._steps.pop(whose, None)
        if steps is None or steps.at != saved:
            steps = _Steps(saved)
        self._steps[whose] = steps
        while len(self._steps) > DRAFTS_MOST:
            self._steps.popitem(last=False)
        return steps

    def _forget(self, steps: _Steps) -> None:
        while len(steps.before) > STEPS_MOST or sum(map(len, steps.before)) > LETTERS_MOST:
            steps.before.pop(0)
