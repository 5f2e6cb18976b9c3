"""The kernel binding's pure parts, on hosts without DAHDI: declarations, events, alarms, gains, uevents, errors."""

import errno
import os
from pathlib import Path

import pytest

from drivers.dahdi import device, faults
from drivers.dahdi.build import declarations
from drivers.dahdi.control import Control
from drivers.dahdi.device import Channel
from drivers.dahdi.events import MEANING, DigitEvent, decode
from drivers.dahdi.gains import IDENTITY, gain_table
from drivers.dahdi.hotplug import HotplugChange, change_of, fields_of
from drivers.dahdi.records import Alarm, BufferPolicy, Law, Policy, alarm_words
from drivers.errors import LineError
from drivers.io import LineEvent


def test_every_event_has_a_row() -> None:
    assert set(MEANING) == set(LineEvent)


@pytest.mark.parametrize(
    ("value", "event"),
    [
        (2, LineEvent.RINGOFFHOOK),
        (30, LineEvent.WRITE_UNDERRUN),
        (1 << 16 | ord("7"), DigitEvent("pulse", "7")),
        (1 << 17 | ord("#"), DigitEvent("down", "#")),
        (1 << 18 | ord("#"), DigitEvent("up", "#")),
        (99, None),
    ],
)
def test_decode(value: int, event: LineEvent | DigitEvent | None) -> None:
    assert decode(value) == event


def test_request_numbers_as_the_kernel_computes_them() -> None:
    # _IOR(0xDA, 8, int) and _IOW(0xDA, 3, int) on every Linux machine we support. Source: asm-generic/ioctl.h.
    assert (device.GETEVENT, device.FLUSH, device.ELAST) == (0x8004DA08, 0x4004DA03, 500)


def test_declarations_are_taken_from_the_header() -> None:
    header = "/* x */\n#define DAHDI_A _IO(1, 2)\nstruct dahdi_x {\n    int a; /* ms */\n} __attribute__((packed));\n"
    assert declarations(header).splitlines() == ["struct dahdi_x {", "    int a; ", "    ...;", "};", "#define DAHDI_A ..."]


def test_alarm_words() -> None:
    assert alarm_words(Alarm(0)) == ()
    assert alarm_words(Alarm(0b1_0000_1001)) == ("recover", "red", "los")


@pytest.mark.parametrize("law", [Law.ALAW, Law.ULAW])
def test_no_gain_is_bit_exact(law: Law) -> None:
    assert gain_table(law, 0.0) == IDENTITY


@pytest.mark.parametrize(("code", "louder"), [(0xD5, 0xD5), (0x55, 0x55), (0xAA, 0xAA), (0x2A, 0x2A)])
def test_alaw_gain_keeps_silence_and_full_scale(code: int, louder: int) -> None:
    assert gain_table(Law.ALAW, 6.0)[code] == louder


def test_alaw_gain_of_6_db_is_one_segment() -> None:
    # In A-law's upper segments doubling a sample adds one to the segment. Source: G.711, table 1.
    table = gain_table(Law.ALAW, 6.0206)
    for segment in range(2, 7):
        code = (0x80 | segment << 4 | 5) ^ 0x55
        assert table[code] == (0x80 | segment + 1 << 4 | 5) ^ 0x55


def test_ulaw_gain_keeps_silence_and_sign() -> None:
    table = gain_table(Law.ULAW, -6.0)
    assert table[0xFF] in (0xFF, 0x7F)
    assert all(table[code] & 0x80 == code & 0x80 for code in range(256) if code & 0x7F < 0x60)


@pytest.mark.parametrize("gain_db", [-24.1, 25.0])
def test_gain_out_of_range(gain_db: float) -> None:
    with pytest.raises(ValueError, match="gain"):
        gain_table(Law.ALAW, gain_db)


@pytest.mark.parametrize("blocks", [1, 33])
def test_buffer_policy_limits(blocks: int) -> None:
    with pytest.raises(ValueError, match="blocks"):
        BufferPolicy(blocks, Policy.IMMEDIATE)


@pytest.mark.parametrize(
    ("message", "change"),
    [
        (
            {"ACTION": "add", "SUBSYSTEM": "dahdi_spans", "DEVPATH": "/devices/x/span-2", "SPAN_NUM": "2", "SPAN_NAME": "WCTDM/0"},
            HotplugChange("span", "added", 2, "WCTDM/0"),
        ),
        (
            {"ACTION": "offline", "SUBSYSTEM": "dahdi_spans", "DEVPATH": "/devices/x/span-2", "SPAN_NUM": "0", "SPAN_NAME": "WCTDM/0"},
            HotplugChange("span", "offline", 2, "WCTDM/0"),
        ),
        (
            {"ACTION": "remove", "SUBSYSTEM": "dahdi_devices", "DEVPATH": "/devices/x", "DAHDI_DEVICE_HWID": "usb:X1"},
            HotplugChange("device", "removed", 0, "usb:X1"),
        ),
        ({"ACTION": "bind", "SUBSYSTEM": "dahdi_spans", "DEVPATH": "/devices/x/span-2"}, None),
        ({"ACTION": "add", "SUBSYSTEM": "net", "DEVPATH": "/devices/eth0"}, None),
    ],
)
def test_uevents(message: dict[str, str], change: HotplugChange | None) -> None:
    assert change_of(message) == change


def test_the_words_of_a_uevent() -> None:
    message = b"add@/devices/x/span-2\0ACTION=add\0DEVPATH=/devices/x/span-2\0SPAN_NAME=A=B\0"
    assert fields_of(message) == {"ACTION": "add", "DEVPATH": "/devices/x/span-2", "SPAN_NAME": "A=B"}
    assert fields_of(b"libudev\0\xfe\xed\xca\xfe") == {}
    assert fields_of(b"") == {}


def test_no_modules_is_said_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(LineError, match="modprobe") as caught:
        Control(str(tmp_path))
    assert caught.value.code == faults.NO_MODULES


@pytest.mark.parametrize(
    ("number", "code"),
    [(errno.ENOENT, "LIN-101"), (errno.EACCES, "LIN-102"), (errno.EPERM, "LIN-102"), (errno.EMFILE, "LIN-107")],
)
def test_why_a_device_cannot_be_opened(number: int, code: str) -> None:
    assert faults.cannot_open("/dev/dahdi/ctl", number).code == code


@pytest.mark.parametrize(
    ("request_name", "number", "code"),
    [
        ("DAHDI_HOOK", errno.EBUSY, "LIN-108"),
        ("DAHDI_SETCONF", errno.EBUSY, "LIN-107"),
        ("DAHDI_HOOK", errno.ENODEV, "LIN-106"),
        ("DAHDI_HOOK", errno.ENODATA, "LIN-107"),
        ("DAHDI_SETPOLARITY", errno.ENOTTY, "LIN-117"),
    ],
)
def test_why_a_request_is_refused(request_name: str, number: int, code: str) -> None:
    assert faults.request_refused("channel 3", request_name, number).code == code


def test_a_descriptor_of_something_else_is_not_adopted() -> None:
    reader, writer = os.pipe()
    with pytest.raises(LineError, match="no channel") as caught:
        Channel.adopt(reader, 5)
    assert caught.value.code == faults.FOREIGN_DESCRIPTOR
    os.close(reader)
    os.close(writer)


def test_a_file_that_is_no_channel_is_closed_again(tmp_path: Path) -> None:
    (tmp_path / "channel").touch()
    before = set(os.listdir("/proc/self/fd"))
    with pytest.raises(LineError) as caught:
        Channel(7, str(tmp_path))
    assert caught.value.code == faults.REFUSED
    assert set(os.listdir("/proc/self/fd")) == before
