"""Which serial device a modem is: by its path, or by its USB id, since ttyUSB numbers change from plug to plug. Reads sysfs only."""

import re
from collections.abc import Iterator
from pathlib import Path

from drivers.modem.errors import ModemError

SYS_TTY = Path("/sys/class/tty")
DEV = Path("/dev")
USB = re.compile(r"usb:([0-9a-f]{4}):([0-9a-f]{4})(?:/(\d{1,2}))?(?:@(\S+))?")
LEVELS_MOST = 6  # from the tty up to the USB device


def is_device(text: str) -> bool:
    return text.startswith("/") or USB.fullmatch(text) is not None


def find(device: str, sys_tty: Path = SYS_TTY, dev: Path = DEV) -> str:
    """The path of `device`: a path as it is (also /dev/serial/by-id/…), or "usb:12d1:1001", "usb:12d1:1001/02@SERIAL": vendor, product,
    interface, serial number; without interface the first there is.

    Raises: ModemError SMS-001.
    """
    usb = USB.fullmatch(device)
    if usb is None:
        return device
    vendor, product, interface, number = usb.groups()
    for tty in sorted((*sys_tty.glob("ttyUSB*"), *sys_tty.glob("ttyACM*")), key=lambda tty: (len(tty.name), tty.name)):
        if _is(tty, {"idVendor": vendor, "idProduct": product, "bInterfaceNumber": interface and interface.zfill(2), "serial": number}):
            return str(dev / tty.name)
    raise ModemError("SMS-001", f"no modem {device} is plugged in", "Plug it in; `lsusb` shows the ids of what is there")


def _is(tty: Path, wanted: dict[str, str | None]) -> bool:
    folders = list(_above(tty))
    return all(value is None or value in (_content(folder / name) for folder in folders) for name, value in wanted.items())


def _above(tty: Path) -> Iterator[Path]:
    folder = (tty / "device").resolve()
    for _ in range(LEVELS_MOST):
        yield folder
        folder = folder.parent


def _content(file: Path) -> str:
    try:
        return file.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
