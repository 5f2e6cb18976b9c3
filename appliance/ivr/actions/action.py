"""What an action of a flow is: what it wants, what it gives, which ways lead out of it. Runs in the call's task.

An action is done again with the same `once_key` when the call agent dies in the middle of it: what it changes is changed in one
transaction, under that key. A secret is gone by then: an action that takes one looks first whether its key has been used, and gives the
same result again; else a caller who is asked anew pays twice.

The caller hears a waiting prompt when it takes longer than a second; after `limit_s` the exit is "failed".
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from appliance.calendar import Calendar
from appliance.config import HospitalConfig
from appliance.ivr.prompts.catalogue import Lang
from drivers.settings import Paths

Value = str | int
R = TypeVar("R")

FAILED = "failed"
"""Every action's exit when it raised or took too long."""
ASK_AGAIN = "ask_again"
"""Exit of an action that takes a secret, when there is none: asked before a crash, or used up. Leads to the place that asks for it."""


class Means(Protocol):
    """What actions reach the world by."""

    def now(self) -> datetime:
        """Aware UTC."""

    async def transact(self, job: Callable[[], R]) -> R:
        """`job` in the store's one writing transaction; all of it or nothing. Not done at all when nobody waits any more.

        Raises: StoreError, or what the job raised.
        """

    async def read(self, job: Callable[[], R]) -> R:
        """The result of a `job` that changes nothing. Raises: StoreError, or what the job raised."""

    @property
    def paths(self) -> Paths:
        """Where the box keeps its files."""

    async def in_thread(self, work: Callable[[], R]) -> R:
        """Work that takes long (argon2): neither the event loop nor the writer waits for it."""


class TakeSecret(Protocol):
    """See ActionCall."""

    def __call__(self, kept_as: str = "") -> str | None: ...


@dataclass(frozen=True)
class ActionCall:
    """One visit of an action node. `inputs` by the action's own names; `ani`, `dnis` are empty when unknown or withheld; `presentation` and
    `ani_source` in the words of drivers.protocol say how far `ani` can be believed.

    `take_secret` gives the digits keyed last at an ask_digits node with `secret: true` (and `kept_as` that name, if one is given), once;
    None when there are none.
    """

    call_id: str
    once_key: str
    inputs: Mapping[str, Value]
    ani: str
    dnis: str
    language: Lang
    hospital: HospitalConfig
    means: Means
    take_secret: TakeSecret
    presentation: str = ""
    ani_source: str = ""

    @property
    def zone(self) -> ZoneInfo:
        """The hospital's time."""
        return Calendar(self.hospital.calendar).zone

    def text(self, name: str) -> str:
        """An input as text, empty when it was not given."""
        return str(self.inputs.get(name, ""))

    def number(self, name: str) -> int:
        """An input as a whole number. Raises: ValueError."""
        return int(self.inputs[name])


@dataclass(frozen=True)
class ActionResult:
    """`variables` by the action's own names: those its table row promises for this exit."""

    exit: str
    variables: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Action:
    """A row of the table. `exits`: each way out and the variables that are set on it; "failed" goes without saying, and "ask_again" for
    one that takes a secret. `inputs` must be given, `optional` may be. `what`: one line for whoever edits flows."""

    name: str
    what: str
    exits: Mapping[str, tuple[str, ...]]
    run: Callable[[ActionCall], Awaitable[ActionResult]]
    inputs: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    takes_secret: bool = False
    limit_s: float = 8.0

    def all_exits(self) -> dict[str, tuple[str, ...]]:
        """Also those that go without saying."""
        again: dict[str, tuple[str, ...]] = {ASK_AGAIN: ()} if self.takes_secret else {}
        return {**self.exits, **again, FAILED: ()}
