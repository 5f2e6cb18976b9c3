"""The parts of `careline health` put together.

Threads: main (rules, every second), `store` (journal), `live` (call agent), and one for each that is asked or sent to: web, box, self-call,
ups, email, snmp, metrics, panel. Only what is set up runs.
"""

import logging
import socket
import threading
from collections import Counter
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from peewee import Database

from appliance.config import Config
from appliance.health.beside import PeripheralWatch
from appliance.health.contacts import Contacts
from appliance.health.facts import Facts
from appliance.health.gathering import Gathering
from appliance.health.journal import Journal, Letter
from appliance.health.judge import Judge
from appliance.health.looks import Key
from appliance.health.mail import Mailer
from appliance.health.panel import Panel
from appliance.health.power import PowerGuard
from appliance.health.senders import Sender
from appliance.health.storing import Storing
from appliance.health.traps import TrapSender
from appliance.store.alarm_rules import BY_NAME, SEVERITIES, Severity
from appliance.store.place import place_of
from drivers.clock import Clock

LOOK_EVERY_S = 1.0
PULSE_S = 3.0
STOP_LIMIT_S = 5.0

log = logging.getLogger("careline.health")


class Program:
    """Everything but signals. `run` until `stop`. `beat` is called at every look."""

    def __init__(self, config: Config, clock: Clock) -> None:
        health, paths = config.health, config.paths
        self._clock = clock
        self._judge = Judge()
        self._contacts = Contacts(health.contact)
        self._least = Severity(health.contact.least)
        self._gathering = Gathering(config, self._contacts, clock)
        zone = ZoneInfo(config.hospital.calendar.time_zone)
        self._journal = Journal(config.hospital.name_zh, zone, clock, self._send_directly, self._pulse)
        self._peripherals = PeripheralWatch(config, clock)
        self._storing = Storing(place_of(paths), self._journal, lambda: self._raised, self._opened, self._peripherals.read)
        self._power = PowerGuard(paths.control_socket, paths.system_socket, health.ups)
        self._senders: dict[str, Sender] = {}
        self._panel = Panel(health.panel, self._draw) if health.panel.host else None
        self._metrics = self._metrics_of(config)
        self._raised: list[tuple[str, Key]] = []
        self._left: list[list[tuple[str, Key]]] = []
        self._facts: Facts | None = None
        self._pulse_until_s = 0.0
        self._ending = threading.Event()

    def _metrics_of(self, config: Config) -> Any:
        if not config.health.metrics.port:
            return None
        from appliance.health.metrics import MetricsServer

        return MetricsServer(config.health.metrics, lambda: self._facts, self._open_by_rule)

    def stop(self) -> None:
        """From a signal handler or another thread."""
        self._ending.set()

    def run(self, beat: Any) -> None:
        parts = [each for each in (self._gathering, self._storing, self._panel, self._metrics) if each is not None]
        for each in parts:
            each.start()
        try:
            while not self._ending.is_set():
                self._look()
                beat()
                self._ending.wait(LOOK_EVERY_S)
        finally:
            self._close()

    def _close(self) -> None:
        self._storing.stop(STOP_LIMIT_S)
        for each in (self._gathering, self._panel, self._metrics, *self._senders.values()):
            if each is not None:
                each.stop()
        self._contacts.close()

    def _look(self) -> None:
        while self._left:
            self._judge.adopt(self._left.pop())
        self._facts = facts = self._gathering.facts(self._storing.fault, self._sender_faults(), self._peripherals.latest)
        changes = self._judge.look(facts, self._journal.settings.rules, self._clock.monotonic_s())
        self._raised = self._judge.raised()
        self._storing.take(changes)
        self._contacts.tell(self._is_alarm() or self._clock.monotonic_s() < self._pulse_until_s)
        if facts.ups is not None and not facts.ups.fault:
            self._power.look(facts.ups.low)

    def _is_alarm(self) -> bool:
        rules = self._journal.settings.rules
        return any(SEVERITIES.index(rules[rule].severity) >= SEVERITIES.index(self._least) for rule, _ in self._raised if rule in rules)

    # --- senders -------------------------------------------------------------------------------------------------------

    def _opened(self, database: Database, left: list[tuple[str, Key]]) -> None:
        """The store is there. In its thread."""
        self._left.append(left)
        mailer = Mailer(lambda: self._journal.settings.mail)
        self._senders = {
            "email": Sender("email", mailer, database, self._clock, mailer.an_hour),
            "snmp": Sender("snmp", TrapSender(self._secret_of, self._has_stations), database, self._clock),
        }
        for sender in self._senders.values():
            sender.start()

    def _secret_of(self, station: str) -> str:
        return next((each.secret for each in self._journal.settings.receivers if each.kind == "snmp" and each.to == station), "")

    def _has_stations(self) -> bool:
        return any(each.kind == "snmp" for each in self._journal.settings.receivers)

    def _send_directly(self, letter: Letter) -> None:
        """Text messages go by the store only."""
        if sender := self._senders.get(letter.receiver.kind):
            sender.send_directly(letter.receiver.to, letter.text, letter.once_key)

    def _sender_faults(self) -> dict[str, str]:
        faults = {name: sender.fault for name, sender in self._senders.items()}
        faults |= {"sms": self._journal.sms_fault, "contact": self._contacts.fault}
        return faults | ({"panel": self._panel.fault} if self._panel else {})

    def _pulse(self) -> bool:
        """Release the relay for a moment."""
        if self._contacts.is_there:
            self._pulse_until_s = self._clock.monotonic_s() + PULSE_S
        return self._contacts.is_there

    # --- shown ---------------------------------------------------------------------------------------------------------

    def _open_by_rule(self) -> dict[tuple[str, str], int]:
        rules = self._journal.settings.rules
        return dict(Counter((rule, rules[rule].severity.value) for rule, _ in self._raised if rule in rules))

    def _draw(self, columns: int) -> tuple[str, ...]:
        """The panel: how it is, where it is found, what is wrong."""
        lines = self._facts.lines if self._facts else None
        alarms = [BY_NAME[rule].en for rule, _ in self._raised if rule in BY_NAME]
        at = self._clock.monotonic_s() // 4
        said = f"{len(alarms)} ALARM{'S' if len(alarms) > 1 else ''}" if alarms else "OK"
        return (
            f"CARELINE {said}",
            f"{lines.calls} calls, {len(lines.channels)} lines" if lines else "no call agent",
            own_address(),
            alarms[int(at) % len(alarms)] if alarms else _time(self._clock.now()),
        )


def own_address() -> str:
    """The address of the interface towards other networks; no packet is sent for that."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            asked.connect(("192.0.2.1", 9))  # Source: RFC 5737, an address nobody has
            return str(asked.getsockname()[0])
        except OSError:
            return "no network"


def _time(now: datetime) -> str:
    return now.astimezone().strftime("%Y-%m-%d %H:%M")
