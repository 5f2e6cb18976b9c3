"""Keeps a few processes running until told to stop: starts them in order, each when the one before is ready, restarts what dies, ends all.

asyncio, one thread. Each child has a session of its own, so that Ctrl-C in the terminal reaches only us, and dies when we are killed.
"""

import asyncio
import ctypes
import signal
from asyncio.subprocess import Process
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import StartError

POLL_S = 0.05
START_LIMIT_S = 60.0
STOP_LIMIT_S = 10.0
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0
STEADY_S = 10.0  # a child that lived so long starts again without a longer pause
TOLD_LINES = 12
PR_SET_PDEATHSIG = 1  # Source: prctl(2)


@dataclass(frozen=True)
class Child:
    """A process: its name, command, and how to see that it is ready."""

    name: str
    command: list[str]
    ready: Callable[[], bool]


class Supervisor:
    """All children of one box. `say` tells a person what happened; their output goes to NAME.log in `logs`."""

    def __init__(self, children: list[Child], logs: Path, say: Callable[[str], None]) -> None:
        self._children = children
        self._logs = logs
        self._say = say
        self._running: dict[str, Process] = {}
        self._stopping = asyncio.Event()
        self._hurry = asyncio.Event()

    async def run(self, when_ready: Callable[[], None]) -> None:
        """Until SIGINT or SIGTERM. Raises: StartError APP-042 a child that cannot start, APP-043 one that is never ready."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop)
        try:
            for child in self._children:
                await self._start(child)
            if not self._stopping.is_set():
                when_ready()
            await self._keep_all()
        finally:
            await self._end_all()

    def stop(self) -> None:
        """The first call ends all in order, a second one at once."""
        if self._stopping.is_set():
            self._hurry.set()
        self._stopping.set()

    async def _start(self, child: Child) -> None:
        process = await self._launch(child)
        for _ in range(int(START_LIMIT_S / POLL_S)):
            if self._stopping.is_set() or child.ready():
                return
            if process.returncode is not None:
                raise StartError("APP-042", f"{child.name} did not start ({_how(process.returncode)})", self._last_lines(child))
            await asyncio.sleep(POLL_S)
        raise StartError("APP-043", f"{child.name} is not ready after {START_LIMIT_S:.0f} s", self._last_lines(child))

    async def _launch(self, child: Child) -> Process:
        with self._log(child).open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *child.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        self._running[child.name] = process
        return process

    async def _keep_all(self) -> None:
        """Each child kept by a task of its own, until it is time to stop."""
        keepers = [asyncio.create_task(self._keep(child)) for child in self._children]
        await self._stopping.wait()
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)

    async def _keep(self, child: Child) -> None:
        loop = asyncio.get_running_loop()
        pause_s = FIRST_PAUSE_S
        while True:
            began = loop.time()
            code = await self._running[child.name].wait()
            pause_s = FIRST_PAUSE_S if loop.time() - began > STEADY_S else min(pause_s * 2, LONGEST_PAUSE_S)
            self._say(f"{child.name} ended ({_how(code)}), starting it again; its log: {self._log(child)}")
            await asyncio.sleep(pause_s)
            await self._launch(child)

    async def _end_all(self) -> None:
        """In the reverse order, so that each still finds those it stands on."""
        for child in reversed(self._children):
            if (process := self._running.get(child.name)) and process.returncode is None:
                await self._end(child, process)

    async def _end(self, child: Child, process: Process) -> None:
        process.terminate()
        ended = asyncio.create_task(process.wait())
        hurried = asyncio.create_task(self._hurry.wait())
        await asyncio.wait({ended, hurried}, timeout=STOP_LIMIT_S, return_when=asyncio.FIRST_COMPLETED)
        hurried.cancel()
        if not ended.done():
            self._say(f"{child.name} does not end, killing it")
            process.kill()
        await ended

    def _log(self, child: Child) -> Path:
        return self._logs / f"{child.name}.log"

    def _last_lines(self, child: Child) -> str:
        said = self._log(child).read_text(errors="replace").splitlines()[-TOLD_LINES:]
        return "\n  ".join([f"What it said last ({self._log(child)}):", *said])


def _how(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
