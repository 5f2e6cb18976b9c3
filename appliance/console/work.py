"""What a command works with: who asks, in which language, and the three places it may talk to (call agent, box service, store).

A command neither knows nor cares whether it was written at a console or given to `careline …`. Runs in the session's thread.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from appliance.config import Config
from appliance.console.words import Language, say, word
from appliance.control.client import ControlClient
from appliance.control.messages import LiveSnapshot, Request
from appliance.system.client import SystemClient
from appliance.system.messages import Progress, SystemRequest
from drivers.clock import Clock
from drivers.protocol import Message

WAIT_LIMIT_S = 180.0  # longer than any limit of the two clients for what does not tell of its progress
LONG_LIMIT_S = 4 * 3600.0

T = TypeVar("T")
M = TypeVar("M", bound=Message)


class Place(Protocol):
    """Where a command tells and asks: a session's Terminal, or the plain output of `careline …`."""

    @property
    def columns(self) -> int: ...

    def tell(self, lines: Iterable[str]) -> None: ...

    def ask(self, prompt: str, *, secret: bool = False) -> str: ...

    def pause(self, limit_s: float) -> bool: ...

    def waited(self, work: Callable[[], T], limit_s: float, each: Callable[[], None] = ...) -> T: ...


class Work:
    """`by`: the account's name, or the machine's user with "@console"."""

    def __init__(self, config: Config, file: Path, place: Place, clock: Clock, *, by: str, language: Language) -> None:
        self.config, self.file, self.place, self.clock = config, file, place, clock
        self.by, self.language = by, language
        self.prove: Callable[[], bool] = lambda: True
        """Whether who asks is still who logged in: a session asks for the password; the machine's user is proof enough."""

    @property
    def columns(self) -> int:
        return self.place.columns

    def say(self, key: str, /, **values: object) -> str:
        return say(self.language, key, **values)

    def word(self, group: str, name: str) -> str:
        return word(self.language, group, name)

    def heads(self, group: str, *names: str) -> list[str]:
        """Heads of a table's columns."""
        return [self.say(f"{group}.{name}") for name in names]

    def tell(self, *lines: str) -> None:
        self.place.tell(lines)

    def waited(self, work: Callable[[], T], limit_s: float = WAIT_LIMIT_S) -> T:
        return self.place.waited(work, limit_s)

    # --- the call agent

    def control(self) -> ControlClient:
        """A connection of one's own. Raises: ControlError."""
        return ControlClient(self.config.paths.control_socket, "console")

    def live(self) -> LiveSnapshot:
        """Everything as it stands now."""

        def ask() -> LiveSnapshot:
            with self.control() as client:
                return snapshot(client.subscribe())

        return self.waited(ask)

    def request(self, request: Request) -> None:
        """Ask one thing of the call agent."""

        def ask() -> None:
            with self.control() as client:
                client.request(request)

        self.waited(ask)

    # --- the box service

    def box(self, request: SystemRequest, kind: type[M]) -> M:
        """What the box service answers."""

        def ask() -> M:
            with SystemClient(self.config.paths.system_socket, "console") as client:
                return client.ask(request, kind)

        return self.waited(ask)

    def box_only(self, request: SystemRequest) -> None:
        """The same for what is short, without a look at the line: Ctrl-C was pressed already."""
        with SystemClient(self.config.paths.system_socket, "console") as client:
            client.do(request)

    def long(self, request: SystemRequest, kind: type[M] | None = None) -> M | None:
        """Have the box service do what may take long, telling how far it is; what it answers, if a `kind` is expected."""
        heard: deque[Progress] = deque()
        told: list[str] = []

        def ask() -> M | None:
            with SystemClient(self.config.paths.system_socket, "console") as client:
                if kind is not None:
                    return client.ask(request, kind, LONG_LIMIT_S, told=heard.append)
                client.do(request, LONG_LIMIT_S, told=heard.append)
                return None

        def each() -> None:
            while heard:
                line = self._progress(heard.popleft())
                if line not in told[-1:]:
                    told.append(line)
                    self.tell(line)

        return self.place.waited(ask, LONG_LIMIT_S, each)

    def _progress(self, progress: Progress) -> str:
        """A step may carry a number: "calls:3"."""
        step, _, number = progress.step.partition(":")
        text = self.word("step", step)
        return f"{progress.percent // 10 * 10:3d}%  {text}{number and ' ' + number}"

    # --- the store

    def stored(self, read: Callable[[], T]) -> T:
        """What `read` finds in the store. Raises: StoreError."""
        from appliance.console.store import reading  # large: only once it is asked for

        def look() -> T:
            with reading(self.config.paths):
                return read()

        return self.waited(look)

    def local(self, at: datetime | None, form: str = "%Y-%m-%d %H:%M:%S") -> str:
        """In the hospital's time zone."""
        return "-" if at is None else at.astimezone(ZoneInfo(self.config.hospital.calendar.time_zone)).strftime(form)

    def ago(self, at: datetime | None) -> str:
        """How long that is ago: "3:07", "26:03:07"."""
        if at is None:
            return "-"
        seconds = max(int((self.clock.now() - at).total_seconds()), 0)
        hours, minutes = seconds // 3600, seconds // 60 % 60
        return f"{hours}:{minutes:02d}:{seconds % 60:02d}" if hours else f"{minutes}:{seconds % 60:02d}"


def bytes_told(number: int) -> str:
    """ "1.2 GB"."""
    size, unit = float(number), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"


def snapshot(changes: Iterator[object]) -> LiveSnapshot:
    return next(change for change in changes if isinstance(change, LiveSnapshot))
