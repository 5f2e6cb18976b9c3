"""`careline-calls`, the call agent: the only place where its parts are put together.

Threads of this process: main (the asyncio event loop: calls, lines, control socket), store-writer (the database), slow-work
(passwords), and asyncio's default executor at start and stop, to open and close the store.
SIGTERM or SIGINT: stop at once, calls go on in the line server and are taken over by the next call agent.
"""

import argparse
import asyncio
import contextlib
import errno
import fcntl
import logging
import os
import signal
import sys
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import sdnotify

from appliance import config as configuration
from appliance.agent import CallAgent
from appliance.checks import errors_of, faults_of
from appliance.checks.watch import NamesWatch
from appliance.config import Config
from appliance.errors import StartError
from appliance.ivr.prompts.library import PromptLibrary
from appliance.lines import connect_unix
from drivers.clock import RealClock
from drivers.errors import CarelineError

log = logging.getLogger("careline.calls")

DEFAULT_CONFIG = Path("/etc/careline/careline.toml")
WATCHDOG_DEFAULT_S = 10.0
LOOK_THROUGH_AFTER_S = 120.0  # calls of the one before are taken over first; thousands of prompts take their time
EXIT_FAULT = 1
EXIT_CONFIG = 78  # Source: sysexits.h, EX_CONFIG


def main() -> int:
    """The program. Its exit status is 0, 78 for a configuration that cannot be used, or 1."""
    arguments = _arguments()
    logging.basicConfig(level=arguments.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    try:
        config = configuration.load(arguments.config)
        if arguments.check:
            return _check(config, arguments.config)
        with only_instance(Path(config.paths.data_dir)):
            asyncio.run(serve(config, arguments.config))
        return 0
    except CarelineError as error:
        log.critical("%s", error)
        return EXIT_CONFIG if error.code.startswith("CFG") else EXIT_FAULT


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="careline-calls", description="The call agent: decides what happens to each call.")
    parser.add_argument("--config", type=Path, default=DEFAULT_CONFIG, help="careline.toml (default: %(default)s)")
    parser.add_argument("--check", action="store_true", help="say what is wrong with configuration, flow and prompts, and end")
    parser.add_argument("--log-level", default="INFO", choices=["DEBUG", "INFO", "WARNING", "ERROR"])
    return parser.parse_args()


def _check(config: Config, file: Path) -> int:
    faults = faults_of(config, PromptLibrary(), file)
    for fault in faults:
        print(fault)
    if errors_of(faults):
        return EXIT_FAULT
    print("The configuration, the flow and all prompts are well.")
    return 0


@contextlib.contextmanager
def only_instance(data_dir: Path) -> Iterator[None]:
    """Hold the lock of this data folder. Raises: StartError APP-040 when another call agent has it, APP-041."""
    path = data_dir / "calls.lock"
    try:
        descriptor = _lock_file(path)
    except OSError as error:
        raise StartError("APP-041", f"cannot use {path}: {error.strerror}", "Check [paths] data_dir and its owner") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StartError(
                "APP-040", f"another call agent works in {data_dir}", "Stop it first, or give this one its own data_dir"
            ) from error
        yield
    finally:
        os.close(descriptor)


def _lock_file(path: Path) -> int:
    """On a disk that has become read-only the lock of an earlier start will do: callers are answered all the same. Raises: OSError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        if error.errno != errno.EROFS:
            raise
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)


async def serve(config: Config, file: Path) -> None:
    """Until a signal. Raises: CarelineError when a part cannot start."""
    clock = RealClock()
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)

    async def connect() -> Any:
        return await connect_unix(config.paths.lines_socket)

    prompts = PromptLibrary(own=Path(config.paths.data_dir))
    agent = CallAgent(config, connect, clock, prompts, listeners=(NamesWatch(config, file),))
    await agent.start(control=True)
    looking = asyncio.create_task(_look_through(agent, config, prompts, file), name="look through")
    notifier = sdnotify.SystemdNotifier()
    notifier.notify("READY=1")
    log.info("ready; data in %s", config.paths.data_dir)
    try:
        await _first_of(stopping.wait(), _watchdog(notifier, agent))
    finally:
        looking.cancel()
        notifier.notify("STOPPING=1")
        await agent.stop()


async def _look_through(agent: CallAgent, config: Config, prompts: PromptLibrary, file: Path) -> None:
    """Everything that could be wrong, thousands of prompts among it, in a thread: callers do not wait for that."""
    await asyncio.sleep(LOOK_THROUGH_AFTER_S)
    faults = await asyncio.to_thread(faults_of, config, prompts, file)
    for fault in faults:
        log.log(logging.ERROR if errors_of([fault]) else logging.WARNING, "%s", fault)
    agent.prompt_fault = next(iter(errors_of(faults)), None)


async def _first_of(*work: Coroutine[Any, Any, Any]) -> None:
    tasks = [asyncio.create_task(each) for each in work]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    for task in done:
        task.result()


async def _watchdog(notifier: Any, agent: CallAgent) -> None:
    """Tell the service manager that this loop turns, twice per its limit, and how it is."""
    limit_us = int(os.environ.get("WATCHDOG_USEC", "0") or 0)
    period_s = limit_us / 2e6 if limit_us else WATCHDOG_DEFAULT_S
    while True:
        notifier.notify(f"WATCHDOG=1\nSTATUS={agent.status()}")
        await asyncio.sleep(period_s)


if __name__ == "__main__":
    sys.exit(main())
