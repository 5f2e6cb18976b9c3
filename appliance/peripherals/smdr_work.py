"""What the thread of one source of call records does: it takes lines, keeps them, reads them, and tells how it stands.

A line is in the store, or in the spool beside it, before it is looked at. When both are full nothing more is read from the link, so that
the switch keeps what it has.
"""

import logging
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from threading import Event
from zoneinfo import ZoneInfo

import msgspec
from peewee import Database

from appliance.peripherals import records, state
from appliance.peripherals.config import RecordSource
from appliance.peripherals.linked import serve_link
from appliance.peripherals.spool import Came, Spool
from appliance.store.database import FAULTS
from appliance.store.transaction import write_transaction
from drivers.clock import Clock
from drivers.errors import CarelineError
from drivers.smdr.replay import ReplayWatch
from drivers.smdr.source import Source
from drivers.smdr.table import LINE_MOST, Table

STORE_AGAIN_S = 2.0
READ_ANEW_EVERY_S = 5.0
DRAINED_MOST = 256

log = logging.getLogger("careline.smdr")


class RecordError(CarelineError):
    """SDR-003: lines are not stored; SDR-004: lines cannot be read; SDR-005: no spool."""


class RecordFacts(msgspec.Struct, frozen=True, kw_only=True):
    """`unread`: lines that did not fit their table."""

    where: str = ""
    table: str = ""
    today: int = 0
    unread: int = 0
    last_at: datetime | None = None


class LineCutter:
    """Bytes into lines; form feeds and noughts are none of them. `rest`: a line whose end never came."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._rest = b""

    def feed(self, octets: bytes) -> list[str]:
        *whole, self._rest = re.split(rb"[\r\n\f]", self._rest + octets.replace(b"\0", b""))
        while len(self._rest) > LINE_MOST:
            whole.append(self._rest[:LINE_MOST])
            self._rest = self._rest[LINE_MOST:]
        return self._texts(whole)

    def rest(self) -> list[str]:
        rest, self._rest = self._rest, b""
        return self._texts([rest])

    def _texts(self, lines: list[bytes]) -> list[str]:
        texts = (line.decode(self._encoding, "backslashreplace").rstrip() for line in lines)
        return [text for text in texts if text]


def _spool(path: Path) -> Spool:
    try:
        return Spool(path)
    except OSError as error:
        raise RecordError("SDR-005", f"cannot open {path} ({error})", "Check [paths] data_dir and who owns it") from error


class SmdrWork:
    """`run` until `ending` is set. Raises: RecordError SDR-005."""

    def __init__(
        self, database: Database, source: RecordSource, table: Table, data_dir: Path, zone: ZoneInfo, clock: Clock, beat: Callable[[], None]
    ) -> None:
        self._database = database
        self._source = source
        self._table = table
        self._zone = zone
        self._clock = clock
        self._beat = beat
        self._spool = _spool(data_dir / "smdr" / f"{source.name}.spool")
        self._held: list[Came] = []
        self._replay: ReplayWatch | None = None
        self._store_fault = ""
        self._stored_new = False
        self._last_at: datetime | None = None
        self._told_s = self._read_s = self._tried_s = float("-inf")

    @property
    def name(self) -> str:
        return f"smdr {self._source.name}"

    def run(self, ending: Event) -> None:
        serve_link(self._source.where, ending, self._serve, self._look)
        self._spool.close()

    def _serve(self, source: Source, ending: Event) -> None:
        """Raises: SourceError when the link broke."""
        cutter = LineCutter(self._source.encoding)
        self._connected()
        try:
            while not ending.is_set():
                self._look(None)
                if self._held:
                    ending.wait(STORE_AGAIN_S)
                    continue
                octets = source.read()
                if octets is None:
                    self._take(cutter.rest())
                    self._connected()
                elif octets:
                    self._take(cutter.feed(octets))
            self._drain(source, cutter)
        finally:
            self._take(cutter.rest())

    def _drain(self, source: Source, cutter: LineCutter) -> None:
        """At the end: what has arrived already, or it would be lost with the link."""
        for _ in range(DRAINED_MOST):
            octets = source.read()
            if not octets:
                return
            self._take(cutter.feed(octets))

    def _connected(self) -> None:
        self._told_s = float("-inf")
        if self._replay is not None:
            self._replay.connected()

    def _take(self, lines: list[str]) -> None:
        if not lines:
            return
        came = [Came(self._clock.now(), line) for line in lines]
        self._last_at = came[-1].at
        if self._spool.is_empty and not self._held and self._store(came):
            return
        if self._held or not self._put(came):
            self._held.extend(came)

    def _put(self, came: list[Came]) -> bool:
        try:
            return self._spool.put(came)
        except OSError as error:
            self._store_fault = str(error)
            return False

    def _store(self, came: list[Came], *, again: bool = False) -> bool:
        try:
            with self._database.connection_context():
                if self._replay is None:
                    self._replay = records.watch(self._source.name)
                    self._replay.connected()
                with write_transaction(self._database):
                    records.keep(self._source.name, came, self._replay, again=again)
            self._store_fault = ""
            self._stored_new = True
            return True
        except FAULTS as error:
            if not self._store_fault:
                log.warning("%s: lines wait for the store: %s", self.name, error)
            self._store_fault = str(error)
            self._replay = None  # what it was told of may not have been stored
            return False

    def _look(self, fault: CarelineError | None) -> None:
        """What is due by time: what waits for the store, lines to be read, how it stands."""
        self._beat()
        now_s = self._clock.monotonic_s()
        if now_s - self._tried_s >= STORE_AGAIN_S:
            self._tried_s = now_s
            self._bring_back()
        if now_s - self._read_s >= READ_ANEW_EVERY_S or self._stored_new:
            self._read_s = now_s
            self._read_new()
        if now_s - self._told_s >= state.TOLD_EVERY_S or fault is not None:
            self._told_s = now_s
            self._tell(fault)

    def _bring_back(self) -> None:
        """From the spool into the store, then what the spool had no room for."""
        if not self._spool.is_empty and self._store(self._spool.lines(), again=True):
            self._spool.clear()
        if self._held and self._spool.is_empty and self._store(self._held):
            self._held = []

    def _read_new(self) -> None:
        self._stored_new = False
        try:
            with self._database.connection_context():
                while True:
                    with write_transaction(self._database):
                        if not records.read_new(self._source.name, self._table, self._zone):
                            break
                    self._beat()
        except FAULTS as error:
            log.warning("%s: lines are read later: %s", self.name, error)

    def _tell(self, fault: CarelineError | None) -> None:
        if self._store_fault:
            fault = RecordError("SDR-003", f"{self.name}: its lines are not stored ({self._store_fault})", "Free disk space")
        try:
            with self._database.connection_context():
                state.tell(self._database, self.name, self._clock.now(), *self._standing(fault))
        except FAULTS as error:
            log.warning("%s: how it stands cannot be told: %s", self.name, error)

    def _standing(self, fault: CarelineError | None) -> tuple[CarelineError | None, RecordFacts]:
        local = self._clock.now().astimezone(self._zone)
        today, unread = records.counts(self._source.name, local.replace(hour=0, minute=0, second=0, microsecond=0))
        if fault is None and unread:
            remedy = "Correct its table, then read them anew on the page Call records"
            fault = RecordError("SDR-004", f"{self.name}: {unread} lines do not fit the table {self._table.name}", remedy)
        where = str(self._source.where)
        return fault, RecordFacts(where=where, table=self._table.name, today=today, unread=unread, last_at=self._last_at)
