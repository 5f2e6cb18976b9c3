"""The network's settings as one frozen value, and what is wrong with them as values. Pure; imported by web and console too.

Written as TOML (settings_file.py). An interface is named by its card's MAC address or place on the bus, never by the kernel's name of it,
which changes with the order in which cards are found.
"""

from enum import StrEnum

import msgspec


class Role(StrEnum):
    """What a network is for; decides which ports the firewall opens there (ports.py). A small house has all on one cable."""

    VOICE = "voice"
    """Voice administration: gateways and other equipment of the telephone side."""
    HOSPITAL = "hospital"
    """Staff's browsers, the hospital's other systems, the kiosk."""
    MANAGEMENT = "management"
    """Hospital IT and technicians."""


class Ipv4(StrEnum):
    OFF = "off"
    STATIC = "static"
    DHCP = "dhcp"


class Ipv6(StrEnum):
    OFF = "off"
    AUTOMATIC = "automatic"
    """Addresses and router by router advertisements (SLAAC, RFC 4862)."""
    STATIC = "static"


class Attachment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One place where the box is in a network: an interface, or a VLAN on it.

    addresses, addresses6: "192.168.1.5/24", "fd00::5/64"; the first is the one told to people; with DHCP they are had besides the leased
    one. learn_route, learn_dns: whether the default route and the name servers of DHCP or router advertisements are taken.
    """

    roles: tuple[Role, ...] = ()
    ipv4: Ipv4 = Ipv4.OFF
    addresses: tuple[str, ...] = ()
    gateway: str = ""
    ipv6: Ipv6 = Ipv6.OFF
    addresses6: tuple[str, ...] = ()
    gateway6: str = ""
    learn_route: bool = True
    learn_dns: bool = True
    mtu: int = 1500

    @property
    def is_on(self) -> bool:
        return self.ipv4 is not Ipv4.OFF or self.ipv6 is not Ipv6.OFF


class Vlan(Attachment, frozen=True, kw_only=True, omit_defaults=True):
    """A VLAN (IEEE 802.1Q) on an interface. `number`: 1 to 4094."""

    number: int


class Interface(Attachment, frozen=True, kw_only=True, omit_defaults=True):
    """A socket for a network cable. `name`: a short word of ours ("lan1"). It is the card with this `mac` ("52:54:00:12:34:56"), or if no
    card has it (a card was replaced) the one at this `place` on the bus ("pci/0000:00:03.0")."""

    name: str
    mac: str = ""
    place: str = ""
    vlans: tuple[Vlan, ...] = ()


class Route(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A way to a network behind another router: "10.20.0.0/16" via "192.168.1.254"."""

    to: str
    via: str


class Services(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What else than the web answers from outside. Each off until asked for."""

    ssh: bool = False
    snmp: bool = False
    metrics: bool = False


class Settings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All of it. dns: name servers, asked in this order, before those learnt. search: domains for short names. ntp: names or addresses of
    time servers."""

    host_name: str = "careline"
    interfaces: tuple[Interface, ...] = ()
    routes: tuple[Route, ...] = ()
    dns: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    ntp: tuple[str, ...] = ()
    services: Services = Services()

    def attachments(self) -> tuple[tuple[str, Attachment], ...]:
        """Each with its name: "lan1", "lan1.20" for VLAN 20 on it (also what the kernel calls the VLAN)."""
        return tuple(
            named
            for interface in self.interfaces
            for named in ((interface.name, interface), *((vlan_name(interface.name, vlan.number), vlan) for vlan in interface.vlans))
        )


class NetworkFault(msgspec.Struct, frozen=True, kw_only=True):
    """Something wrong. `place`: where in the settings ("lan1.20.gateway", "dns"); `refuses`: not even tried; else a warning."""

    code: str
    place: str
    what: str
    remedy: str
    refuses: bool = True


def vlan_name(interface: str, number: int) -> str:
    return f"{interface}.{number}"
