"""What a session does with its line: asks, tells, pages, waits. Runs in the session's one thread; work that waits for other processes
goes on in a thread of its own meanwhile, so that Ctrl-C and a hang-up are noticed at once.
"""

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar, cast

from appliance.console.editor import LINE_MOST, Complete, End, LineEditor
from appliance.console.errors import EndOfInput, Idle, Interrupted
from appliance.console.keys import Key, Keys
from appliance.console.line import Line
from appliance.console.width import columns_of, wrapped
from appliance.console.words import Language, say
from drivers.clock import Clock

QUIET_S = 0.5
EARLY_MOST = 16 * LINE_MOST  # keys typed ahead; more is noise

T = TypeVar("T")


class Terminal:
    """A person at a line. `idle_s`: how long a question waits for the next key."""

    def __init__(self, line: Line, clock: Clock, language: Language, idle_s: float) -> None:
        self.line, self.clock, self.language, self.idle_s = line, clock, language, idle_s
        self._keys = Keys()
        self._early: list[str] = []

    @property
    def columns(self) -> int:
        return self.line.size()[0]

    def say(self, key: str, /, **values: object) -> str:
        return say(self.language, key, **values)

    def write(self, text: str) -> None:
        """Text with "\\n"; may hold control characters of ours. Raises: HungUp."""
        self.line.write(text.replace("\r\n", "\n").replace("\n", "\r\n"))

    def tell(self, lines: Iterable[str]) -> None:
        """Lines as they are, without paging."""
        self.write("".join(f"{line}\n" for line in lines))

    def page(self, lines: Sequence[str]) -> None:
        """Lines, a screen at a time: blank for the next, Enter for one more line, q for no more. Raises: HungUp, Idle."""
        columns, rows = self.line.size()
        shown, room = 0, rows - 1
        for line in lines:
            height = max(1, -(-columns_of(line) // columns))
            if shown + height > room:
                more = self._more(rows - 1)
                if not more:
                    return
                room = shown + max(more, height)
            self.write(line + "\n")
            shown += height

    def _more(self, screen: int) -> int:
        """How many lines more are wanted."""
        prompt = self.say("shell.more")
        self.write(prompt)
        wanted = {" ": screen, Key.ENTER: 1, Key.DOWN: 1, "q": 0, "Q": 0, Key.CANCEL: 0, Key.END_OF_INPUT: 0}
        try:
            key = self.key(self.idle_s)
            while key not in wanted:
                key = self.key(self.idle_s)
        finally:
            self.write("\r" + " " * columns_of(prompt) + "\r")
        return wanted[key]

    def key(self, limit_s: float) -> str:
        """The next key. Raises: Idle, HungUp."""
        until_s = self.clock.monotonic_s() + limit_s
        while not self._early:
            left_s = until_s - self.clock.monotonic_s()
            if left_s <= 0:
                raise Idle
            received = self.line.read(min(left_s, QUIET_S))
            if not received:
                self._keys.quiet()
            self._early.extend(self._keys.feed(received))
        return self._early.pop(0)

    def ask(
        self,
        prompt: str,
        *,
        secret: bool = False,
        history: Sequence[str] = (),
        complete: Complete | None = None,
        limit_s: float | None = None,
    ) -> str:
        """A line that was ended with Enter. Raises: Interrupted, EndOfInput, Idle, HungUp; then nothing of it counts."""
        editor = LineEditor(prompt, self.columns, history=history, complete=complete, secret=secret)
        self.write(editor.begin())
        while True:
            drawn, ended = editor.feed(self.key(limit_s or self.idle_s))
            self.line.write(drawn)
            if ended is End.LINE:
                return editor.text
            if ended is End.CANCELLED:
                raise Interrupted
            if ended is End.END_OF_INPUT:
                raise EndOfInput
            if ended is End.TOO_LONG:
                self.tell([self.say("shell.too_long")])
                raise Interrupted

    def agrees(self, question: str) -> bool:
        """Whether "yes" (是) was written in full, after the question was there to be read."""
        self.drop_input()
        self.tell(wrapped(question, self.columns - 1))
        return self.ask(self.say("shell.yes_no")).strip().lower() in ("yes", "是")

    def drop_input(self) -> None:
        """What was typed ahead is forgotten: it was not meant for what comes."""
        self._early.clear()
        while self.line.read(0):
            pass
        self._keys.quiet()

    def pause(self, limit_s: float) -> bool:
        """Wait; True when a key was pressed before it is over. Raises: Interrupted, HungUp."""
        return self._wait(limit_s, -1, lambda: False) if limit_s > 0 else False

    def waited(self, work: Callable[[], T], limit_s: float, each: Callable[[], None] = lambda: None) -> T:
        """What `work` gives or raises; it runs in a thread of its own, `each` runs here now and then meanwhile.

        Raises: Interrupted, HungUp, Idle; the work then goes on, unheard.
        """
        task = _Task(work)

        def is_over() -> bool:
            each()
            return task.is_over

        try:
            self._wait(limit_s, task.fileno(), is_over)
            each()
            if not task.is_over:
                raise Idle
            return task.result()
        finally:
            task.forget()

    def _wait(self, limit_s: float, also: int, is_over: Callable[[], bool]) -> bool:
        """Until a key or, with `also`, until that can be read: what is typed meanwhile then waits its turn. Ctrl-C raises Interrupted, and
        what was typed before it is forgotten."""
        until_s = self.clock.monotonic_s() + limit_s
        while not is_over() and (left_s := until_s - self.clock.monotonic_s()) > 0:
            keys = list(self._keys.feed(self.line.read(min(left_s, QUIET_S), also)))
            if Key.CANCEL in keys:
                self._early = keys[keys.index(Key.CANCEL) + 1 :]
                raise Interrupted
            if also >= 0:
                self._early += keys
                if len(self._early) > EARLY_MOST:
                    self._early = [Key.CANCEL]  # not a part of it: half a line may be another command
            if keys and also < 0:
                return True
        return False


class _Task(Generic[T]):
    """Work in a thread, whose end can be waited for together with the line."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._read, self._write = os.pipe()
        self._lock = threading.Lock()
        self._forgotten = False
        self._result: T | None = None
        self._error: BaseException | None = None
        self.is_over = False
        threading.Thread(target=self._run, name="console-work", daemon=True).start()

    def fileno(self) -> int:
        return self._read

    def result(self) -> T:
        """What `work` gave, once it is over; or raises what it raised."""
        if self._error is not None:
            raise self._error
        return cast(T, self._result)

    def forget(self) -> None:
        with self._lock:
            self._forgotten = True
            os.close(self._read)
            os.close(self._write)

    def _run(self) -> None:
        try:
            self._result = self._work()
        except BaseException as error:  # raised in the session's thread
            self._error = error
        self.is_over = True
        with self._lock:
            if not self._forgotten:
                os.write(self._write, b"x")
