"""The box service itself, as a process in a house of its own: changes over its socket, killed at any moment, begun anew; log-ins that fail;
looking around.
"""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from appliance.system.client import SystemClient
from appliance.system.errors import BoxError
from appliance.system.network import kernel
from appliance.system.network.lockout import FAILURES
from appliance.system.network.messages import (
    AskNetwork,
    AskNetworkHistory,
    AskPorts,
    CheckNetwork,
    LookUpName,
    NameTold,
    NetworkChecked,
    NetworkHistory,
    NetworkTold,
    NetworkTrying,
    PathTold,
    PingHost,
    PortsTold,
    ReleaseAddress,
    ReportFailedLogin,
    SettleNetwork,
    TraceHost,
    TryNetwork,
    UndoNetwork,
)
from appliance.system.network.model import Role, Settings
from tests.network_box import own
from tests.network_house import house, in_own_network, lan, listeners, network, wait_until
from tests.scenarios.test_network_leases import server

BOTH = (Role.HOSPITAL, Role.MANAGEMENT)
FIRST = network(lan(1, "10.0.0.5/24", gateway="10.0.0.1", roles=BOTH))
OTHER = network(lan(1, "10.7.0.5/24", gateway="10.7.0.1", roles=BOTH))
CONFIRM_S = 2
KILLS = 12


@pytest.fixture(autouse=True)
def loop_watch() -> None:
    """Nobody's calls wait for the event loops here: pyroute2 makes one for each question."""


class Service:
    """careline-system in a folder; `kill` as a crash would, `start` as the service manager would."""

    def __init__(self, folder: Path, confirm_s: int, probe_ms: int) -> None:
        self.folder = folder
        self.config = folder / "careline.toml"
        self.config.write_text(
            f'[paths]\nrun_dir = "{folder}/run"\ndata_dir = "{folder}/data"\n'
            f'[network]\nmanage = true\nconfirm_s = {confirm_s}\nchronyc = "true"\nprobe_ms = {probe_ms}\n'
        )
        self.start()

    def start(self) -> None:
        (self.folder / "run" / "system.sock").unlink(missing_ok=True)
        with (self.folder / "system.log").open("ab") as log:
            program = [sys.executable, "-m", "appliance.system", "--config", str(self.config)]
            self.process = subprocess.Popen(program, stdout=log, stderr=log)
        wait_until(self._answers, 30)
        self.told()

    def _answers(self) -> bool:
        try:
            self.client().close()
        except BoxError:
            return False
        return True

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)

    def client(self) -> SystemClient:
        return SystemClient(self.folder / "run" / "system.sock", "test")

    def told(self) -> NetworkTold:
        with self.client() as client:
            return client.ask(AskNetwork(by="alice"), NetworkTold)

    def attempt(self, settings: Settings, soon: bool = False) -> NetworkTrying:
        with self.client() as client:
            return client.ask(TryNetwork(settings=settings, soon=soon, by="alice"), NetworkTrying)

    def keep(self, trying: NetworkTrying) -> None:
        with self.client() as client:
            client.do(SettleNetwork(number=trying.trial.number, keep=True, by="alice"))


@contextmanager
def service(folder: Path, confirm_s: int = CONFIRM_S, probe_ms: int = 30) -> Iterator[Service]:
    running = Service(folder, confirm_s, probe_ms)
    try:
        yield running
    finally:
        running.stop()


@in_own_network
def test_an_unconfirmed_change_is_gone_in_time_and_a_confirmed_one_stays(tmp_path: Path) -> None:
    with house(1), service(tmp_path) as box:
        box.keep(box.attempt(FIRST))
        trying = box.attempt(OTHER, soon=True)
        assert not trying.trial.applied
        assert own() == ["10.0.0.5/24"]
        wait_until(lambda: own() == ["10.7.0.5/24"], 5)
        began_s = time.monotonic()
        wait_until(lambda: own() == ["10.0.0.5/24"], 10)
        assert CONFIRM_S - 1 < time.monotonic() - began_s < CONFIRM_S + 3
        wait_until(lambda: box.told().outcome is not None)
        outcome = box.told().outcome
        assert outcome is not None
        assert (outcome.kept, outcome.code) == (False, "SYS-068")
        box.keep(box.attempt(OTHER))
        box.stop()
        assert own() == ["10.7.0.5/24"]  # the network does not need the box service
        box.start()
        assert own() == ["10.7.0.5/24"]
        with box.client() as client:
            history = client.ask(AskNetworkHistory(by="alice"), NetworkHistory).versions
            assert [(each.number, each.by) for each in history] == [(2, "alice"), (1, "alice")]
            undone = client.ask(UndoNetwork(number=2, by="alice"), NetworkTrying)
        box.keep(undone)
        assert own() == ["10.0.0.5/24"]


@in_own_network
def test_killed_while_trying_it_is_back_as_it_was(tmp_path: Path) -> None:
    with house(1), service(tmp_path, confirm_s=60) as box:
        box.keep(box.attempt(FIRST))
        box.attempt(OTHER)
        assert own() == ["10.7.0.5/24"]
        box.kill()
        assert own() == ["10.7.0.5/24"]
        began_s = time.monotonic()
        box.start()
        assert own() == ["10.0.0.5/24"]
        assert time.monotonic() - began_s < 20
        outcome = box.told().outcome
        assert outcome is not None
        assert outcome.code == "SYS-069"


@in_own_network
def test_killed_at_any_moment_of_a_change_nothing_is_left_by_halves(tmp_path: Path) -> None:
    """SIGKILL some milliseconds after the order, and a start: what is kept is in use, whole, and it is one of the two."""
    dice = random.Random(5)
    with house(1), service(tmp_path, confirm_s=60) as box:
        box.keep(box.attempt(FIRST))
        for _ in range(KILLS):
            with box.client() as client:
                client._socket.setblocking(True)
                order = subprocess.Popen(["sleep", str(dice.uniform(0.0, 0.25))])
                _send(client, TryNetwork(settings=OTHER, by="alice"))
                order.wait()
                box.kill()
            box.start()
            told = box.told()
            assert (told.settings, own()) == (FIRST, ["10.0.0.5/24"])
            assert [(route.to, route.via) for route in told.routes] == [("default", "10.0.0.1")]
            assert told.trial is None
            assert not (tmp_path / "data/system/network/trying.toml").exists()


def _send(client: SystemClient, request: TryNetwork) -> None:
    from drivers.protocol import encode

    client._socket.sendall(encode(request))


@in_own_network
def test_a_card_that_comes_and_a_cable_that_goes_are_seen_by_themselves(tmp_path: Path) -> None:
    both = network(lan(1, "10.0.0.5/24"), lan(2, "10.9.0.5/24"))
    with house(1) as there, service(tmp_path) as box:
        box.keep(box.attempt(both))
        there.add_cable(2)
        wait_until(lambda: own() == ["10.0.0.5/24", "10.9.0.5/24"])
        there.pull(2)
        wait_until(lambda: [link.carrier for link in box.told().links] == [True, False])
        there.plug(2)
        wait_until(lambda: all(link.carrier for link in box.told().links))


@in_own_network
def test_who_gives_wrong_passwords_is_shut_out_for_a_while(tmp_path: Path) -> None:
    with house(1) as there, service(tmp_path) as box, listeners((443,)), box.client() as client:
        there.far_address(1, "10.0.0.9/24")
        box.keep(box.attempt(FIRST))
        for _ in range(FAILURES):
            assert not box.told().locked
            client.do(ReportFailedLogin(address="::ffff:10.0.0.9", by="web"))
        assert [each.address for each in box.told().locked] == ["10.0.0.9"]
        assert not _connects(there.there(), "10.0.0.5")
        client.do(ReleaseAddress(address="10.0.0.9", by="alice"))
        assert _connects(there.there(), "10.0.0.5")
        for never in ("127.0.0.1", "10.0.0.5", "10.0.0.1"):  # the box itself, and the router that many people come through
            for _ in range(FAILURES + 1):
                client.do(ReportFailedLogin(address=never, by="web"))
        assert not box.told().locked
        with pytest.raises(BoxError, match="SYS-065"):
            client.do(ReportFailedLogin(address="10.0.0.9; flush ruleset", by="web"))


def _connects(there: list[str], address: str) -> bool:
    code = "import socket, sys; socket.create_connection((sys.argv[1], 443), 0.7).close()"
    return subprocess.run([*there, "python3", "-c", code, address], capture_output=True, check=False).returncode == 0


@in_own_network
def test_checks_ports_and_looking_around(tmp_path: Path) -> None:
    with house(1) as there, service(tmp_path, probe_ms=3000) as box, listeners((443, 8080)), box.client() as client:
        box.keep(box.attempt(FIRST))
        there.far_address(1, "10.0.0.1/24", "10.50.0.1/24")
        wait_until(lambda: all(link.carrier for link in box.told().links))  # the kernel tells that up to a second later
        checked = client.ask(CheckNetwork(settings=network(lan(1, "10.0.0.1/24", "10.0.0.1/16")), by="alice"), NetworkChecked)
        assert {fault.code for fault in checked.faults} == {"SYS-045"}
        probed = client.ask(CheckNetwork(settings=network(lan(1, "10.0.0.1/24")), probe=True, by="alice"), NetworkChecked)
        assert [fault.code for fault in probed.faults] == ["SYS-056"]
        ports = client.ask(AskPorts(by="alice"), PortsTold)
        assert {port.port for port in ports.listed if port.open} == {80, 443}
        assert {(each.port, each.reachable) for each in ports.listening if each.port in (443, 8080)} == {(443, True), (8080, False)}
        pinged = client.ask(PingHost(host="10.0.0.1", count=2, by="alice"), PathTold)
        assert pinged.reached
        assert all(hop.time_ms is not None and hop.time_ms < 1000 for hop in pinged.hops)
        silent = client.ask(PingHost(host="10.0.0.77", count=1, by="alice"), PathTold)
        assert (silent.reached, silent.hops[0].address) == (False, "")
        traced = client.ask(TraceHost(host="10.50.0.1", by="alice"), PathTold)
        assert (traced.reached, [hop.address for hop in traced.hops]) == (True, ["10.50.0.1"])
        with server(there, tmp_path, "--address=/ward.example.org/10.1.2.3", "--listen-address=10.0.0.1"):
            found = client.ask(LookUpName(name="ward.example.org", server="10.0.0.1", by="alice"), NameTold)
        assert (found.server, found.addresses) == ("10.0.0.1", ("10.1.2.3",))
        for wrong in (PingHost(host="10.0.0.1", count=99), TraceHost(host="no such name"), LookUpName(name="x" * 300)):
            with pytest.raises(BoxError, match="SYS-065"):
                client.do(wrong)


def test_kernel_links_of_this_machine_can_be_looked_at() -> None:
    assert all(link.device for link in kernel.links())
