"""What lies beyond the box's sockets: the exchange with its numbers, telephones of the outside world, and the sets on FXS ports.

Used from the event loop only.
"""

from collections.abc import Mapping
from typing import Protocol

from drivers.errors import LineError
from drivers.virtual.audio import FarPorts
from drivers.virtual.config import Answering, SetConfig, SpanKind, TelephoneConfig, VirtualConfig
from drivers.virtual.exchange import Party
from drivers.virtual.holding import Switch
from drivers.virtual.telephone import OutsideTelephone, WiredSet
from drivers.virtual.trunk import Trunk
from drivers.virtual.wire import Wire


class NumberedParty(Party, Protocol):
    """A channel of the box at the exchange; `number` is what called telephones are shown."""

    number: str


VISITOR_NUMBERS_FROM = 13900000000  # made up, in the form of a mobile number
WITHHELD = "withheld"


class World:
    """`trunks` and `sets` by channel, `telephones` by number."""

    def __init__(self, config: VirtualConfig, ports: FarPorts, wires: dict[int, Wire]) -> None:
        self.ports = ports
        self.exchange = Switch(config.ring_limit_ms, config.hunting)
        self.trunks: dict[int, Trunk] = {}
        self.sets: dict[int, WiredSet] = {}
        self.telephones: dict[str, OutsideTelephone] = {}
        self._config, self._wires = config, wires
        self._visitors: list[OutsideTelephone] = []
        self._dismissed: list[OutsideTelephone] = []
        self._visits = 0
        for index in range(1, len(config.spans) + 1):
            self._furnish(index)
        self._assign_all(self.trunks)
        for telephone in config.telephones:
            self.add_telephone(telephone)

    def add_telephone(self, config: TelephoneConfig) -> OutsideTelephone:
        """A telephone that the box, and other telephones, can call."""
        telephone = OutsideTelephone(config, self.exchange, self.ports, self._config.setup_ms)
        self.telephones[config.number] = telephone
        self.exchange.assign(config.number, [telephone])
        return telephone

    def visitor(self, number: str = "") -> OutsideTelephone:
        """A telephone that comes to call, shown as `number`, or not at all when that is WITHHELD; it stays until `dismiss`.

        Raises: LineError LIN-073 when as many as `visitors` allows are here.
        """
        found = self._dismissed.pop() if self._dismissed else self._new_visitor()
        self._visits += 1
        found.withheld = number == WITHHELD
        found.number = number if number and not found.withheld else str(VISITOR_NUMBERS_FROM + self._visits)
        return found

    def dismiss(self, visitor: OutsideTelephone) -> None:
        """It hangs up and goes; its line serves the next visitor."""
        visitor.hang_up()
        visitor.on_state.clear()
        self._dismissed.append(visitor)

    def close(self) -> None:
        """Every telephone hangs up."""
        for telephone in (*self._visitors, *self.telephones.values(), *self.sets.values()):
            telephone.hang_up()

    def close_lines(self) -> None:
        """After everything else: what the lines still waited for does not happen."""
        for trunk in self.trunks.values():
            trunk.close()

    def _new_visitor(self) -> OutsideTelephone:
        allowed = self._config.visitors_allowed()
        if len(self._visitors) >= allowed:
            raise LineError(
                "LIN-073",
                f"all {allowed} telephones of the virtual exchange are in use",
                "Hang one up, or raise `visitors` in [lines.virtual]",
            )
        config = TelephoneConfig(number="0", answering=Answering.COMMAND)
        visitor = OutsideTelephone(config, self.exchange, self.ports, self._config.setup_ms)
        self._visitors.append(visitor)
        return visitor

    def _furnish(self, index: int) -> None:
        span = self._config.spans[index - 1]
        named = {each.channel: each for each in self._config.sets}
        if span.is_digital:
            return
        for channel in self._config.span_channels(index):
            wire = self._wires[channel]
            if span.kind is SpanKind.FXS:
                config = named.get(channel) or SetConfig(channel=channel, answering=Answering.COMMAND)
                self.sets[channel] = WiredSet(config, wire, self.ports)
            else:
                self.trunks[channel] = Trunk(channel, wire, self.exchange, self.ports, self._config, span)

    def join(self, trunks: Mapping[int, NumberedParty]) -> None:
        """More channels whose far end is the exchange's, beside those with loops."""
        self._assign_all({**self.trunks, **trunks})

    def _assign_all(self, trunks: Mapping[int, NumberedParty]) -> None:
        for number in self._config.numbers_of_box():
            led_to = [trunks[channel] for channel in self._config.channels_of(number) if channel in trunks]
            self.exchange.assign(number.number, led_to)
            for trunk in led_to:
                trunk.number = trunk.number or number.number
