"""What the thread of the message desk link does: calls that another switch forwards to us are written down with why and from whom, and its
lamps show whether callers' messages wait to be heard.
"""

import logging
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event

import msgspec
from peewee import Database

from appliance.peripherals import state
from appliance.peripherals.config import SmdiConfig
from appliance.peripherals.linked import serve_link
from appliance.store.database import FAULTS
from appliance.store.models import VoiceMessage
from appliance.store.peripheral_tables import ForwardedCall
from appliance.store.transaction import write_transaction
from drivers.clock import Clock
from drivers.errors import CarelineError
from drivers.smdi import Forwarded, LampRefused, SmdiReader, lamp
from drivers.smdr.source import Source, SourceError

NAME = "smdi"
LAMPS_EVERY_S = 5.0
REFUSED_AGAIN_S = 60.0
KEPT_DAYS = 7
WAITING_MOST = 1_000

log = logging.getLogger("careline.smdi")


class LampError(CarelineError):
    """SDI-003: the switch refuses a lamp."""


class SmdiFacts(msgspec.Struct, frozen=True, kw_only=True):
    """`lit`: the lamps show that messages wait; None: not known yet. `refused`: stations with the switch's word."""

    where: str = ""
    lit: bool | None = None
    refused: dict[str, str] = {}
    last_at: datetime | None = None


class SmdiWork:
    """`run` until `ending` is set."""

    def __init__(self, database: Database, config: SmdiConfig, clock: Clock, beat: Callable[[], None]) -> None:
        self._database = database
        self._config = config
        self._clock = clock
        self._beat = beat
        self._waiting: deque[tuple[Forwarded, datetime]] = deque(maxlen=WAITING_MOST)
        self._lit: bool | None = None
        self._refused: dict[str, str] = {}
        self._last_at: datetime | None = None
        self._looked_s = self._told_s = self._shown_s = float("-inf")

    def run(self, ending: Event) -> None:
        serve_link(self._config.where, ending, self._serve, self._broken)

    def _broken(self, fault: SourceError) -> None:
        self._beat()
        self._tell(fault)

    def _serve(self, source: Source, ending: Event) -> None:
        """Raises: SourceError when the link broke."""
        reader = SmdiReader()
        self._connected()
        while not ending.is_set():
            self._beat()
            octets = source.read()
            if octets is None:
                reader = SmdiReader()
                self._connected()
            for said in reader.feed(octets or b""):
                self._hear(said)
            self._look(source)

    def _connected(self) -> None:
        """A switch that was away may not show what it was told."""
        self._lit = None
        self._refused = {}
        self._looked_s = self._told_s = float("-inf")

    def _hear(self, said: Forwarded | LampRefused) -> None:
        self._last_at = self._clock.now()
        if isinstance(said, Forwarded):
            self._waiting.append((said, self._last_at))
            self._keep()
        else:
            log.warning("SDI-003: the switch refuses the lamp of %s: %s", said.station, said.cause)
            self._refused[said.station] = said.cause
            self._told_s = float("-inf")

    def _keep(self) -> None:
        try:
            with self._database.connection_context(), write_transaction(self._database):
                for call, at in self._waiting:
                    ForwardedCall.create(received_at=at, **msgspec.structs.asdict(call))
                ForwardedCall.delete().where(ForwardedCall.received_at < self._clock.now() - timedelta(days=KEPT_DAYS)).execute()
            self._waiting.clear()
        except FAULTS as error:
            log.warning("calls told by SMDI wait for the store: %s", error)

    def _look(self, source: Source) -> None:
        now_s = self._clock.monotonic_s()
        if now_s - self._looked_s >= LAMPS_EVERY_S:
            self._looked_s = now_s
            if self._waiting:
                self._keep()
            self._show(source, now_s)
        if now_s - self._told_s >= state.TOLD_EVERY_S:
            self._tell(None)

    def _show(self, source: Source, now_s: float) -> None:
        """Raises: SourceError. What was refused is said again after a while."""
        if self._refused and now_s - self._shown_s >= REFUSED_AGAIN_S:
            self._lit, self._refused = None, {}
        lit = self._messages_wait()
        if lit is None or lit is self._lit:
            return
        for station in self._config.message_lamps:
            source.write(lamp(station, lit=lit))
        self._lit, self._shown_s = lit, now_s
        self._told_s = float("-inf")

    def _messages_wait(self) -> bool | None:
        """None: the store cannot be read now; the lamps stay as they are."""
        try:
            with self._database.connection_context():
                return bool(VoiceMessage.select().where(VoiceMessage.heard_at.is_null()).exists())
        except FAULTS as error:
            log.warning("message lamps stay as they are: %s", error)
            return None

    def _tell(self, fault: CarelineError | None) -> None:
        self._told_s = self._clock.monotonic_s()
        if fault is None and self._refused:
            stations = ", ".join(f"{station} ({cause})" for station, cause in sorted(self._refused.items()))
            fault = LampError("SDI-003", f"the switch refuses the lamps of {stations}", "Correct [smdi] message_lamps or the switch")
        facts = SmdiFacts(where=str(self._config.where), lit=self._lit, refused=dict(self._refused), last_at=self._last_at)
        try:
            with self._database.connection_context():
                state.tell(self._database, NAME, self._clock.now(), fault, facts)
        except FAULTS as error:
            log.warning("how the message desk link stands cannot be told: %s", error)
