"""What waits in the table of what goes out, sent: mails and traps. One thread for each kind, with its own connection to the store, so that
one that fails holds up no other. Trying again takes longer each time; after a day a message is given up.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from peewee import Database

from appliance.store.database import FAULTS
from appliance.store.outgoing import OutChannel, OutgoingMessage
from appliance.store.transaction import write_transaction
from drivers.clock import Clock

IDLE_S = 1.0
AT_ONCE = 20
AGAIN_S = (5.0, 15.0, 60.0, 300.0, 900.0)
GIVE_UP = timedelta(hours=24)
ERROR_MOST = 250
HOUR_S = 3600.0

log = logging.getLogger("careline.health")


class Transport(Protocol):
    """Sends one message. `once_key` is the same for the same message, however often it is tried."""

    def ready(self) -> bool:
        """False: nothing is set up, so that messages wait."""

    def send(self, to: str, text: str, once_key: str) -> None:
        """Raises: OSError when it did not go, ValueError when it never will."""


class Sender:
    """One kind. `fault`: why the last one did not go, empty when it did. `an_hour`: so many in any hour at most."""

    def __init__(
        self, channel: OutChannel, transport: Transport, database: Database, clock: Clock, an_hour: Callable[[], int] = lambda: 10_000
    ) -> None:
        self.fault = ""
        self._channel, self._transport, self._database, self._clock, self._an_hour = channel, transport, database, clock, an_hour
        self._failures = 0
        self._again_s = 0.0
        self._sent_s: deque[float] = deque()
        self._direct: deque[tuple[str, str, str]] = deque(maxlen=100)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name=channel, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ending.set()

    def send_directly(self, to: str, text: str, once_key: str) -> None:
        """Not by way of the store, which does not work."""
        self._direct.append((to, text, once_key))

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self.step()
            except FAULTS as error:  # the rules tell of the store; here it is tried again
                log.debug("%s waits for the store: %s", self._channel, error)
            self._ending.wait(IDLE_S)

    def step(self) -> None:
        """Everything that waits now. Raises: peewee's errors."""
        if not self._transport.ready() or self._clock.monotonic_s() < self._again_s:
            return
        while self._direct and self._try(*self._direct[0]) is not False:
            self._direct.popleft()
        with self._database.connection_context():
            for message in self._waiting():
                if not self._may_send() or not self._one(message):
                    return

    def _waiting(self) -> list[OutgoingMessage]:
        rows = OutgoingMessage.select().where(OutgoingMessage.channel == self._channel, OutgoingMessage.state == "waiting")
        return list(rows.order_by(OutgoingMessage.urgent.desc(), OutgoingMessage.id).limit(AT_ONCE))

    def _may_send(self) -> bool:
        now_s = self._clock.monotonic_s()
        while self._sent_s and now_s - self._sent_s[0] >= HOUR_S:
            self._sent_s.popleft()
        return len(self._sent_s) < self._an_hour()

    def _one(self, message: OutgoingMessage) -> bool:
        """False: the others wait as well."""
        went, now = self._try(message.to, message.text, message.once_key), self._clock.now()
        with write_transaction(self._database):
            message.sent_at = now if went is True else None
            message.error = "" if went else self.fault
            message.state = "sent" if went else "failed" if went is None or self._is_old(message, now) else "waiting"
            message.save(only=[OutgoingMessage.state, OutgoingMessage.sent_at, OutgoingMessage.error])
        return went is not False

    @staticmethod
    def _is_old(message: OutgoingMessage, now: datetime) -> bool:
        asked: datetime = message.asked_at
        return now - asked > GIVE_UP

    def _try(self, to: str, text: str, once_key: str) -> bool | None:
        """None: it never will go."""
        try:
            self._transport.send(to, text, once_key)
        except OSError as error:  # first: some of them are both
            self._failed(f"{to}: {error}")
            return False
        except ValueError as error:
            self.fault = f"{to}: {error}"[:ERROR_MOST]
            return None
        self._failures, self.fault = 0, ""
        self._sent_s.append(self._clock.monotonic_s())
        return True

    def _failed(self, fault: str) -> None:
        if not self.fault:
            log.warning("%s: %s", self._channel, fault)
        self.fault = fault[:ERROR_MOST]
        self._again_s = self._clock.monotonic_s() + AGAIN_S[min(self._failures, len(AGAIN_S) - 1)]
        self._failures += 1
