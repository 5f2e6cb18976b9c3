"""The one thread of the call agent that touches the store.

`append` never waits: events go into a queue and from there, many per transaction, into the tables (projections.py). A store that is
locked, damaged or without room on its disk, or that cannot even be opened, keeps nothing from starting and loses nothing: on a full disk
the reserve (reserve.py) is used up first; then what is queued stays queued and is tried again every RETRY_S, and `fault` says what is
wrong. Only the death of this process meanwhile costs what the legs' tags do not carry as well (appliance/call/core.py).
`flush`, `run` and `read` wait for the thread, with the clock told (`external_work`), so a virtual clock stands still meanwhile.
"""

import asyncio
import contextlib
import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from itertools import groupby, islice
from typing import Any, Protocol, TypeVar

import msgspec
from peewee import Database, InterfaceError, OperationalError

from appliance.events import Happened
from appliance.store import models
from appliance.store.database import FAULTS, fault_of, is_damage, open_store
from appliance.store.errors import StoreError
from appliance.store.place import StorePlace
from appliance.store.projections import last_seq, store_events
from appliance.store.reserve import lacks_room, reserve_of
from appliance.store.transaction import savepoint, write_transaction
from drivers.clock import Clock

BATCH = 500
GATHER_S = 0.1
RETRY_S = 1.0
FLUSH_LIMIT_S = 10.0

log = logging.getLogger("careline.store")
R = TypeVar("R")
Outcome = tuple[Any, Exception | None]


class Job(Protocol):
    """One thing for the writer: `work` runs in its transaction, `settle` once that is committed. `abandoned`: nobody wants it any more."""

    @property
    def work(self) -> Callable[[], Any]: ...

    @property
    def abandoned(self) -> bool: ...

    def settle(self, result: Any, error: Exception | None, /) -> None: ...


class Store:
    """The store as the call agent sees it. `start` before use; `close` writes what is queued.

    Raises: StoreError from `flush`, `run` and `read`: STO-001 not open, STO-002 damaged, STO-003 a newer version's, STO-004 not written.
    """

    def __init__(self, place: StorePlace, clock: Clock) -> None:
        self._place = place
        self._clock = clock
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="store-writer", daemon=True)
        self._database: Database | None = None
        self._reserve = reserve_of(place)
        self._tried = threading.Event()
        self.fault: StoreError | None = None

    @property
    def has_reserve(self) -> bool:
        """Whether the reserve is whole; without, the disk is full or nearly so."""
        return self._reserve.is_whole

    def start(self) -> None:
        """Open it. One that cannot be opened now is opened as soon as it can be; `fault` says why meanwhile."""
        self._thread.start()
        self._tried.wait(FLUSH_LIMIT_S)

    def close(self, limit_s: float = FLUSH_LIMIT_S) -> None:
        self._jobs.put(None)
        self._thread.join(limit_s)

    def append(self, event: Happened) -> None:
        """Queue one event; returns at once."""
        self._jobs.put(_Append(event))

    async def flush(self, limit_s: float = FLUSH_LIMIT_S) -> None:
        """Wait until everything appended so far is on disk. Raises: StoreError STO-004."""
        await self.run(_nothing, limit_s, lasting=False)

    async def last_seq(self, call_id: str) -> int:
        """The highest event number stored for a call: a new call agent counts on from there."""
        return await self.read(lambda: last_seq(call_id))

    async def read(self, job: Callable[[], R], limit_s: float = FLUSH_LIMIT_S) -> R:
        """The result of `job`, which changes nothing. Raises: StoreError, at once while the store does not work."""
        if self.fault:
            raise self.fault
        return await self.run(job, limit_s, lasting=False)

    async def run(self, job: Callable[[], R], limit_s: float = FLUSH_LIMIT_S, *, lasting: bool = True) -> R:
        """Run `job` in the writer's transaction after everything queued before it, and give its result.

        `lasting`: it is done as soon as it can be, even when nobody waits for it any more.
        Raises: StoreError STO-004, or what the job raised.
        """
        loop = asyncio.get_running_loop()
        settled: asyncio.Future[R] = loop.create_future()
        self._jobs.put(_Asked(job, loop, settled, lasting))
        with self._clock.external_work():
            try:
                async with asyncio.timeout(limit_s):  # wait_for of Python 3.11 may swallow a cancellation
                    return await settled
            except TimeoutError:
                raise self.fault or StoreError("STO-004", f"the store {self._place} does not write", "Check disk and log") from None

    async def mended(self) -> None:
        """Wait, however long it takes, until the store works."""
        while self.fault:  # noqa: ASYNC110  # another thread's, which knows no asyncio.Event
            await asyncio.sleep(RETRY_S)

    # --- the thread ----------------------------------------------------------------------------------------------

    def _work(self) -> None:
        self._open()
        self._tried.set()
        pending: deque[Job] = deque()
        ending = False
        while not ending or (pending and self.fault is None):
            ending = self._collect(pending, wait=not pending and self.fault is None) or ending
            self._serve(pending)
        self._close()

    def _collect(self, pending: deque[Job], *, wait: bool) -> bool:
        """Take jobs from the queue (waiting for the first if asked); True when told to end.

        Events, which nobody waits for, gather for a moment: a transaction costs more than they do.
        """
        try:
            job = self._jobs.get(block=wait)
            until_s = time.monotonic() + GATHER_S
            while job is not None:
                pending.append(job)
                wait = wait and isinstance(job, _Append)
                job = self._jobs.get(block=wait, timeout=max(0.0, until_s - time.monotonic()))
        except queue.Empty:
            return False
        return True

    def _serve(self, pending: deque[Job]) -> None:
        """Do what is pending, a batch of it; nothing at all is lost when it cannot be done."""
        if self.fault:
            wanted = [job for job in pending if not job.abandoned]
            pending.clear()
            pending.extend(wanted)
        idle = not pending and self.fault is None  # otherwise it is tried, even with nothing to write
        done = (self._database is not None or self._open()) and (idle or self._write(pending))
        if not done:
            threading.Event().wait(RETRY_S)

    def _open(self) -> bool:
        """Open the store, on the reserve if need be."""
        try:
            self._database = self._with_room(lambda: open_store(self._place))
        except StoreError as error:
            self._failed(error)
            return False
        self._reserve.fill()
        return True

    def _write(self, pending: deque[Job]) -> bool:
        """The first of them in one transaction, on the reserve if need be."""
        batch = list(islice(pending, BATCH))
        try:
            outcomes = self._with_room(lambda: self._transact(batch))
        except FAULTS as error:
            self._failed(fault_of(self._place, error))
            self._close()  # opened anew: a file that was read-only, or was replaced by its backup, stays what it was to who has it open
            return False
        self._works()
        for job, outcome in zip(batch, outcomes, strict=True):
            pending.popleft()
            job.settle(*outcome)
        return True

    def _with_room(self, work: Callable[[], R]) -> R:
        """Do it, again and again with more of the reserve while that is what it lacks. Raises: what it raised with nothing left."""
        pieces = 1
        while True:
            try:
                return work()
            except (*FAULTS, StoreError) as error:
                if not (lacks_room(error) and self._reserve.give(pieces)):
                    raise
            pieces *= 2

    def _close(self) -> None:
        if self._database:
            self._database.close()
        self._database = None

    def _transact(self, batch: list[Job]) -> list[Outcome]:
        assert self._database is not None
        with write_transaction(self._database):
            return _together(batch) or [_attempt(job) for job in batch]

    def _failed(self, fault: StoreError) -> None:
        """Tried again every RETRY_S, logged when it is news."""
        if self.fault is None or str(self.fault) != str(fault):
            log.error("%s", fault)
        self.fault = fault

    def _works(self) -> None:
        if self.fault:
            log.warning("the store %s works again", self._place)
        self.fault = None
        self._reserve.fill()


def _together(batch: list[Job]) -> list[Outcome]:
    """All of them in one savepoint, for each costs as much as a job; empty, and nothing done, when one of them raised."""
    try:
        with savepoint(models.database, "batch"):
            results = iter([each for alike, jobs in groupby(filter(_does, batch), type) for each in _results(alike, list(jobs))])
            return [(next(results) if _does(job) else None, None) for job in batch]
    except Exception as error:  # the outer border of an event's subscriber, as in _attempt
        if _ends_all(error):
            raise
        return []


def _does(job: Job) -> bool:
    """False for one that only waits for what was queued before it."""
    return job.work is not _nothing


def _nothing() -> None:
    """What `flush` asks for."""


def _results(alike: type[Job], jobs: list[Job]) -> list[Any]:
    """Events that come together are stored together."""
    if alike is not _Append:
        return [job.work() for job in jobs]
    store_events(job.event for job in jobs if isinstance(job, _Append))
    return [None] * len(jobs)


def _attempt(job: Job) -> Outcome:
    """Do one job in a savepoint: what it raises undoes it alone."""
    try:
        with savepoint(models.database, "job"):
            return job.work(), None
    except Exception as error:  # the outer border of an event's subscriber: whatever one job raises is its own, the others are stored
        if _ends_all(error):
            raise
        return None, error


def _ends_all(error: Exception) -> bool:
    """A store that cannot be written or is damaged ends the whole batch."""
    return isinstance(error, OperationalError | InterfaceError) or is_damage(error)


class _Append:
    """An event nobody waits for. One that the tables refuse is a fault of ours: its whole text goes to the log, so it is not lost."""

    abandoned = False

    def __init__(self, event: Happened) -> None:
        self.event = event

    def work(self) -> None:
        store_events([self.event])

    def settle(self, _result: Any, error: Exception | None) -> None:
        if error is not None:
            log.error("STO-005: an event could not be stored (%s): %s", error, msgspec.json.encode(self.event).decode())


class _Asked:
    """A job whose result somebody waits for."""

    def __init__(self, work: Callable[[], Any], loop: asyncio.AbstractEventLoop, settled: "asyncio.Future[Any]", lasting: bool) -> None:
        self.work = work
        self._loop = loop
        self._settled = settled
        self._lasting = lasting

    @property
    def abandoned(self) -> bool:
        return not self._lasting and self._settled.done()

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
