"""Which of what lsblk lists are sticks with updates."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from appliance.system.update import sticks
from appliance.system.update.places import Places


def found(*devices: dict[str, Any]) -> list[str]:
    listed = msgspec.json.encode({"blockdevices": devices}).decode()
    places = Places(data=Path("/data"), run=Path("/run"), store=Path("/store"), lsblk=("sh", "-c", 'printf %s "$0"', listed))
    return [stick.device for stick in sticks.sticks(places)]


def device(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "path": f"/dev/{name}", "fstype": "vfat", "uuid": f"of-{name}", "mountpoints": [None], **more}


def test_each_partition_of_a_stick_is_one() -> None:
    stick = device("sda", fstype=None, uuid=None, tran="usb", children=[device("sda1"), device("sda2", uuid=None)])
    assert found(stick) == ["sda1", "sda2"]


def test_a_whole_stick_whose_table_names_it_again_is_one() -> None:
    assert found(device("sda", tran="usb", children=[device("sda1", uuid="of-sda")])) == ["sda"]


@pytest.mark.parametrize(
    "more", [{"tran": "sata"}, {"tran": "usb", "mountpoints": ["/data"]}, {"tran": "usb", "fstype": "LVM2_member"}, {"hotplug": False}]
)
def test_what_is_no_stick_is_not_listed(more: dict[str, Any]) -> None:
    assert found(device("sda", **more)) == []
