"""How many columns text takes on a terminal, and text cut, padded and wrapped to columns. Pure.

Source: Unicode Standard Annex 11: wide and full-width characters take two columns; combining marks and control characters none.
"""

import unicodedata
from collections.abc import Iterator

MORE = "…"


def columns_of(text: str) -> int:
    return sum(map(_columns, text))


def padded(text: str, columns: int, *, right: bool = False) -> str:
    """`text` with blanks to fill `columns`; what is too long is cut."""
    text = cut(text, columns)
    blanks = " " * (columns - columns_of(text))
    return blanks + text if right else text + blanks


def cut(text: str, columns: int) -> str:
    """At most so many columns; what is cut ends in an ellipsis."""
    if columns_of(text) <= columns:
        return text
    kept, used = "", 0
    for letter in text:
        used += _columns(letter)
        if used > columns - 1:
            break
        kept += letter
    return kept + MORE if columns > 0 else ""


def wrapped(text: str, columns: int) -> Iterator[str]:
    """Lines of at most so many columns; broken at blanks, or between any two Chinese characters."""
    line, used = "", 0
    for word in _words(text):
        taken = columns_of(word)
        if used + taken > columns and line:
            yield line.rstrip()
            line, used = "", 0
            word, taken = word.lstrip(), columns_of(word.lstrip())
        while taken > columns:
            head = _head(word, columns)
            yield head
            word = word[len(head) :]
            taken = columns_of(word)
        line, used = line + word, used + taken
    yield line.rstrip()


def printable(text: str) -> str:
    """Text from elsewhere (a log, a number someone sent) without anything that steers a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _words(text: str) -> Iterator[str]:
    """Pieces that may stand on a line of their own: blanks begin one, a wide character is one."""
    word = ""
    for letter in text:
        if letter == " " or _columns(letter) == 2:
            if word:
                yield word
            word = letter
            if letter != " ":
                yield word
                word = ""
        else:
            word += letter
    if word:
        yield word


def _head(word: str, columns: int) -> str:
    """As much of a word as fits, at least one character."""
    used = 0
    for at, letter in enumerate(word):
        used += _columns(letter)
        if used > columns and at:
            return word[:at]
    return word


def _columns(letter: str) -> int:
    if unicodedata.combining(letter) or unicodedata.category(letter) in ("Cc", "Cf", "Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1
