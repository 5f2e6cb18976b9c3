"""Which serial ports the console leaves alone: those that a modem or a switch is on, and their neighbours on the same stick."""

from pathlib import Path

import pytest

from appliance.console.claimed import is_claimed
from tests.unit.test_modem_dialogue import plug

STICK, CABLE = ("12d1", "1001"), ("0403", "6001")


@pytest.fixture
def sys_tty(tmp_path: Path) -> Path:
    folder = tmp_path / "tty"
    for number, (ids, interface) in enumerate(((STICK, "00"), (STICK, "02"), (CABLE, "00"))):
        plug(folder, f"ttyUSB{number}", (*ids, interface, "".join(ids)))
    return folder


@pytest.mark.parametrize(
    ("text", "claimed"),
    [
        ('device = "usb:12d1:1001/02"', {"ttyUSB0", "ttyUSB1"}),
        ('device = "/dev/ttyUSB1"', {"ttyUSB0", "ttyUSB1"}),
        ('device = "/dev/ttyUSB2"', {"ttyUSB2"}),
        ("device = '/dev/ttyS1'", {"ttyS1"}),
        ('# device = "usb:12d1:1001/02"  # "/dev/ttyUSB2"', set()),
        ('ttys = ["ttyS0", "ttyUSB*"]', set()),
    ],
)
def test_ports_of_others(sys_tty: Path, text: str, claimed: set[str]) -> None:
    ports = ("ttyUSB0", "ttyUSB1", "ttyUSB2", "ttyS0", "ttyS1")
    assert {port for port in ports if is_claimed(port, ["", text], sys_tty)} == claimed
