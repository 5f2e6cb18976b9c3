"""The demo's supervisor with real children: order, readiness, restart, ending, and nobody left behind."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.cli import supervisor
from appliance.cli.supervisor import Child, Supervisor
from appliance.errors import StartError

LIMIT_S = 30

# Writes its pid into a file of its own, then waits for a signal.
GOOD = "import os, signal, sys; open(sys.argv[1], 'a').write(f'{os.getpid()}\\n'); signal.pause()"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + GOOD
BAD = "import sys; print('no such card', file=sys.stderr); sys.exit(3)"


def child(folder: Path, name: str, program: str = GOOD) -> Child:
    mark = folder / f"{name}.pids"
    return Child(name, [sys.executable, "-c", program, str(mark)], mark.exists)


def pids(folder: Path, name: str) -> list[int]:
    return [int(line) for line in (folder / f"{name}.pids").read_text().split()]


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not true():  # noqa: ASYNC110  # another process is watched
            await asyncio.sleep(0.01)


def test_children_start_in_order_and_end_in_reverse(tmp_path: Path) -> None:
    said: list[str] = []

    async def main() -> None:
        box = Supervisor([child(tmp_path, "lines"), child(tmp_path, "calls")], tmp_path, said.append)

        def ready() -> None:
            said.append("ready")
            box.stop()

        await box.run(ready)

    asyncio.run(main())
    assert said == ["ready"]
    assert (tmp_path / "lines.pids").stat().st_mtime_ns < (tmp_path / "calls.pids").stat().st_mtime_ns
    assert not any(alive(pid) for name in ("lines", "calls") for pid in pids(tmp_path, name))


def test_a_child_that_is_killed_is_started_again(tmp_path: Path) -> None:
    said: list[str] = []

    async def main() -> None:
        box = Supervisor([child(tmp_path, "calls")], tmp_path, said.append)
        running = asyncio.create_task(box.run(lambda: os.kill(pids(tmp_path, "calls")[0], signal.SIGKILL)))
        await until(lambda: len(pids(tmp_path, "calls")) == 2 if (tmp_path / "calls.pids").exists() else False)
        box.stop()
        await running

    asyncio.run(main())
    assert "calls ended (signal SIGKILL), starting it again" in said[0]
    assert not any(map(alive, pids(tmp_path, "calls")))


def test_a_child_that_cannot_start_is_an_error_with_its_own_words(tmp_path: Path) -> None:
    box = Supervisor([child(tmp_path, "lines"), child(tmp_path, "calls", BAD)], tmp_path, print)
    with pytest.raises(StartError, match="APP-042") as caught:
        asyncio.run(box.run(lambda: None))
    assert "exit status 3" in caught.value.what
    assert "no such card" in caught.value.remedy
    assert not any(map(alive, pids(tmp_path, "lines")))


def test_a_child_that_does_not_end_is_killed_when_the_person_hurries(tmp_path: Path) -> None:
    said: list[str] = []

    async def main() -> None:
        box = Supervisor([child(tmp_path, "web", STUBBORN)], tmp_path, said.append)

        def hurry() -> None:
            for _ in range(2):
                box.stop()

        await box.run(hurry)

    asyncio.run(main())
    assert said == ["web does not end, killing it"]
    assert not any(map(alive, pids(tmp_path, "web")))


def test_a_child_that_is_never_ready_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "START_LIMIT_S", 0.3)
    never = Child("web", [sys.executable, "-c", GOOD, str(tmp_path / "web.pids")], lambda: False)
    with pytest.raises(StartError, match="APP-043"):
        asyncio.run(Supervisor([never], tmp_path, print).run(lambda: None))


def test_children_die_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    program = f"""
import asyncio, sys
from pathlib import Path
from appliance.cli.supervisor import Child, Supervisor
mark = Path({str(tmp_path / "lines.pids")!r})
child = Child("lines", [sys.executable, "-c", {GOOD!r}, str(mark)], mark.exists)
asyncio.run(Supervisor([child], Path({str(tmp_path)!r}), print).run(lambda: print("ready", flush=True)))
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.kill()
    process.wait(LIMIT_S)
    process.stdout.close()
    (pid,) = pids(tmp_path, "lines")
    asyncio.run(until(lambda: not alive(pid)))
