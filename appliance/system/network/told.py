"""What is told about the network: links with addresses and counters, routes, what is wrong now, sockets that wait. Reads only."""

import contextlib
import socket
import struct
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

from appliance.system.network import checks, kernel, wanted
from appliance.system.network.desk import NetworkDesk
from appliance.system.network.kernel import KernelLink
from appliance.system.network.messages import (
    LeaseTold,
    LinkTold,
    ListeningTold,
    LockedTold,
    NetworkTold,
    PortsTold,
    PortTold,
    RouteTold,
)
from appliance.system.network.model import Attachment, Ipv4, NetworkFault, Settings
from appliance.system.network.ports import open_ports
from drivers.errors import CarelineError

TCP_LISTEN, UDP_UNCONNECTED = "0A", "07"  # Source: Linux, net/tcp_states.h


def network(desk: NetworkDesk) -> NetworkTold:
    """Raises: BoxError SYS-057."""
    settings = desk.in_use()
    cards = kernel.links()
    found = wanted.devices(settings, cards)
    leases = desk.leases(settings)
    links = tuple(_links(settings, cards, found, leases))
    return NetworkTold(
        managed=desk.managed,
        version=desk.kept.number,
        settings=desk.kept.settings,
        links=links,
        host_name=socket.gethostname(),
        routes=tuple(
            RouteTold(to=_to(each.to), via=each.via, device=each.device, learnt=_is_learnt(each.protocol, each.metric))
            for each in kernel.routes()
        ),
        dns=wanted.name_servers(settings, leases),
        trial=desk.trial(),
        outcome=desk.outcome,
        faults=(*desk.faults, *checks.faults(settings, found), *_faults_now(settings, cards, links)) if desk.managed else (),
        locked=locked(desk),
    )


def locked(desk: NetworkDesk) -> tuple[LockedTold, ...]:
    """None where there is no firewall of ours."""
    with contextlib.suppress(CarelineError):
        return tuple(LockedTold(address=address, for_s=left_s) for address, left_s in desk.firewall.locked().items())
    return ()


def _to(network: str) -> str:
    return "default" if network in ("0.0.0.0/0", "::/0") else network


def _is_learnt(protocol: int, metric: int) -> bool:
    return protocol == kernel.BY_ADVERTISEMENT or (protocol == kernel.PROTOCOL and metric == wanted.LEARNT_METRIC)


def _links(settings: Settings, cards: tuple[KernelLink, ...], found: dict[str, str], leases: dict[str, LeaseTold]) -> Iterator[LinkTold]:
    """Those of the settings in their order, then cards that they do not know."""
    by_device = {card.device: card for card in cards}
    for name, attachment in settings.attachments():
        if found.get(name) in by_device:
            yield _link(name, attachment, by_device[found[name]], leases.get(name))
    for card in cards:
        if wanted.is_card(card) and card.device not in found.values():
            yield _link("", Attachment(), card, None)


def _link(name: str, attachment: Attachment, card: KernelLink, lease: LeaseTold | None) -> LinkTold:
    count = card.counters.get
    return LinkTold(
        name=name,
        device=card.device,
        mac=card.mac,
        place=card.place,
        roles=attachment.roles,
        up=card.up,
        carrier=card.carrier,
        mtu=card.mtu,
        speed_mbps=_speed_mbps(card.device),
        addresses=tuple(each.text for each in card.addresses),
        dhcp=attachment.ipv4 is Ipv4.DHCP,
        lease=lease,
        received_bytes=count("rx_bytes", 0),
        sent_bytes=count("tx_bytes", 0),
        received_packets=count("rx_packets", 0),
        sent_packets=count("tx_packets", 0),
        errors=count("rx_errors", 0) + count("tx_errors", 0),
        dropped=count("rx_dropped", 0) + count("tx_dropped", 0),
    )


def _speed_mbps(device: str) -> int | None:
    """None when the card does not say, as without a cable."""
    try:
        speed_mbps = int(Path(f"/sys/class/net/{device}/speed").read_text())
    except (OSError, ValueError):
        return None
    return speed_mbps if speed_mbps > 0 else None


def _faults_now(settings: Settings, cards: tuple[KernelLink, ...], links: tuple[LinkTold, ...]) -> Iterator[NetworkFault]:
    """What no check can know: an address that another host has, a DHCP server that does not answer."""
    for card in cards:
        for each in card.addresses:
            if each.taken:
                what = f"{each.text} is taken by another host on {card.device}"
                remedy = "Take another, or switch the other device off"
                yield NetworkFault(code="SYS-056", place=card.device, what=what, remedy=remedy, refuses=False)
    for link in links:
        if link.dhcp and link.carrier and link.lease is None:
            what = "no DHCP server has answered yet"
            remedy = "Check the cable and the server, or give an address by hand"
            yield NetworkFault(code="SYS-064", place=link.name, what=what, remedy=remedy, refuses=False)


# --- ports -----------------------------------------------------------------------------------------------------------------


def ports(desk: NetworkDesk) -> PortsTold:
    """The firewall's list, and the sockets that wait on this machine."""
    settings = desk.in_use()
    used = {role for _, each in settings.attachments() if each.is_on for role in each.roles}
    listed = tuple(
        PortTold(
            name=port.name,
            protocol=port.protocol,
            port=port.port,
            roles=port.roles,
            open=desk.managed and port.is_open(settings.services) and bool(used & set(port.roles)),
            why=port.why,
        )
        for port in desk.firewall.listed
    )
    let_in = (port for role in used for port in open_ports(desk.firewall.listed, role, settings.services))
    inside = {(port.protocol, port.port) for port in let_in}
    waiting = sorted({(protocol, address, port) for protocol, address, port in _listening()}, key=lambda each: (each[0], each[2], each[1]))
    return PortsTold(
        listed=listed,
        listening=tuple(
            ListeningTold(
                protocol=protocol,
                address=address,
                port=port,
                reachable=not ip_address(address).is_loopback and (not desk.managed or (protocol, port) in inside),
            )
            for protocol, address, port in waiting
        ),
    )


def _listening() -> Iterator[tuple[str, str, int]]:
    for protocol, state in (("tcp", TCP_LISTEN), ("udp", UDP_UNCONNECTED)):
        for version in ("", "6"):
            with contextlib.suppress(OSError):
                for line in Path(f"/proc/net/{protocol}{version}").read_text().splitlines()[1:]:
                    words = line.split()
                    if words[3] == state:
                        address, _, port = words[1].partition(":")
                        yield protocol, _address(address), int(port, 16)


def _address(text: str) -> str:
    """The kernel writes each 32-bit word of it as a number of this machine's byte order."""
    packed = b"".join(struct.pack("=I", int(text[place : place + 8], 16)) for place in range(0, len(text), 8))
    return str(ip_address(packed))
