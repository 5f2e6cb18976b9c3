"""A box is backed up to a USB disk, and another one, new from the image, is made the same from it: calls, patients, money, prompts."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.image.box import Box, first_start
from tests.image.vm import Machine

INSIDE = "cd /run/lab && PYTHONDONTWRITEBYTECODE=1 /opt/careline/.venv/bin/python -m tests.image.inside.backup"
FILL = "timeout 120 /opt/careline/.venv/bin/python -m appliance.hospital.demo --config /etc/careline/careline.toml; true"
FILL_LIMIT_S = 600.0
JOB_LIMIT_S = 900.0
ANSWER_LIMIT_S = 600.0
STICK_MB = 512
OF_ITSELF = {"alarm", "alarm_event", "event", "event_projection", "health", "peripheral_state"}
"""What services write of themselves from the moment they start."""


def _usb(stick: Path) -> tuple[str, ...]:
    return (
        "-device",
        "qemu-xhci",
        "-drive",
        f"file={stick},if=none,id=stick,format=raw",
        "-device",
        "usb-storage,drive=stick,removable=on",
    )


def _asked(box: Box, *arguments: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(box.run(f"{INSIDE} {' '.join(arguments)}", JOB_LIMIT_S).splitlines()[-1])
    return told


def _content(box: Box) -> dict[str, Any]:
    """While the writers of calls stand still; they stay so."""
    box.run("systemctl stop careline-calls careline-health")
    return {name: each for name, each in _asked(box, "content").items() if name not in OF_ITSELF}


def _start(box: Box) -> None:
    box.run("systemctl --no-block start careline-calls careline-health")
    box.settle()


def _lost(before: dict[str, dict[str, str]], after: dict[str, dict[str, str]]) -> dict[str, list[str]]:
    """By table: rows of before that are not there any more, or are others."""
    found = {name: [key for key, row in rows.items() if after[name].get(key) != row] for name, rows in before.items()}
    return {name: keys for name, keys in found.items() if keys}


def _is_called(box: Box) -> None:
    box.begin("first_call")
    box.told(ANSWER_LIMIT_S, heard=True)
    box.finish(ANSWER_LIMIT_S)


def test_restored_on_an_empty_box_it_is_the_same_one(tmp_path: Path, lab_disk: Path) -> None:
    stick = tmp_path / "stick.img"
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-L", "BACKUPS", stick, f"{STICK_MB}M"], check=True, capture_output=True)
    with Machine(tmp_path / "old", extra=Box.EXTRA, disks={"lab": lab_disk}, more=_usb(stick)) as machine:
        old = first_start(machine)
        _is_called(old)
        old.run(FILL, FILL_LIMIT_S)
        before = _content(old)
        made = _asked(old, "make")
        assert made["calls"] == len(before["grown"]["call_record"]) > 0
        assert before["grown"]["recordings"]
    with Machine(tmp_path / "new", extra=Box.EXTRA, disks={"lab": lab_disk}, more=_usb(stick)) as machine:
        new = first_start(machine)
        restored = _asked(new, "restore", made["name"], made["words"])
        assert restored == {"calls": made["calls"], "recordings": len(before["grown"]["recordings"])}
        new.settle()
        after = _content(new)
        assert _lost(before.pop("grown"), after.pop("grown")) == {}
        assert {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)} == set()
        _start(new)
        _is_called(new)
        box_state = new.run("systemctl --failed --plain --no-legend")
        assert box_state == ""
