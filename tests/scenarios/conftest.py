"""What every scenario shares: a folder, prompts read once, and the watch over the event loop."""

import asyncio
import contextlib
import os
import resource
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.config import Config
from appliance.ivr.prompts.library import PromptLibrary
from drivers.settings import Paths

BLOCKED_LIMIT_S = 0.05


@pytest.fixture(scope="session")
def prompts() -> PromptLibrary:
    """The rendered prompts, each read once for all scenarios."""
    library = PromptLibrary()
    library.faults()
    return library


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of one's own, in memory where there is such a place: scenarios say nothing about the disk."""
    memory = Path("/dev/shm")
    made = Path(tempfile.mkdtemp(prefix="careline-", dir=memory if memory.is_dir() else None))
    yield made
    shutil.rmtree(made)


@pytest.fixture
def config(folder: Path) -> Config:
    """A box in a folder of its own."""
    return Config(paths=Paths(run_dir=str(folder / "run"), data_dir=str(folder / "data")))


class LoopWatch:
    """How long the event loop was held by one batch of callbacks: at work or waiting, not pre-empted.

    What a thread spends in the run queue, and what it waits for another one that is there (the interpreter lock, the
    store's writer), says something about the machine, not about the code; the kernel counts it.
    Source: Documentation/scheduler/sched-stats.rst, /proc/<pid>/schedstat.
    """

    def __init__(self) -> None:
        self.worst_s = 0.0
        self._began_s: float | None = None
        self._cpu_s = 0.0
        self._queued: dict[str, int] = {}
        self._waits = 0

    def batch_begins(self) -> None:
        self._began_s, self._cpu_s, self._queued = time.monotonic(), time.thread_time(), queued_ns()
        self._waits = waits()

    def batch_ends(self) -> None:
        if self._began_s is None:
            return
        wall_s, cpu_s = time.monotonic() - self._began_s, time.thread_time() - self._cpu_s
        self._began_s = None
        if waits() == self._waits:
            self.worst_s = max(self.worst_s, cpu_s)
        elif wall_s > self.worst_s:
            queued = queued_ns()
            ended = self._queued.keys() - queued.keys()  # how long such a thread was waited for is not known any more
            waited_ns = sum(now - self._queued.get(thread, 0) for thread, now in queued.items())
            self.worst_s = max(self.worst_s, cpu_s, 0.0 if ended else wall_s - cpu_s - waited_ns / 1e9)


def waits() -> int:
    """How often this thread gave up the processor of itself. Without that it waited for nothing but the machine under us."""
    return resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw


def queued_ns() -> dict[str, int]:
    """How long each thread of the process stood in the run queue since it began."""
    found: dict[str, int] = {}
    for thread in os.listdir("/proc/self/task"):
        with contextlib.suppress(OSError), open(f"/proc/self/task/{thread}/schedstat", "rb") as schedstat:
            found[thread] = int(schedstat.read().split()[1])
    return found


@pytest.fixture(autouse=True)
def loop_watch(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopWatch]:
    """Fails a test that holds the event loop for more than BLOCKED_LIMIT_S."""
    watch = LoopWatch()
    run_once = asyncio.BaseEventLoop._run_once  # type: ignore[attr-defined]
    process_events = asyncio.SelectorEventLoop._process_events  # type: ignore[attr-defined]

    def watched_run_once(loop: asyncio.BaseEventLoop) -> None:
        run_once(loop)
        watch.batch_ends()

    def watched_process_events(loop: asyncio.SelectorEventLoop, events: object) -> None:
        watch.batch_begins()
        process_events(loop, events)

    monkeypatch.setattr(asyncio.BaseEventLoop, "_run_once", watched_run_once)
    monkeypatch.setattr(asyncio.SelectorEventLoop, "_process_events", watched_process_events)
    yield watch
    assert watch.worst_s < BLOCKED_LIMIT_S, f"the event loop was held for {watch.worst_s * 1000:.0f} ms"
