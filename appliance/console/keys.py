"""Bytes of a terminal to keys: UTF-8, the sequences of arrow keys, and everything else that a line may bring, which is dropped. Pure.

Source: ECMA-48 (control sequences), xterm's ctlseqs (arrow and editing keys).
"""

import codecs
from collections.abc import Iterator
from enum import StrEnum

SEQUENCE_MOST = 16  # bytes; a longer one is noise


class Key(StrEnum):
    """A key that is no character."""

    ENTER = "enter"
    TAB = "tab"
    BACKSPACE = "backspace"
    DELETE = "delete"
    LEFT = "left"
    RIGHT = "right"
    UP = "up"
    DOWN = "down"
    HOME = "home"
    END = "end"
    KILL_LINE = "kill_line"
    KILL_END = "kill_end"
    KILL_WORD = "kill_word"
    REDRAW = "redraw"
    CANCEL = "cancel"
    END_OF_INPUT = "end_of_input"


CONTROLS = {
    *((0x01, Key.HOME), (0x02, Key.LEFT), (0x03, Key.CANCEL), (0x04, Key.END_OF_INPUT), (0x05, Key.END), (0x06, Key.RIGHT)),
    *((0x08, Key.BACKSPACE), (0x09, Key.TAB), (0x0A, Key.ENTER), (0x0B, Key.KILL_END), (0x0C, Key.REDRAW), (0x0D, Key.ENTER)),
    *((0x0E, Key.DOWN), (0x10, Key.UP), (0x15, Key.KILL_LINE), (0x17, Key.KILL_WORD), (0x1A, Key.CANCEL), (0x7F, Key.BACKSPACE)),
}
CONTROL = dict(CONTROLS)
SEQUENCES = {
    "[A": Key.UP,
    "[B": Key.DOWN,
    "[C": Key.RIGHT,
    "[D": Key.LEFT,
    "[H": Key.HOME,
    "[F": Key.END,
    "OA": Key.UP,
    "OB": Key.DOWN,
    "OC": Key.RIGHT,
    "OD": Key.LEFT,
    "OH": Key.HOME,
    "OF": Key.END,
    "[1~": Key.HOME,
    "[3~": Key.DELETE,
    "[4~": Key.END,
    "[7~": Key.HOME,
    "[8~": Key.END,
}
ESCAPE = 0x1B


class Keys:
    """What comes in, piece by piece. A character is one `str` of length 1, a key a `Key`."""

    def __init__(self) -> None:
        self._characters = codecs.getincrementaldecoder("utf-8")("replace")
        self._sequence: bytearray | None = None
        self._after_cr = False

    def feed(self, received: bytes) -> Iterator[str]:
        for byte in received:
            yield from self._taken(byte)

    def quiet(self) -> None:
        """Nothing came for a while: what was begun is no longer waited for."""
        self._sequence = None
        self._characters.reset()

    def _taken(self, byte: int) -> Iterator[str]:
        after_cr, self._after_cr = self._after_cr, byte == 0x0D
        if byte == ESCAPE:
            self._sequence = bytearray()
            self._characters.reset()
        elif byte < 0x20 or byte == 0x7F:
            self._sequence = None
            self._characters.reset()
            if byte in CONTROL and not (byte == 0x0A and after_cr):
                yield CONTROL[byte]
        elif self._sequence is not None:
            yield from self._of_sequence(byte)
        else:
            yield from (letter for letter in self._characters.decode(bytes((byte,))) if letter.isprintable() and letter != "\ufffd")

    def _of_sequence(self, byte: int) -> Iterator[str]:
        """ESC O x, or ESC [ parameters x; any other character behind ESC is dropped with it."""
        assert self._sequence is not None
        self._sequence.append(byte)
        begun = chr(self._sequence[0])
        if len(self._sequence) == 1 and begun in "[O":
            return
        if begun == "[" and not 0x40 <= byte <= 0x7E and len(self._sequence) < SEQUENCE_MOST:
            return
        found = SEQUENCES.get(self._sequence.decode("latin-1"))
        self._sequence = None
        if found:
            yield found
