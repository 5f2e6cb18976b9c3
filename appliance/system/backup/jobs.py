"""The one job at a time that backups are about: in a thread of its own, below everything else the processor has to do.

A job that a service's end interrupts is cancelled; what it wrote by then is removed by the next one.
"""

import contextlib
import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC
from pathlib import Path
from typing import TypeVar

import msgspec

from appliance.system.backup.messages import Job, JobKind, Outcome
from appliance.system.backup.work import Tell, Work
from appliance.system.errors import BoxError
from drivers.clock import Clock
from drivers.errors import CarelineError

NICE = 19

log = logging.getLogger("careline.system")

T = TypeVar("T")


class Desk:
    """Of one box. `job`: what runs, or ran last. Any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._work: Work | None = None
        self.job: Job | None = None

    def start(self, kind: JobKind, target: str, name: str, by: str, do: Callable[[Work], T], tell: Tell | None = None) -> "Future[T]":
        """Raises: BoxError SYS-100 when another one runs."""
        with self._lock:
            if self._work is not None and self.job is not None:
                what = f"a job runs already ({self.job.kind.value}, {self.job.percent} %)"
                raise BoxError("SYS-100", what, "Wait until it is over, or cancel it")
            work = self._work = Work(lambda percent, step: self._told(percent, step, tell))
            self.job = Job(kind=kind, target=target, name=name, by=by, started_at=self._clock.now().astimezone(UTC))
        done: Future[T] = Future()
        threading.Thread(target=self._run, args=(do, work, done), name=f"backup-{kind.value}", daemon=True).start()
        return done

    def cancel(self) -> None:
        """Raises: BoxError SYS-117 when there is nothing to cancel, or it is too late."""
        with self._lock:
            work = self._work
        if work is None or not work.cancel():
            raise BoxError("SYS-117", "there is no job that could still be cancelled", "See the state of backups")

    def _told(self, percent: int, step: str, tell: Tell | None) -> None:
        assert self.job is not None
        self.job = msgspec.structs.replace(self.job, percent=percent, step=step)
        if tell is not None:
            tell(percent, step)

    def _run(self, do: Callable[[Work], T], work: Work, done: "Future[T]") -> None:
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)  # of this thread. Source: setpriority(2), Linux
        try:
            found = do(work)
        except CarelineError as error:
            self._ended(Outcome.CANCELLED if error.code == "SYS-117" else Outcome.FAILED, error)
            done.set_exception(error)
        except Exception as error:  # the outer border of a control command
            log.exception("SYS-004: a job of backups failed")
            self._ended(Outcome.FAILED, BoxError("SYS-004", "an internal fault", "See the log of careline-system"))
            done.set_exception(error)
        else:
            self._ended(Outcome.GOOD, None)
            done.set_result(found)

    def _ended(self, outcome: Outcome, error: CarelineError | None) -> None:
        with self._lock:
            assert self.job is not None
            told = {"code": error.code, "what": error.what, "remedy": error.remedy} if error else {}
            self.job = msgspec.structs.replace(self.job, ended_at=self._clock.now().astimezone(UTC), outcome=outcome, **told)
            self._work = None
        if error is not None:
            log.warning("%s of backups: %s", self.job.kind.value, error)


_desks: dict[Path, Desk] = {}
_desks_lock = threading.Lock()


def desk_of(data: Path, clock: Clock) -> Desk:
    """The one of the box whose data lie there."""
    with _desks_lock:
        return _desks.setdefault(data, Desk(clock))
