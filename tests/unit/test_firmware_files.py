"""Firmware files before a byte is sent: damaged ones refused by name, line and reason; good ones kept with what they were."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from drivers.protocol import FileKind
from firmware_shims import checks
from firmware_shims.catalogue import FILES
from firmware_shims.checks import check, known_name
from firmware_shims.errors import FirmwareError
from firmware_shims.fx2 import runs
from firmware_shims.intel_hex import Record, parse
from firmware_shims.shelf import Shelf
from tests.astribank import files
from tests.astribank.files import END, hex_file, record

PROGRAM, IMAGE = files.fx2_program(), files.fpga_image()
START = record(0, b"\x02\x00\x80")


def lines(*texts: str) -> bytes:
    return ("\n".join(texts) + "\n").encode()


def fault_of(name: str, content: bytes) -> FirmwareError | None:
    try:
        check(name, content)
    except FirmwareError as error:
        return error
    return None


DAMAGED_HEX = {
    "cut off": (lines(START), "the end record is missing: the file was cut off"),
    "cut in a line": (PROGRAM[:-30], "half byte|says"),
    "no colon": (lines(START, "0" + START[1:], END), "line 2: it begins with '0', not with a colon"),
    "a letter": (lines(START, START[:-1] + "G", END), "line 2: 'G' is no hexadecimal digit"),
    "half a byte": (lines(START, START[:-1], END), "line 2: a half byte at its end"),
    "an empty line": (lines(START, "", END), "line 2: the line is empty"),
    "wrong sum": (lines(START[:-2] + "00", END), "line 1: check sum 00, by its bytes it would be 7B"),
    "too long": (lines(":04" + START[3:], END), "line 1: the record says 4 bytes and has 3"),
    "behind its end": (lines(START, END, START), "line 3: something follows the end record of line 2"),
    "no data": (lines("# nothing", END), "it holds no data"),
    "unknown type": (lines(START, record(0, b"", 9), END), "line 2: record type 09 does not exist"),
    "end with an address": (lines(START, record(5, b"", 1)), "line 2: a record of type 01 at address 0005"),
    "end with data": (lines(START, record(0, b"1", 1)), "line 2: a record of type 01 with 1 bytes"),
    "no text": (b":0300\xff00\n" + PROGRAM, "line 1: byte 0xFF is no character of a HEX file"),
    "outside RAM": (lines(START, record(0x1FFF, b"\1\2"), END), "line 2: 1FFF-2000 is not in the controller's memory"),
    "its registers": (lines(START, record(0xE600, b"\0"), END), "line 2: E600-E600 is not in the controller's memory"),
    "twice": (lines(START, record(2, b"\1"), END), "line 2: address 0002 was written by line 1 already"),
    "no beginning": (lines(record(0x100, b"\1"), END), "nothing at address 0000"),
    "beyond 64 KB": (lines(START, record(0, b"\0\1", 4), record(0, b"\1"), END), "line 3: address 10000 is beyond the 64 KB"),
    "a web page": (b"<!DOCTYPE html><html>", "it is a web page"),
    "an archive": (b"\x1f\x8b\x08" + bytes(500), "packed archive"),
    "nothing": (b"", "it is empty"),
}


@pytest.mark.parametrize("case", DAMAGED_HEX)
def test_a_damaged_controller_program_is_refused_by_name_and_line(case: str) -> None:
    content, why = DAMAGED_HEX[case]
    with pytest.raises(FirmwareError, match=rf"CRD-002: USB_FW\.hex.*({why}).*nothing of it was sent"):
        check("USB_FW.hex", content)


def test_a_lost_or_doubled_record_of_an_fpga_image_is_refused() -> None:
    text = IMAGE.decode().splitlines()
    for wrong in (text[:20] + text[21:], text[:20] + text[19:]):
        with pytest.raises(FirmwareError, match=r"FPGA_1151\.hex, line 21: its address does not follow"):
            check("FPGA_1151.hex", lines(*wrong))


def test_an_fpga_image_without_meaningful_addresses_is_taken() -> None:
    content = hex_file("FPGA_1151.hex", "1", ((0, bytes((each,)) * 32) for each in range(100)))
    assert check("FPGA_1151.hex", content).kind is FileKind.FPGA


def test_pic_records_have_three_bytes() -> None:
    assert check("PIC_TYPE_2.hex", files.pic_program(2)).version == "9001"
    wrong = hex_file("PIC_TYPE_2.hex", "1", [(0, b"123"), (3, b"1234")])
    with pytest.raises(FirmwareError, match=r"PIC_TYPE_2\.hex, line 3: a record of 4 bytes"):
        check("PIC_TYPE_2.hex", wrong)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"DIGIUN" + files.digium_blob()[6:], "does not begin with DIGIUM"),
        (files.digium_blob()[:-1], "check sum"),
        (files.digium_blob()[:-1] + b"!", "check sum"),
        (bytes(5000), "every byte of it is 00"),
        (b"DIGIUM", "6 bytes"),
        (b"\x1f\x8b" + bytes(5000), "unpack it first"),
    ],
)
def test_a_damaged_file_of_a_kernel_driver_is_refused(content: bytes, why: str) -> None:
    with pytest.raises(FirmwareError, match=rf"CRD-002: dahdi-fw-te820\.bin.*{why}"):
        check("dahdi-fw-te820.bin", content)


def test_a_file_of_a_kernel_driver_tells_its_version() -> None:
    assert check("dahdi-fw-te133.bin", files.digium_blob(0x30017)).version == "30017"
    assert check("dahdi-fw-oct6114-064.bin", random.Random(1).randbytes(3000)).version == ""


def test_names_are_known_in_any_case_and_no_others() -> None:
    assert known_name("usb_fw.HEX") == "USB_FW.hex"
    for odd in ("USB_FW.hex.exe", "../USB_FW.hex", "", "/etc/passwd"):
        with pytest.raises(FirmwareError, match="CRD-003"):
            known_name(odd)
    assert known_name("FPGA_1161.201.hex") in FILES


@settings(max_examples=150, deadline=None)
@given(some.binary(max_size=400))
def test_any_bytes_are_refused_with_a_reason_or_are_a_good_file(content: bytes) -> None:
    for name in ("USB_FW.hex", "FPGA_1151.hex", "PIC_TYPE_1.hex", "dahdi-fw-te820.bin", "OCT6104E-256D.ima"):
        fault = fault_of(name, content)
        assert fault is None or (fault.code == "CRD-002" and name in fault.what)


@settings(max_examples=300, deadline=None)
@given(some.data())
def test_one_changed_byte_never_passes_for_another_program(given_data: some.DataObject) -> None:
    at = given_data.draw(some.integers(0, len(PROGRAM) - 1))
    byte = given_data.draw(some.integers(0, 255))
    wrong = PROGRAM[:at] + bytes((byte,)) + PROGRAM[at + 1 :]
    fault = fault_of("USB_FW.hex", wrong)
    if fault is None:  # a comment, the case of a digit, the byte it was
        assert parse("x", wrong).records == parse("x", PROGRAM).records
    else:
        assert fault.code == "CRD-002"


@settings(max_examples=100, deadline=None)
@given(some.integers(0, len(IMAGE) - 1))
def test_a_file_cut_anywhere_is_refused(at: int) -> None:
    if IMAGE[at:].strip() == b"":
        return  # only its last newline
    with pytest.raises(FirmwareError, match="CRD-002"):
        check("FPGA_1151.hex", IMAGE[:at])


def test_line_ends_and_the_end_of_a_dos_file_are_taken() -> None:
    dos = PROGRAM.replace(b"\n", b"\r\n") + b"\x1a"
    assert [each.data for each in parse("x", dos).records] == [each.data for each in parse("x", PROGRAM).records]


def test_records_that_follow_one_another_are_joined_up_to_1023_bytes() -> None:
    joined = list(runs([Record(1, at, bytes(16)) for at in range(0, 2048, 16)]))
    assert [(at, len(content)) for at, content in joined] == [(0, 1008), (1008, 1008), (2016, 32)]
    assert list(runs([Record(1, 0, b"a"), Record(2, 5, b"b"), Record(3, 6, b"c")])) == [(0, b"a"), (5, b"bc")]


# --- the shelf -----------------------------------------------------------------------------------------------------------


def test_a_file_is_kept_with_what_it_was(tmp_path: Path) -> None:
    source = tmp_path / "usb_fw.hex"
    source.write_bytes(PROGRAM)
    shelf = Shelf(tmp_path / "data", tmp_path)
    kept = shelf.add(source, by="chen")
    assert (kept.name, kept.version, kept.by, kept.kind) == ("USB_FW.hex", "7701", "chen", FileKind.USB)
    assert Shelf(tmp_path / "data", tmp_path).files() == (kept,)
    assert shelf.read(FILES["USB_FW.hex"]).sha256 == kept.sha256
    shelf.remove("USB_FW.hex")
    assert shelf.files() == ()
    with pytest.raises(FirmwareError, match=r"CRD-001: the file USB_FW\.hex is missing"):
        shelf.read(FILES["USB_FW.hex"])


def test_a_damaged_file_leaves_the_kept_one(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "data", tmp_path)
    (tmp_path / "USB_FW.hex").write_bytes(PROGRAM)
    kept = shelf.add(tmp_path / "USB_FW.hex")
    (tmp_path / "USB_FW.hex").write_bytes(PROGRAM[:-5])
    with pytest.raises(FirmwareError, match="CRD-002"):
        shelf.add(tmp_path / "USB_FW.hex")
    assert shelf.files() == (kept,)


def test_a_kept_file_that_was_changed_on_the_disk_says_so(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "data", tmp_path)
    (tmp_path / "USB_FW.hex").write_bytes(PROGRAM)
    shelf.add(tmp_path / "USB_FW.hex")
    (shelf.folder / "USB_FW.hex").write_bytes(files.fx2_program(seed=8))
    assert "CRD-004" in shelf.files()[0].fault


def test_where_debians_tools_look_is_looked_too_and_checked(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "data", tmp_path)
    folder = tmp_path / "usr/share/dahdi"
    folder.mkdir(parents=True)
    (folder / "USB_FW.hex").write_bytes(PROGRAM)
    assert shelf.read(FILES["USB_FW.hex"]).version == "7701"
    (folder / "USB_FW.hex").write_bytes(PROGRAM[:-5])
    with pytest.raises(FirmwareError, match="CRD-002"):
        shelf.read(FILES["USB_FW.hex"])


def test_a_file_larger_than_any_is_not_even_read(tmp_path: Path) -> None:
    with (tmp_path / "USB_FW.hex").open("wb") as file:
        file.truncate(64 * 1024 * 1024)
    with pytest.raises(FirmwareError, match=r"CRD-006.*no firmware file"):
        Shelf(tmp_path / "data").add(tmp_path / "USB_FW.hex")
    with pytest.raises(FirmwareError, match=r"CRD-006.*Is the medium there"):
        Shelf(tmp_path / "data").add(tmp_path / "none" / "USB_FW.hex")


def test_every_name_of_the_table_has_a_check() -> None:
    for name, need in FILES.items():
        with pytest.raises(FirmwareError, match="CRD-002"):
            check(name, b"nothing that fits")
        assert need.kind in FileKind
    assert checks.FX2_RAM[0].stop == 0x2000
