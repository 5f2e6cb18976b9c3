"""Serial ports that other parts of the box name in their settings, and every other port of the same USB device: a modem has several.

Reads sysfs only.
"""

import os
import re
from collections.abc import Iterable
from pathlib import Path

SYS_TTY = Path("/sys/class/tty")
LEVELS_MOST = 6  # from the port up to the USB device
NAMED = re.compile(r"""["'](/dev/[\w./:+-]+|usb:[0-9a-f]{4}:[0-9a-f]{4}[^"']*)["']""")
COMMENT = re.compile(r"^\s*#.*$", re.M)


def is_claimed(tty: str, texts: Iterable[str], sys_tty: Path = SYS_TTY) -> bool:
    """Whether "ttyUSB0", or another port of its USB device, is named in one of these settings files."""
    names = {name for text in texts for name in NAMED.findall(COMMENT.sub("", text))}
    paths = {os.path.realpath(name) for name in names if name.startswith("/dev/")}
    if f"/dev/{tty}" in paths:
        return True
    device = _usb_device(tty, sys_tty)
    if device is None:
        return False
    neighbours = {_usb_device(os.path.basename(path), sys_tty) for path in paths}
    return device in neighbours or any(name.startswith(f"usb:{_ids(device)}") for name in names)


def _usb_device(tty: str, sys_tty: Path) -> Path | None:
    """Its folder in sysfs; None for a port that is not on USB."""
    folder = (sys_tty / tty / "device").resolve()
    for _ in range(LEVELS_MOST):
        if (folder / "idVendor").exists():
            return folder
        folder = folder.parent
    return None


def _ids(device: Path) -> str:
    """ "12d1:1001"."""
    try:
        return ":".join((device / name).read_text("ascii").strip() for name in ("idVendor", "idProduct"))
    except (OSError, UnicodeDecodeError):  # unplugged meanwhile
        return "?"
