"""`careline health` (python -m appliance.health): options, one instance, signals, service manager."""

import argparse
import fcntl
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sdnotify

from appliance import config as configuration
from appliance.health.program import Program
from appliance.store.alarms import beat
from drivers.clock import RealClock
from drivers.errors import CarelineError

LOCK = "health.lock"
EXIT_FAULT, EXIT_CONFIG = 1, 78  # Source: sysexits.h, EX_CONFIG

log = logging.getLogger("careline.health")


class HealthError(CarelineError):
    """`careline health` cannot run."""


def main() -> int:
    """The program. Its exit status is 0, 78 for a configuration that cannot be used, or 1."""
    parser = argparse.ArgumentParser(prog="careline-health", description="Watches the box, raises alarms and tells of them.")
    parser.add_argument("--config", type=Path, default=Path("/etc/careline/careline.toml"), help="careline.toml (default: %(default)s)")
    arguments = parser.parse_args()
    logging.basicConfig(level="INFO", format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    try:
        config = configuration.load(arguments.config)
        with _only_instance(Path(config.paths.data_dir)):
            _serve(config)
    except CarelineError as error:
        log.critical("%s", error)
        return EXIT_CONFIG if error.code.startswith("CFG") else EXIT_FAULT
    return 0


def _serve(config: configuration.Config) -> None:
    """Raises: HealthError ALM-032 when the port of the metrics cannot be had."""
    try:
        program = Program(config, RealClock())
    except OSError as error:
        metrics = config.health.metrics
        what = f"the metrics cannot be had at {metrics.host}:{metrics.port} ({error.strerror})"
        raise HealthError("ALM-032", what, "Correct [health.metrics] host and port") from error
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: program.stop())
    threading.excepthook = _thread_failed
    notify = sdnotify.SystemdNotifier().notify
    notify("READY=1")
    log.info("ready")

    def alive() -> None:
        notify("WATCHDOG=1")
        beat(Path(config.paths.run_dir))

    program.run(alive)


def _thread_failed(failed: threading.ExceptHookArgs) -> None:
    """Half of it would watch half: the service manager starts it anew."""
    log.critical("ALM-034: the thread %s failed", failed.thread and failed.thread.name, exc_info=failed.exc_value)
    os._exit(EXIT_FAULT)


@contextmanager
def _only_instance(data_dir: Path) -> Iterator[None]:
    """Hold the lock of this data folder. Raises: HealthError ALM-030, ALM-031."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = (data_dir / LOCK).open("a")
    except OSError as error:
        what = f"cannot use {data_dir / LOCK}: {error.strerror}"
        raise HealthError("ALM-031", what, "Check [paths] data_dir and its owner") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HealthError("ALM-030", f"another careline health watches {data_dir}", "Stop that one first") from None
        yield


if __name__ == "__main__":
    sys.exit(main())
