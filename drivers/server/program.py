"""The program `careline-lines`: options, one instance, card and media core, service manager. Runs on the main thread.

Exit codes: 0 stopped as asked, 1 a fault (said on stderr with its code), 78 a configuration that cannot be used (sysexits.h, EX_CONFIG).
"""

import argparse
import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Protocol

import msgspec
import sdnotify

from drivers.clock import Clock, RealClock
from drivers.config import LinesConfig, LinesFile, check_card, load
from drivers.errors import CarelineError, ConfigError, DoubtfulConfigError, LineError
from drivers.fdstore import FdStore, open_store
from drivers.io import Card
from drivers.media import Engine
from drivers.protocol import CheckReport
from drivers.server.cards import engine_for, make_card
from drivers.server.checking import check_file, faults_beside
from drivers.server.line_server import LineServer
from drivers.server.presence import specs_of
from drivers.settings import Paths
from drivers.virtual.card import VirtualCard
from drivers.virtual.office import Office
from drivers.virtual.socket import HandsetServer

log = logging.getLogger("careline.lines")

EXIT_FAULT, EXIT_CONFIG = 1, 78
STATUS_S = 5.0
REST_S = 5.0
NO_DRIVER = "LIN-101"
DEFAULT_CONFIG = Path("/etc/careline/careline.toml")


def main(argv: list[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT; calls stay up for the next process unless `on_stop = "release"`."""
    options = _options(argv)
    logging.basicConfig(stream=sys.stderr, level=options.log_level, format="%(asctime)s %(levelname)s %(message)s")
    try:
        if options.check:
            return _check(options.config, options.json)
        settings = load(options.config)
        with _only_instance(settings.paths):
            asyncio.run(_run(settings, options.config))
    except CarelineError as error:
        log.error("%s", error)
        _rest(error)
        return EXIT_CONFIG if isinstance(error, ConfigError) else EXIT_FAULT
    return 0


def _rest(error: CarelineError) -> None:
    """Before the service manager tries again what only a person can change: it does so at once. A driver that was not loaded is not seen
    by a process that runs (its /dev is its own), only by the next one."""
    if "NOTIFY_SOCKET" in os.environ and (isinstance(error, ConfigError) or error.code == NO_DRIVER):
        time.sleep(REST_S)


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="careline-lines", description="The line server of Careline.")
    parser.add_argument("--config", type=Path, default=DEFAULT_CONFIG, help="careline.toml")
    parser.add_argument("--check", action="store_true", help="say whether the configuration and the card can be used, then end")
    parser.add_argument("--json", action="store_true", help="with --check: all that was found, for `careline check`")
    parser.add_argument("--log-level", default="INFO", choices=("DEBUG", "INFO", "WARNING", "ERROR"))
    return parser.parse_args(argv)


def _check(path: Path, as_json: bool) -> int:
    report = check_file(path)
    if as_json:
        print(msgspec.json.encode(report).decode())
    else:
        _tell(report, path)
    errors = [finding.code for finding in report.findings if finding.severity == "error"]
    return 0 if not errors else EXIT_CONFIG if errors[0].startswith("CFG") else EXIT_FAULT


def _tell(report: CheckReport, path: Path) -> None:
    for finding in report.findings:
        print(f"{finding.severity}: {finding.code}: {finding.what}. {finding.remedy}", file=sys.stderr)
    if report.is_usable:
        print(f"{path}: good; {report.said}")


@contextlib.contextmanager
def _only_instance(paths: Paths) -> Iterator[None]:
    """Hold the locks of both folders, for run_dir may have been deleted and made anew: before a leg is read or a channel opened.

    Raises: LineError LIN-054 when another line server has one, LIN-023 when that of run_dir cannot be made.
    """
    run_dir, data_dir = Path(paths.run_dir), Path(paths.data_dir)
    with contextlib.ExitStack() as locks:
        try:
            locks.enter_context(_lock_of(data_dir))
        except FileNotFoundError:
            log.info("%s is not there yet", data_dir)
        except OSError as error:  # a disk that is full or read-only does not keep the lines from being served
            log.warning("LIN-187 cannot lock %s: %s. Check [paths] data_dir", data_dir, error.strerror)
        try:
            run_dir.mkdir(parents=True, exist_ok=True)
            locks.enter_context(_lock_of(run_dir))
        except OSError as error:
            raise LineError("LIN-023", f"cannot lock {run_dir}: {error.strerror}", "Check [paths] run_dir and who owns it") from error
        yield


@contextlib.contextmanager
def _lock_of(folder: Path) -> Iterator[None]:
    """The lock, and in it who has it as far as the disk has room for that. Raises: LineError LIN-054; OSError."""
    lock = os.open(folder / "lines.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            what = f"another line server (process {os.read(lock, 20).decode().strip() or 'unknown'}) runs with {folder}"
            raise LineError("LIN-054", what, "Stop it first, or give this one other [paths]") from None
        with contextlib.suppress(OSError):
            os.ftruncate(lock, 0)
            os.write(lock, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(lock)


async def _run(settings: LinesFile, path: Path) -> None:
    lines = settings.lines
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    engine = engine_for(lines)
    card = make_card(lines, engine)
    if lines.card == "virtual":  # a card in software lacks nothing by itself
        check_card(lines, card.channels(), str(path))
    _log_faults(settings, path, card, engine)
    server = LineServer(lines, settings.paths, card, engine, _clock(), _store(settings, card))
    office = _office(settings, card, engine)
    try:
        engine.start()
        office.open()
        server.start()
        await server.listen()
        async with _handsets(settings, card):
            await _serve(server, engine, stopping)
    finally:
        await server.stop()
        office.close()
        _leave(lines, card, engine)


def _log_faults(settings: LinesFile, path: Path, card: Card, engine: Engine) -> None:
    """What the box can start with, but hardly as it was meant. Raises: ConfigError."""
    specs = specs_of(card)
    for fault in faults_beside(settings, path, specs, engine) if specs else ():
        log.log(logging.WARNING if isinstance(fault, DoubtfulConfigError) else logging.ERROR, "%s", fault)


def _clock() -> Clock:
    return RealClock()


def _store(settings: LinesFile, card: Card) -> FdStore | None:
    """Nothing to keep for a card in software."""
    if isinstance(card, VirtualCard):
        return None
    return open_store(settings.paths.holder_socket)


class _FarEnd(Protocol):
    """Who signals at the far ends of E1 spans."""

    def open(self) -> None: ...

    def close(self) -> None: ...


class _Nobody:
    """Of real cards: the far end is somebody else's."""

    def open(self) -> None: ...

    def close(self) -> None: ...


def _office(settings: LinesFile, card: Card, engine: Engine) -> _FarEnd:
    if not isinstance(card, VirtualCard):
        return _Nobody()
    return Office(card, engine, settings.lines, _clock(), Path(settings.paths.run_dir))


@contextlib.asynccontextmanager
async def _handsets(settings: LinesFile, card: Card) -> AsyncIterator[None]:
    """Telephones of the virtual card for `careline handset` and the browser."""
    if not isinstance(card, VirtualCard):
        yield
        return
    handsets = HandsetServer(card.world, settings.paths.handset_socket, settings.lines.socket_group or None)
    await handsets.start()
    try:
        yield
    finally:
        await handsets.close()


async def _serve(server: LineServer, engine: Engine, stopping: asyncio.Event) -> None:
    """Tell the service manager that all is well for as long as it is: this loop turns and the media core ticks."""
    notifier = sdnotify.SystemdNotifier()
    notifier.notify(f"READY=1\nSTATUS={server.status()}")
    log.info("ready: %s", server.status())
    every_s = _watchdog_s()
    ticks = -1
    while not stopping.is_set():
        now = engine.stats().ticks
        if now != ticks:
            notifier.notify(f"WATCHDOG=1\nSTATUS={server.status()}")
        else:
            log.error("LIN-047 the media core does not tick; no sign of life for the watchdog")
        ticks = now
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), every_s)
    log.info("stopping: %s", server.status())
    notifier.notify("STOPPING=1")


def _watchdog_s() -> float:
    """Half of what the service manager allows. Source: sd_watchdog_enabled(3)."""
    limit_us = int(os.environ.get("WATCHDOG_USEC", "0") or 0)
    return min(STATUS_S, limit_us / 2e6) if limit_us else STATUS_S


def _leave(lines: LinesConfig, card: Card, engine: Engine) -> None:
    """Finish recordings. Channels that somebody keeps are not closed: closing puts them on-hook."""
    if lines.on_stop == "release" or isinstance(card, VirtualCard):
        card.close()
    engine.close()
