"""The ports that others reach from outside, as data: the firewall is made of this table, docs/network.md and the port scan are held to it.

A program that is to be reached gets a row here, or in `ports_of` when careline.toml says its port; everything else is dropped, on IPv4 and
IPv6 alike. Pure.
"""

from collections.abc import Iterable
from ipaddress import ip_address

import msgspec

from appliance.peripherals.config import SmdiConfig, SmdrConfig, called_at
from appliance.system.network.model import Role, Services

HOSPITAL, MANAGEMENT, VOICE = Role.HOSPITAL, Role.MANAGEMENT, Role.VOICE


class ListedPort(msgspec.Struct, frozen=True, kw_only=True):
    """service: open only while that one of Services is on; "" always. slow: so few new connections a minute from one address that passwords
    cannot be guessed."""

    name: str
    protocol: str
    port: int
    roles: tuple[Role, ...]
    service: str = ""
    slow: bool = False
    why: str

    def is_open(self, services: Services) -> bool:
        return not self.service or bool(getattr(services, self.service))


PORTS = (
    ListedPort(name="https", protocol="tcp", port=443, roles=(HOSPITAL, MANAGEMENT), why="the pages"),
    ListedPort(name="http", protocol="tcp", port=80, roles=(HOSPITAL, MANAGEMENT), why="sends browsers on to https"),
    ListedPort(name="ssh", protocol="tcp", port=22, roles=(MANAGEMENT,), service="ssh", slow=True, why="the console over the network"),
    ListedPort(name="snmp", protocol="udp", port=161, roles=(MANAGEMENT,), service="snmp", why="state for the hospital's monitoring"),
    ListedPort(name="metrics", protocol="tcp", port=9464, roles=(MANAGEMENT,), service="metrics", why="figures for Prometheus"),
)


def ports_of(smdr: SmdrConfig, smdi: SmdiConfig) -> tuple[ListedPort, ...]:
    """PORTS and, of this box's careline.toml, those at which switches call; each port once, none that waits for the box itself alone."""
    called = [(f"smdr {source.name}", called_at(source), "call records of a switch") for source in smdr.sources]
    called.append(("smdi", called_at(smdi), "message desk link of a switch"))
    ports = list(PORTS)
    for name, address, why in called:
        if address and not _is_inside(address[0]) and not any(("tcp", address[1]) == (port.protocol, port.port) for port in ports):
            ports.append(ListedPort(name=name, protocol="tcp", port=address[1], roles=(VOICE, MANAGEMENT), why=why))
    return tuple(ports)


def _is_inside(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def open_ports(ports: Iterable[ListedPort], role: Role, services: Services) -> tuple[ListedPort, ...]:
    """What of them the firewall lets in on networks of that role."""
    return tuple(port for port in ports if role in port.roles and port.is_open(services))
