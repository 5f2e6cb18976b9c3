"""What the kernel says of devices: USB and PCI numbers, drivers, telephony spans. Reads files only; `root` is "/" but in tests.

Sources: Linux Documentation/ABI (sysfs-bus-usb, sysfs-bus-pci); dahdi-sysfs.c, xpp/xbus-sysfs.c of dahdi-linux.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from drivers.protocol import CardSpan


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


class TelephonyDevice(msgspec.Struct, frozen=True):
    """A card as DAHDI registered it. `path`: below that of its USB or PCI device."""

    path: Path
    hardware_id: str
    location: str
    spans: tuple[CardSpan, ...]


def usb_devices(root: Path) -> Iterator[UsbDevice]:
    """All but hubs of the computer itself; one that leaves meanwhile is passed over."""
    for path in _below(root / "sys/bus/usb/devices"):
        if not re.fullmatch(r"\d+-[\d.]+", path.name):
            continue
        numbers = [_number(path / name) for name in ("idVendor", "idProduct", "bcdDevice")]
        places = [_number(path / name, 10) for name in ("busnum", "devnum")]
        if None not in numbers and None not in places:
            vendor, product, revision, bus, address = (number or 0 for number in (*numbers, *places))
            yield UsbDevice(
                path.name, vendor, product, revision, bus, address, _text(path / "serial"), _interface_drivers(path), path.resolve()
            )


def pci_devices(root: Path) -> Iterator[PciDevice]:
    for path in _below(root / "sys/bus/pci/devices"):
        names = ("vendor", "device", "subsystem_vendor", "subsystem_device")
        vendor, device, sub_vendor, sub_device = (_number(path / name) for name in names)
        if vendor is not None and device is not None:
            yield PciDevice(path.name, vendor, device, sub_vendor or 0, sub_device or 0, _linked(path / "driver"), path.resolve())


def telephony_devices(root: Path) -> tuple[TelephonyDevice, ...]:
    spans = {found.resolve(): found for found in _below(root / "sys/bus/dahdi_spans/devices")}
    return tuple(_telephony_device(path, tuple(spans)) for path in _below(root / "sys/bus/dahdi_devices/devices"))


def is_module_built(root: Path, kernel: str, module: str) -> bool:
    """Whether that kernel has the module at all, loaded or not."""
    listed = _text(root / "lib/modules" / kernel / "modules.dep")
    name = module.replace("-", "_")
    return any(Path(line.partition(":")[0]).name.split(".")[0].replace("-", "_") == name for line in listed.splitlines())


def is_module_loaded(root: Path, module: str) -> bool:
    return (root / "sys/module" / module).is_dir()


def state_of_box(root: Path, device: Path) -> str:
    """What the driver of an Astribank says of the box at that USB device ("READY", "FAIL", …); empty where it says nothing."""
    boxes = (path for path in _below(root / "sys/bus/astribanks/devices") if path.resolve().is_relative_to(device))
    return next((_text(box / "xbus_state").split(" ")[0] for box in boxes), "")


def _telephony_device(path: Path, spans: tuple[Path, ...]) -> TelephonyDevice:
    real = path.resolve()
    assigned = {span.local: span for span in map(_span, (each for each in spans if each.is_relative_to(real)))}
    all_spans = tuple(assigned.get(span.local, span) for span in _span_types(_text(path / "spantype")))
    hardware_id, location = _text(path / "hardware_id"), _text(path / "location")
    return TelephonyDevice(real, "" if hardware_id == "(null)" else hardware_id, location, all_spans)


def _span_types(text: str) -> Iterator[CardSpan]:
    """ "1:FXS" for each span of the card, whether it has a number or not."""
    for local, kind in re.findall(r"^(\d+):(\S+)$", text, re.M):
        yield CardSpan(local=int(local), number=0, name="", kind=kind, first_channel=0, channels=0)


def _span(path: Path) -> CardSpan:
    local, first, channels = (_number(path / name, 10) or 0 for name in ("local_spanno", "basechan", "channels"))
    number = int(path.name.rpartition("-")[2])
    name, kind = _text(path / "name"), _text(path / "spantype")
    return CardSpan(local=local, number=number, name=name, kind=kind, first_channel=first, channels=channels)


def _interface_drivers(path: Path) -> tuple[str, ...]:
    return tuple(filter(None, (_linked(part / "driver") for part in _below(path) if part.name.startswith(f"{path.name}:"))))


def _below(path: Path) -> list[Path]:
    try:
        return sorted(path.iterdir())
    except OSError:
        return []


def _linked(path: Path) -> str:
    return path.resolve().name if path.is_symlink() else ""


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


def _number(path: Path, base: int = 16) -> int | None:
    try:
        return int(_text(path), base)
    except ValueError:
        return None
