"""What hangs on the box beside its lines, as alarms see it: modem, call records and message lamps of another switch, told in the store
by `careline peripherals`; telephony cards that are not ready, told by the box service. The first in thread `store`, the other in its own.
"""

from datetime import datetime
from pathlib import Path

from appliance.config import Config
from appliance.store.peripheral_tables import PeripheralState
from drivers.clock import Clock
from drivers.protocol import Card

QUIET_S = 120.0  # each is told of every 30 s. Source: peripherals/state.py
CARDS_EVERY_S = 600.0  # asking starts a program of its own; a card that dies is an alarm of its span at once


class PeripheralWatch:
    """`read` with the store open; `latest`: by name what is wrong with it, "" when it is well. None before the first look.

    How long nothing was told of one is counted by the monotonic clock, so that a clock that is set makes no alarm.
    """

    def __init__(self, config: Config, clock: Clock) -> None:
        self.latest: dict[str, str] | None = None
        self._names, self._clock = names_in(config), clock
        self._told: dict[str, tuple[datetime | None, float]] = {}

    def read(self) -> None:
        """Raises: peewee's errors."""
        rows = {row.name: row for row in PeripheralState.select()} if self._names else {}
        self.latest = {name: self._fault(name, rows.get(name)) for name in self._names}

    def _fault(self, name: str, row: PeripheralState | None) -> str:
        at, now_s = row.at if row else None, self._clock.monotonic_s()
        if name not in self._told or self._told[name][0] != at:
            self._told[name] = at, now_s
        quiet_s = now_s - self._told[name][1]
        if quiet_s > QUIET_S:
            return f"careline-peripherals has told nothing for {quiet_s:.0f} s"
        return "" if row is None or row.well else f"{row.code} {row.what}"


def names_in(config: Config) -> tuple[str, ...]:
    """As PeripheralState has them, of those that careline.toml switches on."""
    found = (("sms", bool(config.sms.device)), *((f"smdr {each.name}", True) for each in config.smdr.sources), ("smdi", config.smdi.is_on))
    return tuple(name for name, is_on in found if is_on)


class CardsProbe:
    """Asks the box service for the cards' faults that keep them from being used: text by card. None where there is no box service."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    def __call__(self) -> dict[str, str] | None:
        """Raises: CarelineError."""
        from appliance.system.cards.messages import AskCards, CardsFound
        from appliance.system.client import SystemClient

        if not self._socket.exists():
            return None
        with SystemClient(self._socket, "health") as client:
            return faults_of(client.ask(AskCards(by="health"), CardsFound).told.cards)


def faults_of(cards: tuple[Card, ...]) -> dict[str, str]:
    """Of those that block their card, the first of each."""
    blocking = {f"{card.name} {card.where}": [fault for fault in card.faults if fault.blocking] for card in cards}
    return {about: f"{faults[0].code} {faults[0].what}" for about, faults in blocking.items() if faults}
