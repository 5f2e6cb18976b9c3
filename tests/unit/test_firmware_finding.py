"""Cards from a sysfs of files: what each is, how far it is, and the one thing it lacks."""

import zlib
from pathlib import Path

import pytest

from drivers.protocol import Card, CardStage, FirmwareAnswer
from firmware_shims import blobs, text
from firmware_shims.catalogue import FILES, PCI_CARDS, USB_CARDS, pci_card, usb_card
from firmware_shims.finding import Finder
from firmware_shims.shelf import Shelf
from tests.astribank import files
from tests.astribank.box import Box
from tests.astribank.place import Place

KERNEL = "6.1.0-test"


class Sysfs:
    """Writes what a kernel would show."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.finder = Finder(Shelf(root / "data", root), root, KERNEL)

    def pci(self, slot: str, ids: str, driver: str = "") -> Path:
        """`ids`: "vendor:device subvendor:subdevice"."""
        real = self.root / "sys/devices/pci0000:00" / slot
        real.mkdir(parents=True)
        for name, value in zip(("vendor", "device", "subsystem_vendor", "subsystem_device"), ids.replace(" ", ":").split(":"), strict=True):
            (real / name).write_text(f"0x{value}\n")
        self._link("pci", slot, real)
        if driver:
            self.bind(real, "pci", driver)
        return real

    def bind(self, device: Path, bus: str, driver: str) -> None:
        folder = self.root / "sys/bus" / bus / "drivers" / driver
        folder.mkdir(parents=True, exist_ok=True)
        (device / "driver").symlink_to(folder)

    def modules(self, *built: str) -> None:
        folder = self.root / "lib/modules" / KERNEL
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "modules.dep").write_text("".join(f"updates/dkms/{name}.ko: kernel/x.ko\n" for name in built))

    def spans(self, device: Path, name: str, channels: int, number: int = 1, hardware_id: str = "") -> None:
        real = device / f"dahdi:{name}"
        span = real / f"span-{number}"
        span.mkdir(parents=True)
        for attribute, value in {"hardware_id": hardware_id, "location": "PCI Bus 00 Slot 05", "dahdi_spantype": "1:FXS"}.items():
            (real / attribute).write_text(f"{value}\n")
        self._link("dahdi_devices", real.name, real)
        if number:
            told = {"local_spanno": "1", "basechan": "1", "channels": f"{channels}", "name": name, "spantype": "FXS"}
            for attribute, shown in told.items():
                (span / attribute).write_text(f"{shown}\n")
            self._link("dahdi_spans", span.name, span)

    def _link(self, bus: str, name: str, real: Path) -> None:
        link = self.root / "sys/bus" / bus / "devices" / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(real)

    def keep(self, name: str, content: bytes) -> None:
        (self.root / name).write_bytes(content)
        self.finder.shelf.add(self.root / name)

    def one(self) -> Card:
        (card,) = self.finder.cards()
        return card


@pytest.fixture
def sysfs(tmp_path: Path) -> Sysfs:
    return Sysfs(tmp_path)


def codes(card: Card) -> list[str]:
    return [fault.code for fault in card.faults]


def test_a_bare_box_names_the_files_it_wants(sysfs: Sysfs) -> None:
    Place(sysfs.root, Box(0x1150), "1-1.4")
    card = sysfs.one()
    assert (card.where, card.ids, card.stage, card.hardware_id) == ("1-1.4", "e4e4:1150 1.01", CardStage.BARE, "")
    assert [(fault.code, fault.blocking) for fault in card.faults] == [("CRD-001", True)]
    assert card.faults[0].what == "the files USB_FW.hex, FPGA_1151.hex are missing"
    assert str(sysfs.finder.shelf.folder) in card.faults[0].remedy


def test_a_damaged_file_is_named_with_its_line(sysfs: Sysfs) -> None:
    Place(sysfs.root, Box(0x1150))
    sysfs.keep("FPGA_1151.hex", files.fpga_image())
    folder = sysfs.root / "usr/share/dahdi"
    folder.mkdir(parents=True)
    (folder / "USB_FW.hex").write_bytes(files.fx2_program().replace(b":030000000200", b":030000000300"))
    card = sysfs.one()
    assert codes(card) == ["CRD-002"]
    assert "USB_FW.hex, line 2" in card.faults[0].what
    assert [file.state for file in card.files] == ["damaged", "present"]


def test_a_box_with_its_firmware_wants_the_rest(sysfs: Sysfs) -> None:
    Place(sysfs.root, Box(0x1160, product=0x1161))
    card = sysfs.one()
    assert card.stage is CardStage.FIRMWARE
    assert card.hardware_id == "usb:INT00042"
    assert [(fault.code, fault.blocking) for fault in card.faults] == [("CRD-001", True), ("CRD-025", False)]
    assert "OCT6104E-256D.ima" in card.faults[1].what


def test_a_complete_box_without_a_driver(sysfs: Sysfs) -> None:
    Place(sysfs.root, Box(0x1150, product=0x1152))
    sysfs.modules("dahdi")
    assert codes(sysfs.one()) == ["CRD-021"]
    sysfs.modules("dahdi", "xpp_usb")
    assert codes(sysfs.one()) == ["CRD-022"]
    assert "modprobe xpp_usb" in sysfs.one().faults[0].remedy


def test_a_box_with_spans_is_ready(sysfs: Sysfs) -> None:
    box = Box(0x1150, product=0x1152)
    Place(sysfs.root, box)
    real = (sysfs.root / "sys/bus/usb/devices/1-1").resolve()
    (real / "1-1:1.0").mkdir()
    sysfs.bind(real / "1-1:1.0", "usb", "xpp_usb")
    assert (sysfs.one().stage, codes(sysfs.one())) == (CardStage.DRIVER, ["CRD-023"])
    sysfs.spans(real, "XBUS-00/XPD-00", 14, hardware_id="usb:INT00042")
    card = sysfs.one()
    assert (card.stage, card.faults) == (CardStage.SPANS, ())
    assert [(span.number, span.first_channel, span.channels) for span in card.spans] == [(1, 1, 14)]


@pytest.mark.parametrize(
    ("ids", "model", "driver"),
    [
        ("e159:0001 9519:0003", "openvox_a", "opvxa1200"),
        ("e159:0001 a901:0001", "tdm400", "wctdm"),
        ("e159:0001 8085:0003", "x100", "wcfxo"),
        ("e159:0001 71fe:0000", "te110", "wcte11xp"),
        ("1397:08b4 1397:b540", "hfc_bri", "wcb4xxp"),
        ("d161:8005 0000:0000", "tdm", "wctdm24xxp"),
        ("d161:1205 0005:0000", "te2xx", "wct4xxp"),
    ],
)
def test_cards_of_shared_numbers_are_told_apart(sysfs: Sysfs, ids: str, model: str, driver: str) -> None:
    sysfs.pci("0000:00:05.0", ids, driver)
    sysfs.spans(sysfs.root / "sys/devices/pci0000:00/0000:00:05.0", "WCx", 4)
    card = sysfs.one()
    assert (card.model, card.driver, card.stage) == (model, driver, CardStage.SPANS)
    assert all(not fault.blocking for fault in card.faults)


def test_cards_of_others_are_no_business_of_ours(sysfs: Sysfs) -> None:
    sysfs.pci("0000:00:02.0", "8086:1237 1af4:1100")
    sysfs.pci("0000:00:03.0", "1397:08b4 1234:5678")
    sysfs.pci("0000:00:04.0", "10b5:9030 10b5:9030")
    assert sysfs.finder.cards() == ()


def test_a_driver_that_debian_does_not_build_is_named(sysfs: Sysfs) -> None:
    sysfs.pci("0000:00:05.0", "d161:800a 0000:0000")
    sysfs.modules("dahdi", "wct4xxp")
    card = sysfs.one()
    assert codes(card) == ["CRD-001", "CRD-025", "CRD-020"]
    assert "Debian does not build the driver wcte13xp of Digium TE131/TE133" in card.faults[-1].what


def test_cards_of_another_suite_say_so(sysfs: Sysfs) -> None:
    sysfs.pci("0000:00:05.0", "1923:0040 a0a0:0300")
    assert "CRD-024" in codes(sysfs.one())


def test_a_driver_that_asked_too_early_is_started_anew(sysfs: Sysfs, tmp_path: Path) -> None:
    device = sysfs.pci("0000:00:05.0", "d161:8007 0000:0000", "wctdm24xxp")
    card = sysfs.one()
    assert (card.stage, codes(card)[0]) == (CardStage.DRIVER, "CRD-001")
    assert not blobs.asked_too_early(card)
    body = b"DIGIUM" + bytes(range(256)) * 8
    sysfs.keep("dahdi-fw-hx8.bin", body + zlib.crc32(body).to_bytes(4, "little"))
    card = sysfs.one()
    assert blobs.asked_too_early(card)
    assert "asks again" in card.faults[-1].remedy
    parameter = sysfs.root / blobs.SEARCH_PATH
    parameter.parent.mkdir(parents=True)
    parameter.write_text("\n")
    assert blobs.point_kernel_to(sysfs.finder.shelf.folder, sysfs.root)
    assert not blobs.point_kernel_to(sysfs.finder.shelf.folder, sysfs.root)
    blobs.ask_again(card, sysfs.root)
    assert (sysfs.root / "sys/bus/pci/drivers/wctdm24xxp/unbind").read_text() == device.name
    assert (sysfs.root / "sys/bus/pci/drivers_probe").read_text() == device.name


def test_everything_told_in_words(sysfs: Sysfs) -> None:
    Place(sysfs.root, Box(0x1150))
    sysfs.keep("USB_FW.hex", files.fx2_program())
    words = "\n".join(text.lines(FirmwareAnswer(told=sysfs.finder.told())))
    for part in ("usb 1-1  Xorcom Astribank (FXS/FXO)", "no firmware", "✗ CRD-001", "file USB_FW.hex: present 7701", "sha256"):
        assert part in words


# --- the table -----------------------------------------------------------------------------------------------------------


def test_every_row_can_be_found_and_no_two_claim_one_card() -> None:
    for card in USB_CARDS:
        assert usb_card(card.vendor, card.product, card.revisions[0]) is card
    for pci in PCI_CARDS:
        for device in pci.devices:
            sub_vendor, sub_device = (pci.sub_vendors or (0xFFFF,))[0], (pci.sub_devices or (0xFFFF,))[0]
            assert pci_card(pci.vendor, device, sub_vendor, sub_device) is pci
    assert len({card.model for card in PCI_CARDS}) == len(PCI_CARDS)


def test_every_step_of_a_box_leads_to_another_row() -> None:
    for card in USB_CARDS:
        if card.then:
            following = [each for each in USB_CARDS if each.product == card.then]
            assert following
            assert CardStage.BARE not in {each.stage for each in following}


def test_every_file_has_one_kind() -> None:
    for files_of_card in (*(card.files for card in USB_CARDS), *(card.files for card in PCI_CARDS)):
        assert all(FILES[need.name].kind is need.kind for need in files_of_card)
