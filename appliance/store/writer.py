"""The one thread of the call agent that touches the store.

`append` never waits: events go into a queue and from there, many per transaction, into the tables (projections.py). When the disk is
full or the store is locked, they stay queued and are tried again every RETRY_S: nothing is lost while the process lives, and `fault`
says what is wrong. `flush` and `run` wait for the thread, with the clock told (`external_work`), so a virtual clock stands still meanwhile.
"""

import asyncio
import contextlib
import logging
import queue
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec
from peewee import DatabaseError, OperationalError, SqliteDatabase

from appliance.events import Happened
from appliance.store import models
from appliance.store.database import broken, first_of, is_damage, open_store
from appliance.store.errors import StoreError
from appliance.store.projections import last_seq, store_event
from drivers.clock import Clock

BATCH = 500
RETRY_S = 1.0
FLUSH_LIMIT_S = 10.0

log = logging.getLogger("careline.store")
R = TypeVar("R")
Outcome = tuple[Any, Exception | None]


class Job(Protocol):
    """One thing for the writer: `work` runs in its transaction, `settle` once that is committed."""

    @property
    def work(self) -> Callable[[], Any]: ...

    def settle(self, result: Any, error: Exception | None, /) -> None: ...


class Store:
    """The store as the call agent sees it. `start` before use; `close` writes what is queued.

    Raises: StoreError from `start` (cannot be opened) and `flush` (STO-004 could not be written in time).
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="store-writer", daemon=True)
        self._database: SqliteDatabase | None = None
        self.fault: StoreError | None = None

    def start(self) -> None:
        self._database = open_store(self._path)
        self._database.close()
        self._thread.start()

    def close(self, limit_s: float = FLUSH_LIMIT_S) -> None:
        self._jobs.put(None)
        self._thread.join(limit_s)

    def append(self, event: Happened) -> None:
        """Queue one event; returns at once."""
        self._jobs.put(_Append(event))

    async def flush(self, limit_s: float = FLUSH_LIMIT_S) -> None:
        """Wait until everything appended so far is on disk. Raises: StoreError STO-004."""
        await self.run(lambda: None, limit_s)

    async def last_seq(self, call_id: str) -> int:
        """The highest event number stored for a call: a new call agent counts on from there."""
        return await self.run(lambda: last_seq(call_id))

    async def run(self, job: Callable[[], R], limit_s: float = FLUSH_LIMIT_S) -> R:
        """Run `job` in the writer's transaction after everything queued before it, and give its result.

        Raises: StoreError STO-004, or what the job raised.
        """
        loop = asyncio.get_running_loop()
        settled: asyncio.Future[R] = loop.create_future()
        self._jobs.put(_Asked(job, loop, settled))
        with self._clock.external_work():
            try:
                async with asyncio.timeout(limit_s):  # wait_for of Python 3.11 may swallow a cancellation
                    return await settled
            except TimeoutError:
                raise self.fault or StoreError("STO-004", f"the store {self._path} does not write", "Check disk and log") from None

    def _work(self) -> None:
        assert self._database is not None
        self._database.connect()
        pending: deque[Job] = deque()
        ending = False
        while not ending or (pending and self.fault is None):
            ending = self._collect(pending, wait=not pending) or ending
            self._write(pending)
        self._database.close()

    def _collect(self, pending: deque[Job], *, wait: bool) -> bool:
        """Take jobs from the queue (waiting for the first if asked); True when told to end."""
        try:
            job = self._jobs.get(block=wait)
            while job is not None:
                pending.append(job)
                if len(pending) >= BATCH:
                    return False
                job = self._jobs.get(block=False)
        except queue.Empty:
            return False
        return True

    def _write(self, pending: deque[Job]) -> None:
        assert self._database is not None
        if not pending:
            return
        try:
            with self._database.atomic("immediate"):
                outcomes = [(job, _attempt(job)) for job in pending]
        except DatabaseError as error:
            self._failed(error)
            return
        self.fault = None
        pending.clear()
        for job, outcome in outcomes:
            job.settle(*outcome)

    def _failed(self, error: DatabaseError) -> None:
        self.fault = (
            broken(self._path, error)
            if is_damage(error)
            else StoreError(
                "STO-004",
                f"the store {self._path} cannot be written ({first_of(error)})",
                "Free disk space; nothing is lost meanwhile",
            )
        )
        log.error("%s", self.fault)
        threading.Event().wait(RETRY_S)


def _attempt(job: Job) -> Outcome:
    """Do one job in a savepoint: what it raises undoes it alone. A store that cannot be written or is damaged ends the whole batch."""
    try:
        with models.database.atomic():
            return job.work(), None
    except Exception as error:  # the outer border of an event's subscriber: whatever one job raises is its own, the others are stored
        if isinstance(error, OperationalError) or is_damage(error):
            raise
        return None, error


class _Append:
    """An event nobody waits for. One that the tables refuse is a fault of ours: its whole text goes to the log, so it is not lost."""

    def __init__(self, event: Happened) -> None:
        self._event = event

    def work(self) -> None:
        store_event(self._event)

    def settle(self, _result: Any, error: Exception | None) -> None:
        if error is not None:
            log.error("STO-005: an event could not be stored (%s): %s", error, msgspec.json.encode(self._event).decode())


class _Asked:
    """A job whose result somebody waits for."""

    def __init__(self, work: Callable[[], Any], loop: asyncio.AbstractEventLoop, settled: "asyncio.Future[Any]") -> None:
        self.work = work
        self._loop = loop
        self._settled = settled

    def settle(self, result: Any, error: Exception | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop may have ended meanwhile
            self._loop.call_soon_threadsafe(self._tell, result, error)

    def _tell(self, result: Any, error: Exception | None) -> None:
        if self._settled.done():
            return
        if error is not None:
            self._settled.set_exception(error)
        else:
            self._settled.set_result(result)
