"""Thread `store`: the only one of careline-health that writes alarms. A store that does not work is tried again; meanwhile receivers hear
of alarms all the same, and nothing waits for it.
"""

import threading
from collections.abc import Callable, Iterable

from peewee import Database

from appliance.health.journal import Journal
from appliance.health.judge import Change
from appliance.health.looks import Key
from appliance.store.database import FAULTS, fault_of, open_store
from appliance.store.errors import StoreError
from appliance.store.place import StorePlace

POLL_S = 1.0


class Storing:
    """`opened` is told once the store is there, with the alarms an earlier process left. `fault`: why the store does not work.
    `beside`: what else is read from it at each look."""

    def __init__(
        self,
        place: StorePlace,
        journal: Journal,
        raised: Callable[[], Iterable[tuple[str, Key]]],
        opened: Callable[[Database, list[tuple[str, Key]]], None],
        beside: Callable[[], None] = lambda: None,
    ) -> None:
        self.fault = ""
        self._place, self._journal, self._raised, self._opened, self._beside = place, journal, raised, opened, beside
        self._database: Database | None = None
        self._news = threading.Event()
        self._lock = threading.Lock()
        self._changes: list[Change] = []
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="store", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, limit_s: float) -> None:
        """What was decided is written, if it can be."""
        self._ending = True
        self._news.set()
        self._thread.join(limit_s)

    def take(self, changes: list[Change]) -> None:
        """From any thread."""
        if changes:
            with self._lock:
                self._changes += changes
            self._news.set()

    def _run(self) -> None:
        while not self._ending:
            self._news.wait(POLL_S)
            self._news.clear()
            self.step()

    def step(self) -> None:
        """One look; never raises."""
        with self._lock:
            changes, self._changes = self._changes, []
        self._journal.note(changes)
        try:
            self._work()
            self.fault = ""
        except StoreError as error:
            self.fault = str(error)
        except FAULTS as error:
            self.fault = str(fault_of(self._place, error))
        if self.fault:
            self._journal.tell_directly()

    def _work(self) -> None:
        """Raises: StoreError, peewee's errors."""
        if self._database is None:
            database = open_store(self._place)
            with database.connection_context():
                left = self._journal.left_open()
            self._database = database
            self._opened(database, left)
        with self._database.connection_context():
            self._journal.read_settings()
            self._journal.write()
            self._journal.look_after(self._raised())
            self._beside()
