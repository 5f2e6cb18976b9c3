"""What all verbs of a call stand on: finished steps, events and tags written together, commands to the line server.

One rule makes a call survive the death of this process: whatever is decided is decided by `commit`, and the new tag is put on
the caller's leg before an event goes to the store and before any other command of the call. What is decided without a wait in
between is told at once, in one tag. Runs in the call agent's event loop.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import msgspec

from appliance.call import tag as tags
from appliance.call.leg import Leg
from appliance.call.tag import CallTag, Step
from appliance.config import CallsConfig
from appliance.events import AnyHappened, CallFailed, DigitPressed, Happened, SecretEntered
from appliance.recording.references import References
from drivers.clock import Clock
from drivers.errors import CarelineError
from drivers.protocol import Clip, Command, SetTag

log = logging.getLogger("careline.call")

KEYS_SHOWN = 40
RIDING_LIMIT = 100  # events in a tag while the disk does not take them
TAG_LIMIT_BYTES = 60_000  # Source: drivers/server/commands.py, TAG_MAX_BYTES


class EventStore(Protocol):
    """Where events go. An event that is there already (same call and seq) is dropped."""

    def append(self, event: Happened) -> None:
        """Queue it; returns at once."""

    async def flush(self) -> None:
        """Wait until all that was appended is on disk. Raises: CarelineError when it cannot be written."""

    async def last_seq(self, call_id: str) -> int:
        """The highest event number stored for a call, 0 for none."""


class Voice(Protocol):
    """Prompt ids to files."""

    def path(self, prompt_id: str, lang: Any) -> Path:
        """Raises: CarelineError for a prompt that is missing or damaged."""

    def duration_ms(self, prompt_id: str, lang: Any) -> int:
        """Raises: CarelineError for a prompt that is missing."""


@dataclass(frozen=True)
class Surroundings:
    """What the call agent lends to each call. `send` returns the command's id; `changed` is told of what was decided."""

    send: Callable[[Command], int]
    store: EventStore
    clock: Clock
    voice: Voice
    config: CallsConfig
    music: Callable[[], Path]
    references: References
    recording_day: Callable[[datetime], str]


@dataclass(frozen=True)
class Finished:
    """What a verb came to: its result, what happened, and what else changes in the tag."""

    result: Any = None
    events: Iterable[AnyHappened] = ()
    changes: dict[str, Any] = field(default_factory=dict)


class CallCore:
    """A call's state and the two ways to change it: `commit` and `step`."""

    def __init__(self, main: Leg, tag: CallTag, around: Surroundings, changed: Callable[["CallCore"], None]) -> None:
        self.main = main
        self.tag = tag
        self.legs: dict[str, Leg] = {main.name: main}
        self._around = around
        self._changed = changed
        self._cursor = 0
        self._untold: list[Happened] | None = None

    @property
    def id(self) -> str:
        return self.tag.call_id

    @property
    def config(self) -> CallsConfig:
        return self._around.config

    def here(self, at: datetime | None = None) -> dict[str, Any]:
        """The fields every event has; `commit` gives it its number."""
        return {"call_id": self.id, "seq": 0, "at": at or self._around.clock.now()}

    def send(self, command: Command) -> int:
        self.tell()
        return self._around.send(command)

    def commit(self, *events: AnyHappened, **changes: Any) -> None:
        """Decide: the tag changes and the events happened, both or neither."""
        numbered = tuple(msgspec.structs.replace(event, seq=self.tag.seq + place) for place, event in enumerate(events, 1))
        self.tag = msgspec.structs.replace(
            self.tag,
            seq=self.tag.seq + len(numbered),
            unstored=(self.tag.unstored + numbered)[-RIDING_LIMIT:],
            keys=(self.tag.keys + _keys(numbered))[-KEYS_SHOWN:],
            **changes,
        )
        self.main.consume(self.tag.consumed_seq)
        if self._untold is None:
            self._untold = []
            asyncio.get_running_loop().call_soon(self.tell)
        self._untold += numbered

    def tell(self) -> None:
        """What was decided goes out: the tag, then the events."""
        if self._untold is None:
            return
        events, self._untold = self._untold, None
        self.tag, encoded = fitting(self.tag)
        self._around.send(SetTag(leg=self.main.name, tag=encoded, consumed_seq=self.tag.consumed_seq))
        for event in events:
            self._around.store.append(event)
        self._changed(self)

    def stored(self, seq: int) -> None:
        """Events up to `seq` are on disk: the next tag need not carry them."""
        kept = tuple(event for event in self.tag.unstored if event.seq > seq)
        self.tag = msgspec.structs.replace(self.tag, unstored=kept)

    def append_again(self) -> None:
        """After a crash: events that rode along may not have reached the disk."""
        for event in self.tag.unstored:
            self._around.store.append(event)

    async def step(self, verb: str, act: Callable[[], Awaitable[Finished]]) -> Any:
        """The result of `act`, once: a script that is run again at this place gets the result it got before."""
        index = self._cursor
        self._cursor += 1
        done = self.tag.steps[index : index + 1]
        if done and done[0].verb == verb:
            return done[0].result
        if done:
            log.warning("call %s: step %d was %s, is %s; the place is begun anew", self.id, index, done[0].verb, verb)
            self.tag = msgspec.structs.replace(self.tag, steps=self.tag.steps[:index])
        finished = await act()
        steps = (*self.tag.steps, Step(verb, finished.result))
        self.commit(*finished.events, steps=steps, **finished.changes)
        return finished.result

    def begin_place(self) -> None:
        """The script of the place runs from its start."""
        self._cursor = 0

    def fault(self, error: CarelineError) -> CallFailed:
        """The event that tells of a fault of ours."""
        log.error("call %s: %s", self.id, error)
        return CallFailed(code=error.code, what=error.what, remedy=error.remedy, **self.here())

    def clips(self, prompts: Iterable[str]) -> tuple[tuple[Clip, ...], int, list[CallFailed]]:
        """Files of the prompts in the call's language, their length in ms, and a fault for each that cannot be said."""
        found: list[Clip] = []
        length_ms = 0
        faults: list[CallFailed] = []
        for prompt in prompts:
            try:
                found.append(Clip(path=str(self._around.voice.path(prompt, self.tag.language))))
                length_ms += self._around.voice.duration_ms(prompt, self.tag.language)
            except CarelineError as error:
                faults.append(self.fault(error))
        return tuple(found), length_ms, faults


def fitting(tag: CallTag) -> tuple[CallTag, bytes]:
    """The tag and what it is on the wire; where it would not go in, the oldest events that ride along are left behind."""
    encoded = tags.encode(tag)
    while len(encoded) > TAG_LIMIT_BYTES and tag.unstored:
        tag = msgspec.structs.replace(tag, unstored=tag.unstored[len(tag.unstored) // 4 + 1 :])
        encoded = tags.encode(tag)
    return tag, encoded


def _keys(events: Iterable[AnyHappened]) -> str:
    return "".join(event.digit for event in events if isinstance(event, DigitPressed | SecretEntered))
