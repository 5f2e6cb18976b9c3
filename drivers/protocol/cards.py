"""What is told of telephony cards and their firmware files: by `careline firmware --json`, the box service and the page. Pure.

A card goes from stage to stage; what keeps it from the next one is among its faults, with what a person can do.
"""

from datetime import datetime
from enum import StrEnum
from typing import Literal

import msgspec


class CardStage(StrEnum):
    """How far a card is. PCI cards begin at FOUND; USB boxes that lost everything at BARE."""

    BARE = "bare"  # USB: its boot loader only
    FIRMWARE = "firmware"  # USB: its controller runs, the FPGA is empty
    FOUND = "found"  # complete in itself, no driver has it
    DRIVER = "driver"  # a driver has it, and made no span yet
    SPANS = "spans"


class FileKind(StrEnum):
    USB = "usb"  # Intel HEX into the RAM of an FX2 controller
    RECOVERY = "recovery"  # the same, for a box that forgot what it is
    FPGA = "fpga"  # Intel HEX, sent record by record
    PIC = "pic"  # Intel HEX of three bytes a record
    ECHO = "echo"  # the image of a hardware echo canceller, loaded by the vendor's own tool
    BLOB = "blob"  # asked for by a kernel driver


class CardFault(msgspec.Struct, frozen=True, kw_only=True):
    """`blocking`: the card does not get further before that is mended."""

    code: str
    what: str
    remedy: str
    blocking: bool = True


class CardFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file a card wants. `without`: what happens where it is missing ("no_lines", "no_echo_canceller", …). `where`: its path."""

    name: str
    kind: FileKind
    required: bool
    without: str
    state: Literal["missing", "present", "damaged"]
    where: str = ""
    version: str = ""
    sha256: str = ""
    fault: str = ""


class CardSpan(msgspec.Struct, frozen=True, kw_only=True):
    """A span of a card. `local`: its place on the card, from 1; `number` 0: the kernel gave it none yet."""

    local: int
    number: int
    name: str
    kind: str
    first_channel: int
    channels: int


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A card that was found. `where`: the port ("1-1.4") or slot ("0000:03:05.0"); `hardware_id` names it wherever it is plugged in, empty
    while it cannot tell. `notes`: words for what is special about it."""

    model: str
    name: str
    bus: Literal["usb", "pci"]
    where: str
    ids: str
    stage: CardStage
    driver: str
    bound_to: str = ""
    hardware_id: str = ""
    location: str = ""
    spans: tuple[CardSpan, ...] = ()
    files: tuple[CardFile, ...] = ()
    faults: tuple[CardFault, ...] = ()
    notes: tuple[str, ...] = ()


class FirmwareFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is kept. `added_at`: aware UTC. `fault`: why it cannot be used now (it was changed on the disk)."""

    name: str
    kind: FileKind
    size_bytes: int
    sha256: str
    version: str = ""
    added_at: datetime | None = None
    by: str = ""
    fault: str = ""


class CardsTold(msgspec.Struct, frozen=True, kw_only=True):
    """Everything there is to know. `names`: file names the table of cards knows."""

    cards: tuple[Card, ...]
    files: tuple[FirmwareFile, ...]
    names: tuple[str, ...] = ()


class CardLoaded(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one card that was to be made ready. `steps`: what was done, in order."""

    where: str
    name: str
    before: CardStage
    after: CardStage
    steps: tuple[str, ...] = ()
    took_ms: int = 0
    fault: CardFault | None = None


class FirmwareAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What `careline firmware --json` prints: one of these, whatever was asked."""

    told: CardsTold | None = None
    loaded: tuple[CardLoaded, ...] = ()
    file: FirmwareFile | None = None
    fault: CardFault | None = None
