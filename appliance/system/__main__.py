"""`careline system` (python -m appliance.system), the box service: what needs root's rights on the box, and nothing else.

Threads: main (asyncio: the socket, what is due), and one for each action that runs. It never touches a call; all may go on without it.
"""

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any

import sdnotify

from appliance import config as configuration
from appliance.system.actions import Box
from appliance.system.backup.nightly import nightly
from appliance.system.network.watch import keep_up
from appliance.system.recordings.nights import delete_old_recordings
from appliance.system.server import SystemServer
from appliance.system.update import restart as update
from drivers.clock import RealClock
from drivers.errors import CarelineError

WATCHDOG_S = 5.0
EXIT_FAULT = 1
EXIT_CONFIG = 78  # Source: sysexits.h, EX_CONFIG

log = logging.getLogger("careline.system")

BACKGROUND: tuple[Callable[[Box], Coroutine[Any, Any, None]], ...] = (delete_old_recordings, keep_up, nightly, update.watch)
"""What goes on beside requests, until cancelled."""


def main() -> int:
    """The program. Its exit status is 0, 78 for a configuration that cannot be used, or 1."""
    parser = argparse.ArgumentParser(prog="careline-system", description="The box service: network, time, update, backup.")
    parser.add_argument("--config", type=Path, default=Path("/etc/careline/careline.toml"), help="careline.toml (default: %(default)s)")
    arguments = parser.parse_args()
    logging.basicConfig(level="INFO", format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    try:
        box = Box(configuration.load(arguments.config), arguments.config, RealClock())
        asyncio.run(serve(box))
        return 0
    except CarelineError as error:
        log.critical("%s", error)
        return EXIT_CONFIG if error.code.startswith("CFG") else EXIT_FAULT


async def serve(box: Box) -> None:
    """Until SIGTERM or SIGINT. Raises: CarelineError when the socket cannot be had."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    server = SystemServer(box.config.paths.system_socket, box, box.config.lines.get("socket_group"))
    await server.start()
    notifier = sdnotify.SystemdNotifier()
    notifier.notify("READY=1")
    work = [asyncio.create_task(each(box)) for each in BACKGROUND]
    try:
        while not stopping.is_set():
            notifier.notify("WATCHDOG=1")
            _raise_faults(work)
            await _wait(stopping, WATCHDOG_S)
    finally:
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        await server.close()


def _raise_faults(work: Iterable["asyncio.Task[None]"]) -> None:
    """What goes on beside requests must go on: a fault of it ends the service, which the service manager begins anew."""
    for task in work:
        if task.done() and (error := task.exception()) is not None:
            raise error


async def _wait(event: asyncio.Event, limit_s: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), limit_s)
    except TimeoutError:
        return


if __name__ == "__main__":
    sys.exit(main())
