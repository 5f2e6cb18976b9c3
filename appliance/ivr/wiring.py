"""What flows reach the box by: the store, the clock, the calendar, and the actions. One for all calls.

Runs in the call agent's event loop; slow arithmetic in SLOW_THREADS threads of its own.
"""

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

from appliance.calendar import Calendar
from appliance.call import Call
from appliance.config import HospitalConfig
from appliance.errors import FlowError
from appliance.ivr.actions import ACTIONS, Action, ActionCall, Value
from appliance.ivr.hours import opening_hours
from appliance.ivr.prompts.catalogue import Lang
from appliance.ivr.values import Spoken
from appliance.store.writer import Store
from drivers.clock import Clock
from drivers.settings import Paths

R = TypeVar("R")
VARIABLES_LIMIT_CHARS = 12_000  # of all variables: a tag may have 64 kB, and events ride along in it


SLOW_THREADS = 1
"""Each may take 19 MB for a password (argon2) and keep it; with more of them hundreds of callers would not be any sooner."""
_slow = ThreadPoolExecutor(SLOW_THREADS, "slow-work")


class GivenUpError(Exception):
    """A job whose caller did not wait for it."""


@dataclass(frozen=True)
class Wiring:
    """`Means` of the actions, and what else nodes need. `text` reads free text: the ids of its clips."""

    store: Store
    clock: Clock
    hospital: HospitalConfig
    text: Callable[[str, Lang], Sequence[str]]
    actions: Mapping[str, Action] = field(default_factory=lambda: ACTIONS)
    paths: Paths = field(default_factory=Paths)

    @cached_property
    def calendar(self) -> Calendar:
        return Calendar(self.hospital.calendar)

    def now(self) -> datetime:
        return self.clock.now()

    async def transact(self, job: Callable[[], R]) -> R:
        """See appliance.ivr.actions.Means."""
        given_up = threading.Event()

        def wanted() -> R:
            if given_up.is_set():
                raise GivenUpError
            return job()

        try:
            return await self.store.run(wanted, lasting=False)
        except asyncio.CancelledError:
            given_up.set()
            raise

    async def read(self, job: Callable[[], R]) -> R:
        return await self.store.read(job)

    async def in_thread(self, work: Callable[[], R]) -> R:
        with self.clock.external_work():
            return await asyncio.get_running_loop().run_in_executor(_slow, work)

    def spoken(self, call: Call, variables: Mapping[str, Value]) -> Spoken:
        """What the call's values are said by, now."""
        return Spoken(
            variables=variables,
            lang=call.tag.language,
            today=self.calendar.local(self.now()).date(),
            opening_hours=lambda lang: opening_hours(self.hospital.calendar, lang),
            text=self.text,
            reference=call.reference,
        )

    async def run(self, action: Action, call: Call, once_key: str, inputs: Mapping[str, Value]) -> list[Any]:
        """Exit and variables, as a step keeps them.

        Raises: whatever the action raised, FlowError APP-142 for what its row does not promise.
        """
        caller = call.main.caller
        done = await action.run(
            ActionCall(
                call_id=call.id,
                once_key=once_key,
                inputs=inputs,
                ani=call.main.ani or "",
                dnis=call.main.dnis or "",
                language=call.tag.language,
                hospital=self.hospital,
                means=self,
                take_secret=call.take_secret,
                presentation=caller.presentation.value if caller else "",
                ani_source=caller.source.value if caller else "",
            )
        )
        promised = action.all_exits().get(done.exit)
        if promised is None or not set(promised) <= set(done.variables):
            what = f"action {action.name} took exit {done.exit!r} with {', '.join(done.variables) or 'nothing'}"
            raise FlowError("APP-142", what, "Correct the action, or its row in the table")
        given = {name: done.variables[name] for name in promised}
        _must_fit(action, {**call.tag.vars, **given})
        return [done.exit, given]


def _must_fit(action: Action, variables: Mapping[str, Value]) -> None:
    chars = sum(len(str(value)) for value in variables.values())
    if chars > VARIABLES_LIMIT_CHARS:
        what = f"after action {action.name} the call would keep {chars} characters of variables"
        raise FlowError("APP-142", what, f"Allowed are {VARIABLES_LIMIT_CHARS}; let the action give less")
