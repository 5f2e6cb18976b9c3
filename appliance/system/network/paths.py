"""Looking around for a technician: ping and trace by ICMP echo, a question to a name server. Raw sockets; each wait has a limit."""

import contextlib
import itertools
import os
import secrets
import socket
import struct
import time
from ipaddress import ip_address

from appliance.system.errors import BoxError
from appliance.system.network.messages import HopTold, NameTold, PathTold

REPLY_LIMIT_S, HOP_LIMIT_S, QUERY_LIMIT_S = 1.0, 1.0, 2.0
HOPS_MOST, SILENT_HOPS_MOST = 20, 5
NAME_MOST = 253
ECHO, ECHO_REPLY, UNREACHABLE, TIME_EXCEEDED = 8, 0, 3, 11  # Source: RFC 792
ECHO6, ECHO_REPLY6, UNREACHABLE6, TIME_EXCEEDED6 = 128, 129, 1, 3  # Source: RFC 4443
DNS_PORT = 53
TYPE_A, TYPE_AAAA, CLASS_IN = 1, 28, 1  # Source: RFC 1035, RFC 3596
RECURSION_DESIRED, IS_ANSWER = 0x0100, 0x8000

_sequence = itertools.count(1)


def ping(host: str, count: int) -> PathTold:
    """Raises: BoxError SYS-065."""
    if not 1 <= count <= 10:
        raise BoxError("SYS-065", f"{count} tries", "Ask for 1 to 10")
    address = _resolved(host)
    hops = []
    for number in range(1, count + 1):
        began_s = time.monotonic()
        who, time_ms, _ = _echo(address, 64, REPLY_LIMIT_S)
        hops.append(HopTold(number=number, address=who, time_ms=time_ms))
        if number < count:
            time.sleep(max(0.0, min(REPLY_LIMIT_S, 0.2 - (time.monotonic() - began_s))))
    return PathTold(host=host, address=address, reached=any(hop.address == address for hop in hops), hops=tuple(hops))


def trace(host: str) -> PathTold:
    """Raises: BoxError SYS-065."""
    address = _resolved(host)
    hops: list[HopTold] = []
    reached = False
    while not reached and len(hops) < HOPS_MOST and not _is_silent(hops):
        who, time_ms, final = _echo(address, len(hops) + 1, HOP_LIMIT_S)
        hops.append(HopTold(number=len(hops) + 1, address=who, time_ms=time_ms))
        reached = who == address
        if final and not reached:
            break
    return PathTold(host=host, address=address, reached=reached, hops=tuple(hops))


def _is_silent(hops: list[HopTold]) -> bool:
    return len(hops) >= SILENT_HOPS_MOST and all(not hop.address for hop in hops[-SILENT_HOPS_MOST:])


def _resolved(host: str) -> str:
    """Raises: BoxError SYS-065. The resolver's own limits (resolv.conf) hold."""
    try:
        return str(ip_address(host))
    except ValueError:
        pass
    try:
        if not host or len(host) > NAME_MOST:
            raise ValueError("no name")
        return str(socket.getaddrinfo(host, None, type=socket.SOCK_RAW)[0][4][0])
    except (OSError, ValueError) as error:
        what = f"{host[:80]!r} is no address, and no name that is known here"
        raise BoxError("SYS-065", what, "Try an address, or look at the name servers") from error


def _echo(address: str, ttl: int, limit_s: float) -> tuple[str, float | None, bool]:
    """Who answered in which time, and whether nothing further will. Raises: BoxError SYS-065 when it cannot even be sent."""
    six = ":" in address
    mark = secrets.token_bytes(8)
    number, sequence = os.getpid() & 0xFFFF, next(_sequence) & 0xFFFF
    with contextlib.ExitStack() as opened:
        try:
            family, protocol = (socket.AF_INET6, socket.IPPROTO_ICMPV6) if six else (socket.AF_INET, socket.IPPROTO_ICMP)
            asking = opened.enter_context(socket.socket(family, socket.SOCK_RAW, protocol))
            hops = (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS) if six else (socket.IPPROTO_IP, socket.IP_TTL)
            asking.setsockopt(*hops, ttl)
            sent_s = time.monotonic()
            asking.sendto(_request(six, number, sequence, mark), (address, 0))
        except OSError as error:
            raise BoxError("SYS-065", f"{address}: {error.strerror}", "Check addresses, routes and cables") from error
        return _answer(asking, six, (number, sequence), sent_s, limit_s)


def _answer(asking: socket.socket, six: bool, ours: tuple[int, int], sent_s: float, limit_s: float) -> tuple[str, float | None, bool]:
    while (left_s := sent_s + limit_s - time.monotonic()) > 0:
        asking.settimeout(left_s)
        with contextlib.suppress(TimeoutError):
            packet, sender = asking.recvfrom(2048)
            kind, echoed = _read(packet, six)
            if echoed == ours and kind is not None:
                return str(sender[0]).partition("%")[0], round((time.monotonic() - sent_s) * 1000, 2), kind != "on the way"
    return "", None, False


def _request(six: bool, number: int, sequence: int, mark: bytes) -> bytes:
    """The kernel works out the checksum of ICMPv6 itself. Source: RFC 3542, 3.1."""
    head = struct.pack("!BBHHH", ECHO6 if six else ECHO, 0, 0, number, sequence)
    return head + mark if six else head[:2] + struct.pack("!H", _checksum(head + mark)) + head[4:] + mark


def _read(packet: bytes, six: bool) -> tuple[str | None, tuple[int, int] | None]:
    """What it is ("reply", "on the way", "unreachable") and the echo it is about."""
    if not six:
        packet = packet[(packet[0] & 15) * 4 :] if packet else b""  # a raw IPv4 socket gives the header too
    if len(packet) < 8:
        return None, None
    reply, exceeded, unreachable = (ECHO_REPLY6, TIME_EXCEEDED6, UNREACHABLE6) if six else (ECHO_REPLY, TIME_EXCEEDED, UNREACHABLE)
    if packet[0] == reply:
        return "reply", _numbers(packet)
    if packet[0] not in (exceeded, unreachable):
        return None, None
    inner = packet[8:]
    about = inner[40:] if six else inner[(inner[0] & 15) * 4 :] if inner else b""
    return "on the way" if packet[0] == exceeded else "unreachable", _numbers(about)


def _numbers(echo: bytes) -> tuple[int, int] | None:
    return struct.unpack_from("!HH", echo, 4) if len(echo) >= 8 else None


def _checksum(message: bytes) -> int:
    """Source: RFC 1071."""
    total: int = sum(struct.unpack(f"!{len(message) // 2}H", message))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


# --- names -----------------------------------------------------------------------------------------------------------------


def look_up(name: str, servers: tuple[str, ...]) -> NameTold:
    """The first server that answers. Raises: BoxError SYS-065."""
    if not name or len(name) > NAME_MOST or any(not 1 <= len(label.encode()) <= 63 for label in name.rstrip(".").split(".")):
        raise BoxError("SYS-065", f"{name[:80]!r} is no name", "Write it as example.org")
    if not servers:
        raise BoxError("SYS-065", "no name server is set", "Set one, or name one to ask")
    for server in servers:
        began_s = time.monotonic()
        answers = [_query(name, server, kind) for kind in (TYPE_A, TYPE_AAAA)]
        if answers[0] is not None or answers[1] is not None:
            found = tuple(address for each in answers for address in each or ())
            return NameTold(name=name, server=server, addresses=found, time_ms=round((time.monotonic() - began_s) * 1000, 1))
    raise BoxError("SYS-065", f"no answer from {', '.join(servers)}", "Check the servers' addresses, routes and cables")


def _query(name: str, server: str, kind: int) -> tuple[str, ...] | None:
    """None: no answer in time."""
    number = secrets.randbits(16)
    labels = b"".join(bytes([len(label.encode())]) + label.encode() for label in name.rstrip(".").split("."))
    question = struct.pack("!HHHHHH", number, RECURSION_DESIRED, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", kind, CLASS_IN)
    try:
        family = socket.AF_INET6 if ":" in server else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as asking:
            asking.settimeout(QUERY_LIMIT_S)
            asking.connect((server, DNS_PORT))
            asking.send(question)
            return read_answer(asking.recv(4096), number, kind)
    except (OSError, ValueError, struct.error, IndexError):
        return None


def read_answer(message: bytes, number: int, kind: int) -> tuple[str, ...]:
    """The addresses in it. Raises: ValueError, struct.error, IndexError for what is no answer to `number`."""
    same, flags, questions, answers = struct.unpack_from("!HHHH", message)
    if same != number or not flags & IS_ANSWER:
        raise ValueError("no answer to the question")
    place = 12
    for _ in range(questions):
        place = _after_name(message, place) + 4
    found = []
    for _ in range(answers):
        place = _after_name(message, place)
        told, _, _, length = struct.unpack_from("!HHIH", message, place)
        place += 10
        if told == kind and length == (4 if kind == TYPE_A else 16):
            found.append(str(ip_address(message[place : place + length])))
        place += length
    return tuple(found)


def _after_name(message: bytes, place: int) -> int:
    """Source: RFC 1035, 4.1.4: labels until an empty one, or a pointer."""
    while message[place]:
        if message[place] >= 0xC0:
            return place + 2
        place += message[place] + 1
    return place + 1
