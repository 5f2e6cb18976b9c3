"""The loader against an Astribank that a program plays over usbip: bare to ready, without root; what it sends, and what goes wrong."""

import contextlib
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from usbip_backend import USBIPBackend

from drivers.protocol import CardStage
from firmware_shims import mpp
from firmware_shims.errors import FirmwareError
from firmware_shims.finding import Finder
from firmware_shims.intel_hex import parse
from firmware_shims.loader import Loader, Waits
from firmware_shims.locks import card_lock
from firmware_shims.mpp import Mpp
from firmware_shims.shelf import Shelf
from firmware_shims.usb_link import UsbLink
from tests.astribank import files
from tests.astribank.box import END, RENUMERATE, RESET, SEGMENT, START, STATUS, Box
from tests.astribank.place import PORT, Place
from tests.astribank.usbip import Server

PROGRAM, IMAGE = files.fx2_program(), files.fpga_image()


@dataclass
class Bench:
    """A box at a port, a shelf, a loader that waits for the box, not for time."""

    root: Path
    box: Box
    server: Server
    backends: list[USBIPBackend] = field(default_factory=list)

    def __post_init__(self) -> None:
        Place(self.root, self.box)
        self.shelf = Shelf(self.root / "data", self.root)
        self.finder = Finder(self.shelf, self.root, "6.1")
        waits = Waits(sleep=self._until_back, back_limit_s=0.3, lock_limit_s=1)
        self.loader = Loader(self.finder, self.root / "locks", self.backend, waits=waits)

    def _until_back(self, _: float) -> None:
        self.box.came_back.wait(0.005)
        self.box.came_back.clear()

    def backend(self) -> Any:
        self.backends.append(USBIPBackend("127.0.0.1", self.server.port, timeout=5.0))
        return self.backends[-1]

    def keep(self, **contents: bytes) -> None:
        """Files by name, "." written as "__"."""
        for name, content in contents.items():
            path = self.root / name.replace("__", ".")
            path.write_bytes(content)
            self.shelf.add(path)

    def link(self) -> UsbLink:
        device = self.finder.usb(PORT)
        assert device is not None
        return UsbLink(device, self.backend)

    def close(self) -> None:
        for connection in (each for backend in self.backends for each in backend._conns.values()):
            with contextlib.suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)
            connection.sock.close()


@contextlib.contextmanager
def bench_of(root: Path, box: Box) -> Iterator[Bench]:
    with Server(box) as server:
        bench = Bench(root, box, server)
        try:
            yield bench
        finally:
            bench.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with bench_of(tmp_path, Box()) as made:
        made.keep(USB_FW__hex=PROGRAM, FPGA_1151__hex=IMAGE)
        yield made


def ram_of(content: bytes) -> dict[int, int]:
    return {record.address + at: byte for record in parse("x", content).records for at, byte in enumerate(record.data)}


def fpga_of(content: bytes) -> bytes:
    return b"".join(record.data for record in parse("x", content).records)


def test_a_bare_box_is_brought_up_and_gets_every_byte(bench: Bench) -> None:
    loaded = bench.loader.load(PORT)
    assert loaded.fault is None
    assert (loaded.before, loaded.after) == (CardStage.BARE, CardStage.FOUND)
    assert loaded.steps == ("loaded USB_FW.hex 7701", "loaded FPGA_1151.hex 10401")
    seen = bench.box.seen
    assert seen.ram[0] == (0xE600, b"\x01")
    assert seen.ram[-1] == (0xE600, b"\x00")
    written = {address + at: byte for address, content in seen.ram[1:-1] for at, byte in enumerate(content)}
    assert written == ram_of(PROGRAM)
    assert max(len(content) for _, content in seen.ram) <= 1023
    assert [op for op, _ in seen.commands] == [STATUS, START, *[SEGMENT] * 40, END, RENUMERATE]
    assert seen.commands[1][1] == b"\x01" + b"10401\0"
    assert seen.fpga == fpga_of(IMAGE)


def test_what_is_done_already_is_not_done_again(bench: Bench) -> None:
    bench.loader.load(PORT)
    sent = len(bench.box.seen.commands), len(bench.box.seen.ram)
    again = bench.loader.load(PORT)
    assert (again.before, again.after, again.steps, again.fault) == (CardStage.FOUND, CardStage.FOUND, (), None)
    assert (len(bench.box.seen.commands), len(bench.box.seen.ram)) == sent


def test_a_box_whose_fpga_runs_is_only_asked_to_come_back(bench: Bench) -> None:
    bench.box.product, bench.box._fpga_loaded = 0x1151, True
    bench.box.on_change()
    loaded = bench.loader.load(PORT)
    assert loaded.after is CardStage.FOUND
    assert [op for op, _ in bench.box.seen.commands] == [STATUS, RENUMERATE]


def test_no_byte_is_sent_when_the_second_file_is_missing_or_damaged(bench: Bench) -> None:
    bench.shelf.remove("FPGA_1151.hex")
    loaded = bench.loader.load(PORT)
    assert loaded.fault is not None
    assert loaded.fault.code == "CRD-001"
    assert "FPGA_1151.hex" in loaded.fault.what
    (bench.shelf.folder / "FPGA_1151.hex").write_bytes(IMAGE[:-20])
    loaded = bench.loader.load(PORT)
    assert loaded.fault is not None
    assert loaded.fault.code == "CRD-002"
    assert bench.box.seen.ram == []


def test_a_file_changed_on_the_disk_is_not_sent(bench: Bench) -> None:
    (bench.shelf.folder / "USB_FW.hex").write_bytes(files.fx2_program(seed=9))
    loaded = bench.loader.load(PORT)
    assert loaded.fault is not None
    assert loaded.fault.code == "CRD-004"
    assert bench.box.seen.ram == []


def test_a_box_pulled_in_the_middle_is_loaded_anew(bench: Bench) -> None:
    bench.box.faults.drop_at = 17
    loaded = bench.loader.load(PORT)
    assert loaded.fault is None
    assert any(step.startswith("again: CRD-011") for step in loaded.steps), loaded.steps
    starts = [at for at, (op, _) in enumerate(bench.box.seen.commands) if op == START]
    assert len(starts) == 2
    whole = b"".join(content[2:] for op, content in bench.box.seen.commands[starts[1] :] if op == SEGMENT)
    assert whole == fpga_of(IMAGE)


@pytest.mark.parametrize(("status", "words"), [(13, "the FPGA reports an error"), (3, "no destination was chosen"), (99, "nobody knows")])
def test_a_refusal_is_told_by_its_status_and_line(bench: Bench, status: int, words: str) -> None:
    bench.box.faults.refuse[SEGMENT] = status
    loaded = bench.loader.load(PORT)
    assert loaded.fault is not None
    assert (loaded.fault.code, loaded.after) == ("CRD-014", CardStage.FIRMWARE)
    assert words in loaded.fault.what
    assert "send segment for line 2" in loaded.fault.what
    assert sum(op == START for op, _ in bench.box.seen.commands) == 1  # a refusal is not tried again


@pytest.mark.parametrize("wrong", ["number_off", "answer_cut"])
def test_an_answer_that_is_none_is_told_after_three_attempts(bench: Bench, wrong: str) -> None:
    setattr(bench.box.faults, wrong, 1)
    loaded = bench.loader.load(PORT)
    assert loaded.fault is not None
    assert loaded.fault.code == "CRD-013"
    assert [op for op, _ in bench.box.seen.commands] == [STATUS] * 3


def test_a_box_that_does_not_come_back_is_given_up(bench: Bench) -> None:
    bench.box.faults.away = True
    loaded = bench.loader.load(PORT)
    assert loaded.fault is not None
    assert loaded.fault.code in ("CRD-012", "CRD-016")
    assert loaded.after is CardStage.BARE


def test_a_box_that_stays_what_it_is_is_given_up(bench: Bench) -> None:
    bench.box.faults.stays = True
    loaded = bench.loader.load(PORT)
    assert loaded.fault is not None
    assert loaded.fault.code == "CRD-012"
    assert loaded.after is CardStage.BARE


def test_a_box_that_comes_back_as_another_is_told(bench: Bench) -> None:
    bench.box.faults.comes_as = 0x1142
    loaded = bench.loader.load(PORT)
    assert loaded.fault is not None
    assert loaded.fault.code == "CRD-017"
    assert "came back as e4e4:1142" in loaded.fault.what


def test_a_silent_box_is_given_up(bench: Bench) -> None:
    bench.box.faults.mute = True
    loaded = bench.loader.load(PORT)
    assert loaded.fault is not None
    assert loaded.fault.code == "CRD-011"


def test_modules_get_their_programs_before_the_box_comes_back(tmp_path: Path) -> None:
    with bench_of(tmp_path, Box(0x1160)) as bench:
        bench.box.modules = {0: 1}
        bench.keep(USB_FW__hex=PROGRAM, FPGA_1161__hex=files.fpga_image("FPGA_1161.hex"))
        bench.keep(**{f"PIC_TYPE_{number}__hex": files.pic_program(number) for number in (1, 2, 3, 4, 6)})
        loaded = bench.loader.load(PORT)
        assert loaded.fault is None
        assert loaded.after is CardStage.FOUND
        telephony = bench.box.seen.telephony
        assert len(telephony) == 5 * (20 + 2) + 1
        assert telephony[0] == bytes.fromhex("0800 09 00 01 01 0000")
        assert telephony[1][:8] == bytes.fromhex("0b00 09 00 00 01 0000")
        assert telephony[-1] == bytes.fromhex("0800 09 00 04 00 0000")
        bench.loader.reset(PORT)
        bench.box.faults.bad_pic = True
        again = bench.loader.load(PORT)
        assert again.fault is not None
        assert again.fault.code == "CRD-017"
        assert "PIC_TYPE_1.hex" in again.fault.what


@pytest.mark.parametrize("bare", [0x1160, 0x1163])
def test_boxes_of_release_two_want_files_of_their_own_name(tmp_path: Path, bare: int) -> None:
    with bench_of(tmp_path, Box(bare, revision=0x0201)) as bench:
        bench.box.modules = {0: 1}
        bench.keep(USB_FW__201__hex=PROGRAM, FPGA_1161__201__hex=files.fpga_image("FPGA_1161.201.hex"))
        bench.keep(**{f"PIC_TYPE_{number}__hex": files.pic_program(number) for number in (1, 2, 3, 4, 6)})
        loaded = bench.loader.load(PORT)
        assert loaded.fault is None
        assert loaded.after is CardStage.FOUND


def test_a_reset_box_is_bare_again(bench: Bench) -> None:
    bench.loader.load(PORT)
    bench.loader.reset(PORT)
    assert bench.box.product == 0x1150
    assert bench.box.seen.commands[-1][0] == RESET


def test_what_the_box_says_of_itself(bench: Bench) -> None:
    bench.box.product = 0x1151
    bench.box.on_change()
    with bench.link() as link:
        talk = Mpp(link.claim(mpp.INTERFACE), link.where)
        assert talk.protocol() == mpp.VERSION
        assert talk.status() == mpp.Status("large", False, "10401", "10401", "10401")
        told = talk.capabilities()
        assert (told.label, told.fxs, told.fxo, told.echo) == ("INT00042", 8, 8, 16)
        assert talk.extra() == "emulated"
        assert talk.read_eeprom(4, 3) == b"\x04\x05\x06"
        assert talk.module_type(4) == 5


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some.binary(max_size=64), some.booleans())
def test_whatever_a_box_answers_is_an_answer_or_a_fault_with_its_code(bench: Bench, answered: bytes, framed: bool) -> None:
    """`framed`: with a right length and number, so that the content is looked at."""
    bench.box.product = 0x1151
    bench.box.on_change()
    bench.box.faults.raw = (len(answered) + 4).to_bytes(2, "little") + b"\1\0" + answered if framed else answered
    asks: tuple[Callable[[Mpp], object], ...] = (Mpp.status, Mpp.capabilities, Mpp.extra, Mpp.protocol)
    for ask in asks:
        with bench.link() as link:
            fault = None
            try:
                ask(Mpp(link.claim(mpp.INTERFACE), link.where))
            except FirmwareError as error:
                fault = error
        assert fault is None or fault.code in ("CRD-011", "CRD-013", "CRD-014")


def test_two_loaders_do_not_meet_at_one_card(bench: Bench) -> None:
    with card_lock(bench.root / "locks", PORT, 1, lambda _: None):
        loaded = bench.loader.load(PORT)
    assert loaded.fault is not None
    assert loaded.fault.code == "CRD-015"
    assert bench.box.seen.ram == []


def test_a_port_without_a_card_is_told(bench: Bench) -> None:
    with pytest.raises(FirmwareError, match=r"CRD-016.*USB port 1-9"):
        bench.loader.load("1-9")
