"""Leases of a real DHCP server (dnsmasq): had, renewed, refused, lost; and what a broken or hostile server may say."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.system.network import kernel, told
from appliance.system.network.dhcp import read_lease
from appliance.system.network.model import Ipv4, Ipv6
from tests.network_box import RealBox
from tests.network_house import House, house, in_own_network, lan, network, text_of, wait_until

LEASED = network(lan(1, ipv4=Ipv4.DHCP))


@pytest.fixture(autouse=True)
def loop_watch() -> None:
    """Nobody's calls wait for the event loops here: pyroute2 makes one for each question."""


@contextmanager
def server(there: House, folder: Path, *options: str) -> Iterator[None]:
    """A DHCP and name server at the far end of cable 1."""
    common = ["--no-daemon", "--conf-file=/dev/null", "--port=53", "--no-resolv", "--no-hosts", "--user=root", "--leasefile-ro"]
    common += [f"--dhcp-leasefile={folder}/leases", "--bind-interfaces", "--interface=far1", "--pid-file", "--no-ping"]
    with (folder / "dnsmasq.log").open("w") as log:
        running = subprocess.Popen(there.there("dnsmasq", *common, *options), stdout=log, stderr=log)
    try:
        wait_until(lambda: "started" in text_of(folder / "dnsmasq.log"))
        yield
    finally:
        running.terminate()
        running.wait(10)


RANGE = (
    "--dhcp-range=10.5.0.100,10.5.0.100,255.255.255.0,120",
    "--dhcp-option=3,10.5.0.1",
    "--dhcp-option=6,10.5.0.1",
    "--domain=ward.org",
)


@in_own_network
def test_a_lease_gives_address_router_and_name_servers(tmp_path: Path) -> None:
    with house(1) as there:
        there.far_address(1, "10.5.0.1/24")
        with server(there, tmp_path, *RANGE):
            box = RealBox(tmp_path, LEASED)
            wait_until(box.lease)
            box.desk.step()
            lease = box.lease()
            assert lease is not None
            assert (lease.address, lease.gateway, lease.dns, lease.domain) == ("10.5.0.100/24", "10.5.0.1", ("10.5.0.1",), "ward.org")
            assert 60 < (lease.until - datetime.now(UTC)).total_seconds() <= 120
            assert [(each.text, each.lasting) for link in kernel.links() for each in link.addresses] == [("10.5.0.100/24", False)]
            assert [(route.to, route.via) for route in kernel.routes()] == [("0.0.0.0/0", "10.5.0.1")]
            assert "nameserver 10.5.0.1" in text_of(box.places.resolv_conf)
            assert "search ward.org" in text_of(box.places.resolv_conf)
            box.desk.stop()
            box.started()  # the address stays all the while
            assert [each.text for link in kernel.links() for each in link.addresses] == ["10.5.0.100/24"]
            box.desk.stop()


@in_own_network
def test_a_server_that_comes_late_is_found_and_told_until_then(tmp_path: Path) -> None:
    with house(1) as there:
        there.far_address(1, "10.5.0.1/24")
        box = RealBox(tmp_path, LEASED)
        assert "SYS-064" in {fault.code for fault in told.network(box.desk).faults}
        with server(there, tmp_path, *RANGE):
            wait_until(box.lease, 20)
            assert told.network(box.desk).faults == ()
        box.desk.stop()


@in_own_network
def test_clients_end_with_the_setting_and_a_killed_one_begins_anew(tmp_path: Path) -> None:
    with house(1) as there:
        there.far_address(1, "10.5.0.1/24")
        with server(there, tmp_path, *RANGE):
            box = RealBox(tmp_path, LEASED)
            wait_until(box.lease)
            subprocess.run(["kill", "-9", (box.places.leases / "lan1.pid").read_text()], check=True)
            wait_until(box.desk.is_due)
            box.desk.step()
            pid = (box.places.leases / "lan1.pid").read_text()
            assert Path(f"/proc/{pid}").exists()
            box.keep(network(lan(1, "10.6.0.5/24")))
            assert not Path(f"/proc/{pid}").exists()
            assert [each.text for link in kernel.links() for each in link.addresses] == ["10.6.0.5/24"]
            assert not list(box.places.leases.iterdir())  # on that cable there may be another network next time


@in_own_network
def test_a_client_left_by_a_killed_box_service_is_ended(tmp_path: Path) -> None:
    with house(1):
        box = RealBox(tmp_path, LEASED)
        pid = (box.places.leases / "lan1.pid").read_text()
        killed = box.desk
        box.started()
        wait_until(lambda: not Path(f"/proc/{pid}/exe").exists())
        assert (box.places.leases / "lan1.pid").read_text() != pid
        for desk in (killed, box.desk):
            desk.stop()


@in_own_network
def test_router_advertisements_give_addresses_and_a_router(tmp_path: Path) -> None:
    with house(1) as there:
        there.far_address(1, "fd00:5::1/64")
        with server(there, tmp_path, "--enable-ra", "--dhcp-range=fd00:5::,ra-only,64,600", "--ra-param=far1,4,600"):
            box = RealBox(tmp_path, network(lan(1, ipv6=Ipv6.AUTOMATIC, addresses6=("fd00:5::7/64",))))
            wait_until(lambda: any(not each.lasting for link in kernel.links() for each in link.addresses), 20)
            box.desk.step()
            addresses = {each.text: each.lasting for link in kernel.links() for each in link.addresses}
            assert addresses == {"fd00:5::7/64": True, "fd00:5::ff:fe00:1/64": False}
            assert [(route.to, route.protocol) for route in kernel.routes()] == [("::/0", kernel.BY_ADVERTISEMENT)]
            box.keep(network(lan(1, ipv6=Ipv6.STATIC, addresses6=("fd00:5::7/64",))))
            assert [each.text for link in kernel.links() for each in link.addresses] == ["fd00:5::7/64"]
            assert kernel.routes() == ()


# --- what a server may say -------------------------------------------------------------------------------------------------

GOOD = {
    "event": "bound",
    "ip": "10.5.0.7",
    "mask": "24",
    "router": "10.5.0.1 10.5.0.2",
    "dns": "10.5.0.1",
    "lease": "600",
    "at": "1900000000",
}


def written(folder: Path, **changed: str) -> Path:
    path = folder / "lan1"
    path.write_text("".join(f"{key}={value}\n" for key, value in {**GOOD, **changed}.items()))
    return path


@pytest.mark.parametrize(
    "changed",
    [
        {"ip": "127.0.0.1"},
        {"ip": "0.0.0.0"},
        {"ip": "224.0.0.1"},
        {"ip": ""},
        {"mask": "0"},
        {"mask": "33"},
        {"lease": "soon"},
        {"event": "nak"},
    ],
)
def test_a_lease_that_cannot_be_is_none(tmp_path: Path, changed: dict[str, str]) -> None:
    assert read_lease(written(tmp_path, **changed)) is None
    assert read_lease(tmp_path / "none") is None


def test_what_is_wrong_beside_the_address_is_left_out(tmp_path: Path) -> None:
    lease = read_lease(written(tmp_path, router="$(reboot)", dns="x 10.5.0.9 ::", domain="a\tb;c", lease="4294967295"))
    assert lease is not None
    assert (lease.gateway, lease.dns, lease.domain) == ("", ("10.5.0.9",), "")


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=300), key=st.sampled_from(sorted(GOOD)), value=st.text(max_size=40))
def test_nothing_a_server_says_stops_the_box_service(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, key: str, value: str
) -> None:
    folder = tmp_path_factory.mktemp("lease")
    path = folder / "lan1"
    path.write_bytes(content)
    read_lease(path)
    path.write_bytes("".join(f"{each}={given}\n" for each, given in {**GOOD, key: value}.items()).encode("utf-8", "surrogatepass"))
    read_lease(path)
