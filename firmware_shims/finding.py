"""Devices into cards: at which stage each is, and what exactly it lacks. Reads sysfs and the shelf; changes nothing."""

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from drivers.dahdi.sysfs import TelephonyDevice, telephony_devices
from drivers.protocol import Card, CardFault, CardFile, CardStage, CardsTold, FileKind
from firmware_shims import sysfs
from firmware_shims.catalogue import FILES, FileNeed, PciCard, UsbCard, pci_card, usb_card
from firmware_shims.errors import (
    DRIVER_MISSING,
    DRIVER_NOT_BOUND,
    FILE_CHANGED,
    NO_NUMBERS,
    NO_SPANS,
    NOT_IN_DEBIAN,
    OPTION_MISSING,
    OTHER_DRIVER,
    FirmwareError,
    told,
)
from firmware_shims.shelf import Shelf, missing_files
from firmware_shims.sysfs import PciDevice, UsbDevice

NOT_IN_DEBIAN_DRIVERS = frozenset({"wcte13xp", "wcte43x", "wcaxx", "opvxd115"})
NO_CALLS_WITHOUT_SPANS = "no_spans"
"""The note of cards that carry no lines."""


class Finder:
    """`root`: "/" but in tests. `kernel`: whose modules are looked for."""

    def __init__(self, shelf: Shelf, root: Path = Path("/"), kernel: str = "") -> None:
        self.shelf, self.root = shelf, root
        self._kernel = kernel or os.uname().release

    def told(self) -> CardsTold:
        """Raises: FirmwareError CRD-006 when the manifest cannot be read."""
        return CardsTold(cards=self.cards(), files=self.shelf.files(), names=tuple(sorted(FILES)))

    def cards(self) -> tuple[Card, ...]:
        """Every card of the table that is there, USB first, each kind by its place."""
        telephony = telephony_devices(self.root)
        return (*self._usb_cards(telephony), *self._pci_cards(telephony))

    def usb(self, port: str) -> UsbDevice | None:
        """The device at that port, None when there is none just now."""
        return next((device for device in sysfs.usb_devices(self.root) if device.port == port), None)

    def usb_ports(self) -> tuple[str, ...]:
        """Ports at which a box of the table is."""
        return tuple(device.port for device in sysfs.usb_devices(self.root) if usb_card(device.vendor, device.product, device.revision))

    def _usb_cards(self, telephony: tuple[TelephonyDevice, ...]) -> Iterator[Card]:
        for device in sysfs.usb_devices(self.root):
            row = usb_card(device.vendor, device.product, device.revision)
            if row is not None:
                yield self._usb_card(device, row, telephony)

    def _usb_card(self, device: UsbDevice, row: UsbCard, telephony: tuple[TelephonyDevice, ...]) -> Card:
        card = Card(
            model=row.model,
            name=row.name,
            bus="usb",
            where=device.port,
            ids=f"{device.ids} {device.revision >> 8:x}.{device.revision & 0xFF:02x}",
            stage=row.stage,
            driver=row.driver,
            bound_to=next((driver for driver in device.drivers if driver == row.driver), ""),
            hardware_id=f"usb:{device.serial}" if device.serial else "",
            files=self._files(row.files),
            notes=row.notes,
        )
        card = _with_driver(card, device.path, telephony)
        state = sysfs.state_of_box(self.root, device.path)
        return msgspec.structs.replace(card, faults=(*self._faults(card), *_box_faults(card, state)))

    def _pci_cards(self, telephony: tuple[TelephonyDevice, ...]) -> Iterator[Card]:
        for device in sysfs.pci_devices(self.root):
            row = pci_card(device.vendor, device.device, device.sub_vendor, device.sub_device)
            if row is not None:
                yield self._pci_card(device, row, telephony)

    def _pci_card(self, device: PciDevice, row: PciCard, telephony: tuple[TelephonyDevice, ...]) -> Card:
        card = Card(
            model=row.model,
            name=row.name,
            bus="pci",
            where=device.slot,
            ids=f"{device.vendor:04x}:{device.device:04x} {device.sub_vendor:04x}:{device.sub_device:04x}",
            stage=CardStage.FOUND,
            driver=row.driver,
            bound_to=device.driver,
            files=self._files(row.files),
            notes=row.notes,
        )
        card = _with_driver(card, device.path, telephony)
        return msgspec.structs.replace(card, faults=tuple(self._faults(card)))

    def _files(self, needs: tuple[FileNeed, ...]) -> tuple[CardFile, ...]:
        return tuple(map(self._file, needs))

    def _file(self, need: FileNeed) -> CardFile:
        card_file = CardFile(name=need.name, kind=need.kind, required=need.required, without=need.without, state="missing")
        path = self.shelf.find(need.name)
        if path is None:
            return card_file
        try:
            checked = self.shelf.read(need)
        except FirmwareError as error:
            return msgspec.structs.replace(card_file, state="damaged", where=str(path), fault=f"{error.code}: {error.what}")
        return msgspec.structs.replace(card_file, state="present", where=str(path), version=checked.version, sha256=checked.sha256)

    # --- what is missing ---------------------------------------------------------------------------------------------

    def _faults(self, card: Card) -> Iterator[CardFault]:
        if card.stage is not CardStage.SPANS:
            yield from self._file_faults(card, required=True)
        yield from self._file_faults(card, required=False)
        yield from self._driver_faults(card)

    def _file_faults(self, card: Card, required: bool) -> Iterator[CardFault]:
        """All that are missing in one; each that is damaged by itself."""
        wanted = [each for each in card.files if each.required == required]
        missing = tuple(each.name for each in wanted if each.state == "missing")
        if missing:
            fault = told(missing_files(missing, self.shelf.folder), blocking=required)
            yield fault if required else msgspec.structs.replace(fault, code=OPTION_MISSING)
        for each in wanted:
            if each.state == "damaged":
                yield told(self._damage(FILES[each.name]), blocking=required)

    def _damage(self, need: FileNeed) -> FirmwareError:
        try:
            self.shelf.read(need)
        except FirmwareError as error:
            return error
        return FirmwareError(FILE_CHANGED, f"{need.name} changed while it was looked at", "Look again")

    def _driver_faults(self, card: Card) -> Iterator[CardFault]:
        """Why no driver has it, for a card that needs nothing else first."""
        if "other_suite" in card.notes:
            remedy = f"Install the maker's own programs ({card.driver}); Debian has none of them"
            yield CardFault(code=OTHER_DRIVER, what=f"{card.name} is not driven by DAHDI's own drivers", remedy=remedy)
        elif card.stage is CardStage.DRIVER and NO_CALLS_WITHOUT_SPANS not in card.notes:
            yield _no_spans(card)
        elif card.stage is CardStage.FOUND and not card.bound_to:
            yield self._no_driver(card)
        elif card.stage is CardStage.SPANS and any(not span.number for span in card.spans):
            remedy = "Restart careline-cards, which gives each card its place; see its log"
            yield CardFault(code=NO_NUMBERS, what=f"{card.name} at {card.where} has spans without a number", remedy=remedy)

    def _no_driver(self, card: Card) -> CardFault:
        built = sysfs.is_module_built(self.root, self._kernel, card.driver)
        if not built and card.driver in NOT_IN_DEBIAN_DRIVERS:
            remedy = f"Install a DAHDI that has {card.driver} (dahdi-linux 3), or use a card that Debian's DAHDI knows"
            return CardFault(code=NOT_IN_DEBIAN, what=f"Debian does not build the driver {card.driver} of {card.name}", remedy=remedy)
        if not built:
            remedy = "Install dahdi-dkms (in the box: boot the kernel it was built for)"
            return CardFault(code=DRIVER_MISSING, what=f"the kernel {self._kernel} has no driver {card.driver}", remedy=remedy)
        loaded = sysfs.is_module_loaded(self.root, card.driver)
        what = f"the driver {card.driver} is loaded and did not take the card" if loaded else f"the driver {card.driver} is not loaded"
        remedy = (
            "See the kernel log (dmesg) for its reason" if loaded else f"modprobe {card.driver}; is it on a list of blacklisted modules?"
        )
        return CardFault(code=DRIVER_NOT_BOUND, what=f"{card.name} at {card.where}: {what}", remedy=remedy)


def _with_driver(card: Card, path: Path, telephony: tuple[TelephonyDevice, ...]) -> Card:
    """What its driver made of it: the stage behind FOUND, its spans and its name."""
    mine = [device for device in telephony if device.path.is_relative_to(path)]
    if card.stage is CardStage.FOUND and card.bound_to and card.bound_to == card.driver:
        card = msgspec.structs.replace(card, stage=CardStage.DRIVER)
    spans = tuple(span for device in mine for span in device.spans)
    if not mine or not spans:
        return card
    hardware_id = mine[0].hardware_id or card.hardware_id
    return msgspec.structs.replace(card, stage=CardStage.SPANS, spans=spans, hardware_id=hardware_id, location=mine[0].location)


def _no_spans(card: Card) -> CardFault:
    blobs = [each.name for each in card.files if each.required and each.kind is FileKind.BLOB and each.state == "present"]
    again = f"The driver asked for {blobs[0]} before it was there: `careline firmware load` asks again" if blobs else ""
    remedy = again or "See the kernel log (dmesg); are its modules plugged in and does the box have power?"
    return CardFault(code=NO_SPANS, what=f"{card.name} at {card.where} has its driver and made no span", remedy=remedy)


def _box_faults(card: Card, state: str) -> Iterator[CardFault]:
    """An Astribank whose driver gave up says so."""
    if state in ("FAIL", "DEACTIVATED"):
        remedy = "Is the package dahdi there (init_card_*, Perl)? Unplug the box and plug it in again"
        yield CardFault(code=NO_SPANS, what=f"the driver gave up on {card.name} at {card.where} ({state})", remedy=remedy)
