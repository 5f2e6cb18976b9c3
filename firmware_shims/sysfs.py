"""What the kernel says of devices: USB and PCI numbers, drivers, telephony spans. Reads files only; `root` is "/" but in tests.

Sources: Linux Documentation/ABI (sysfs-bus-usb, sysfs-bus-pci); dahdi-sysfs.c, xpp/xbus-sysfs.c of dahdi-linux.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from drivers.dahdi.sysfs import below, number, text


class UsbDevice(msgspec.Struct, frozen=True):
    """`port`: where it is plugged in ("1-1.4"), which stays when the device comes back with other numbers. `bus`, `address`: libusb's."""

    port: str
    vendor: int
    product: int
    revision: int
    bus: int
    address: int
    serial: str
    drivers: tuple[str, ...]
    path: Path

    @property
    def ids(self) -> str:
        return f"{self.vendor:04x}:{self.product:04x}"


class PciDevice(msgspec.Struct, frozen=True):
    slot: str
    vendor: int
    device: int
    sub_vendor: int
    sub_device: int
    driver: str
    path: Path


def usb_devices(root: Path) -> Iterator[UsbDevice]:
    """All but hubs of the computer itself; one that leaves meanwhile is passed over."""
    for path in below(root / "sys/bus/usb/devices"):
        if not re.fullmatch(r"\d+-[\d.]+", path.name):
            continue
        numbers = [number(path / name) for name in ("idVendor", "idProduct", "bcdDevice")]
        places = [number(path / name, 10) for name in ("busnum", "devnum")]
        if None not in numbers and None not in places:
            vendor, product, revision, bus, address = (each or 0 for each in (*numbers, *places))
            yield UsbDevice(
                path.name, vendor, product, revision, bus, address, text(path / "serial"), _interface_drivers(path), path.resolve()
            )


def pci_devices(root: Path) -> Iterator[PciDevice]:
    for path in below(root / "sys/bus/pci/devices"):
        names = ("vendor", "device", "subsystem_vendor", "subsystem_device")
        vendor, device, sub_vendor, sub_device = (number(path / name) for name in names)
        if vendor is not None and device is not None:
            yield PciDevice(path.name, vendor, device, sub_vendor or 0, sub_device or 0, _linked(path / "driver"), path.resolve())


def is_module_built(root: Path, kernel: str, module: str) -> bool:
    """Whether that kernel has the module at all, loaded or not."""
    listed = text(root / "lib/modules" / kernel / "modules.dep")
    name = module.replace("-", "_")
    return any(Path(line.partition(":")[0]).name.split(".")[0].replace("-", "_") == name for line in listed.splitlines())


def is_module_loaded(root: Path, module: str) -> bool:
    return (root / "sys/module" / module).is_dir()


def state_of_box(root: Path, device: Path) -> str:
    """What the driver of an Astribank says of the box at that USB device ("READY", "FAIL", …); empty where it says nothing."""
    boxes = (path for path in below(root / "sys/bus/astribanks/devices") if path.resolve().is_relative_to(device))
    return next((text(box / "xbus_state").split(" ")[0] for box in boxes), "")


def _interface_drivers(path: Path) -> tuple[str, ...]:
    return tuple(filter(None, (_linked(part / "driver") for part in below(path) if part.name.startswith(f"{path.name}:"))))


def _linked(path: Path) -> str:
    return path.resolve().name if path.is_symlink() else ""
