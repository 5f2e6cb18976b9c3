"""Every kind of setting in a real kernel, in a network namespace of its own: what the checks pass is taken, and what is there afterwards is
what was asked for, whatever was there before.
"""

import socket
from datetime import UTC, datetime, timedelta
from ipaddress import ip_interface

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyroute2 import IPRoute

from appliance.system.errors import BoxError
from appliance.system.network import checks, kernel, names, switches, wanted
from appliance.system.network.messages import LeaseTold
from appliance.system.network.model import Interface, Ipv4, Ipv6, Role, Route, Settings
from tests.network_box import put
from tests.network_house import House, house, in_own_network, lan, mac, network

CABLES = 3


def seen() -> tuple[dict[str, tuple[bool, int, list[str], frozenset[str]]], set[tuple[str, str, str]]]:
    """What is there: by card, and routes to routers."""
    links = {
        link.device: (link.up, link.mtu, [each.text for each in link.addresses if each.version == 4], _six(link)) for link in kernel.links()
    }
    return links, {(route.to, route.via, route.device) for route in kernel.routes() if route.protocol == kernel.PROTOCOL}


def _six(link: kernel.KernelLink) -> frozenset[str]:
    return frozenset(each.text for each in link.addresses if each.version == 6)


@in_own_network
def test_addresses_routes_and_mtu_are_in_the_kernel() -> None:
    with house(2):
        first = lan(
            *(1, "10.0.0.5/24", "10.0.1.5/24", "10.0.0.6/24"),
            gateway="10.0.0.1",
            ipv6=Ipv6.STATIC,
            addresses6=("fd00::5/64",),
            gateway6="fd00::1",
            mtu=1400,
        )
        put(network(first, lan(2, "10.9.0.5/16"), routes=(Route(to="10.20.0.0/16", via="10.9.0.1"),)))
        links, routes = seen()
        assert links["card1"] == (True, 1400, ["10.0.0.5/24", "10.0.1.5/24", "10.0.0.6/24"], frozenset({"fd00::5/64"}))
        assert links["card2"] == (True, 1500, ["10.9.0.5/16"], frozenset())
        assert routes == {
            ("0.0.0.0/0", "10.0.0.1", "card1"),
            ("::/0", "fd00::1", "card1"),
            ("10.20.0.0/16", "10.9.0.1", "card2"),
        }
        assert (switches.NET / "ipv6/conf/card2/disable_ipv6").read_text().strip() == "1"


@in_own_network
def test_applying_again_changes_nothing() -> None:
    with house(1), IPRoute() as ip:
        put(network(lan(1, "10.0.0.5/24", gateway="10.0.0.1")))
        ip.bind()  # all that the kernel tells from now on
        put(network(lan(1, "10.0.0.5/24", gateway="10.0.0.1")))
        ip.link("set", index=1, mtu=60000)
        assert [message["index"] for message in ip.get()] == [1]


@in_own_network
def test_a_card_that_the_settings_do_not_name_is_off() -> None:
    with house(2):
        put(network(lan(1, "10.0.0.5/24"), lan(2, "10.9.0.5/16")))
        put(network(lan(1, "10.0.0.5/24")))
        assert seen()[0]["card2"] == (False, 1500, [], frozenset())


@in_own_network
def test_what_another_program_gave_a_card_goes() -> None:
    with house(1), IPRoute() as ip:
        index = ip.link_lookup(ifname="card1")[0]
        ip.link("set", index=index, state="up")
        ip.addr("add", index=index, address="172.16.0.9", prefixlen=16)
        ip.route("add", dst="10.99.0.0/16", gateway="172.16.0.1")
        put(network(lan(1, "10.0.0.5/24")))
        assert seen()[0]["card1"][2] == ["10.0.0.5/24"]
        assert [route.to for route in kernel.routes()] == []


@in_own_network
def test_a_lease_is_an_address_with_an_end_and_its_router() -> None:
    lease = LeaseTold(address="10.0.0.77/24", gateway="10.0.0.1", until=datetime.now(UTC) + timedelta(seconds=600))
    with house(1):
        leased = network(lan(1, ipv4=Ipv4.DHCP, addresses=("169.254.77.1/16",)))
        put(leased, {"lan1": lease})
        card = kernel.links()[0]
        assert [(each.text, each.lasting) for each in card.addresses] == [("10.0.0.77/24", False), ("169.254.77.1/16", True)]
        assert [(route.to, route.via, route.metric) for route in kernel.routes()] == [("0.0.0.0/0", "10.0.0.1", wanted.LEARNT_METRIC)]
        put(network(lan(1, "10.0.0.77/24")))  # the same one by hand: for ever
        assert [(each.text, each.lasting) for each in kernel.links()[0].addresses] == [("10.0.0.77/24", True)]
        assert kernel.routes() == ()


def test_what_a_dhcp_server_says_of_a_router_out_of_reach_is_not_believed() -> None:
    lease = LeaseTold(address="10.0.0.77/24", gateway="10.99.0.1", until=datetime.now(UTC) + timedelta(seconds=600))
    card = _card("eth7", mac(1))
    assert wanted.wanted(network(lan(1, ipv4=Ipv4.DHCP)), [card], {"lan1": lease}, datetime.now(UTC)).routes == ()


def _card(device: str, address: str, place: str = "") -> kernel.KernelLink:
    nothing = {"kind": "", "alias": "", "flags": 0, "carrier": True, "mtu": 1500, "parent": 0, "vlan": 0, "addresses": (), "counters": {}}
    return msgspec.convert({"index": 2, "device": device, "mac": address, "place": place, **nothing}, kernel.KernelLink)


def test_interfaces_are_found_by_card_then_by_place_never_by_order() -> None:
    both = network(
        lan(1, "10.0.0.5/24", place="pci/0000:00:03.0"),
        lan(2, "10.0.1.5/24", place="pci/0000:00:04.0"),
    )
    swapped = [_card("eth0", mac(2), "pci/0000:00:04.0"), _card("eth1", mac(1), "pci/0000:00:03.0")]
    assert wanted.devices(both, swapped) == {"lan1": "eth1", "lan2": "eth0"}
    moved = [_card("eth0", mac(2), "pci/0000:00:03.0"), _card("eth1", mac(1), "pci/0000:00:04.0")]
    assert wanted.devices(both, moved) == {"lan1": "eth1", "lan2": "eth0"}
    replaced = [_card("eth0", mac(9), "pci/0000:00:03.0"), _card("eth1", mac(2), "pci/0000:00:04.0")]
    assert wanted.devices(both, replaced) == {"lan1": "eth0", "lan2": "eth1"}
    assert wanted.devices(both, replaced[1:]) == {"lan2": "eth1"}


def test_a_box_as_delivered_asks_by_itself_on_its_first_card() -> None:
    cards = [_card("eth0", mac(2), "pci/0000:00:09.0"), _card("eth1", mac(1), "pci/0000:00:03.0")]
    delivered = wanted.delivered(cards)
    assert [(each.name, each.mac, each.ipv4) for each in delivered.interfaces] == [
        ("lan1", mac(1), Ipv4.DHCP),
        ("lan2", mac(2), Ipv4.OFF),
    ]
    assert checks.faults(delivered) == ()
    assert wanted.delivered([]).interfaces == ()


@in_own_network
def test_the_kernel_s_refusal_is_told_with_what_was_refused() -> None:
    impossible = kernel.Wanted(
        links=(kernel.WantedLink(device="card1", up=True, mtu=1500, addresses=(kernel.WantedAddress(text="10.0.0.5/24"),)),),
        routes=(kernel.WantedRoute(to="10.9.0.0/16", via="10.77.0.1", device="card1"),),
    )
    with house(1), pytest.raises(BoxError, match=r"SYS-057: routing 10.9.0.0/16 by 10.77.0.1: the kernel refuses: .*(reach|Invalid)"):
        kernel.apply(impossible)


@in_own_network
def test_the_host_s_name_is_set() -> None:
    names.set_host_name("ward-7")
    assert socket.gethostname() == "ward-7"


# --- anything to anything ------------------------------------------------------------------------------------------------

PREFIXES = st.sampled_from((24, 28, 16))


@st.composite
def interfaces(draw: st.DrawFn, number: int) -> Interface:
    """One that may well be right: networks apart, a router now and then, IPv6 in each way."""
    prefix, prefixes6 = draw(PREFIXES), draw(st.sampled_from((64, 48)))
    hosts = draw(st.lists(st.integers(1, 12), min_size=0, max_size=4, unique=True))
    hosts6 = draw(st.lists(st.integers(1, 9), min_size=0, max_size=3, unique=True))
    own = tuple(f"10.{number}.0.{host}/{prefix}" for host in hosts)
    own += tuple(f"172.{16 + number}.0.{host}/24" for host in draw(st.lists(st.integers(1, 5), max_size=2, unique=True)))
    own6 = tuple(f"fd00:{number}::{host}/{prefixes6}" for host in hosts6)
    ipv6 = draw(st.sampled_from((Ipv6.OFF, Ipv6.STATIC, Ipv6.AUTOMATIC)))
    gateway = f"10.{number}.0.14" if number == 1 and hosts and draw(st.booleans()) else ""
    gateway6 = f"fd00:{number}::ff" if number == 1 and hosts6 and draw(st.booleans()) else ""
    return Interface(
        name=f"lan{number}",
        mac=mac(number),
        roles=draw(st.sampled_from(((Role.MANAGEMENT,), (Role.HOSPITAL, Role.MANAGEMENT), (Role.VOICE,)))),
        ipv4=draw(st.sampled_from((Ipv4.STATIC, Ipv4.STATIC, Ipv4.OFF))),
        addresses=own,
        gateway=gateway,
        ipv6=ipv6,
        addresses6=own6,
        gateway6=gateway6,
        learn_route=number == 1 and not gateway6 and draw(st.booleans()),
        mtu=draw(st.sampled_from((1500, 1500, 1400, 576, 9000))),
    )


@st.composite
def whole(draw: st.DrawFn) -> Settings:
    cards = [draw(interfaces(number)) for number in draw(st.lists(st.integers(1, CABLES), min_size=1, max_size=CABLES, unique=True))]
    reached = [each for card in cards if card.ipv4 is Ipv4.STATIC for each in card.addresses]
    routes = []
    for place in range(draw(st.integers(0, 2)) if reached else 0):
        near = ip_interface(draw(st.sampled_from(reached))).network
        routes.append(Route(to=f"10.{100 + place}.0.0/16", via=str(near[13])))
    return Settings(interfaces=tuple(cards), routes=tuple(routes))


@in_own_network
def test_what_passes_the_checks_is_taken_and_nothing_of_before_is_left() -> None:
    with house(CABLES) as there:
        tried = {"fine": 0}

        @settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(before=whole(), after=whole())
        def from_one_to_the_other(before: Settings, after: Settings) -> None:
            if any(fault.refuses for given in (before, after) for fault in checks.faults(given)):
                return
            tried["fine"] += 1
            _reset(there)
            put(after)
            straight = seen()
            put(before)
            put(after)
            assert seen() == straight
            assert {name: link[2] for name, link in straight[0].items()} == _asked(after)

        from_one_to_the_other()
        assert tried["fine"] >= 15


def _reset(there: House) -> None:
    put(network(lan(1, "198.18.0.1/24")))


def _asked(given: Settings) -> dict[str, list[str]]:
    asked: dict[str, list[str]] = {f"card{number}": [] for number in range(1, CABLES + 1)}
    for each in given.interfaces:
        if each.ipv4 is Ipv4.STATIC:
            asked[each.name.replace("lan", "card")] = kernel._kernel_order(each.addresses)
    return asked
