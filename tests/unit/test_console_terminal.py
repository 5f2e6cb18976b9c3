"""What a session does with its line: paging by screens and lines, silence, work that is waited for, keys typed ahead, hang-ups."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from appliance.console.errors import EndOfInput, HungUp, Idle, Interrupted
from appliance.console.line import Line
from appliance.console.terminal import EARLY_MOST, Terminal
from drivers.clock import VirtualClock

NOW = datetime(2026, 3, 8, 2, 0, tzinfo=UTC)
SPACE, ENTER, QUIT = b" ", b"\r", b"q"


class ScriptedLine(Line):
    """What somebody types, piece by piece; nothing more comes after it, however long one waits."""

    name = "test"

    def __init__(self, clock: VirtualClock, *typed: bytes) -> None:
        self._clock, self._typed = clock, list(typed)
        self.shown = ""
        self.is_cut = False

    def fileno(self) -> int:
        raise AssertionError("this line has no file")

    def read(self, limit_s: float, also: int = -1) -> bytes:
        if self.is_cut:
            raise HungUp("cut")
        if self._typed:
            return self._typed.pop(0)
        self._clock.advance(limit_s)
        return b""

    def received(self) -> bytes:
        return b""

    def write(self, text: str) -> None:
        self.shown += text

    def close(self) -> None:
        self.is_cut = True


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOW)


@pytest.fixture
def at(clock: VirtualClock) -> Callable[..., tuple[Terminal, ScriptedLine]]:
    def made(*typed: bytes) -> tuple[Terminal, ScriptedLine]:
        line = ScriptedLine(clock, *typed)
        return Terminal(line, clock, "en", idle_s=60.0), line

    return made


def lines_shown(line: ScriptedLine) -> list[str]:
    return [part for part in line.shown.replace("\r", "\n").split("\n") if part.isdecimal()]


@pytest.mark.parametrize(
    ("keys", "count"), [((QUIT,), 23), ((ENTER, QUIT), 24), ((SPACE, QUIT), 46), ((SPACE, ENTER, b"x", QUIT), 47), ((SPACE, SPACE), 60)]
)
def test_a_screen_or_a_line_at_a_time(at: Callable[..., tuple[Terminal, ScriptedLine]], keys: tuple[bytes, ...], count: int) -> None:
    terminal, line = at(*keys)
    terminal.page([str(number) for number in range(60)])
    assert lines_shown(line) == [str(number) for number in range(count)]


def test_what_fits_is_not_paged(at: Callable[..., tuple[Terminal, ScriptedLine]]) -> None:
    terminal, line = at()
    terminal.page([str(number) for number in range(23)])
    assert "more" not in line.shown


def test_long_lines_take_several_rows(at: Callable[..., tuple[Terminal, ScriptedLine]]) -> None:
    terminal, line = at(QUIT)
    terminal.page(["状" * 60] * 20)  # two rows each
    assert line.shown.count("\n") == 11


def test_silence_ends_a_question_and_a_page(at: Callable[..., tuple[Terminal, ScriptedLine]], clock: VirtualClock) -> None:
    terminal, _ = at(b"half a line")
    before_s = clock.monotonic_s()
    with pytest.raises(Idle):
        terminal.ask("> ")
    assert 60 <= clock.monotonic_s() - before_s < 62
    terminal, _ = at()
    with pytest.raises(Idle):
        terminal.page(["x"] * 60)


def test_how_a_question_ends(at: Callable[..., tuple[Terminal, ScriptedLine]]) -> None:
    assert at(b"ab", b"c\r")[0].ask("> ") == "abc"
    for key, end in ((b"\x03", Interrupted), (b"\x1a", Interrupted), (b"\x04", EndOfInput)):
        with pytest.raises(end):
            at(key)[0].ask("> ")


def test_only_yes_in_full_is_yes_and_none_typed_ahead(at: Callable[..., tuple[Terminal, ScriptedLine]]) -> None:
    for typed, agreed in ((b"yes\r", True), (b" YES \r", True), ("是\r".encode(), True), (b"y\r", False), (b"\r", False)):
        terminal, _ = at(b"yes\ryes\r", b"", typed)
        assert terminal.agrees("Sure?") is agreed


def test_work_is_waited_for_and_what_is_typed_meanwhile_waits(at: Callable[..., tuple[Terminal, ScriptedLine]]) -> None:
    terminal, _ = at(b"next\r")
    typed = threading.Event()
    told: list[str] = []

    def each() -> None:
        if len(told) == 1:
            typed.set()
        told.append("")

    assert terminal.waited(lambda: typed.wait(20) and 42, 1e9, each) == 42
    assert terminal.ask("> ") == "next"


def test_what_work_raises_is_raised(at: Callable[..., tuple[Terminal, ScriptedLine]]) -> None:
    def fails() -> None:
        raise ValueError("so")

    with pytest.raises(ValueError, match="so"):
        at()[0].waited(fails, 1e9)


def test_an_interrupt_ends_the_wait_and_not_the_work(at: Callable[..., tuple[Terminal, ScriptedLine]]) -> None:
    ended, go_on = threading.Event(), threading.Event()
    terminal, _ = at(b"dropped\x03kept\r")

    def work() -> None:
        go_on.wait(20)
        ended.set()

    with pytest.raises(Interrupted):
        terminal.waited(work, 1e9)
    go_on.set()
    assert ended.wait(20)
    assert terminal.ask("> ") == "kept"


def test_a_hang_up_ends_the_wait(at: Callable[..., tuple[Terminal, ScriptedLine]]) -> None:
    go_on = threading.Event()
    terminal, line = at()
    line.close()
    with pytest.raises(HungUp):
        terminal.waited(lambda: go_on.wait(20), 1e9)
    go_on.set()


def test_endless_noise_while_waiting_leaves_no_half_line(at: Callable[..., tuple[Terminal, ScriptedLine]]) -> None:
    terminal, _ = at(b"x" * EARLY_MOST, b"reboot\r")
    heard: list[None] = []
    enough = threading.Event()

    def each() -> None:
        heard.append(None)
        if len(heard) > 3:
            enough.set()

    terminal.waited(lambda: enough.wait(20), 1e9, each)
    with pytest.raises(Interrupted):
        terminal.ask("> ")


def test_a_pause_is_ended_by_any_key(at: Callable[..., tuple[Terminal, ScriptedLine]], clock: VirtualClock) -> None:
    assert at(b"x")[0].pause(10)
    before_s = clock.monotonic_s()
    assert not at()[0].pause(10)
    assert clock.monotonic_s() - before_s >= 10
