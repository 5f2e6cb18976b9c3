"""Whether another host on the cable has an address already, asked before we take it: ARP (RFC 5227) and neighbour solicitation (RFC 4862).

Raw packet sockets: root's right. Each question has a limit. Threads of careline-system.
"""

import contextlib
import select
import socket
import struct
import time
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address

ETH_ARP, ETH_IPV6 = 0x0806, 0x86DD
PROBES = 3  # Source: RFC 5227, 1.1
BROADCAST = b"\xff" * 6
ARP_REQUEST, ARP_REPLY = 1, 2
NEIGHBOUR_SOLICITATION, NEIGHBOUR_ADVERTISEMENT, ICMPV6 = 135, 136, 58


def on_links(asked: Mapping[str, Iterable[str]], limit_s: float) -> dict[str, str]:
    """`asked`: addresses without prefix, by device; `limit_s` for each device. Those that are taken, with the MAC address of who has them.
    A device that is down or cannot be asked tells nothing."""
    taken: dict[str, str] = {}
    for device, texts in asked.items():
        with contextlib.suppress(OSError):
            taken.update(_on_link(device, [ip_address(text) for text in texts], limit_s / PROBES))
    return taken


def _on_link(device: str, asked: list[IPv4Address | IPv6Address], between_s: float) -> dict[str, str]:
    taken: dict[str, str] = {}
    with contextlib.ExitStack() as opened:
        sockets = [opened.enter_context(socket.socket(socket.AF_PACKET, socket.SOCK_RAW)) for _ in range(2)]
        for each, protocol in zip(sockets, (ETH_ARP, ETH_IPV6), strict=True):
            each.bind((device, protocol))
        mac = sockets[0].getsockname()[4]
        for _ in range(PROBES):
            for address in asked:
                if str(address) not in taken:
                    sockets[address.version == 6].send(question(mac, address))
            _hear(sockets, mac, {str(address) for address in asked}, taken, between_s)
    return taken


def _hear(sockets: list[socket.socket], mac: bytes, asked: set[str], taken: dict[str, str], limit_s: float) -> None:
    until = time.monotonic() + limit_s
    while (left_s := until - time.monotonic()) > 0 and asked - taken.keys():
        for ready in select.select(sockets, [], [], left_s)[0]:
            who, address = answer(ready.recv(2048))
            if address in asked and who != mac:
                taken[address] = who.hex(":")


def question(mac: bytes, address: IPv4Address | IPv6Address) -> bytes:
    """The frame that asks who has it, from nobody's address."""
    if isinstance(address, IPv4Address):
        body = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, ARP_REQUEST, mac, bytes(4), bytes(6), address.packed)
        return BROADCAST + mac + struct.pack("!H", ETH_ARP) + body
    group = IPv6Address(b"\xff\x02" + bytes(9) + b"\x01\xff" + address.packed[13:])  # Source: RFC 4291, 2.7.1
    message = struct.pack("!BBHI16s", NEIGHBOUR_SOLICITATION, 0, 0, 0, address.packed)
    sender = bytes(16)
    total = _checksum(sender + group.packed + struct.pack("!II", len(message), ICMPV6) + message)
    message = message[:2] + struct.pack("!H", total) + message[4:]
    head = struct.pack("!IHBB16s16s", 6 << 28, len(message), ICMPV6, 255, sender, group.packed)
    return b"\x33\x33" + group.packed[12:] + mac + struct.pack("!H", ETH_IPV6) + head + message


def answer(frame: bytes) -> tuple[bytes, str]:
    """Who says to have which address: MAC address and address; nothing when the frame is about something else."""
    kind = struct.unpack_from("!H", frame, 12)[0] if len(frame) >= 42 else 0
    if kind == ETH_ARP:
        return frame[22:28], str(IPv4Address(frame[28:32]))  # requests too: who asks has its address
    if kind == ETH_IPV6 and len(frame) >= 78 and frame[20] == ICMPV6 and frame[54] == NEIGHBOUR_ADVERTISEMENT:
        return frame[6:12], str(IPv6Address(frame[62:78]))
    return b"", ""


def _checksum(message: bytes) -> int:
    """Source: RFC 1071."""
    total: int = sum(struct.unpack(f"!{len(message) // 2}H", message))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
