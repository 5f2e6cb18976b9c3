"""The network's desk of a box in a house of network namespaces, at virtual time or real. In the thread of the test."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec

from appliance.system.network import checks, kernel, wanted
from appliance.system.network.desk import NetworkDesk
from appliance.system.network.messages import LeaseTold, NetworkTrying, SettleNetwork
from appliance.system.network.model import Settings
from appliance.system.network.places import NetworkConfig, Places, places
from drivers.clock import RealClock, VirtualClock
from drivers.settings import Paths
from tests.network_house import lan, network

FIRST = network(lan(1, "10.0.0.5/24", gateway="10.0.0.1"))


class Box:
    """A box with one card in a house; what its desk does at what time."""

    def __init__(self, folder: Path, kept: Settings | None = FIRST, **config: object) -> None:
        self.clock = VirtualClock()
        self.places: Places = places(Paths(run_dir=str(folder / "run"), data_dir=str(folder / "data")), NetworkConfig())
        self.config = msgspec.convert({"manage": True, "chronyc": "true", "probe_ms": 30, **config}, NetworkConfig)
        self.desk = self.started()
        if kept is not None:
            self.keep(kept)

    def started(self) -> NetworkDesk:
        """As after a crash: nothing of the one before lives on but files and the kernel."""
        self.desk = NetworkDesk(self.config, self.places, self.clock)
        self.desk.begin()
        return self.desk

    def attempt(self, settings: Settings, soon: bool = False) -> NetworkTrying:
        return self.desk.attempt(settings, "alice", soon)

    def settle(self, trying: NetworkTrying, keep: bool = True, by: str = "bob", key: str = "", arrived_at: str = "") -> None:
        self.desk.settle(SettleNetwork(number=trying.trial.number, keep=keep, by=by, key=key, arrived_at=arrived_at))

    def keep(self, settings: Settings) -> None:
        self.settle(self.attempt(settings))

    def after(self, time_s: float) -> None:
        """So much later, the background having looked every half second."""
        for _ in range(round(time_s * 2)):
            until_s = self.clock.monotonic_s() + 0.5
            while self.clock.monotonic_s() < until_s - 1e-6:
                self.clock.advance(until_s - self.clock.monotonic_s())
            if self.desk.is_due():
                self.desk.step()

    def outcome(self) -> tuple[bool, str, str]:
        assert self.desk.outcome is not None
        return self.desk.outcome.kept, self.desk.outcome.code, self.desk.outcome.by


class RealBox(Box):
    """A box with a real clock: leases come when they come."""

    def __init__(self, folder: Path, kept: Settings | None) -> None:
        super().__init__(folder, kept)
        self.desk.stop()
        self.clock = RealClock()  # type: ignore[assignment]  # the same three functions
        self.started()

    def lease(self) -> LeaseTold | None:
        if self.desk.is_due():
            self.desk.step()
        return self.desk.leases(self.desk.in_use()).get("lan1")


def own() -> list[str]:
    return [each.text for link in kernel.links() for each in link.addresses if each.version == 4]


def put(given: Settings, leases: dict[str, LeaseTold] | None = None) -> None:
    """Into the kernel, without a desk."""
    assert [fault for fault in checks.faults(given) if fault.refuses] == []
    kernel.apply(wanted.wanted(given, kernel.links(), leases or {}, datetime.now(UTC)))
