"""The ports that others reach from outside, as data: the firewall is made of this table, docs/network.md and the port scan are held to it.

A program that is to be reached gets a row here; everything else is dropped, on IPv4 and IPv6 alike. Pure.
"""

import msgspec

from appliance.system.network.model import Role, Services

HOSPITAL, MANAGEMENT = Role.HOSPITAL, Role.MANAGEMENT


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


def open_ports(role: Role, services: Services) -> tuple[ListedPort, ...]:
    """What the firewall lets in on networks of that role."""
    return tuple(port for port in PORTS if role in port.roles and port.is_open(services))
