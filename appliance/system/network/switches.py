"""The kernel's switches of one interface (sysctl), below /proc/sys/net. Blocking on tiny files; threads of careline-system."""

import contextlib
from pathlib import Path

from appliance.system.network.model import Ipv6

NET = Path("/proc/sys/net")

IPV4 = {
    "arp_ignore": 1,  # each interface answers for its own addresses alone: networks stay apart
    "arp_announce": 2,
    "rp_filter": 2,  # from nowhere at all: dropped; back by another interface is usual with several networks
    "promote_secondaries": 1,  # taking an address away takes no other
    "forwarding": 0,  # the box is no router between its networks
    "accept_redirects": 0,
    "send_redirects": 0,
    "accept_source_route": 0,
}
IPV6_ALWAYS = {"forwarding": 0, "accept_redirects": 0, "use_tempaddr": 0, "accept_source_route": 0}


def set_all(device: str, ipv6: Ipv6, learn_route: bool) -> None:
    """Raises: OSError."""
    for name, value in IPV4.items():
        _set(NET / "ipv4/conf" / device / name, value)
    folder = NET / "ipv6/conf" / device
    if folder.is_dir():
        _set_ipv6(folder, ipv6, learn_route)


def _set_ipv6(folder: Path, ipv6: Ipv6, learn_route: bool) -> None:
    automatic = int(ipv6 is Ipv6.AUTOMATIC)
    wanted = {**IPV6_ALWAYS, "accept_ra": 2 * automatic, "autoconf": automatic, "accept_ra_defrtr": int(learn_route)}
    before = [_set(folder / name, value) for name, value in wanted.items()]
    if automatic and any(before):
        _set(folder / "disable_ipv6", 1)  # routers are asked anew only when IPv6 begins
    _set(folder / "disable_ipv6", int(ipv6 is Ipv6.OFF))


def _set(path: Path, value: int) -> bool:
    """Whether it was another. A kernel too old to know the switch is taken as it is."""
    with contextlib.suppress(FileNotFoundError):
        if path.read_text().strip() != str(value):
            path.write_text(str(value))
            return True
    return False
