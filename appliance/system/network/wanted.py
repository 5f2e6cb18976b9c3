"""From settings to what the kernel shall have: which card is which interface, addresses, routes, name servers. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from ipaddress import ip_address, ip_interface

from appliance.system.network import addresses
from appliance.system.network.kernel import KernelLink, Wanted, WantedAddress, WantedLink, WantedRoute
from appliance.system.network.messages import LeaseTold
from appliance.system.network.model import Attachment, Interface, Ipv4, Ipv6, Role, Settings, vlan_name

LEARNT_METRIC = 100
"""Of what DHCP gives; after routes by hand, before the 1024 of router advertisements."""
DIRECT_PREFIX = "169.254.77.1/16"
"""Besides, as delivered: whoever puts a laptop's cable into the first socket finds the box there. Source: RFC 3927."""
CARDS_DELIVERED_MOST = 8


def devices(settings: Settings, links: Iterable[KernelLink]) -> dict[str, str]:
    """The kernel's name of each attachment whose card is there. By MAC address first, then by place those cards that nobody claims."""
    cards = [link for link in links if is_card(link)]
    macs = {interface.mac for interface in settings.interfaces if interface.mac}
    found: dict[str, str] = {}
    for interface in settings.interfaces:
        card = next((card for card in cards if interface.mac and card.mac == interface.mac), None) or next(
            (card for card in cards if interface.place and card.place == interface.place and card.mac not in macs), None
        )
        if card is not None:
            found[interface.name] = card.device
            found.update({name: name for name in (vlan_name(interface.name, vlan.number) for vlan in interface.vlans)})
    return found


def is_card(link: KernelLink) -> bool:
    """Whether it may be an interface of the settings: no VLAN, no bridge, no tunnel."""
    return link.kind in ("", "veth") and bool(link.mac.strip("0:"))


def delivered(links: Iterable[KernelLink]) -> Settings:
    """The settings of a box that nobody has set up: the first card does it all, by itself."""
    cards = sorted((link for link in links if is_card(link)), key=lambda link: (link.place or "~", link.mac))
    interfaces = [Interface(name=f"lan{number}", mac=card.mac, place=card.place) for number, card in enumerate(cards, 1)]
    first = [
        Interface(
            name=each.name,
            mac=each.mac,
            place=each.place,
            roles=(Role.HOSPITAL, Role.MANAGEMENT),
            ipv4=Ipv4.DHCP,
            addresses=(DIRECT_PREFIX,),
            ipv6=Ipv6.AUTOMATIC,
        )
        for each in interfaces[:1]
    ]
    return Settings(interfaces=(*first, *interfaces[1:CARDS_DELIVERED_MOST]))


def wanted(settings: Settings, cards: Iterable[KernelLink], leases: Mapping[str, LeaseTold], now: datetime) -> Wanted:
    """`leases`: by attachment's name. A card that the settings do not name is off."""
    there = [card for card in cards if is_card(card)]
    found = devices(settings, there)
    named = [(name, each) for name, each in settings.attachments() if name in found]
    links = [_link(name, each, found, leases.get(name), now) for name, each in named]
    others = [WantedLink(device=card.device, up=False, mtu=Attachment().mtu) for card in there if card.device not in found.values()]
    routes = [route for name, each in named for route in _default_routes(each, found[name], leases.get(name))]
    return Wanted(links=(*links, *others), routes=(*routes, *_other_routes(settings, found)))


def _link(name: str, attachment: Attachment, found: Mapping[str, str], lease: LeaseTold | None, now: datetime) -> WantedLink:
    carries = isinstance(attachment, Interface) and any(vlan.is_on for vlan in attachment.vlans)
    own, _, number = name.partition(".")
    given = [WantedAddress(text=str(ip_interface(each))) for each in addresses.own_all(attachment)]
    left_s = int((lease.until - now).total_seconds()) if lease else 0
    if lease and left_s > 0 and attachment.ipv4 is Ipv4.DHCP and not any(each.text == lease.address for each in given):
        given.insert(0, WantedAddress(text=lease.address, lasting_s=left_s))
    return WantedLink(
        device=found[name],
        up=attachment.is_on or carries,
        mtu=attachment.mtu,
        ipv6=attachment.ipv6,
        learn_route=attachment.learn_route,
        addresses=tuple(given),
        vlan_of=found[own] if number else "",
        vlan=int(number or 0),
    )


def _default_routes(attachment: Attachment, device: str, lease: LeaseTold | None) -> list[WantedRoute]:
    given = [(4, "0.0.0.0/0", attachment.gateway), (6, "::/0", attachment.gateway6)]
    routes = [
        WantedRoute(to=to, via=str(ip_address(via)), device=device, metric=_metric(version))
        for version, to, via in given
        if via and addresses.is_used(attachment, version)
    ]
    leased = attachment.ipv4 is Ipv4.DHCP and attachment.learn_route and not attachment.gateway
    if leased and lease is not None and _is_in_reach(lease):
        routes.append(WantedRoute(to="0.0.0.0/0", via=lease.gateway, device=device, metric=LEARNT_METRIC))
    return routes


def _is_in_reach(lease: LeaseTold) -> bool:
    """A server may tell what it likes; the kernel takes no router that it cannot reach."""
    router = addresses.host(lease.gateway, 4)
    return router is not None and addresses.reaches(ip_interface(lease.address), router)


def _metric(version: int) -> int:
    """IPv6 has no metric 0: the kernel makes 1024 of it. Source: Linux, net/ipv6/route.c, IP6_RT_PRIO_USER."""
    return 0 if version == 4 else 1024


def _other_routes(settings: Settings, found: Mapping[str, str]) -> list[WantedRoute]:
    routes = []
    for route in settings.routes:
        via = ip_address(route.via)
        name = next((name for name, each in settings.attachments() for own in addresses.own_all(each) if addresses.reaches(own, via)), "")
        if name in found:
            to = str(ip_interface(route.to).network)
            routes.append(WantedRoute(to=to, via=str(via), device=found[name], metric=_metric(via.version)))
    return routes


def name_servers(settings: Settings, leases: Mapping[str, LeaseTold]) -> tuple[str, ...]:
    """Those by hand, then those learnt; each once."""
    learnt = [server for name, each in settings.attachments() if each.learn_dns and name in leases for server in leases[name].dns]
    return tuple(dict.fromkeys((*settings.dns, *learnt)))


def search_domains(settings: Settings, leases: Mapping[str, LeaseTold]) -> tuple[str, ...]:
    learnt = [leases[name].domain for name, each in settings.attachments() if each.learn_dns and name in leases and leases[name].domain]
    return tuple(dict.fromkeys((*settings.search, *learnt)))
