"""Arithmetic with IP addresses and networks as the settings write them. Pure."""

from ipaddress import (
    AddressValueError,
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    NetmaskValueError,
    ip_address,
    ip_interface,
)

from appliance.system.network.model import Attachment, Ipv4, Ipv6

IpInterface = IPv4Interface | IPv6Interface
IpNetwork = IPv4Network | IPv6Network
IpAddress = IPv4Address | IPv6Address


def why_not_own(text: str, version: int) -> str | None:
    """Why `text` cannot be an address of the box with its prefix length; None if it can."""
    own = _interface(text)
    if own is None or "/" not in text:
        return "no address with a prefix length"
    if own.version != version:
        return f"an address of IPv{own.version}"
    if "%" in text:
        return "it names a device"
    return _why_not_host(own)


def _why_not_host(own: IpInterface) -> str | None:
    host = own.ip
    if host.is_multicast or host.is_loopback or host.is_unspecified or (host.is_reserved and host.version == 4):
        return "no address that a host can have"
    if isinstance(host, IPv4Address) and host in IPv4Network("0.0.0.0/8"):
        return "no address that a host can have"
    if isinstance(host, IPv6Address) and (host.ipv4_mapped or host.is_link_local):
        return "addresses that begin with fe80 or ::ffff are not given by hand"
    if own.network.prefixlen == 0 or (own.version == 4 and own.network.prefixlen < 8):
        return "the prefix length is too short"
    if own.version == 4 and own.network.prefixlen < 31 and host in (own.network.network_address, own.network.broadcast_address):
        return "the network's own or its broadcast address"
    if own.version == 6 and own.network.prefixlen < 127 and host == own.network.network_address:
        return "the routers' own address of the network"  # Source: RFC 4291, 2.6.1
    return None


def own(attachment: Attachment, version: int) -> tuple[IpInterface, ...]:
    """The addresses it has by hand, the wrong ones left out."""
    if not is_used(attachment, version):
        return ()
    texts = attachment.addresses if version == 4 else attachment.addresses6
    return tuple(each for text in texts if why_not_own(text, version) is None and (each := _interface(text)) is not None)


def own_all(attachment: Attachment) -> tuple[IpInterface, ...]:
    return own(attachment, 4) + own(attachment, 6)


def is_used(attachment: Attachment, version: int) -> bool:
    """Whether that version of IP is on there."""
    return attachment.ipv4 is not Ipv4.OFF if version == 4 else attachment.ipv6 is not Ipv6.OFF


def has_default(attachment: Attachment, version: int) -> bool:
    """Whether it gives the box its default route, by hand or learnt."""
    if not is_used(attachment, version):
        return False
    by_hand = attachment.gateway if version == 4 else attachment.gateway6
    learnt = attachment.ipv4 is Ipv4.DHCP if version == 4 else attachment.ipv6 is Ipv6.AUTOMATIC
    return bool(by_hand) or (learnt and attachment.learn_route)


def is_default(network: str, version: int) -> bool:
    return network == ("0.0.0.0/0" if version == 4 else "::/0")


def host(text: str, version: int) -> IpAddress | None:
    """`text` as an address without prefix length of that version."""
    try:
        read = ip_address(text)
    except ValueError:
        return None
    return read if read.version == version and "%" not in text else None


def reaches(own: IpInterface, other: IpAddress) -> bool:
    """Whether `other` can be a neighbour of the box there."""
    if own.version != other.version or other not in own.network or other == own.ip:
        return False
    edges = (own.network.network_address, own.network.broadcast_address)
    return own.version == 6 or own.network.prefixlen >= 31 or other not in edges


def overlap(one: IpNetwork, other: IpNetwork) -> bool:
    return one.version == other.version and (one.network_address in other or other.network_address in one)


def is_server(text: str) -> bool:
    """Whether it can be a server's address: of one machine, also of this one."""
    read = host(text, 4) or host(text, 6)
    return read is not None and not read.is_multicast and not read.is_unspecified and str(read) != "255.255.255.255"


def plain(text: str) -> str:
    """An address as everybody writes it: without zone, an IPv4 address in IPv6's clothes as IPv4. Raises: ValueError."""
    read = ip_address(text.partition("%")[0])
    mapped = read.ipv4_mapped if isinstance(read, IPv6Address) else None
    return str(mapped or read)


def _interface(text: str) -> IpInterface | None:
    try:
        return ip_interface(text)
    except (AddressValueError, NetmaskValueError, ValueError):
        return None
