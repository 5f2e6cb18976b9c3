"""Brings the kernel's cards to what our configuration says. Blocking, as root, before the line server starts."""

from pathlib import Path

from drivers.dahdi import setup
from drivers.dahdi.control import Control
from drivers.dahdi.records import DEVICE_DIR
from drivers.dahdi.setup import CardSetup

SYSTEM_CONF = Path("/etc/dahdi/system.conf")


def configure(wanted: CardSetup, path: Path = SYSTEM_CONF, device_dir: str = DEVICE_DIR) -> None:
    """Write system.conf and apply it; may be repeated, loopback spans that exist stay.

    Raises: LineError LIN-101, LIN-102; ConfigError LIN-110 .. LIN-113.
    """
    with Control(device_dir) as control:
        existing = frozenset(span.name for span in control.spans())
    setup.write(wanted, path)
    setup.apply(path, existing)
