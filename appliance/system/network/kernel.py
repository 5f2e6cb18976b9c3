"""The kernel's network by netlink (pyroute2): what is there, and making it what is wanted, change by change. Threads of careline-system.

Why netlink and not a daemon: what is wanted is compared with what is there and only the difference is done, so applying twice does nothing,
a fault names the one thing the kernel refused, and taking back is the same operation with other settings. Each call opens a socket of its
own in the network namespace of its thread. Links that the settings do not name are left alone, and so are routes of others on them.
"""

import contextlib
import errno
import os
from collections.abc import Iterable, Iterator
from ipaddress import ip_interface, ip_network
from pathlib import Path
from socket import AF_INET, AF_INET6
from typing import Any

import msgspec

from appliance.system.errors import BoxError
from appliance.system.network import switches
from appliance.system.network.model import Ipv6
from appliance.system.network.netlink import IPRoute, NetlinkError

OURS = "careline"
"""The alias of links that we made, so that we take away no others."""
PROTOCOL = 202
"""The origin of our routes. Source: rtnetlink(7), rtm_protocol: numbers above RTPROT_STATIC are for the user."""
BY_KERNEL, BY_ADVERTISEMENT = 2, 9  # Source: linux/rtnetlink.h, RTPROT_KERNEL, RTPROT_RA
MAIN_TABLE = 254
UNICAST = 1
LINK_SCOPE = 253  # Source: linux/rtnetlink.h, RT_SCOPE_LINK; greater is narrower
UP, RUNNING, LOOPBACK = 0x1, 0x40, 0x8  # Source: netdevice(7)
TENTATIVE, DAD_FAILED, PERMANENT = 0x40, 0x08, 0x80  # Source: linux/if_addr.h
FOREVER = 0xFFFFFFFF


class KernelAddress(msgspec.Struct, frozen=True, kw_only=True):
    """With prefix. lasting: without an end, so not leased or learnt. taken: another host on the link has it (RFC 4862, 5.4.5)."""

    text: str
    lasting: bool
    tentative: bool
    taken: bool

    @property
    def version(self) -> int:
        return ip_interface(self.text).version


class KernelLink(msgspec.Struct, frozen=True, kw_only=True):
    """A link as it is. addresses: those others can reach, in the kernel's order."""

    index: int
    device: str
    mac: str
    place: str
    kind: str
    alias: str
    flags: int
    carrier: bool
    mtu: int
    parent: int
    vlan: int
    addresses: tuple[KernelAddress, ...]
    counters: dict[str, int]

    @property
    def up(self) -> bool:
        return bool(self.flags & UP)


class KernelRoute(msgspec.Struct, frozen=True, kw_only=True):
    to: str
    via: str
    device: str
    metric: int
    protocol: int

    @property
    def version(self) -> int:
        return ip_network(self.to).version


class WantedAddress(msgspec.Struct, frozen=True, kw_only=True):
    """`lasting_s`: a lease's; None for ever."""

    text: str
    lasting_s: int | None = None


class WantedLink(msgspec.Struct, frozen=True, kw_only=True):
    """device: the kernel's name. vlan_of, vlan: it is made on that device if it is not there."""

    device: str
    up: bool
    mtu: int
    ipv6: Ipv6 = Ipv6.OFF
    learn_route: bool = True
    addresses: tuple[WantedAddress, ...] = ()
    vlan_of: str = ""
    vlan: int = 0


class WantedRoute(msgspec.Struct, frozen=True, kw_only=True):
    to: str
    via: str
    device: str
    metric: int = 0


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the kernel shall have on the links that are ours."""

    links: tuple[WantedLink, ...] = ()
    routes: tuple[WantedRoute, ...] = ()


# --- what is there -------------------------------------------------------------------------------------------------------


def links() -> tuple[KernelLink, ...]:
    """All but the loopback. Raises: BoxError SYS-057."""
    with _netlink("looking at the links") as ip:
        return tuple(_links(ip))


def routes() -> tuple[KernelRoute, ...]:
    """Of the main table, those that lead to a router. Raises: BoxError SYS-057."""
    with _netlink("looking at the routes") as ip:
        names = {link["index"]: link.get("ifname") for link in ip.get_links()}
        return tuple(route for route in _routes(ip, names) if route.via)


@contextlib.contextmanager
def _netlink(doing: str) -> Iterator[Any]:
    """Raises: BoxError SYS-057 for what the kernel refuses."""
    try:
        with IPRoute() as ip:
            yield ip
    except NetlinkError as error:
        raise _refused(doing, error) from error
    except OSError as error:
        raise _refused(doing, error) from error


def _refused(doing: str, error: Exception) -> BoxError:
    number = getattr(error, "code", None) or getattr(error, "errno", None)
    reason = os.strerror(number) if isinstance(number, int) and number in errno.errorcode else str(error)
    return BoxError("SYS-057", f"{doing}: the kernel refuses: {reason}", "Correct the settings; see the log of careline-system")


def _links(ip: Any) -> Iterator[KernelLink]:
    found: dict[int, list[Any]] = {}
    for message in ip.get_addr():
        if message["scope"] < LINK_SCOPE or message["family"] == AF_INET:
            found.setdefault(message["index"], []).append(message)
    for message in ip.get_links():
        if not message["flags"] & LOOPBACK:
            yield _link(message, found.get(message["index"], []))


def _link(message: Any, addresses: list[Any]) -> KernelLink:
    described = message.get("linkinfo")
    kind = (described.get("kind") if described else "") or ""
    details = described.get("data") if kind == "vlan" else None
    counters = message.get("stats64") or {}
    device = message.get("ifname")
    return KernelLink(
        index=message["index"],
        device=device,
        mac=message.get("address") or "",
        place=_place(message, device),
        kind=kind,
        alias=message.get("ifalias") or "",
        flags=message["flags"],
        carrier=bool(message.get("carrier")) and bool(message["flags"] & RUNNING),
        mtu=message.get("mtu") or 0,
        parent=message.get("link") or 0,
        vlan=(details.get("vlan_id") or 0) if details else 0,
        addresses=tuple(map(_address, addresses)),
        counters={key: int(counters[key]) for key in COUNTERS if key in counters},
    )


COUNTERS = ("rx_bytes", "tx_bytes", "rx_packets", "tx_packets", "rx_errors", "tx_errors", "rx_dropped", "tx_dropped")


def _place(message: Any, device: str) -> str:
    """ "pci/0000:00:03.0". A virtio device's own number goes by the order of finding, so the place is that of what carries it."""
    bus, place = message.get("IFLA_PARENT_DEV_BUS_NAME"), message.get("IFLA_PARENT_DEV_NAME")
    if bus == "virtio":
        with contextlib.suppress(OSError):
            carrier = Path(f"/sys/class/net/{device}/device").resolve().parent
            bus, place = (carrier / "subsystem").resolve().name, carrier.name
    return f"{bus}/{place}" if bus and place else ""


def _address(message: Any) -> KernelAddress:
    """With a peer (point to point) the local one is ours."""
    flags = message.get_attr("IFA_FLAGS") or message["flags"]
    return KernelAddress(
        text=f"{message.get_attr('IFA_LOCAL') or message.get_attr('IFA_ADDRESS')}/{message['prefixlen']}",
        lasting=bool(flags & PERMANENT),
        tentative=bool(flags & TENTATIVE),
        taken=bool(flags & DAD_FAILED),
    )


def _routes(ip: Any, names: dict[int, str]) -> Iterator[KernelRoute]:
    for family in (AF_INET, AF_INET6):
        for message in ip.get_routes(family=family, table=MAIN_TABLE):
            if message["type"] != UNICAST or message.get("oif") not in names:
                continue
            anywhere = "0.0.0.0" if family == AF_INET else "::"
            yield KernelRoute(
                to=f"{message.get('dst') or anywhere}/{message['dst_len']}",
                via=message.get("gateway") or "",
                device=names[message.get("oif")],
                metric=message.get("priority") or 0,
                protocol=message["proto"],
            )


# --- making it what is wanted --------------------------------------------------------------------------------------------


def apply(wanted: Wanted) -> None:
    """Raises: BoxError SYS-057 with what the kernel refused; what came before is done then."""
    with _netlink("changing the network") as ip:
        _Change(ip, wanted).run()


class _Change:
    """One run over everything that differs. Order: VLANs away, links, addresses, routes."""

    def __init__(self, ip: Any, wanted: Wanted) -> None:
        self._ip, self._wanted = ip, wanted
        self._there: dict[str, KernelLink] = {}

    def run(self) -> None:
        self._look()
        self._take_vlans_away()
        for link in self._wanted.links:
            with _naming(f"setting {link.device} up"):
                self._link(link)
        self._look()  # switching IPv6 has taken addresses away
        for link in self._wanted.links:
            self._addresses(link)
        self._all_routes()

    def _look(self) -> None:
        self._there = {link.device: link for link in _links(self._ip)}

    def _take_vlans_away(self) -> None:
        wanted = {(link.device, link.vlan_of, link.vlan) for link in self._wanted.links if link.vlan_of}
        devices = {link.index: link.device for link in self._there.values()}
        for link in tuple(self._there.values()):
            if link.kind == "vlan" and link.alias == OURS and (link.device, devices.get(link.parent, ""), link.vlan) not in wanted:
                with _naming(f"taking {link.device} away"):
                    self._ip.link("del", index=link.index)
                del self._there[link.device]

    def _link(self, wanted: WantedLink) -> None:
        if wanted.vlan_of and wanted.device not in self._there:
            parent = self._there[wanted.vlan_of].index
            self._ip.link("add", ifname=wanted.device, kind="vlan", link=parent, vlan_id=wanted.vlan)
            self._look()
            self._ip.link("set", index=self._there[wanted.device].index, ifalias=OURS)
        link = self._there[wanted.device]
        if link.mtu != wanted.mtu:
            self._ip.link("set", index=link.index, mtu=wanted.mtu)
        switches.set_all(wanted.device, wanted.ipv6, wanted.learn_route)
        if link.up != wanted.up:
            self._ip.link("set", index=link.index, state="up" if wanted.up else "down")

    # --- addresses

    def _addresses(self, wanted: WantedLink) -> None:
        link = self._there[wanted.device]
        mine = {each.text: each for each in wanted.addresses}
        theirs = [each for each in link.addresses if each.version == 4 or each.lasting or wanted.ipv6 is not Ipv6.AUTOMATIC]
        for version in (4, 6):
            there = [each for each in theirs if each.version == version]
            self._some_addresses(link, there, {text: each for text, each in mine.items() if ip_interface(text).version == version})

    def _some_addresses(self, link: KernelLink, there: list[KernelAddress], wanted: dict[str, WantedAddress]) -> None:
        stay = _staying([each.text for each in there], list(wanted))
        for old in reversed(there):
            if old.text not in stay:
                with _naming(f"taking {old.text} from {link.device}"):
                    self._one_address("del", link, old.text)
        for new in wanted.values():
            if new.text not in stay or new.lasting_s is not None or not _lasts(there, new.text):
                with _naming(f"giving {new.text} to {link.device}"):
                    self._one_address("replace", link, new.text, FOREVER if new.lasting_s is None else new.lasting_s)

    def _one_address(self, how: str, link: KernelLink, text: str, lasting_s: int | None = None) -> None:
        own = ip_interface(text)
        family = AF_INET if own.version == 4 else AF_INET6
        given = {"index": link.index, "address": str(own.ip), "prefixlen": own.network.prefixlen, "family": family}
        if lasting_s is not None:
            given.update(preferred=lasting_s, valid=lasting_s)
            if own.version == 4 and own.network.prefixlen < WITHOUT_BROADCAST:
                given["broadcast"] = str(own.network.broadcast_address)
        with _already_gone(how):
            self._ip.addr(how, **given)

    # --- routes

    def _all_routes(self) -> None:
        ours = {link.device: link for link in self._wanted.links}
        names = {link.index: link.device for link in _links(self._ip)}
        there = [route for route in _routes(self._ip, names) if route.device in ours]
        wanted = [KernelRoute(**msgspec.structs.asdict(each), protocol=PROTOCOL) for each in self._wanted.routes]
        for old in there:
            if old not in wanted and _is_to_go(old, ours[old.device]):
                with _naming(f"taking the route to {old.to} away"):
                    self._one_route("del", old)
        for new in wanted:
            if new not in there:
                with _naming(f"routing {new.to} by {new.via}"):
                    self._one_route("replace", new)

    def _one_route(self, how: str, route: KernelRoute) -> None:
        family = AF_INET if route.version == 4 else AF_INET6
        index = next(link["index"] for link in self._ip.get_links() if link.get("ifname") == route.device)
        given: dict[str, Any] = {"family": family, "dst": route.to, "oif": index, "proto": route.protocol, "table": MAIN_TABLE}
        if route.via:
            given["gateway"] = route.via
        if route.metric:
            given["priority"] = route.metric
        with _already_gone(how):
            self._ip.route(how, **given)


WITHOUT_BROADCAST = 31  # Source: RFC 3021


def _staying(there: list[str], wanted: list[str]) -> set[str]:
    """What need not be touched. The first IPv4 address of a network is the one the box calls from, and the kernel keeps them in the order
    they came: each that stands out of order goes and comes again. IPv6 chooses by rules of its own."""
    if not wanted or ip_interface(wanted[0]).version == 6:
        return set(there) & set(wanted)
    order = _kernel_order(wanted)
    same = next((place for place, (one, other) in enumerate(zip(there, order, strict=False)) if one != other), min(len(there), len(order)))
    return set(there[:same])


def _kernel_order(wanted: Iterable[str]) -> list[str]:
    """The first of each network, then the others. Source: Linux, net/ipv4/devinet.c, __inet_insert_ifa."""
    first: dict[Any, str] = {}
    others = [text for text in wanted if first.setdefault(ip_interface(text).network, text) != text]
    return [*first.values(), *others]


def _lasts(there: Iterable[KernelAddress], text: str) -> bool:
    return any(each.text == text and each.lasting for each in there)


def _is_to_go(route: KernelRoute, link: WantedLink) -> bool:
    """The kernel's own routes go with their addresses; those of router advertisements are wanted or not as a whole."""
    if route.protocol == BY_ADVERTISEMENT:
        return link.ipv6 is not Ipv6.AUTOMATIC or (not link.learn_route and route.to == "::/0")
    return route.protocol != BY_KERNEL


@contextlib.contextmanager
def _naming(doing: str) -> Iterator[None]:
    """Raises: BoxError SYS-057, which says what was refused."""
    try:
        yield
    except (NetlinkError, OSError) as error:
        raise _refused(doing, error) from error


@contextlib.contextmanager
def _already_gone(how: str) -> Iterator[None]:
    """What is to be taken away may have gone with what was taken away before it."""
    try:
        yield
    except NetlinkError as error:
        if how != "del" or error.code not in (errno.ESRCH, errno.EADDRNOTAVAIL, errno.ENODEV, errno.ENOENT):
            raise
