"""Keys and the line editor: UTF-8 and its damage, arrow keys, history, completion, secrets, lines too long; noise never stops it."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.console.editor import BELL, LINE_MOST, End, LineEditor
from appliance.console.keys import Key, Keys


def keys(*received: bytes) -> list[str]:
    decoder = Keys()
    return [key for part in received for key in decoder.feed(part)]


def typed(editor: LineEditor, received: bytes) -> tuple[str, End | None]:
    """Everything drawn, and how the line ended."""
    drawn, ended = "", None
    for key in keys(received):
        more, ended = editor.feed(key)
        drawn += more
        if ended:
            break
    return drawn, ended


def shown(drawn: str) -> tuple[str, int]:
    """The one row of a terminal and the cursor's column after that was written. Characters of one column only."""
    row: list[str] = []
    column = 0
    at = 0
    while at < len(drawn):
        if drawn[at] == "\r":
            column = 0
        elif drawn.startswith("\x1b[K", at):
            del row[column:]
            at += 2
        elif drawn.startswith("\x1b[", at):
            end = drawn.index("C", at)
            column += int(drawn[at + 2 : end])
            at = end
        elif drawn[at] != BELL:
            row[column : column + 1] = [drawn[at]]
            column += 1
        at += 1
    return "".join(row), column


@pytest.mark.parametrize(
    ("received", "found"),
    [
        ((b"ab\r",), ["a", "b", Key.ENTER]),
        ((b"a\r\nb\n",), ["a", Key.ENTER, "b", Key.ENTER]),  # CR LF is one Enter
        ((b"\xe7\x8a", b"\xb6"), ["状"]),  # cut between its bytes
        ((b"\xe7\xffa",), ["a"]),  # a character that was damaged is dropped, the next one counts
        ((b"\xe7\r",), [Key.ENTER]),
        ((b"\x1b[A\x1b[3~\x1bOD",), [Key.UP, Key.DELETE, Key.LEFT]),
        ((b"\x1b[", b"1;5C", b"x"), ["x"]),  # a sequence of no meaning
        ((b"\x1b[\rx",), [Key.ENTER, "x"]),  # Enter ends a sequence that noise began
        ((b"\x1b[" + b"1" * 40 + b"x",), ["1"] * 25 + ["x"]),  # and so does its length
        ((b"\x00\x03\x1a\x04\x11\x13\x07",), [Key.CANCEL, Key.CANCEL, Key.END_OF_INPUT]),
        ((b"\xc2\x80\xc2\x9b",), []),  # C1 controls are no characters
    ],
)
def test_bytes_become_keys(received: tuple[bytes, ...], found: list[str]) -> None:
    assert keys(*received) == found


def test_a_begun_sequence_is_forgotten_when_nothing_follows() -> None:
    decoder = Keys()
    assert list(decoder.feed(b"\x1b[")) == []
    decoder.quiet()
    assert list(decoder.feed(b"A")) == ["A"]


@pytest.mark.parametrize(
    ("received", "text"),
    [
        (b"status", "status"),
        (b"stat\x7f\x7fxy", "stxy"),
        (b"b\x01a\x05c", "abc"),
        (b"abc\x02\x02\x04", "ac"),
        (b"abc def\x17ghi", "abc ghi"),
        (b"abc\x1b[D\x1b[D\x0b", "a"),
        (b"abc\x15x", "x"),
        ("线路 停用".encode() + b"\x7f\x7f" + "恢复".encode(), "线路 恢复"),
    ],
)
def test_a_line_is_edited(received: bytes, text: str) -> None:
    editor = LineEditor("> ", 80)
    assert typed(editor, received)[1] is None
    assert editor.text == text


@pytest.mark.parametrize(("key", "end"), [(b"\r", End.LINE), (b"\x03", End.CANCELLED), (b"\x1a", End.CANCELLED)])
def test_how_a_line_ends(key: bytes, end: End) -> None:
    assert typed(LineEditor("> ", 80), b"ab" + key)[1] is end


def test_ctrl_d_ends_an_empty_line_alone() -> None:
    assert typed(LineEditor("> ", 80), b"\x04")[1] is End.END_OF_INPUT
    assert typed(LineEditor("> ", 80), b"a\x04")[1] is None


def test_history_is_walked_and_what_was_begun_comes_back() -> None:
    editor = LineEditor("> ", 80, history=("one", "two"))
    typed(editor, b"thr\x1b[A\x1b[A")
    assert editor.text == "one"
    typed(editor, b"\x1b[A\x1b[B\x1b[B")
    assert editor.text == "thr"


def names(before: str) -> tuple[int, Sequence[str]]:
    return before.rfind(" ") + 1, [word for word in ("status", "spans", "starts") if word.startswith(before.rpartition(" ")[2])]


def test_completion_takes_what_is_common_then_shows_the_choice() -> None:
    editor = LineEditor("> ", 80, complete=names)
    typed(editor, b"st\t")
    assert editor.text == "sta"
    assert "starts" in typed(editor, b"\t\t")[0]
    typed(editor, b"tu\t")
    assert editor.text == "status "
    assert BELL in typed(editor, b"x\t")[0]


def test_of_a_secret_nothing_is_drawn_remembered_or_completed() -> None:
    editor = LineEditor("Password: ", 80, history=("old",), complete=names, secret=True)
    drawn = typed(editor, b"hunter2\t\x1b[D\x05")[0]
    assert not set("hunter2") & set(drawn.replace("Password: ", ""))
    assert editor.text == "hunter2"


def test_a_line_too_long_is_never_carried_out() -> None:
    editor = LineEditor("> ", 80)
    drawn, _ = typed(editor, b"x" * (LINE_MOST + 500))
    assert BELL in drawn
    assert typed(editor, b"\r")[1] is End.TOO_LONG


def test_a_line_longer_than_the_terminal_is_shown_around_its_cursor() -> None:
    editor = LineEditor("> ", 20)
    row, column = shown(editor.begin() + typed(editor, b"abcdefghijklmnopqrstuvwxyz")[0])
    assert (row, column) == ("> klmnopqrstuvwxyz", 18)
    row, column = shown(typed(editor, b"\x01")[0])
    assert (row[:6], column) == ("> abcd", 2)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=8))
def test_after_any_noise_the_line_is_what_the_screen_shows(noise: list[bytes]) -> None:
    """And a line written after it, behind Ctrl-U, is whole."""
    decoder, editor = Keys(), LineEditor("> ", 80, history=("a", "b"), complete=names)
    for part in noise:
        for key in decoder.feed(part):
            if key != Key.TAB and editor.feed(key)[1] is not None:
                editor = LineEditor("> ", 80, history=("a", "b"), complete=names)
    decoder.quiet()
    ended = None
    for key in decoder.feed(b"\x05\x15status"):
        ended = editor.feed(key)[1]
    assert (editor.text, ended) == ("status", None)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from([b"a", b"b", b" ", b"\x7f", b"\x01", b"\x05", b"\x1b[C", b"\x1b[D", b"\x1b[A", b"\x1b[B", b"\x0b", b"\x17"]),
        max_size=60,
    )
)
def test_the_screen_shows_the_text(strokes: list[bytes]) -> None:
    editor = LineEditor("> ", 80, history=("first", "second"))
    drawn = editor.begin() + typed(editor, b"".join(strokes))[0]
    assert shown(drawn)[0].rstrip() == f"> {editor.text}".rstrip()
