"""What every scenario shares: a folder, prompts read once, and the watch over the event loop."""

import asyncio
import contextlib
import gc
import mmap
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.config import Config
from appliance.ivr.prompts.library import PromptLibrary
from appliance.ivr.reading import built_in
from appliance.ivr.speech import TextSpeaker
from drivers.settings import Paths

BLOCKED_LIMIT_S = 0.05


@pytest.fixture(scope="session")
def prompts() -> PromptLibrary:
    """The rendered prompts, what free text is read by, and the program's own flows: once for all scenarios, before any event loop runs."""
    library = PromptLibrary()
    library.faults()
    built_in()
    TextSpeaker(library)
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


BEAT_S = 0.002
LOOK_EVERY_S = 0.01  # asking the kernel before every batch would cost more than most batches
PULSE = """
import mmap, struct, sys, time
with open(sys.argv[1], "r+b") as file:
    beats = mmap.mmap(file.fileno(), 8)
for count in range(1, 10**9):
    struct.pack_into("q", beats, 0, count)
    time.sleep(float(sys.argv[2]))
"""


class Pulse:
    """A process of its own that counts while the machine runs: where it stood still, so did everything."""

    def __init__(self, folder: Path) -> None:
        path = folder / "pulse"
        path.write_bytes(bytes(8))
        with path.open("r+b") as file:
            self._beats = mmap.mmap(file.fileno(), 8)
        self._process = subprocess.Popen([sys.executable, "-S", "-c", PULSE, str(path), str(BEAT_S)])

    def ran_s(self) -> float:
        """Seconds the machine ran, at least: a beat takes longer than it is asked to."""
        return float(struct.unpack_from("q", self._beats)[0]) * BEAT_S

    def stop(self) -> None:
        self._process.kill()
        self._process.wait(10)
        self._beats.close()


class LoopWatch:
    """How long the event loop was held by one batch of callbacks: at work or waiting, not pre-empted.

    What a thread spends in the run queue, what it waits for another one that is there or computes (the interpreter lock, the
    store's writer), what the hypervisor takes and how long the whole machine stood still (a thread at work is charged for that,
    too) say something about the machine, not about the code; nor does looking for garbage among all that hundreds of tests have
    left, which no product's process has.
    Source: Documentation/scheduler/sched-stats.rst, /proc/<pid>/schedstat; proc(5), /proc/stat; Python's gc.callbacks.
    """

    def __init__(self, pulse: Pulse) -> None:
        self.worst_s, self.worst_was = 0.0, ""
        self._pulse = pulse
        self._began_s: float | None = None
        self._others: dict[str, int] = {}
        self._computed_s = 0.0
        self._ran_s = 0.0
        self._stolen_s = 0.0
        self._looked_s = float("-inf")
        self._collected_s = self._collecting_since_s = 0.0

    def collecting(self, phase: str, _: object) -> None:
        """Python's garbage collector begins ("start") or has ended."""
        if phase == "start":
            self._collecting_since_s = time.monotonic()
        else:
            self._collected_s += time.monotonic() - self._collecting_since_s

    def batch_begins(self) -> None:
        self._began_s = time.monotonic()
        self._collected_s = 0.0
        if self._began_s - self._looked_s > LOOK_EVERY_S:
            self._others, self._ran_s, self._stolen_s = not_ours_ns(), self._pulse.ran_s(), stolen_s()
            self._began_s = self._looked_s = time.monotonic()
        self._computed_s = time.thread_time()

    def batch_ends(self) -> None:
        if self._began_s is None:
            return
        wall_s = time.monotonic() - self._began_s
        self._began_s = None
        if wall_s > max(self.worst_s, BLOCKED_LIMIT_S):
            self.worst_s = max(self.worst_s, self._held_s(wall_s))

    def _held_s(self, wall_s: float) -> float:
        computed_s = time.thread_time() - self._computed_s
        waited_s = sum(now - self._others.get(thread, 0) for thread, now in not_ours_ns().items()) / 1e9
        running_s = min(wall_s, self._pulse.ran_s() - self._ran_s + BEAT_S)
        stolen = stolen_s() - self._stolen_s
        held_s = max(min(computed_s, running_s), running_s - waited_s - stolen) - self._collected_s
        if held_s > self.worst_s:
            parts = {"wall": wall_s, "computed": computed_s, "running": running_s, "waited": waited_s, "stolen": stolen}
            self.worst_was = ", ".join(f"{name} {part * 1000:.0f} ms" for name, part in parts.items())
        return held_s


def stolen_s() -> float:
    """What the hypervisor took from all processors since the machine began."""
    with open("/proc/stat", "rb") as stat:
        return int(stat.readline().split()[8]) / os.sysconf("SC_CLK_TCK")


def not_ours_ns() -> dict[str, int]:
    """How long each thread of the process stood in the run queue since it began; of others than this one, how long they computed too."""
    found: dict[str, int] = {}
    for thread in os.listdir("/proc/self/task"):
        with contextlib.suppress(OSError), open(f"/proc/self/task/{thread}/schedstat", "rb") as schedstat:
            computed, queued, _ = map(int, schedstat.read().split())
            found[thread] = queued if thread == str(threading.get_native_id()) else queued + computed
    return found


@pytest.fixture(scope="session")
def pulse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pulse]:
    """One for all tests."""
    beating = Pulse(tmp_path_factory.mktemp("pulse"))
    yield beating
    beating.stop()


@pytest.fixture(autouse=True)
def loop_watch(monkeypatch: pytest.MonkeyPatch, pulse: Pulse) -> Iterator[LoopWatch]:
    """Fails a test that holds the event loop for more than BLOCKED_LIMIT_S."""
    watch = LoopWatch(pulse)
    run_once = asyncio.BaseEventLoop._run_once  # type: ignore[attr-defined]  # private: not in the stubs
    process_events = asyncio.SelectorEventLoop._process_events  # type: ignore[attr-defined]  # private: not in the stubs

    def watched_run_once(loop: asyncio.BaseEventLoop) -> None:
        run_once(loop)
        watch.batch_ends()

    def watched_process_events(loop: asyncio.SelectorEventLoop, events: object) -> None:
        watch.batch_begins()
        process_events(loop, events)

    monkeypatch.setattr(asyncio.BaseEventLoop, "_run_once", watched_run_once)
    monkeypatch.setattr(asyncio.SelectorEventLoop, "_process_events", watched_process_events)
    gc.callbacks.append(watch.collecting)
    yield watch
    gc.callbacks.remove(watch.collecting)
    assert watch.worst_s < BLOCKED_LIMIT_S, f"the event loop was held for {watch.worst_s * 1000:.0f} ms ({watch.worst_was})"
