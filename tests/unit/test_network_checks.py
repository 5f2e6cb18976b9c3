"""What is refused of the network's settings, where, and with which code; what is warned of; what is fine."""

from pathlib import Path

import pytest

from appliance.peripherals.config import RecordSource, SmdiConfig, SmdrConfig
from appliance.system.network.checks import faults
from appliance.system.network.model import Interface, Ipv4, Ipv6, Role, Route, Services, Settings, Vlan
from appliance.system.network.ports import MANAGEMENT, PORTS, VOICE, open_ports, ports_of
from tests.network_house import lan, mac, network

V6 = {"ipv6": Ipv6.STATIC}
MANUAL = Path(__file__).parents[2] / "docs/network.md"

REFUSED = {
    "overlapping": (network(lan(1, "10.0.0.5/16"), lan(2, "10.0.7.5/24")), "SYS-046", "lan2.addresses"),
    "overlapping6": (
        network(lan(1, **V6, addresses6=("fd00::5/48",)), lan(2, **V6, addresses6=("fd00::1:0:0:0:5/64",))),
        "SYS-046",
        "lan2.addresses",
    ),
    "vlan overlaps": (
        network(lan(1, "10.0.0.5/24", vlans=(Vlan(number=5, ipv4=Ipv4.STATIC, addresses=("10.0.0.9/24",)),))),
        "SYS-046",
        "lan1.5.addresses",
    ),
    "gateway outside": (network(lan(1, "10.0.0.5/24", gateway="10.0.1.1")), "SYS-047", "lan1.gateway"),
    "gateway is the box": (network(lan(1, "10.0.0.5/24", gateway="10.0.0.5")), "SYS-047", "lan1.gateway"),
    "gateway is the broadcast": (network(lan(1, "10.0.0.5/24", gateway="10.0.0.255")), "SYS-047", "lan1.gateway"),
    "gateway no address": (network(lan(1, "10.0.0.5/24", gateway="router")), "SYS-047", "lan1.gateway"),
    "gateway6 outside": (network(lan(1, **V6, addresses6=("fd00::5/64",), gateway6="fd01::1")), "SYS-047", "lan1.gateway6"),
    "address twice": (network(lan(1, "10.0.0.5/24"), lan(2, "10.0.0.5/24")), "SYS-045", "lan2.addresses"),
    "address twice on one": (network(lan(1, "10.0.0.5/24", "10.0.0.5/16")), "SYS-045", "lan1.addresses"),
    "default twice": (network(lan(1, "10.0.0.5/24", gateway="10.0.0.1"), lan(2, ipv4=Ipv4.DHCP)), "SYS-048", "lan2"),
    "default by route": (
        network(lan(1, "10.0.0.5/24", gateway="10.0.0.1"), routes=(Route(to="0.0.0.0/0", via="10.0.0.2"),)),
        "SYS-048",
        "routes",
    ),
    "default6 twice": (network(lan(1, "10.0.0.5/24", ipv6=Ipv6.AUTOMATIC), lan(2, ipv6=Ipv6.AUTOMATIC)), "SYS-048", "lan2"),
    "vlan 0": (network(lan(1, "10.0.0.5/24", vlans=(Vlan(number=0),))), "SYS-049", "lan1.0"),
    "vlan 4095": (network(lan(1, "10.0.0.5/24", vlans=(Vlan(number=4095),))), "SYS-049", "lan1.4095"),
    "vlan twice": (network(lan(1, "10.0.0.5/24", vlans=(Vlan(number=7), Vlan(number=7)))), "SYS-049", "lan1.7"),
    "nobody gets in": (network(lan(1, "10.0.0.5/24", roles=(Role.HOSPITAL,))), "SYS-050", "interfaces"),
    "management is off": (network(lan(1)), "SYS-050", "interfaces"),
    "nothing at all": (Settings(), "SYS-050", "interfaces"),
    "static without": (network(lan(1, ipv4=Ipv4.STATIC)), "SYS-051", "lan1.ipv4"),
    "static without6": (network(lan(1, ipv6=Ipv6.STATIC)), "SYS-051", "lan1.ipv6"),
    "mtu small": (network(lan(1, "10.0.0.5/24", mtu=400)), "SYS-052", "lan1.mtu"),
    "mtu small for 6": (network(lan(1, "10.0.0.5/24", **V6, addresses6=("fd00::5/64",), mtu=1200)), "SYS-052", "lan1.mtu"),
    "mtu of vlan": (network(lan(1, "10.0.0.5/24", vlans=(Vlan(number=7, mtu=9000),))), "SYS-052", "lan1.7.mtu"),
    "prefix missing": (network(lan(1, "10.0.0.5")), "SYS-044", "lan1.addresses"),
    "network's own": (network(lan(1, "10.0.0.0/24")), "SYS-044", "lan1.addresses"),
    "broadcast": (network(lan(1, "10.0.0.255/24")), "SYS-044", "lan1.addresses"),
    "multicast": (network(lan(1, "224.0.0.5/24")), "SYS-044", "lan1.addresses"),
    "loopback": (network(lan(1, "127.0.0.5/8")), "SYS-044", "lan1.addresses"),
    "other version": (network(lan(1, "fd00::5/64")), "SYS-044", "lan1.addresses"),
    "link local by hand": (network(lan(1, **V6, addresses6=("fe80::5/64",))), "SYS-044", "lan1.addresses6"),
    "words": (network(lan(1, "10.0.0.999/24")), "SYS-044", "lan1.addresses"),
    "name": (network(lan(1, "10.0.0.5/24", name="LAN 1")), "SYS-041", "LAN 1"),
    "name too long": (network(lan(1, "10.0.0.5/24", name="management")), "SYS-041", "management"),
    "name twice": (network(lan(1, "10.0.0.5/24"), lan(1, "10.0.1.5/24", mac=mac(2))), "SYS-041", "lan1"),
    "card twice": (network(lan(1, "10.0.0.5/24"), lan(2, "10.0.1.5/24", mac=mac(1))), "SYS-042", "lan2"),
    "no card": (network(Interface(name="lan1", roles=(Role.MANAGEMENT,), ipv4=Ipv4.DHCP)), "SYS-042", "lan1.mac"),
    "mac in capitals": (network(lan(1, "10.0.0.5/24", mac="02:00:00:00:00:AA")), "SYS-042", "lan1.mac"),
    "dns": (network(lan(1, "10.0.0.5/24"), dns=("ns.example.org",)), "SYS-053", "dns"),
    "ntp": (network(lan(1, "10.0.0.5/24"), ntp=("a b",)), "SYS-053", "ntp"),
    "search": (network(lan(1, "10.0.0.5/24"), search=("-x.org",)), "SYS-053", "search"),
    "route without router": (network(lan(1, "10.0.0.5/24"), routes=(Route(to="10.9.0.0/16", via="10.1.0.1"),)), "SYS-054", "routes.1"),
    "route of host bits": (network(lan(1, "10.0.0.5/24"), routes=(Route(to="10.9.0.1/16", via="10.0.0.1"),)), "SYS-054", "routes.1"),
    "route twice": (
        network(lan(1, "10.0.0.5/24"), routes=(Route(to="10.9.0.0/16", via="10.0.0.1"), Route(to="10.9.0.0/16", via="10.0.0.2"))),
        "SYS-054",
        "routes.2",
    ),
    "route to its own": (network(lan(1, "10.0.0.5/24"), routes=(Route(to="10.0.0.0/24", via="10.0.0.1"),)), "SYS-054", "routes.1"),
    "too many": (network(lan(1, "10.0.0.5/24"), dns=tuple(f"10.0.0.{each}" for each in range(1, 20))), "SYS-040", "dns"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_is_refused_with_code_and_place(case: str) -> None:
    settings, code, place = REFUSED[case]
    found = faults(settings)
    assert (code, place) in [(fault.code, fault.place) for fault in found if fault.refuses], found
    assert all(fault.what and fault.remedy for fault in found)


FINE = {
    "all of it": network(
        lan(
            1,
            "10.0.0.5/24",
            "10.0.0.6/24",
            gateway="10.0.0.1",
            **V6,
            addresses6=("fd00::5/64",),
            gateway6="fe80::1",
            roles=(Role.HOSPITAL, Role.MANAGEMENT),
            vlans=(Vlan(number=20, roles=(Role.VOICE,), ipv4=Ipv4.STATIC, addresses=("10.20.0.5/24",)),),
        ),
        lan(2, ipv4=Ipv4.DHCP, learn_route=False, roles=(Role.VOICE,)),
        routes=(Route(to="10.30.0.0/16", via="10.20.0.1"), Route(to="fd02::/48", via="fd00::2")),
        dns=("10.0.0.1", "127.0.0.1"),
        ntp=("10.0.0.1", "time.example.org"),
        search=("ward.example.org",),
        services=Services(ssh=True),
    ),
    "point to point": network(lan(1, "10.0.0.4/31", gateway="10.0.0.5")),
    "alone": network(lan(1, "10.0.0.5/32")),
    "gateway of what is off means nothing": network(lan(1, "10.0.0.5/24"), lan(2, gateway="1.2.3.4", roles=())),
}


@pytest.mark.parametrize("case", FINE)
def test_is_fine(case: str) -> None:
    assert faults(FINE[case]) == ()


def test_a_card_that_is_not_there_is_a_warning_and_no_way_in() -> None:
    both = network(lan(1, "10.0.0.5/24"), lan(2, "10.0.1.5/24"))
    assert [(fault.code, fault.refuses) for fault in faults(both, ["lan1"])] == [("SYS-043", False)]
    assert {fault.code for fault in faults(both, [])} == {"SYS-043", "SYS-050"}


def test_an_interface_without_a_role_is_warned_of() -> None:
    settings = network(lan(1, "10.0.0.5/24"), lan(2, "10.0.1.5/24", roles=()))
    assert [(fault.code, fault.place, fault.refuses) for fault in faults(settings)] == [("SYS-055", "lan2.roles", False)]


def test_every_listed_port_is_there_once_and_services_exist() -> None:
    assert len({(port.protocol, port.port) for port in PORTS}) == len(PORTS)
    assert all(not port.service or hasattr(Services(), port.service) for port in PORTS)


def test_switches_that_call_are_let_in_where_careline_toml_says_so() -> None:
    def source(name: str, listen: str = "", connect: str = "") -> RecordSource:
        return RecordSource(name=name, table="generic", listen=listen, connect=connect)

    assert ports_of(SmdrConfig(), SmdiConfig()) == PORTS
    outside = (source("a", listen="0.0.0.0:5100"), source("b", listen="[::]:5101"), source("c", listen="10.3.0.5:5100"))
    inside = (source("d", listen="127.0.0.1:5102"), source("e", listen="localhost:5103"), source("f", connect="10.3.0.9:5104"))
    ports = ports_of(SmdrConfig(sources=(*outside, *inside)), SmdiConfig(listen="0.0.0.0:443"))
    added = ports[len(PORTS) :]
    assert [(port.name, port.port) for port in added] == [("smdr a", 5100), ("smdr b", 5101)]
    assert {port.roles for port in added} == {(VOICE, MANAGEMENT)}
    assert open_ports(ports, VOICE, Services()) == added


def test_the_manual_lists_the_ports_that_are_open() -> None:
    roles = {Role.HOSPITAL: "hospital network", Role.MANAGEMENT: "management", Role.VOICE: "voice administration"}
    rows = [line.strip("| ").split(" | ") for line in MANUAL.read_text("utf-8").splitlines() if "| tcp |" in line or "| udp |" in line]
    listed = [(int(port), protocol, who, "switched on" in when, why) for port, protocol, who, when, why in rows]
    assert listed == [
        (port.port, port.protocol, ", ".join(roles[role] for role in port.roles), bool(port.service), port.why) for port in PORTS
    ]
