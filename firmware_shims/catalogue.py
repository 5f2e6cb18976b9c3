"""The table of cards: by USB and PCI numbers, what each is, which driver has it, which files it wants and what it does without them. Pure.

Sources: the device tables of Debian's dahdi 2.11.1 and of dahdi-linux 3.4 (drivers/dahdi/*/base.c, xpp/xpp_usb.c), dahdi-tools
(xpp/xpp_fxloader), the README.Debian of both. Files and blobs are the makers' own; none comes with this program.
"""

from collections.abc import Iterator

import msgspec

from drivers.protocol import CardStage, FileKind

XORCOM, CYPRESS, DIGIUM, TIGERJET, XILINX, PLX, COLOGNE, MOTOROLA = 0xE4E4, 0x04B4, 0xD161, 0xE159, 0x10EE, 0x10B5, 0x1397, 0x1057


class FileNeed(msgspec.Struct, frozen=True):
    """A file. `without`: what a card does without it; `required`: it makes no calls then."""

    name: str
    kind: FileKind
    without: str
    required: bool = True


class UsbCard(msgspec.Struct, frozen=True):
    """A USB box at one stage: it shows other numbers after each. `revisions`: bcdDevice, both included. `then`: what it shows next."""

    model: str
    name: str
    product: int
    stage: CardStage
    vendor: int = XORCOM
    revisions: tuple[int, int] = (0, 0xFFFF)
    then: int = 0
    files: tuple[FileNeed, ...] = ()
    driver: str = "xpp_usb"
    notes: tuple[str, ...] = ()


class PciCard(msgspec.Struct, frozen=True):
    """A PCI card. `ids`: vendor, device, and where others share them the subsystem's vendors and devices (none: any)."""

    model: str
    name: str
    vendor: int
    devices: tuple[int, ...]
    driver: str
    sub_vendors: tuple[int, ...] = ()
    sub_devices: tuple[int, ...] = ()
    files: tuple[FileNeed, ...] = ()
    notes: tuple[str, ...] = ()


def _blob(name: str, without: str, required: bool = True) -> FileNeed:
    return FileNeed(f"dahdi-fw-{name}.bin", FileKind.BLOB, without, required)


NO_LINES, NO_ECHO, NO_TRANSCODER, OLD_FIRMWARE, NO_MODULES = "no_lines", "no_echo_canceller", "no_transcoder", "old_firmware", "no_modules"

RECOVERY = FileNeed("USB_RECOV.hex", FileKind.RECOVERY, NO_LINES)
PICS = tuple(FileNeed(f"PIC_TYPE_{number}.hex", FileKind.PIC, NO_MODULES) for number in (1, 2, 3, 4, 6))
OCTASIC = FileNeed("OCT6104E-256D.ima", FileKind.ECHO, NO_ECHO, required=False)
OLD, NEW = (0x0000, 0x01FF), (0x0200, 0x02FF)


def _usb(name: str) -> FileNeed:
    return FileNeed(name, FileKind.USB, NO_LINES)


def _fpga(name: str) -> FileNeed:
    return FileNeed(name, FileKind.FPGA, NO_LINES)


def _astribank(digits: int, name: str, fpga: str) -> Iterator[UsbCard]:
    """A box whose numbers are 11n0, 11n1 and 11n2; the newer models of 116x keep modules of their own (PIC) and maybe an echo canceller."""
    usb, image = _usb("USB_FW.hex"), _fpga(fpga)
    modules = (*PICS, OCTASIC) if digits == 0x1160 else ()
    model = f"astribank_{digits:x}"
    yield UsbCard(model, name, digits, CardStage.BARE, revisions=OLD, then=digits + 1, files=(usb, image, *modules))
    yield UsbCard(model, name, digits + 1, CardStage.FIRMWARE, revisions=OLD, then=digits + 2, files=(image, *modules))
    yield UsbCard(model, name, digits + 2, CardStage.FOUND)


def _astribank_2(revision: int) -> Iterator[UsbCard]:
    """Boxes of release 2.0x: their files carry the release in their name. Source: xpp_fxloader, usb_firmware_device."""
    name, text = "Xorcom Astribank (FXS/FXO/BRI/PRI)", f"{revision:x}"
    usb, image, only = _usb(f"USB_FW.{text}.hex"), _fpga(f"FPGA_1161.{text}.hex"), (revision, revision)
    files = (usb, image, *PICS, OCTASIC)
    for bare in (0x1160, 0x1163):
        yield UsbCard("astribank_1160", name, bare, CardStage.BARE, revisions=only, then=0x1161, files=files)
    yield UsbCard("astribank_1160", name, 0x1161, CardStage.FIRMWARE, revisions=only, then=0x1162, files=files[1:])


USB_CARDS: tuple[UsbCard, ...] = (
    *_astribank(0x1130, "Xorcom Astribank (FXS)", "FPGA_FXS.hex"),
    *_astribank(0x1140, "Xorcom Astribank (BRI)", "FPGA_1141.hex"),
    *_astribank(0x1150, "Xorcom Astribank (FXS/FXO)", "FPGA_1151.hex"),
    *_astribank(0x1160, "Xorcom Astribank (FXS/FXO/BRI/PRI)", "FPGA_1161.hex"),
    UsbCard(
        *("astribank_1160", "Xorcom Astribank (FXS/FXO/BRI/PRI)", 0x1163, CardStage.BARE),
        revisions=OLD,
        then=0x1161,
        files=(_usb("USB_FW.hex"), _fpga("FPGA_1161.hex"), *PICS, OCTASIC),
    ),
    *(card for revision in range(0x200, 0x20A) for card in _astribank_2(revision)),
    # A developer's board shows the same numbers, so nothing is ever sent to it unasked.
    UsbCard(
        "fx2", "Cypress FX2 without an identity", 0x8613, CardStage.BARE, vendor=CYPRESS, files=(RECOVERY,), driver="", notes=("recovery",)
    ),
)

OCT064, OCT128, OCT256 = (_blob(f"oct6114-{size}", NO_ECHO, required=False) for size in ("064", "128", "256"))
OCT032 = _blob("oct6114-032", NO_ECHO, required=False)
VPMOCT = _blob("vpmoct032", NO_ECHO, required=False)

PCI_CARDS: tuple[PciCard, ...] = (
    PciCard(
        "te2xx",
        "Digium TE205P/TE207P/TE210P/TE212P/TE220",
        DIGIUM,
        (0x0205, 0x0210, 0x0220, 0x1205, 0x1210, 0x1220),
        "wct4xxp",
        files=(OCT064,),
    ),
    PciCard(
        "te4xx",
        "Digium TE405P/TE407P/TE410P/TE412P/TE420",
        DIGIUM,
        (0x0405, 0x0410, 0x0420, 0x1405, 0x1410, 0x1420),
        "wct4xxp",
        files=(OCT128,),
    ),
    PciCard("te820", "Digium TE820", DIGIUM, (0x1820,), "wct4xxp", files=(_blob("te820", OLD_FIRMWARE, False), OCT256)),
    PciCard("te410_first", "Digium TE410P (first generation)", XILINX, (0x0314,), "wct4xxp"),
    PciCard("te12x", "Digium TE120P/TE121/TE122", DIGIUM, (0x0120, 0x8000, 0x8001), "wcte12xp", files=(VPMOCT,), notes=("no_vpmadt",)),
    PciCard("te131", "Digium TE131/TE133", DIGIUM, (0x800A,), "wcte13xp", files=(_blob("te133", NO_LINES), OCT032)),
    PciCard("te132", "Digium TE132/TE134", DIGIUM, (0x800B,), "wcte13xp", files=(_blob("te134", NO_LINES), OCT032)),
    PciCard("te435", "Digium TE235/TE435", DIGIUM, (0x800E,), "wcte43x", files=(_blob("te435", NO_LINES), OCT064, OCT128)),
    PciCard("te436", "Digium TE236/TE436", DIGIUM, (0x8013,), "wcte43x", files=(_blob("te436", NO_LINES), OCT064, OCT128)),
    PciCard("a8a", "Digium A8A", DIGIUM, (0x800D,), "wcaxx", files=(_blob("a8a", NO_LINES), OCT032)),
    PciCard("a8b", "Digium A8B", DIGIUM, (0x800C,), "wcaxx", files=(_blob("a8b", NO_LINES), OCT032)),
    PciCard("a4a", "Digium A4A", DIGIUM, (0x8010,), "wcaxx", files=(_blob("a4a", NO_LINES), OCT032)),
    PciCard("a4b", "Digium A4B", DIGIUM, (0x800F,), "wcaxx", files=(_blob("a4b", NO_LINES), OCT032)),
    PciCard(
        "tdm", "Digium TDM410P/TDM800P/TDM2400P", DIGIUM, (0x0800, 0x2400, 0x8005), "wctdm24xxp", files=(VPMOCT,), notes=("no_vpmadt",)
    ),
    PciCard("aex", "Digium AEX410/AEX800/AEX2400", DIGIUM, (0x8002, 0x8003, 0x8006), "wctdm24xxp", files=(VPMOCT,), notes=("no_vpmadt",)),
    PciCard("hx8", "Digium HA8/HB8", DIGIUM, (0x8007, 0x8008), "wctdm24xxp", files=(_blob("hx8", NO_LINES), VPMOCT)),
    PciCard(
        "tc400", "Digium TC400P/TCE400", DIGIUM, (0x3400, 0x8004), "wctc4xxp", files=(_blob("tc400m", NO_TRANSCODER),), notes=("no_spans",)
    ),
    PciCard("b410", "Digium B410P/B43x", DIGIUM, (0xB410, 0x8014, 0x8015, 0x8016, 0x8017), "wcb4xxp"),
    PciCard(
        *("hfc_bri", "HFC BRI (OpenVox B200P/B400P/B800P, beroNet, Junghanns, Swyx)", COLOGNE, (0x08B4, 0x16B8), "wcb4xxp"),
        sub_vendors=(COLOGNE,),
        sub_devices=(
            *(0x08B4, 0xB520, 0xB540, 0xB550, 0xB552, 0xB556, 0xB55B, 0xB560, 0xB562, 0xB566, 0xB56B),
            *(0xB752, 0xB761, 0xB762, 0xE884, 0xE888, 0xE998),
        ),
    ),
    PciCard("tor2", "Tormenta 2 (four spans)", PLX, (0x3001, 0x4000, 0xD00D), "tor2", files=(_blob("tor2", NO_LINES),)),
    PciCard(
        *("openvox_a", "OpenVox A400/A800/A1200", TIGERJET, (0x0001,), "opvxa1200"),
        sub_vendors=(0x8519, 0x9100, 0x9500, 0x9519, 0x9532, 0x9559, 0x9599, 0x95D9),
        notes=("shared_ids",),
    ),
    PciCard(
        *("tdm400", "Digium TDM400P and alike", TIGERJET, (0x0001,), "wctdm"),
        sub_vendors=(0xA159, 0xA800, 0xA801, 0xA8FD, 0xA901, 0xA908, 0xA9FD, 0xB100, 0xB118, 0xB119, 0xB1D9, 0xE159),
        notes=("shared_ids",),
    ),
    PciCard("x100", "Digium X100P/X101P", TIGERJET, (0x0001,), "wcfxo", sub_vendors=(0x8084, 0x8085, 0x8086, 0x8087)),
    PciCard("x100_motorola", "Motorola modem as X100P", MOTOROLA, (0x5608,), "wcfxo"),
    PciCard("te110", "Digium TE110P", TIGERJET, (0x0001,), "wcte11xp", sub_vendors=(0x71FE, 0x795E, 0x797E, 0x79DE, 0x79FE)),
    PciCard("t100", "Digium T100P/E100P", TIGERJET, (0x0001,), "wct1xxp", sub_vendors=(0x6159,)),
    PciCard("radio", "Zapata radio card", TIGERJET, (0x0001,), "pciradio", sub_vendors=(0xE16B,), files=(_blob("pciradio", NO_LINES),)),
    PciCard("openvox_e1", "OpenVox D115/D130", 0x1B74, (0x0115, 0xD130), "opvxd115"),
    # Every AFT card of Sangoma; which one it is, only its own programs tell.
    PciCard("sangoma", "Sangoma A10x/A20x/B600 …", 0x1923, (0x0040, 0x0100, 0x0300, 0x0400), "wanpipe", notes=("other_suite",)),
)

_WANTED = (*(card.files for card in USB_CARDS), *(card.files for card in PCI_CARDS))
FILES: dict[str, FileNeed] = {need.name: need for files in _WANTED for need in files}
"""Every file a card of the table may want, by its name."""


def usb_card(vendor: int, product: int, revision: int) -> UsbCard | None:
    """Of several rows the one whose revisions fit."""
    return next(
        (
            card
            for card in USB_CARDS
            if (card.vendor, card.product) == (vendor, product) and card.revisions[0] <= revision <= card.revisions[1]
        ),
        None,
    )


def pci_card(vendor: int, device: int, sub_vendor: int, sub_device: int) -> PciCard | None:
    """A row that names the subsystem goes before one that does not."""
    fitting = [
        card for card in PCI_CARDS if card.vendor == vendor and device in card.devices and _subsystem_fits(card, sub_vendor, sub_device)
    ]
    return max(fitting, key=lambda card: bool(card.sub_vendors), default=None)


def _subsystem_fits(card: PciCard, vendor: int, device: int) -> bool:
    return (not card.sub_vendors or vendor in card.sub_vendors) and (not card.sub_devices or device in card.sub_devices)
