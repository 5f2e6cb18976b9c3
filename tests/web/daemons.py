"""The whole box in three real processes on the virtual card, for one test: line server, call agent, web."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from tests.web import prepared
from tests.web.browser import free_port, web_process

START_LIMIT_S = 30.0
STOP_LIMIT_S = 15.0


@contextmanager
def whole_box(root: Path, lines: str = "") -> Iterator[tuple[prepared.Place, str]]:
    """Yields the place and the address of the pages. `lines`: the section of the line server."""
    port = free_port()
    place = prepared.make_place(root, port)
    place.config.write_text(place.config.read_text() + lines)
    with ExitStack() as stack:
        stack.enter_context(_process(place, "drivers.server", place.run_dir / "handset.sock"))
        stack.enter_context(_process(place, "appliance.main", place.run_dir / "control.sock"))
        yield place, stack.enter_context(web_process(place.config, port))


@contextmanager
def _process(place: prepared.Place, module: str, socket_path: Path) -> Iterator[None]:
    """One of our programs until the block ends; ready when its socket is there."""
    with (place.root / f"{module}.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", module, "--config", str(place.config)], stderr=log, stdout=log)
        try:
            _wait(process, socket_path, place.root / f"{module}.log")
            yield
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_LIMIT_S)
            process.kill()
            process.wait()


def _wait(process: "subprocess.Popen[bytes]", socket_path: Path, log: Path) -> None:
    until = time.monotonic() + START_LIMIT_S
    while not socket_path.exists():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.1)
