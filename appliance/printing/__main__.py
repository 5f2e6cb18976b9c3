"""`careline printers` (python -m appliance.printing): wiring, signals, the lock of the data folder.

Threads: main, which starts and ends the others, and one for each printer, so that none waits for another.
"""

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
from typing import IO

import sdnotify
from peewee import Database

from appliance import config as configuration
from appliance.printing.lock import LOCK
from appliance.printing.work import PrinterWork
from appliance.store.case_tables import Desk
from appliance.store.database import FAULTS, open_store
from appliance.store.place import place_of
from drivers.clock import RealClock
from drivers.errors import CarelineError

IDLE_S = 1.0
DESKS_EVERY_S = 5.0
STOP_LIMIT_S = 45.0  # one slip on its way, with every limit of slips/wire.py used up

log = logging.getLogger("careline.printers")


class PrintersError(CarelineError):
    """`careline printers` cannot run."""


class Printers:
    """All printers of the box: a thread for each that is in the store."""

    def __init__(self, database: Database, config: configuration.Config, *, is_woken: bool) -> None:
        """`is_woken`: somebody starts us when there is a printer; so without one we end."""
        self._is_woken = is_woken
        self._database = database
        self._config = config
        self._ending = threading.Event()
        self._threads: dict[int, threading.Thread] = {}
        self._notify = sdnotify.SystemdNotifier().notify

    def stop(self) -> None:
        self._ending.set()

    def run(self) -> None:
        """Until `stop`, or until there is nothing to do for one that is woken."""
        self._notify("READY=1")
        while not self._ending.is_set():
            try:
                if not self._start_new() and self._is_woken:
                    log.info("no printer is set up: nothing to do")
                    self._ending.set()
            except FAULTS as error:  # the call agent tells of the store; here it is tried again
                log.warning("the printers of the store cannot be read: %s", error)
            self._notify("WATCHDOG=1")
            self._ending.wait(DESKS_EVERY_S)
        for thread in self._threads.values():
            thread.join(STOP_LIMIT_S)

    def _start_new(self) -> int:
        """How many printers there are."""
        with self._database.connection_context():
            printers = [desk.id for desk in Desk.select().where(Desk.printer, ~Desk.closed)]
        for desk_id in printers:
            running = self._threads.get(desk_id)
            if running is None or not running.is_alive():
                thread = threading.Thread(target=self._serve, args=(desk_id,), name=f"printer {desk_id}", daemon=True)
                self._threads[desk_id] = thread
                thread.start()
        return len(printers)

    def _serve(self, desk_id: int) -> None:
        work = PrinterWork(self._database, desk_id, self._config.hospital, RealClock())
        begun = False
        while not self._ending.is_set():
            try:
                with self._database.connection_context():
                    if not begun:
                        work.begin()
                        begun = True
                    while work.step() and not self._ending.is_set():
                        pass
            except FAULTS as error:
                log.warning("printer %d waits for the store: %s", desk_id, error)
            self._ending.wait(IDLE_S)


def main() -> int:
    parser = argparse.ArgumentParser(prog="careline-printers", description="Brings registration slips and other work items to paper.")
    parser.add_argument("--config", type=Path, required=True, help="careline.toml")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        config = configuration.load(options.config)
        with _only_instance(Path(config.paths.data_dir)):
            _serve(config)
    except CarelineError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _serve(config: configuration.Config) -> None:
    database = open_store(place_of(config.paths))
    printers = Printers(database, config, is_woken="NOTIFY_SOCKET" in os.environ)  # systemd has careline-printers.path
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: printers.stop())
    try:
        printers.run()
    finally:
        database.close()


@contextmanager
def _only_instance(data_dir: Path) -> Iterator[None]:
    """Hold the lock of this data folder. Raises: PrintersError HOS-237, HOS-238."""
    with _lock(data_dir / LOCK) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PrintersError("HOS-237", f"another careline printers works on {data_dir}", "Stop that one first") from None
        yield


def _lock(path: Path) -> IO[str]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("a")
    except OSError as error:
        raise PrintersError("HOS-238", f"cannot open {path}: {error.strerror}", "Check [paths] data_dir and who owns it") from error


if __name__ == "__main__":
    sys.exit(main())
