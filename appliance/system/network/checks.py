"""What is wrong with the network's settings, before anything is touched. Pure: settings and the cards found in, faults out.

What passes here the kernel takes (tests/unit/test_network_applied.py holds it to that).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from itertools import combinations

from appliance.system.network import addresses
from appliance.system.network.addresses import IpInterface, IpNetwork
from appliance.system.network.model import Attachment, Interface, Ipv4, Ipv6, NetworkFault, Role, Settings

LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")  # Source: RFC 1123, 2.1
NAME = re.compile(r"[a-z][a-z0-9]{0,8}")  # with ".4094" and the end mark it is what the kernel takes, IFNAMSIZ 16
MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
PLACE = re.compile(r"[\x21-\x7e]{1,80}")
VLAN_LAST = 4094  # Source: IEEE 802.1Q, 4095 is reserved
MTU_LEAST, MTU_LEAST_IPV6, MTU_MOST = 576, 1280, 9000  # Source: RFC 791, RFC 8200
HOST_NAME_MOST = 63
INTERFACES_MOST, VLANS_MOST, ADDRESSES_MOST, ROUTES_MOST, SERVERS_MOST = 32, 64, 16, 256, 8


def faults(settings: Settings, cards: Iterable[str] | None = None) -> tuple[NetworkFault, ...]:
    """All of them, those that refuse first. `cards`: names of the interfaces of `settings` whose card is in the box; None: not looked."""
    found = [
        *_amounts(settings),
        *_interfaces(settings.interfaces),
        *(fault for name, attachment in settings.attachments() for fault in _attachment(name, attachment)),
        *_apart(settings),
        *_default_routes(settings),
        *_routes(settings),
        *_names(settings),
        *_management(settings, cards),
    ]
    return tuple(sorted(found, key=lambda fault: not fault.refuses))


def _amounts(settings: Settings) -> Iterator[NetworkFault]:
    most = (
        ("interfaces", settings.interfaces, INTERFACES_MOST),
        *((f"{each.name}.vlans", each.vlans, VLANS_MOST) for each in settings.interfaces),
        *((f"{name}.addresses", (*each.addresses, *each.addresses6), ADDRESSES_MOST) for name, each in settings.attachments()),
        ("routes", settings.routes, ROUTES_MOST),
        ("dns", settings.dns, SERVERS_MOST),
        ("search", settings.search, SERVERS_MOST),
        ("ntp", settings.ntp, SERVERS_MOST),
    )
    for place, values, limit in most:
        if len(values) > limit:
            yield NetworkFault(code="SYS-040", place=place, what=f"{len(values)} of them", remedy=f"There may be {limit}")


# --- interfaces ----------------------------------------------------------------------------------------------------------


def _interfaces(interfaces: Sequence[Interface]) -> Iterator[NetworkFault]:
    for interface in interfaces:
        yield from _name(interface)
        yield from _card(interface)
        yield from _vlans(interface)
    for one, other in combinations(interfaces, 2):
        if one.name == other.name:
            yield NetworkFault(code="SYS-041", place=other.name, what="two interfaces have this name", remedy="Give each its own name")
        if (one.mac and one.mac == other.mac) or (one.place and one.place == other.place):
            what = f"{one.name} and {other.name} are the same card"
            yield NetworkFault(code="SYS-042", place=other.name, what=what, remedy="Set each card up once")


def _name(interface: Interface) -> Iterator[NetworkFault]:
    if not NAME.fullmatch(interface.name) or interface.name == "lo":
        remedy = "Use up to nine small letters and digits, a letter first, as lan1"
        yield NetworkFault(code="SYS-041", place=interface.name, what=f"{interface.name!r} cannot be an interface's name", remedy=remedy)


def _card(interface: Interface) -> Iterator[NetworkFault]:
    right = (not interface.mac or MAC.fullmatch(interface.mac)) and (not interface.place or PLACE.fullmatch(interface.place))
    if not right or not (interface.mac or interface.place):
        remedy = "Give the MAC address in small letters, as 52:54:00:12:34:56, or the place on the bus, as pci/0000:00:03.0"
        yield NetworkFault(code="SYS-042", place=f"{interface.name}.mac", what="no card is named", remedy=remedy)


def _vlans(interface: Interface) -> Iterator[NetworkFault]:
    numbers = [vlan.number for vlan in interface.vlans]
    for vlan in interface.vlans:
        place = f"{interface.name}.{vlan.number}"
        if not 1 <= vlan.number <= VLAN_LAST:
            what = f"VLAN {vlan.number}"
            yield NetworkFault(code="SYS-049", place=place, what=what, remedy=f"VLANs are numbered 1 to {VLAN_LAST}")
        if vlan.mtu > interface.mtu:
            what = f"MTU {vlan.mtu} is more than the {interface.mtu} of {interface.name}"
            yield NetworkFault(code="SYS-052", place=f"{place}.mtu", what=what, remedy="Make it smaller, or the interface's larger")
    for number in sorted({number for number in numbers if numbers.count(number) > 1}):
        place = f"{interface.name}.{number}"
        yield NetworkFault(code="SYS-049", place=place, what=f"VLAN {number} is there twice", remedy="Take one away")


# --- addresses -----------------------------------------------------------------------------------------------------------


def _attachment(name: str, attachment: Attachment) -> Iterator[NetworkFault]:
    yield from _addresses(name, attachment)
    yield from _gateways(name, attachment)
    least = MTU_LEAST if attachment.ipv6 is Ipv6.OFF else MTU_LEAST_IPV6
    if not least <= attachment.mtu <= MTU_MOST:
        remedy = f"Allowed are {MTU_LEAST} to {MTU_MOST}, from {MTU_LEAST_IPV6} on with IPv6; 1500 is usual"
        yield NetworkFault(code="SYS-052", place=f"{name}.mtu", what=f"MTU {attachment.mtu}", remedy=remedy)
    if attachment.is_on and not attachment.roles:
        remedy = "Say what the network is for, or switch it off"
        yield NetworkFault(code="SYS-055", place=f"{name}.roles", what="it has no role: nothing is let in", remedy=remedy, refuses=False)


def _addresses(name: str, attachment: Attachment) -> Iterator[NetworkFault]:
    for place, texts, version in ((f"{name}.addresses", attachment.addresses, 4), (f"{name}.addresses6", attachment.addresses6, 6)):
        for text in texts:
            if (why := addresses.why_not_own(text, version)) is not None:
                remedy = "Write address and prefix length, as " + ("192.168.1.5/24" if version == 4 else "fd00::5/64")
                yield NetworkFault(code="SYS-044", place=place, what=f"{text!r}: {why}", remedy=remedy)
    modes = (
        ("ipv4", attachment.ipv4 is Ipv4.STATIC, attachment.addresses),
        ("ipv6", attachment.ipv6 is Ipv6.STATIC, attachment.addresses6),
    )
    for place, static, texts in modes:
        if static and not texts:
            remedy = "Give an address, or choose another way"
            yield NetworkFault(code="SYS-051", place=f"{name}.{place}", what="static, but without an address", remedy=remedy)


def _gateways(name: str, attachment: Attachment) -> Iterator[NetworkFault]:
    for field, text, version in (("gateway", attachment.gateway, 4), ("gateway6", attachment.gateway6, 6)):
        place = f"{name}.{field}"
        if not text or not addresses.is_used(attachment, version):
            continue
        router = addresses.host(text, version)
        own = addresses.own(attachment, version)
        if router is None:
            yield NetworkFault(code="SYS-047", place=place, what=f"{text!r} is no address", remedy="Write the router's address alone")
        elif any(router == each.ip for each in own):
            yield NetworkFault(code="SYS-047", place=place, what=f"{text} is this box itself", remedy="Write the router's address")
        elif not any(addresses.reaches(each, router) for each in own) and not _is_link_local6(router):
            remedy = "Write a router in the same network, or correct address and prefix length"
            what = f"{text} is outside of {', '.join(str(each.network) for each in own) or 'any network known here'}"
            yield NetworkFault(code="SYS-047", place=place, what=what, remedy=remedy)


def _is_link_local6(router: IPv4Address | IPv6Address) -> bool:
    return isinstance(router, IPv6Address) and router.is_link_local


def _apart(settings: Settings) -> Iterator[NetworkFault]:
    """No address twice, and no two networks with the same addresses in them: answers would leave on the wrong cable."""
    placed = [(name, each) for name, attachment in settings.attachments() for each in addresses.own_all(attachment)]
    told: set[tuple[str, str]] = set()
    for (name, one), (other_name, other) in combinations(placed, 2):
        if one.ip == other.ip:
            what = f"{one.ip} is also an address of {name}"
            yield NetworkFault(code="SYS-045", place=f"{other_name}.addresses", what=what, remedy="Use each address once")
        elif name != other_name and addresses.overlap(one.network, other.network) and (name, other_name) not in told:
            told.add((name, other_name))
            what = f"{other.network} overlaps with {one.network} of {name}"
            remedy = "Separate networks have separate addresses: correct one, or use one interface alone"
            yield NetworkFault(code="SYS-046", place=f"{other_name}.addresses", what=what, remedy=remedy)


# --- routes, names -----------------------------------------------------------------------------------------------------


def _default_routes(settings: Settings) -> Iterator[NetworkFault]:
    for version in (4, 6):
        ways = [name for name, attachment in settings.attachments() if addresses.has_default(attachment, version)]
        ways += ["routes" for route in settings.routes if addresses.is_default(route.to, version)]
        if len(ways) > 1:
            what = f"the default route of IPv{version} is given {len(ways)} times: {', '.join(ways)}"
            remedy = "Leave one; networks behind the others get routes of their own"
            yield NetworkFault(code="SYS-048", place=ways[1], what=what, remedy=remedy)


def _routes(settings: Settings) -> Iterator[NetworkFault]:
    seen: set[IpNetwork] = set()
    own = [each for _, attachment in settings.attachments() for each in addresses.own_all(attachment)]
    for place, route in enumerate(settings.routes, 1):
        try:
            to, via = ip_network(route.to), ip_address(route.via)
        except ValueError as error:
            remedy = "Write network and router, as 10.20.0.0/16 and 192.168.1.254"
            yield NetworkFault(code="SYS-054", place=f"routes.{place}", what=str(error), remedy=remedy)
            continue
        what = _why_no_route(to, via, own)
        if to in seen:
            what = f"{to} has two routes"
        if what:
            remedy = "The router must be in a network of this box"
            yield NetworkFault(code="SYS-054", place=f"routes.{place}", what=what, remedy=remedy)
        seen.add(to)


def _why_no_route(to: IpNetwork, via: IPv4Address | IPv6Address, own: Iterable[IpInterface]) -> str:
    own = list(own)
    if to.version != via.version:
        return f"{to} and {via} are of different versions of IP"
    if to.is_multicast or to.is_loopback or (to.prefixlen and to.is_link_local):
        return f"{to} is not a network behind a router"
    if any(via == each.ip for each in own):
        return f"{via} is this box itself"
    if any(to == each.network for each in own):
        return f"the box is in {to} itself"
    return "" if any(addresses.reaches(each, via) for each in own) else f"{via} is in no network of this box"


def _names(settings: Settings) -> Iterator[NetworkFault]:
    if not _is_name(settings.host_name) or len(settings.host_name) > HOST_NAME_MOST:
        what = f"{settings.host_name!r} cannot be a host name"
        yield NetworkFault(code="SYS-053", place="host_name", what=what, remedy="Use letters, digits and hyphens, as careline")
    for text in settings.dns:
        if not addresses.is_server(text):
            yield NetworkFault(code="SYS-053", place="dns", what=f"{text!r} is no server's address", remedy="Write an IP address")
    for place, texts in (("search", settings.search), ("ntp", settings.ntp)):
        for text in texts:
            if not _is_name(text) and not (place == "ntp" and addresses.is_server(text)):
                yield NetworkFault(code="SYS-053", place=place, what=f"{text!r} is no name", remedy="Write it as example.org")


def _is_name(text: str) -> bool:
    """A host name, not one that looks like an IPv4 address."""
    labels = text.split(".")
    return len(text) <= 253 and all(LABEL.fullmatch(label) for label in labels) and not labels[-1].isdigit()


# --- whether somebody still gets in ----------------------------------------------------------------------------------


def _management(settings: Settings, cards: Iterable[str] | None) -> Iterator[NetworkFault]:
    there = None if cards is None else set(cards)
    for interface in settings.interfaces:
        if there is not None and interface.name not in there:
            what = "the box has no such card just now"
            remedy = "Put the card in, or set up the one that is there"
            yield NetworkFault(code="SYS-043", place=interface.name, what=what, remedy=remedy, refuses=False)
    ways = [
        each
        for interface in settings.interfaces
        if there is None or interface.name in there
        for each in (interface, *interface.vlans)
        if Role.MANAGEMENT in each.roles and each.is_on
    ]
    if not ways:
        what = "no interface is left over which the box is managed"
        yield NetworkFault(code="SYS-050", place="interfaces", what=what, remedy="Give one that is on the role management")
