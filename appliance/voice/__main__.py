"""`careline voice` (python -m appliance.voice): wiring, signals, the lock of the data folder. One thread, lowest priority."""

import argparse
import logging
import os
import signal
import sys
import threading
from pathlib import Path

from peewee import Database

from appliance import config as configuration
from appliance.store.database import FAULTS, open_store
from appliance.store.place import place_of
from appliance.voice.engine import Kokoro, missing
from appliance.voice.lock import only_instance
from appliance.voice.work import MEGABYTE, VoiceWork
from drivers.clock import RealClock
from drivers.errors import CarelineError

IDLE_S = 5.0
MOST_MB = 2000  # about 70 hours of speech

log = logging.getLogger("careline.voice")


def main() -> int:
    options = _options()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        config = configuration.load(options.config)
        with only_instance(Path(config.paths.data_dir)):
            _serve(config, options)
    except CarelineError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="careline-voice", description="Speaks the texts that staff write, as files for calls to come.")
    parser.add_argument("--config", type=Path, required=True, help="careline.toml")
    parser.add_argument("--once", action="store_true", help="end when nothing waits to be spoken")
    parser.add_argument("--most-mb", type=int, default=MOST_MB, help="how much of the disk renderings may take (default: %(default)s)")
    return parser.parse_args()


def _serve(config: configuration.Config, options: argparse.Namespace) -> None:
    os.nice(19)
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    lacking = missing()
    if lacking:
        log.warning("APP-065: this box has no voice of its own, it lacks %s; texts are put together from phrases", lacking)
    database = open_store(place_of(config.paths))
    try:
        work = VoiceWork(
            database, Path(config.paths.data_dir), RealClock(), None if lacking else Kokoro(), lacking, options.most_mb * MEGABYTE
        )
        _work(work, database, ending, once=options.once)
    finally:
        database.close()


def _work(work: VoiceWork, database: Database, ending: threading.Event, *, once: bool) -> None:
    """Texts one after another; what the store could not be told is spoken again."""
    work.begin()
    while not ending.is_set():
        try:
            with database.connection_context():
                while work.step() and not ending.is_set():
                    pass
        except FAULTS as error:
            if once:
                raise
            log.warning("the store cannot be used, its texts wait: %s", error)
        if once:
            return
        ending.wait(IDLE_S)


if __name__ == "__main__":
    sys.exit(main())
