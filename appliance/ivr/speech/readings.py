"""How Mandarin is read: words within a text, and the numbered pinyin of each character. Pure; any thread.

pypinyin knows (its dictionary of words, so that 银行 is yín háng and 行走 xíng zǒu), but takes 60 MB and a third of a second to load. So
what it knows is written into FILE once, when Careline is set up (make_readings.py), and looked up there; without that file pypinyin itself
is asked.
"""

import struct
from array import array
from bisect import bisect_left
from functools import cache
from pathlib import Path
from typing import Protocol

FILE = Path(__file__).with_name("readings.bin")
HAN = range(0x3400, 0xA000)  # what text.py takes for Mandarin
COUNT = struct.Struct("<I")


class Dictionary(Protocol):
    """`words` cuts a run of Han characters; `reading` gives a syllable for each of a word's characters, or the character itself."""

    def words(self, text: str) -> list[str]: ...

    def reading(self, word: str) -> list[str]: ...


@cache
def dictionary() -> Dictionary:
    """That of the file, or pypinyin."""
    return Written(FILE.read_bytes()) if FILE.exists() else Pypinyin()


class Written:
    """Lines "word TAB syllables", in order, behind a table of where each begins."""

    def __init__(self, content: bytes) -> None:
        (count,) = COUNT.unpack_from(content)
        self._starts = array("I")
        self._starts.frombytes(content[COUNT.size : COUNT.size + 4 * count])
        self._lines = content[COUNT.size + 4 * count :]
        self._range = range(count - 1)  # the last start is the end

    def words(self, text: str) -> list[str]:
        """The longest word first, else one character."""
        found: list[str] = []
        place = 0
        while place < len(text):
            length = self._longest(text, place)
            found.append(text[place : place + length])
            place += length
        return found

    def _longest(self, text: str, place: int) -> int:
        longest = 1
        for end in range(place + 2, len(text) + 1):
            written = text[place:end].encode()
            line = self._line(bisect_left(self._range, written, key=self._word))
            if not line.startswith(written):
                break
            if line[len(written) : len(written) + 1] == b"\t":
                longest = end - place
        return longest

    def reading(self, word: str) -> list[str]:
        written = word.encode()
        line = self._line(bisect_left(self._range, written, key=self._word))
        if not line.startswith(written + b"\t"):
            return list(word) if len(word) == 1 else [syllable for char in word for syllable in self.reading(char)]
        return line[len(written) + 1 :].decode().split()

    def _line(self, number: int) -> bytes:
        return self._lines[self._starts[number] : self._starts[number + 1]] if number in self._range else b""

    def _word(self, number: int) -> bytes:
        start = self._starts[number]
        return self._lines[start : self._lines.index(b"\t", start)]


class Pypinyin:
    """What there is to be known."""

    def __init__(self) -> None:
        from pypinyin import Style, lazy_pinyin  # see above
        from pypinyin.seg import mmseg

        self._cut, self._read, self._style = mmseg.seg.cut, lazy_pinyin, Style.TONE3

    def words(self, text: str) -> list[str]:
        return list(self._cut(text))

    def reading(self, word: str) -> list[str]:
        read = self._read(word, style=self._style, neutral_tone_with_five=True)
        return read if len(read) == len(word) else [syllable for char in word for syllable in self._read(char, style=self._style)[:1]]
