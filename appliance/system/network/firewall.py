"""The firewall: one nftables table `careline`, made whole of the settings and the list of ports, put in place at once by the program nft.

Why nft and not netlink messages of ours: the kernel takes a whole file of it at once or nothing, what is in place can be read by any
technician (`nft list table inet careline`), and its messages name the line that is wrong. Other tables are never touched. Blocking, with a
limit; threads of careline-system.
"""

import json
import subprocess
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from typing import Any

from appliance.system.errors import BoxError
from appliance.system.network.model import Settings
from appliance.system.network.ports import PORTS, ListedPort

TABLE = "careline"
NFT_LIMIT_S = 10.0
LOCKED_S = 15 * 60
CONNECTIONS_A_SECOND, CONNECTIONS_AT_ONCE = 50, 200
"""New ones from one address. A browser opens six at a time; behind one address there may be a whole house."""
SLOW_A_MINUTE, SLOW_AT_ONCE = 6, 6
"""Where passwords are tried one to a connection: more lock the address out."""
ECHOES_A_SECOND = 20

HEAD = f"""\
add table inet {TABLE}
delete table inet {TABLE}
table inet {TABLE} {{
    set locked4 {{
        type ipv4_addr
        flags dynamic,timeout
        size 4096
%(locked4)s    }}
    set locked6 {{
        type ipv6_addr
        flags dynamic,timeout
        size 4096
%(locked6)s    }}
    set callers4 {{
        type ipv4_addr
        flags dynamic,timeout
        timeout 1m
        size 16384
    }}
    set callers6 {{
        type ipv6_addr
        flags dynamic,timeout
        timeout 1m
        size 16384
    }}
    set slow4 {{
        type ipv4_addr
        flags dynamic,timeout
        timeout 5m
        size 4096
    }}
    set slow6 {{
        type ipv6_addr
        flags dynamic,timeout
        timeout 5m
        size 4096
    }}
    chain slowly {{
        add @slow4 {{ ip saddr limit rate over {SLOW_A_MINUTE}/minute burst {SLOW_AT_ONCE} packets }} jump lock
        add @slow6 {{ ip6 saddr limit rate over {SLOW_A_MINUTE}/minute burst {SLOW_AT_ONCE} packets }} jump lock
        accept
    }}
    chain lock {{
        add @locked4 {{ ip saddr timeout {LOCKED_S}s }} counter drop
        add @locked6 {{ ip6 saddr timeout {LOCKED_S}s }} counter drop
    }}
    chain callers {{
        add @callers4 {{ ip saddr limit rate over {CONNECTIONS_A_SECOND}/second burst {CONNECTIONS_AT_ONCE} packets }} counter drop
        add @callers6 {{ ip6 saddr limit rate over {CONNECTIONS_A_SECOND}/second burst {CONNECTIONS_AT_ONCE} packets }} counter drop
        accept
    }}
"""
INPUT = f"""\
    chain input {{
        type filter hook input priority filter; policy drop;
        iif "lo" accept
        icmp type echo-request limit rate over {ECHOES_A_SECOND}/second burst {ECHOES_A_SECOND} packets drop
        icmpv6 type echo-request limit rate over {ECHOES_A_SECOND}/second burst {ECHOES_A_SECOND} packets drop
        ct state established,related accept
        ct state invalid drop
        icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert, nd-redirect }} ip6 hoplimit 255 accept
        icmpv6 type {{ mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report }} accept
        ip saddr @locked4 counter drop
        ip6 saddr @locked6 counter drop
        icmp type {{ destination-unreachable, time-exceeded, parameter-problem }} accept
        icmpv6 type {{ destination-unreachable, packet-too-big, time-exceeded, parameter-problem }} accept
        icmp type echo-request accept
        icmpv6 type echo-request accept
%(ports)s        counter drop
    }}
    chain forward {{
        type filter hook forward priority filter; policy drop;
    }}
}}
"""


def ruleset(settings: Settings, devices: Mapping[str, str], locked: Mapping[str, int], listed: Iterable[ListedPort] = PORTS) -> str:
    """The whole table for nft. `devices`: the kernel's name of each attachment; `locked`: addresses shut out, seconds left."""
    four = {text: left_s for text, left_s in locked.items() if ip_address(text).version == 4}
    six = {text: left_s for text, left_s in locked.items() if text not in four}
    ports = "".join(_port_rule(port, settings, devices) for port in listed if port.is_open(settings.services))
    return HEAD % {"locked4": _elements(four), "locked6": _elements(six)} + INPUT % {"ports": ports}


def _elements(locked: Mapping[str, int]) -> str:
    elements = ", ".join(f"{text} timeout {LOCKED_S}s expires {left_s}s" for text, left_s in locked.items())
    return f"        elements = {{ {elements} }}\n" if elements else ""


def _port_rule(port: ListedPort, settings: Settings, devices: Mapping[str, str]) -> str:
    """Lets it in on the networks that have one of its roles."""
    attachments = [(name, each) for name, each in settings.attachments() if each.is_on and name in devices]
    names = ", ".join(f'"{devices[name]}"' for name, each in attachments if set(each.roles) & set(port.roles))
    way = "slowly" if port.slow else "callers"
    return f"        iifname {{ {names} }} {port.protocol} dport {port.port} ct state new jump {way}\n" if names else ""


class Firewall:
    """What is in place. Raises: BoxError SYS-058 wherever nft fails."""

    def __init__(self, nft: str, listed: tuple[ListedPort, ...] = PORTS) -> None:
        self._nft, self.listed = nft, listed
        self._in_place = ""

    def put_in_place(self, settings: Settings, devices: Mapping[str, str]) -> None:
        """All at once; who is locked stays locked. Nothing is done when the rules are the same."""
        rules = ruleset(settings, devices, {}, self.listed)
        if rules == self._in_place and self._is_there():
            return
        self._run("-f", "-", text=ruleset(settings, devices, self.locked(), self.listed))
        self._in_place = rules

    def lock(self, address: str) -> None:
        """For LOCKED_S from now."""
        version = ip_address(address).version
        element = f"inet {TABLE} locked{version} {{ {address} timeout {LOCKED_S}s }}"
        self._run("-f", "-", text=f"add element {element}\n")

    def release(self, address: str) -> None:
        """ "" for all."""
        if not address:
            self._run("-f", "-", text=f"flush set inet {TABLE} locked4\nflush set inet {TABLE} locked6\n")
        elif address in self.locked():
            self._run("-f", "-", text=f"delete element inet {TABLE} locked{ip_address(address).version} {{ {address} }}\n")

    def locked(self) -> dict[str, int]:
        """Addresses shut out, seconds left; none while there is no table."""
        return {text: left_s for version in (4, 6) for text, left_s in self._set(f"locked{version}")}

    def _set(self, name: str) -> Iterable[tuple[str, int]]:
        if not self._is_there():
            return []
        listed = json.loads(self._run("-j", "list", "set", "inet", TABLE, name))
        elements: list[Any] = next(item["set"].get("elem", []) for item in listed["nftables"] if "set" in item)
        return [(each["elem"]["val"], int(each["elem"].get("expires", LOCKED_S))) for each in elements]

    def _is_there(self) -> bool:
        listed = json.loads(self._run("-j", "list", "tables", "inet"))
        return any(item.get("table", {}).get("name") == TABLE for item in listed["nftables"])

    def _run(self, *arguments: str, text: str = "") -> str:
        try:
            done = subprocess.run([self._nft, *arguments], input=text, capture_output=True, text=True, timeout=NFT_LIMIT_S, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise BoxError("SYS-058", f"the firewall cannot be set: {error}", "Install nftables; see the log") from error
        if done.returncode:
            what = f"the firewall cannot be set: {(done.stderr.strip() or 'nft failed').splitlines()[0]}"
            raise BoxError("SYS-058", what, "See `nft list ruleset`; restart careline-system")
        return done.stdout
