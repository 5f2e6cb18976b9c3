"""Span and channel numbers that belong to a card, not to the order in which cards were found. As root, before system.conf is applied.

The kernel numbers spans as they come. Here each card gets its numbers by its name (serial number; where it has none, by its slot): those of
`[[lines.dahdi.places]]`, or those it had when it was first seen, which are kept in a file; a new card gets numbers behind all others, also
behind those of cards that are unplugged. Source: dahdi-sysfs.c, assign_span and unassign_span.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from drivers.dahdi import faults
from drivers.dahdi.sysfs import TelephonyDevice, below, telephony_devices, text
from drivers.errors import ConfigError
from drivers.protocol import CardSpan

FILE = Path("system") / "span-places.json"
DYNAMIC = "DYN/"
BOXES = Path("sys/bus/astribanks/devices")
ROUNDS = 64
"""One for each span that is new, and some for cards that come meanwhile."""


class SpanPlace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a span of a card is counted. `card`: its name as `careline cards` shows it ("usb:INT00042"), or "@" and its slot; `local`: the
    span's place on the card, from 1. `channels` 0: not known yet."""

    card: str
    span: int
    first_channel: int
    local: int = 1
    channels: int = 0


class Order(msgspec.Struct, frozen=True):
    """Something to be written for the kernel: "assign_span", "unassign_span", "dahdi_registration" of a device."""

    device: Path
    file: str
    text: str


def card_name(device: TelephonyDevice) -> str:
    """What the card is called here: by serial number, or by slot."""
    return device.hardware_id or f"@{device.location or device.path.name}"


def write_order(order: Order) -> None:
    """Raises: ConfigError LIN-120 when the kernel does not take it."""
    try:
        (order.device / order.file).write_text(order.text)
    except OSError as error:
        what = f"the kernel does not take {order.file} {order.text} of {order.device.name}: {error.strerror}"
        remedy = "Do two cards have the same place in [[lines.dahdi.places]], or does a smaller span number have larger channels?"
        raise ConfigError(faults.PLACE_REFUSED, what, remedy) from error


def settle(
    wanted: Iterable[SpanPlace], kept_in: Path, root: Path = Path("/"), write: Callable[[Order], None] = write_order
) -> tuple[SpanPlace, ...]:
    """Give every span of every card its numbers; tells all that are known now. `kept_in`: data_dir.

    Raises: ConfigError LIN-120 the kernel refused, LIN-119 the file cannot be written.
    """
    for order in unregistered(root):
        write(order)
    pinned = tuple(wanted)
    known = _joined(_load(kept_in), pinned)
    for _ in range(ROUNDS):
        there = telephony_devices(root)
        devices = real_devices(there)
        known = _joined(known, _accepted(devices, known))
        orders = tuple(misplaced(devices, known)) or tuple(_one_new(devices, known, there))
        if not orders:
            break
        for order in orders:
            write(order)
    _keep(kept_in, known)
    return known


def unregistered(root: Path) -> Iterator[Order]:
    """USB boxes whose driver is done, but waits to be told that their spans may be numbered. Source: xpp/xbus-sysfs.c."""
    for box in below(root / BOXES):
        if text(box / "xbus_state").startswith("READY") and text(box / "dahdi_registration") == "0":
            yield Order(box, "dahdi_registration", "1")


def real_devices(there: Iterable[TelephonyDevice]) -> tuple[TelephonyDevice, ...]:
    """All but spans that dahdi_cfg itself makes and numbers."""
    return tuple(device for device in there if not _is_dynamic(device))


def misplaced(devices: Iterable[TelephonyDevice], known: Iterable[SpanPlace]) -> Iterator[Order]:
    """Taken from where they should not be, then put where they should be, the lowest number first as the kernel's list wants it."""
    places = {(place.card, place.local): place for place in known}
    to_put: list[tuple[SpanPlace, TelephonyDevice]] = []
    for device in devices:
        for span in device.spans:
            place = places.get((card_name(device), span.local))
            if place is None or (span.number, span.first_channel) == (place.span, place.first_channel):
                continue
            if span.number:
                yield Order(device.path, "unassign_span", f"{span.local}")
            to_put.append((place, device))
    for place, device in sorted(to_put, key=lambda each: each[0].span):
        yield Order(device.path, "assign_span", f"{place.local}:{place.span}:{place.first_channel}")


def _one_new(devices: Iterable[TelephonyDevice], known: tuple[SpanPlace, ...], there: Iterable[TelephonyDevice]) -> Iterator[Order]:
    """The first unknown span, behind all others: how many channels it has, the kernel tells only afterwards."""
    for device, span in _unplaced(devices, known):
        if span.number:  # the kernel gave it what belongs to another card
            yield Order(device.path, "unassign_span", f"{span.local}")
        yield Order(device.path, "assign_span", "{}:{}:{}".format(span.local, *_behind(there, known)))
        return


def _accepted(devices: Iterable[TelephonyDevice], known: tuple[SpanPlace, ...]) -> Iterator[SpanPlace]:
    """What is known of spans with their channels, and new ones that the kernel put where nobody else belongs."""
    places = {(place.card, place.local): place for place in known}
    for device in devices:
        for span in device.spans:
            here = SpanPlace(card_name(device), span.number, span.first_channel, span.local, span.channels)
            place = places.get((here.card, here.local))
            if place is not None:
                yield msgspec.structs.replace(place, channels=span.channels or place.channels)
            elif span.number and not any(_meet(here, other) for other in known):
                yield here


def _meet(one: SpanPlace, other: SpanPlace) -> bool:
    if one.span == other.span:
        return True
    first, second = sorted((one, other), key=lambda place: place.first_channel)
    return first.first_channel + max(first.channels, 1) > second.first_channel


def _behind(devices: Iterable[TelephonyDevice], known: tuple[SpanPlace, ...]) -> tuple[int, int]:
    """The span and channel number behind all that are known or there."""
    there = [(span.number, span.first_channel + span.channels) for device in devices for span in device.spans]
    ends = [*there, *((place.span, place.first_channel + place.channels) for place in known)]
    return max((span for span, _ in ends), default=0) + 1, max((end for _, end in ends), default=1) or 1


def _unplaced(devices: Iterable[TelephonyDevice], known: Iterable[SpanPlace]) -> Iterator[tuple[TelephonyDevice, CardSpan]]:
    names = {(place.card, place.local) for place in known}
    for device in devices:
        for span in device.spans:
            if (card_name(device), span.local) not in names:
                yield device, span


def _joined(before: Iterable[SpanPlace], after: Iterable[SpanPlace]) -> tuple[SpanPlace, ...]:
    """One for each span, those of `after` first; how many channels a span has is not forgotten."""
    joined = {(place.card, place.local): place for place in before}
    for place in after:
        old = joined.get((place.card, place.local))
        joined[place.card, place.local] = msgspec.structs.replace(place, channels=place.channels or (old.channels if old else 0))
    return tuple(sorted(joined.values(), key=lambda place: place.span))


def _is_dynamic(device: TelephonyDevice) -> bool:
    return device.hardware_id.startswith(DYNAMIC) or any(span.name.startswith(DYNAMIC) for span in device.spans)


def _load(folder: Path) -> tuple[SpanPlace, ...]:
    """What is kept; a file that cannot be read is begun anew, since cards must come up."""
    if not (folder / FILE).exists():
        return ()
    try:
        return msgspec.json.decode((folder / FILE).read_bytes(), type=tuple[SpanPlace, ...])
    except (OSError, msgspec.DecodeError):
        return ()


def _keep(folder: Path, known: tuple[SpanPlace, ...]) -> None:
    if not known or known == _load(folder):
        return
    path = folder / FILE
    fresh = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with fresh.open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(known)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        remedy = "Check its folder, rights and free space"
        raise ConfigError(faults.CONFIG_UNWRITABLE, f"cannot write {path}: {error.strerror}", remedy) from error
