"""Where a printer is: "192.168.1.50:9100" on the network, "/dev/usb/lp0" at the box. Pure."""

import ipaddress
import re

PORT = 9100  # raw printing; Source: every network printer's manual ("JetDirect")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_DEVICE = re.compile(r"/dev/(usb/lp\d{1,3}|lp\d{1,3}|tty(S|USB|ACM)\d{1,3})")


def is_address(text: str) -> bool:
    return is_device(text) or network_of(text) is not None


def is_device(text: str) -> bool:
    """A file of the box's own, and one of a printer's."""
    return _DEVICE.fullmatch(text) is not None


def network_of(text: str) -> tuple[str, int] | None:
    """Host (or IPv4 address) and port; None when it is neither."""
    host, _, port = text.partition(":")
    if not _is_host(host) or not (port == "" or (port.isascii() and port.isdigit() and 0 < int(port) < 65_536)):
        return None
    return host, int(port or PORT)


def _is_host(host: str) -> bool:
    if re.fullmatch(r"[0-9.]+", host):
        try:
            return bool(ipaddress.IPv4Address(host))
        except ValueError:
            return False
    return _HOST.fullmatch(host) is not None
