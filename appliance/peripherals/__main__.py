"""`careline peripherals` (python -m appliance.peripherals): wiring, signals, the lock of the data folder, the watchdog.

Threads: main, which only watches; "sms" with the modem's reader beside it; one for each source of call records; one for SMDI. A thread
that ends by a fault, or is not heard of for BEAT_LIMIT_S, ends the process, and systemd begins it anew.
"""

import argparse
import fcntl
import logging
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import sdnotify
from peewee import Database

from appliance import config as configuration
from appliance.calendar import Calendar
from appliance.peripherals import state
from appliance.peripherals.config import RecordSource
from appliance.store.database import FAULTS, open_store
from appliance.store.place import place_of
from drivers.clock import Clock, RealClock
from drivers.errors import CarelineError

LOCK = "peripherals.lock"
WATCH_EVERY_S = 5.0
BEAT_LIMIT_S = 300.0  # a message that the network takes its time for, in a memory that is listed slowly
STOP_LIMIT_S = 75.0  # a message on its way, drivers/modem SEND_LIMIT_S

log = logging.getLogger("careline.peripherals")


class PeripheralsError(CarelineError):
    """`careline peripherals` cannot run."""


class Work(Protocol):
    """What one thread does."""

    def run(self, ending: threading.Event) -> None: ...


Beat = Callable[[], None]


class Peripherals:
    """A thread for each part that is switched on."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ending = threading.Event()
        self._beats: dict[str, float] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._notify = sdnotify.SystemdNotifier().notify

    def add(self, name: str, make: Callable[[Beat], Work]) -> None:
        self._beat(name)
        work = make(lambda: self._beat(name))
        self._threads[name] = threading.Thread(target=work.run, args=(self._ending,), name=name, daemon=True)

    def stop(self) -> None:
        self._ending.set()

    def run(self) -> bool:
        """Until `stop`. False: a part does not work any more."""
        for thread in self._threads.values():
            thread.start()
        self._notify("READY=1")
        well = True
        while well and not self._ending.wait(WATCH_EVERY_S):
            well = self._is_well()
            if well:
                self._notify("WATCHDOG=1")
        self._ending.set()
        for thread in self._threads.values():
            thread.join(STOP_LIMIT_S if well else WATCH_EVERY_S)
        return well

    def _beat(self, name: str) -> None:
        self._beats[name] = self._clock.monotonic_s()

    def _is_well(self) -> bool:
        now_s = self._clock.monotonic_s()
        for name, thread in self._threads.items():
            if not thread.is_alive() or now_s - self._beats[name] > BEAT_LIMIT_S:
                log.critical("PER-003: %s does not work any more; all is begun anew", name)
                return False
        return True


def main() -> int:
    parser = argparse.ArgumentParser(prog="careline-peripherals", description="Text messages; another switch's records.")
    parser.add_argument("--config", type=Path, required=True, help="careline.toml")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        config = configuration.load(options.config)
        if not is_wanted(config):
            sdnotify.SystemdNotifier().notify("READY=1")
            log.info("no modem, no call records, no SMDI in %s: nothing to do", options.config)
            return 0
        with _only_instance(Path(config.paths.data_dir)):
            return 0 if _serve(config) else 1
    except CarelineError as error:
        print(error, file=sys.stderr)
        return 1


def is_wanted(config: configuration.Config) -> bool:
    return bool(config.sms.device or config.smdr.sources or config.smdi.is_on)


def _serve(config: configuration.Config) -> bool:
    database = open_store(place_of(config.paths))
    peripherals = Peripherals(RealClock())
    _add_all(peripherals, config, database)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: peripherals.stop())
    try:
        return peripherals.run()
    finally:
        database.close()


def _add_all(peripherals: Peripherals, config: configuration.Config, database: Database) -> None:
    """Each part is loaded only where it is wanted."""
    clock, zone, data_dir = RealClock(), Calendar(config.hospital.calendar).zone, Path(config.paths.data_dir)
    names = {f"smdr {source.name}" for source in config.smdr.sources}
    if config.sms.device:
        from appliance.peripherals.sms_work import Rhythm, SmsWork

        names.add("sms")
        peripherals.add("sms", lambda beat: SmsWork(database, config.sms, data_dir, zone, clock, beat, Rhythm()))
    if config.smdi.is_on:
        from appliance.peripherals.smdi_work import SmdiWork

        names.add("smdi")
        peripherals.add("smdi", lambda beat: SmdiWork(database, config.smdi, clock, beat))
    for source in config.smdr.sources:
        _add_records(peripherals, source, config, database)
    try:
        state.forget_others(database, names)
    except FAULTS as error:
        log.warning("what is no longer there stays shown: %s", error)


def _add_records(peripherals: Peripherals, source: RecordSource, config: configuration.Config, database: Database) -> None:
    from appliance.peripherals.smdr_work import SmdrWork

    table, zone, data_dir = config.smdr.table(source.table), Calendar(config.hospital.calendar).zone, Path(config.paths.data_dir)
    assert table is not None, "checked with the configuration"
    peripherals.add(f"smdr {source.name}", lambda beat: SmdrWork(database, source, table, data_dir, zone, RealClock(), beat))


@contextmanager
def _only_instance(data_dir: Path) -> Iterator[None]:
    """Hold the lock of this data folder. Raises: PeripheralsError PER-001, PER-002."""
    path = data_dir / LOCK
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.open("a")
    except OSError as error:
        raise PeripheralsError("PER-002", f"cannot open {path}: {error.strerror}", "Check [paths] data_dir and who owns it") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PeripheralsError("PER-001", f"another careline peripherals works on {data_dir}", "Stop that one first") from None
        yield


if __name__ == "__main__":
    sys.exit(main())
