"""Files that kernel drivers ask for themselves: where the kernel looks for them, and drivers that asked too early. Root; changes sysfs.

The root file system is read-only, so the kernel is told to look on the shelf first (firmware_class.path). Source: Linux
Documentation/driver-api/firmware/fw_search_path.rst, Documentation/ABI/testing/sysfs-bus-pci.
"""

from pathlib import Path

from drivers.protocol import Card, CardStage, FileKind
from firmware_shims.errors import LOADING_FAILED, FirmwareError

SEARCH_PATH = Path("sys/module/firmware_class/parameters/path")


def point_kernel_to(folder: Path, root: Path = Path("/")) -> bool:
    """The kernel looks there first from now on; True when it did not before. Raises: FirmwareError CRD-017."""
    path = root / SEARCH_PATH
    if not path.exists() or path.read_text().strip() == str(folder):
        return False
    try:
        path.write_text(str(folder))
    except OSError as error:
        raise FirmwareError(LOADING_FAILED, f"cannot write {path}: {error.strerror}", "Run this as root") from error
    return True


def asked_too_early(card: Card) -> bool:
    """A PCI card whose driver got no further for want of a file that is there now."""
    wanted = [each for each in card.files if each.kind is FileKind.BLOB and each.required]
    there = bool(wanted) and all(each.state == "present" for each in wanted)
    return card.bus == "pci" and there and card.stage in (CardStage.FOUND, CardStage.DRIVER) and "other_suite" not in card.notes


def ask_again(card: Card, root: Path = Path("/")) -> None:
    """Let the driver, which udev loaded, try again; it asks for its files then. Calls on its spans cannot be: it has none.

    Raises: FirmwareError CRD-017.
    """
    try:
        if card.bound_to:
            (root / "sys/bus/pci/drivers" / card.bound_to / "unbind").write_text(card.where)
        (root / "sys/bus/pci/drivers_probe").write_text(card.where)
    except OSError as error:
        raise _failed(card, str(error)) from error


def _failed(card: Card, why: str) -> FirmwareError:
    return FirmwareError(LOADING_FAILED, f"{card.name} at {card.where}: {card.driver} cannot be started anew: {why}", "See dmesg")
