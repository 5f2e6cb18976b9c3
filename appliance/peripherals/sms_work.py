"""What the modem's thread does: it keeps the modem open, brings in what has arrived, sends what waits, and tells how it stands.

One thread, with its own connection to the store. Every wait has a limit; a modem that hangs or is unplugged is opened anew.
"""

import logging
import queue
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from threading import Event
from zoneinfo import ZoneInfo

import msgspec
from peewee import Database

from appliance.peripherals import inbox, outbox, pace, state
from appliance.peripherals.config import SmsConfig
from appliance.peripherals.inbox import Kept
from appliance.peripherals.pace import Held
from appliance.store.database import FAULTS
from appliance.store.peripheral_tables import SmsPart
from appliance.store.transaction import write_transaction
from drivers.clock import Clock
from drivers.modem.errors import ModemError
from drivers.modem.faults import Refusal, Verdict
from drivers.modem.finding import find
from drivers.modem.lines import Line
from drivers.modem.link import Lost, SerialLink
from drivers.modem.modem import Condition, Modem, Sent, Sim, Stored, place_told
from drivers.modem.pdu import Submit
from drivers.modem.pin import PinGuard

NAME = "sms"
AGAIN_AFTER_S = (1.0, 2.0, 5.0, 10.0, 30.0)
HOLD_S = 60.0
STORE_AGAIN_S = 2.0
MANY_UNASKED = 100
AT_ONCE_S = 0.0001

log = logging.getLogger("careline.sms")


class Rhythm(msgspec.Struct, frozen=True, kw_only=True):
    """How often: an idle look at the store, all of the modem's memory (as a net below what it tells), its condition."""

    idle_s: float = 1.0
    poll_s: float = 60.0
    condition_s: float = 30.0


class SmsFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What pages show of the modem. `held`: why nothing goes now. `messages`: by state."""

    condition: Condition = Condition()
    device: str = ""
    held: str = ""
    today: int = 0
    messages: dict[str, int] = {}


class SmsWork:
    """`run` until `ending` is set. `beat`: called at least every minute or so while it works."""

    def __init__(
        self, database: Database, config: SmsConfig, data_dir: Path, zone: ZoneInfo, clock: Clock, beat: Callable[[], None], rhythm: Rhythm
    ) -> None:
        self._database = database
        self._config = config
        self._zone = zone
        self._clock = clock
        self._beat = beat
        self._rhythm = rhythm
        self._guard = PinGuard(data_dir / "sms" / "pin-tried")
        self._held_until_s = 0.0
        self._polled_s = self._told_s = float("-inf")
        self._failed = 0
        self._fault = ""

    def run(self, ending: Event) -> None:
        while not ending.is_set():
            self._beat()
            try:
                with self._database.connection_context():
                    self._begin()
                    self._serve(ending)
            except ModemError as error:
                self._tell_fault(error)
            except FAULTS as error:
                log.warning("text messages wait for the store: %s", error)
                ending.wait(STORE_AGAIN_S)
            ending.wait(AGAIN_AFTER_S[min(self._failed, len(AGAIN_AFTER_S) - 1)])
            self._failed += 1

    def _begin(self) -> None:
        with write_transaction(self._database):
            unclear = outbox.break_off()
        if unclear:
            log.warning("SMS-023: %d parts of messages were broken off; see the page of text messages", unclear)

    def _serve(self, ending: Event) -> None:
        """Raises: ModemError when the modem has to be opened anew."""
        link = SerialLink(find(self._config.device), self._config.baud, self._clock, rtscts=self._config.rtscts)
        try:
            modem = Modem(link)
            modem.wake()
            sim = self._guard.unlock(modem, self._pin())
            modem.set_up(self._config.memory)
            self._polled_s = self._told_s = float("-inf")
            self._failed, self._fault = 0, ""
            while not ending.is_set():
                self._beat()
                self._look(modem, sim, link.device)
                sent = self._send_next(modem, ending)
                self._listen(link, modem, AT_ONCE_S if sent else self._rhythm.idle_s)
        finally:
            link.close()

    def _pin(self) -> str:
        """Raises: ModemError SMS-006."""
        if not self._config.pin_file:
            return ""
        try:
            lines = Path(self._config.pin_file).read_text("ascii").split()
        except (OSError, UnicodeDecodeError) as error:
            raise ModemError("SMS-006", f"cannot read {self._config.pin_file} ({error})", "Correct [sms] pin_file") from error
        if not lines or not (lines[0].isdigit() and 4 <= len(lines[0]) <= 8):
            raise ModemError("SMS-006", f"{self._config.pin_file} holds no PIN", "Write its 4 to 8 digits into the first line")
        return lines[0]

    def _look(self, modem: Modem, sim: Sim, device: str) -> None:
        """What is due by time: the memory, the condition."""
        now_s = self._clock.monotonic_s()
        if now_s - self._polled_s >= self._rhythm.poll_s:
            self._polled_s = now_s
            for stored in modem.received():
                self._bring_in(modem, stored)
        if now_s - self._told_s >= self._rhythm.condition_s:
            self._told_s = now_s
            self._tell_condition(modem, sim, device)

    def _tell_condition(self, modem: Modem, sim: Sim, device: str) -> None:
        found = modem.condition(sim)
        fault = None
        if not found.registered:
            fault = ModemError("SMS-010", f"the modem {device} is in no network", "See its antenna, the SIM and its contract")
        in_the_minute, today = self._counts()
        held = pace.held(self._config, self._local(), in_the_minute, today)
        if fault is None and held is Held.DAY:
            fault = ModemError(
                "SMS-011", f"{today} messages went today, more are not sent", "Raise [sms] per_day, or see who sends so many"
            )
        facts = SmsFacts(condition=found, device=device, held=held.value, today=today, messages=outbox.waiting())
        state.tell(self._database, NAME, self._clock.now(), fault, facts)

    def _tell_fault(self, error: ModemError) -> None:
        if str(error) != self._fault:
            log.warning("%s", error)
        self._fault = str(error)
        try:
            with self._database.connection_context():
                state.tell(self._database, NAME, self._clock.now(), error)
        except FAULTS as fault:
            log.warning("the modem's fault cannot be told in the store: %s", fault)

    def _local(self) -> datetime:
        return self._clock.now().astimezone(self._zone)

    def _counts(self) -> tuple[int, int]:
        local = self._local()
        return outbox.counts(self._clock.now(), local.replace(hour=0, minute=0, second=0, microsecond=0))

    def _listen(self, link: SerialLink, modem: Modem, limit_s: float) -> None:
        """For something told, so long. All that was told by then is read."""
        for _ in range(MANY_UNASKED):
            try:
                told = link.unasked.get(timeout=limit_s)
            except queue.Empty:
                return
            limit_s = AT_ONCE_S
            if isinstance(told, Lost):
                raise ModemError("SMS-002", f"the line to the modem {link.device} broke ({told.why})", "Plug it in again")
            self._hear(modem, told)

    def _hear(self, modem: Modem, told: Line) -> None:
        if told.pdu:
            self._keep(told.pdu)
        elif (place := place_told(told)) and (stored := modem.read(place)):
            self._bring_in(modem, stored)

    def _bring_in(self, modem: Modem, stored: Stored) -> None:
        """First into the store, then out of the modem. Raises: peewee's errors; then it stays in the modem."""
        self._keep(stored.pdu)
        modem.remove(stored)
        self._beat()

    def _keep(self, text: str) -> None:
        with write_transaction(self._database):
            kept = inbox.keep(text, self._clock.now())
        if kept is Kept.UNREAD:
            log.warning("SMS-026: something came in that cannot be read; see the page of text messages")

    def _send_next(self, modem: Modem, ending: Event) -> bool:
        """False: nothing waits, or nothing may go now."""
        if self._clock.monotonic_s() < self._held_until_s:
            return False
        held = pace.held(self._config, self._local(), *self._counts())
        if held in (Held.MINUTE, Held.DAY):
            return False
        with write_transaction(self._database):
            now = self._clock.now()
            part = outbox.next_part(self._config, now, only_urgent=held is Held.QUIET)
            handed = outbox.hand_over(part, self._config, now) if part else None
        if part is None or handed is None:
            return False
        self._send(modem, part, handed, ending)
        return True

    def _send(self, modem: Modem, part: SmsPart, handed: Submit, ending: Event) -> None:
        """Raises: ModemError, after what is known of the part is in the store."""
        try:
            answer = modem.send(handed)
        except ModemError as error:
            fault = error
            self._write(ending, lambda: self._broken_off(part, fault))
            raise
        self._write(ending, lambda: self._settle(part, answer))

    def _broken_off(self, part: SmsPart, error: ModemError) -> None:
        if error.sent:
            outbox.doubt(part, f"SMS-023: {error.what}; it may have gone")
        else:
            outbox.take_back(part)

    def _settle(self, part: SmsPart, answer: Sent | Refusal) -> None:
        now = self._clock.now()
        if isinstance(answer, Sent):
            outbox.went(part, answer.reference, now)
            return
        outbox.refused(part, answer, self._config, now)
        log.warning("message %d to …%s, part %d: %s", part.message.id, part.message.to[-2:], part.number, answer)
        if answer.verdict is Verdict.HOLD:
            self._held_until_s = self._clock.monotonic_s() + HOLD_S

    def _write(self, ending: Event, what: Callable[[], None]) -> None:
        """What came of a part is known only here: it is written as soon as the store can be written again."""
        while True:
            try:
                with write_transaction(self._database):
                    what()
                return
            except FAULTS as error:
                log.warning("what came of a message waits for the store: %s", error)
                self._beat()
                if ending.wait(STORE_AGAIN_S):
                    raise
