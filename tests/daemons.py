"""A program of ours as a process of its own, for a test or a measurement."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

START_LIMIT_S = 30.0
STOP_LIMIT_S = 20.0


@contextmanager
def daemon(module: str, config: Path, socket: Path) -> Iterator[int]:
    """Runs the program until the block ends; yields its process id once its socket is there. Its log lies beside `config`.

    Raises: AssertionError with its log when it does not start.
    """
    log = config.parent / f"{module}.log"
    with log.open("wb") as file:
        process = subprocess.Popen([sys.executable, "-m", module, "--config", str(config)], stdout=file, stderr=file)
    try:
        _wait_for(socket, process, log)
        yield process.pid
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_LIMIT_S)
        process.kill()
        process.wait()


def _wait_for(socket: Path, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + START_LIMIT_S
    while not socket.exists():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.1)
