"""Telephony devices as the kernel shows them in sysfs: which card has which spans, assigned or not. Reads files only.

`root` is "/" but in tests. Source: dahdi-sysfs.c of dahdi-linux.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from drivers.protocol import CardSpan

DEVICES, SPANS = Path("sys/bus/dahdi_devices/devices"), Path("sys/bus/dahdi_spans/devices")


class TelephonyDevice(msgspec.Struct, frozen=True):
    """A card as its driver registered it. `path`: below that of its USB or PCI device; `hardware_id` ("usb:INT00042") may be empty."""

    path: Path
    hardware_id: str
    location: str
    spans: tuple[CardSpan, ...]


def telephony_devices(root: Path = Path("/")) -> tuple[TelephonyDevice, ...]:
    """In the order of their names."""
    spans = tuple(path.resolve() for path in below(root / SPANS))
    return tuple(_device(path, spans) for path in below(root / DEVICES))


def _device(path: Path, spans: tuple[Path, ...]) -> TelephonyDevice:
    real = path.resolve()
    assigned = {span.local: span for span in map(_span, (each for each in spans if each.is_relative_to(real)))}
    types = text(path / "dahdi_spantype") or text(path / "spantype")  # before Linux 4.13
    all_spans = tuple(assigned.get(span.local, span) for span in _span_types(types))
    return TelephonyDevice(real, text(path / "hardware_id"), text(path / "location"), all_spans)


def _span_types(listed: str) -> Iterator[CardSpan]:
    """ "1:FXS" for each span of the card, whether it has a number or not."""
    for local, kind in re.findall(r"^(\d+):(\S+)$", listed, re.M):
        yield CardSpan(local=int(local), number=0, name="", kind=kind, first_channel=0, channels=0)


def _span(path: Path) -> CardSpan:
    local, first, channels = (number(path / name, 10) or 0 for name in ("local_spanno", "basechan", "channels"))
    name, kind = text(path / "name"), text(path / "spantype")
    return CardSpan(local=local, number=int(path.name.rpartition("-")[2]), name=name, kind=kind, first_channel=first, channels=channels)


def below(path: Path) -> list[Path]:
    """What is in a folder, by name; nothing when it is not there."""
    try:
        return sorted(path.iterdir())
    except OSError:
        return []


def text(path: Path) -> str:
    """A file's text; empty when it cannot be read."""
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


def number(path: Path, base: int = 16) -> int | None:
    """A file's number; None when there is none."""
    try:
        return int(text(path), base)
    except ValueError:
        return None
