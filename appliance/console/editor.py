"""The line editor: keys in, what to draw and at last a line out. Pure: it neither reads nor writes.

An own one: of the libraries, prompt_toolkit asks the terminal where its cursor is (a serial line that answers late or with noise upsets
it), needs an event loop and 15 MB, and readline wants the process's own tty and C locale. A line is drawn with CR, "erase to the end" and
"cursor right" alone, which every VT100 and better knows.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum

from appliance.console.keys import Key
from appliance.console.width import columns_of

LINE_MOST = 1000
BELL = "\a"
ERASE = "\x1b[K"

Complete = Callable[[str], tuple[int, Sequence[str]]]
"""Of the text before the cursor: where the word to complete begins, and what it may become."""


class End(StrEnum):
    """How a line ended."""

    LINE = "line"
    TOO_LONG = "too_long"
    CANCELLED = "cancelled"
    END_OF_INPUT = "end_of_input"


class LineEditor:
    """One line. `secret`: nothing of it is shown."""

    def __init__(self, prompt: str, columns: int, *, history: Sequence[str] = (), complete: Complete | None = None, secret: bool = False):
        self._prompt, self._columns, self._secret = prompt, columns, secret
        self._history = [*history, ""]
        self._at = len(history)
        self._complete = complete
        self._tabbed = False
        self._too_long = False
        self._cursor = 0
        self.text = ""

    def begin(self) -> str:
        """What shows the prompt and the text."""
        return self._drawn()

    def feed(self, key: str) -> tuple[str, End | None]:
        """What to write, and how the line ended if it did."""
        tabbed, self._tabbed = self._tabbed, key == Key.TAB
        if key == Key.TAB:
            return self._completed(again=tabbed), None
        if (ended := self._ended(key)) is not None:
            return ("\r\n" if ended is not End.CANCELLED else "^C\r\n"), ended
        if not isinstance(key, Key):
            return self._inserted(key), None
        return self._edited(key), None

    def _ended(self, key: str) -> End | None:
        if key == Key.ENTER:
            return End.TOO_LONG if self._too_long else End.LINE
        if key == Key.CANCEL:
            return End.CANCELLED
        return End.END_OF_INPUT if key == Key.END_OF_INPUT and not self.text else None

    def _inserted(self, text: str) -> str:
        if len(self.text) + len(text) > LINE_MOST:
            self._too_long = True  # what is left of it would be something nobody wrote
            return BELL
        at_end = self._cursor == len(self.text)
        self.text = self.text[: self._cursor] + text + self.text[self._cursor :]
        self._cursor += len(text)
        if self._secret:
            return ""
        fits = at_end and len(self.text) < self._columns and columns_of(self._prompt + self.text) < self._columns - 1
        return text if fits else self._drawn()

    def _edited(self, key: Key) -> str:
        before = (self.text, self._cursor)
        _EDITS[key](self)
        if before == (self.text, self._cursor) and key is not Key.REDRAW:
            return BELL
        return self._drawn()

    def _left(self) -> None:
        self._cursor = max(self._cursor - 1, 0)

    def _right(self) -> None:
        self._cursor = min(self._cursor + 1, len(self.text))

    def _home(self) -> None:
        self._cursor = 0

    def _end(self) -> None:
        self._cursor = len(self.text)

    def _backspace(self) -> None:
        if self._cursor:
            self._remove(self._cursor - 1, self._cursor)

    def _delete(self) -> None:
        self._remove(self._cursor, self._cursor + 1)

    def _kill_line(self) -> None:
        self._remove(0, self._cursor)

    def _kill_end(self) -> None:
        self._remove(self._cursor, len(self.text))

    def _kill_word(self) -> None:
        before = self.text[: self._cursor].rstrip()
        self._remove(before.rfind(" ") + 1, self._cursor)

    def _remove(self, begin: int, end: int) -> None:
        self.text = self.text[:begin] + self.text[end:]
        self._cursor = begin

    def _up(self) -> None:
        self._remember(self._at - 1)

    def _down(self) -> None:
        self._remember(self._at + 1)

    def _remember(self, at: int) -> None:
        """Another line of the history; what was written here is kept for the way back."""
        if 0 <= at < len(self._history):
            self._history[self._at] = self.text
            self._at, self.text = at, self._history[at]
            self._end()

    def _completed(self, again: bool) -> str:
        if self._complete is None or self._secret:
            return BELL
        before = self.text[: self._cursor]
        begin, found = self._complete(before)
        if not found:
            return BELL
        common = _common(found)
        whole = common + " " if len(found) == 1 else common
        if len(whole) > len(before) - begin:
            self.text = before[:begin] + whole + self.text[self._cursor :]
            self._cursor = begin + len(whole)
            return self._drawn()
        if len(found) == 1 or not again:
            return BELL
        return "\r\n" + "  ".join(found) + "\r\n" + self._drawn()

    def _drawn(self) -> str:
        """The whole line anew. One that is too long for the terminal is shown around its cursor."""
        shown = "" if self._secret else self.text
        cursor = 0 if self._secret else self._cursor
        begin, end = _window(shown, cursor, max(self._columns - 1 - columns_of(self._prompt), 8))
        column = columns_of(self._prompt) + columns_of(shown[begin:cursor])
        moved = f"\r\x1b[{column}C" if column and cursor < end else ""
        return f"\r{self._prompt}{shown[begin:end]}{ERASE}{moved}"


_EDITS: dict[Key, Callable[[LineEditor], None]] = {
    Key.LEFT: LineEditor._left,
    Key.RIGHT: LineEditor._right,
    Key.HOME: LineEditor._home,
    Key.END: LineEditor._end,
    Key.BACKSPACE: LineEditor._backspace,
    Key.DELETE: LineEditor._delete,
    Key.END_OF_INPUT: LineEditor._delete,
    Key.KILL_LINE: LineEditor._kill_line,
    Key.KILL_END: LineEditor._kill_end,
    Key.KILL_WORD: LineEditor._kill_word,
    Key.UP: LineEditor._up,
    Key.DOWN: LineEditor._down,
    Key.REDRAW: lambda editor: None,
}


def _window(text: str, cursor: int, room: int) -> tuple[int, int]:
    """What of a long line is shown: as much before the cursor as fits, then as much behind it."""
    begin, used = cursor, 0
    while begin and used + columns_of(text[begin - 1]) < room:
        begin -= 1
        used += columns_of(text[begin])
    end = cursor
    while end < len(text) and used + columns_of(text[end]) <= room:
        used += columns_of(text[end])
        end += 1
    return begin, end


def _common(words: Sequence[str]) -> str:
    """What all of them begin with."""
    shortest = min(words, key=len)
    return next((shortest[:at] for at, letter in enumerate(shortest) if any(word[at] != letter for word in words)), shortest)
