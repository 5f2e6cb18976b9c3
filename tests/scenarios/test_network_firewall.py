"""What others reach of the box: exactly the listed ports, seen from the far end of the cable by a scanner that is not ours."""

import re
import subprocess
from collections.abc import Sequence

import pytest

from appliance.peripherals.config import RecordSource, SmdiConfig, SmdrConfig
from appliance.system.errors import BoxError
from appliance.system.network import kernel, wanted
from appliance.system.network.firewall import LOCKED_S, SLOW_AT_ONCE, Firewall
from appliance.system.network.model import Role, Services, Settings
from appliance.system.network.ports import PORTS, ListedPort, ports_of
from tests.network_box import put
from tests.network_house import House, house, in_own_network, lan, listeners, network, wait_until

OTHERS = (21, 23, 25, 111, 3306, 5432, 8000, 8080, 9100)
"""Ports on which programs of the box may wait, but for itself alone."""
LISTED = tuple(port.port for port in PORTS if port.protocol == "tcp")


@pytest.fixture(autouse=True)
def loop_watch() -> None:
    """Nobody's calls wait for the event loops here: pyroute2 makes one for each question."""


def two_roles(**given: object) -> Settings:
    """Card 1 management, card 2 hospital, card 3 voice."""
    return network(
        lan(1, "10.1.0.5/24", ipv6="static", addresses6=("fd00:1::5/64",)),
        lan(2, "10.2.0.5/24", roles=(Role.HOSPITAL,), ipv6="static", addresses6=("fd00:2::5/64",)),
        lan(3, "10.3.0.5/24", roles=(Role.VOICE,), ipv6="static", addresses6=("fd00:3::5/64",)),
        **given,
    )


def walled(there: House, settings: Settings, listed: tuple[ListedPort, ...] = PORTS) -> Firewall:
    for number in (1, 2, 3):
        there.far_address(number, f"10.{number}.0.9/24", f"fd00:{number}::9/64")
    firewall = Firewall("nft", listed)
    put(settings)
    firewall.put_in_place(settings, wanted.devices(settings, kernel.links()))
    wait_until(lambda: not any(each.tentative for link in kernel.links() for each in link.addresses))
    return firewall


def scanned(there: House, address: str, ports: Sequence[int]) -> set[int]:
    """Ports that nmap finds open."""
    six = ["-6"] if ":" in address else []
    said = there.far("nmap", *six, "-n", "-Pn", "-sT", "-T5", "--max-retries", "1", "-p", ",".join(map(str, sorted(ports))), address)
    return {int(found) for found in re.findall(r"^(\d+)/tcp +open", said, re.M)}


@in_own_network
def test_a_scan_finds_only_the_listed_ports_of_each_role() -> None:
    ports = (*LISTED, *OTHERS)
    with house(3) as there, listeners(ports):
        walled(there, two_roles(services=Services(ssh=True, metrics=True)))
        for address in ("10.1.0.5", "fd00:1::5"):
            assert scanned(there, address, ports) == {22, 80, 443, 9464}, address
        for address in ("10.2.0.5", "fd00:2::5"):
            assert scanned(there, address, ports) == {80, 443}, address
        for address in ("10.3.0.5", "fd00:3::5"):
            assert scanned(there, address, ports) == set(), address


@in_own_network
def test_what_is_switched_off_is_shut() -> None:
    with house(3) as there, listeners(LISTED):
        walled(there, two_roles())
        assert scanned(there, "10.1.0.5", LISTED) == {80, 443}


@in_own_network
def test_a_switch_that_calls_is_let_in_from_voice_and_management() -> None:
    smdr = SmdrConfig(sources=(RecordSource(name="switch", table="generic", listen="0.0.0.0:5100"),))
    ports = (443, 5100, 5101)
    with house(3) as there, listeners(ports):
        walled(there, two_roles(), ports_of(smdr, SmdiConfig(listen="0.0.0.0:5101")))
        assert scanned(there, "10.1.0.5", ports) == {443, 5100, 5101}
        assert scanned(there, "10.2.0.5", ports) == {443}
        assert scanned(there, "10.3.0.5", ports) == {5100, 5101}


@in_own_network
def test_the_box_s_address_on_one_network_is_no_way_in_from_another() -> None:
    """What counts is the cable on which a packet comes in, not the address it is for."""
    with house(3) as there, listeners(LISTED):
        walled(there, two_roles(services=Services(ssh=True)))
        there.far("ip", "route", "add", "10.1.0.5/32", "via", "10.3.0.5", "metric", "1")
        assert scanned(there, "10.1.0.5", LISTED) == set()
        there.far("ip", "route", "replace", "10.1.0.5/32", "via", "10.2.0.5", "metric", "1")
        assert scanned(there, "10.1.0.5", LISTED) == {80, 443}


@in_own_network
def test_the_box_is_no_router_between_its_networks() -> None:
    with house(3) as there:
        walled(there, two_roles())
        there.far("ip", "route", "add", "10.99.0.0/16", "via", "10.2.0.5")
        assert "0 received" in there.far("ping", "-c", "1", "-W", "1", "10.99.0.9", check=False)
        assert "drop" in chain("forward")


@in_own_network
def test_pings_are_answered_but_no_flood_of_them() -> None:
    with house(3) as there:
        walled(there, two_roles())
        assert " 2 received" in there.far("ping", "-c", "2", "-i", "0.01", "-W", "1", "10.3.0.5")
        assert " 2 received" in there.far("ping", "-6", "-c", "2", "-i", "0.01", "-W", "1", "fd00:3::5")
        said = there.far("ping", "-f", "-c", "300", "-W", "1", "10.3.0.5", check=False)
        received = int(re.findall(r"(\d+) received", said)[0])
        assert 10 <= received < 200, said


@in_own_network
def test_who_tries_passwords_by_ssh_is_shut_out_everywhere() -> None:
    with house(3) as there, listeners(LISTED):
        firewall = walled(there, two_roles(services=Services(ssh=True)))
        for _ in range(SLOW_AT_ONCE + 2):
            connect(there, "10.1.0.5", 22)
        assert set(firewall.locked()) == {"10.1.0.9"}
        assert not connect(there, "10.1.0.5", 443)
        assert connect(there, "10.2.0.5", 443)  # another address


@in_own_network
def test_a_lock_lasts_over_changes_and_until_it_is_released() -> None:
    with house(3) as there, listeners(LISTED):
        firewall = walled(there, two_roles())
        for address in ("10.1.0.9", "fd00:1::9"):
            firewall.lock(address)
        firewall.lock("10.1.0.9")  # twice is once
        changed = two_roles(services=Services(ssh=True))
        firewall.put_in_place(changed, wanted.devices(changed, kernel.links()))
        locked = firewall.locked()
        assert set(locked) == {"10.1.0.9", "fd00:1::9"}
        assert all(LOCKED_S - 60 < left_s <= LOCKED_S for left_s in locked.values())
        assert not connect(there, "10.1.0.5", 443)
        assert not connect(there, "fd00:1::5", 443)
        firewall.release("10.1.0.9")
        assert connect(there, "10.1.0.5", 443)
        firewall.release("")
        assert connect(there, "fd00:1::5", 443)
        firewall.release("10.1.0.77")  # who is not locked


@in_own_network
def test_other_tables_are_never_touched() -> None:
    other = "table inet other {\n\tchain theirs {\n\t\tcounter packets 0 bytes 0 accept\n\t}\n}\n"
    subprocess.run(["nft", "-f", "-"], input=other, text=True, check=True)
    with house(3) as there:
        firewall = walled(there, two_roles())
        changed = two_roles(services=Services(ssh=True))
        firewall.put_in_place(changed, {})
        assert subprocess.run(["nft", "list", "table", "inet", "other"], capture_output=True, text=True, check=True).stdout == other


@in_own_network
def test_a_table_that_somebody_deleted_comes_back() -> None:
    with house(3) as there:
        settings = two_roles()
        firewall = walled(there, settings)
        subprocess.run(["nft", "flush", "ruleset"], check=True)
        firewall.put_in_place(settings, wanted.devices(settings, kernel.links()))
        assert "policy drop" in chain("input")


@in_own_network
def test_no_program_nft_is_told() -> None:
    with pytest.raises(BoxError, match="SYS-058"):
        Firewall("/nonexistent/nft").put_in_place(two_roles(), {})


def chain(name: str) -> str:
    return subprocess.run(["nft", "list", "chain", "inet", "careline", name], capture_output=True, text=True, check=True).stdout


def connect(there: House, address: str, port: int) -> bool:
    """Whether somebody at the far end gets a connection."""
    code = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 0.7).close()"
    return subprocess.run(there.there("python3", "-c", code, address, str(port)), capture_output=True, check=False).returncode == 0
