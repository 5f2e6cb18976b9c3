"""Updates of the booted image: each way in which one may go wrong, and after each the box answers calls again by itself.

One machine goes through them, one after the other; before each it runs the slot it was made with. The way back costs a start of the new
version, its restart, and a start of the old one.
"""

import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.image import updates
from tests.image.shell import LabShell
from tests.image.vm import Machine, MachineError

PYTHON = "/opt/careline/.venv/bin/python"
SELF_CALL = """
from pathlib import Path
from appliance.control.client import ControlClient
from appliance.control.messages import RunSelfCall
with ControlClient(Path("/run/careline/control.sock"), "test") as client:
    print(client.run_self_call(RunSelfCall(by="test")).end.value)
"""
CALL = f"{PYTHON} /run/updates/call.py"
MOUNT = "mkdir -p /run/updates; mountpoint -q /run/updates || mount -o ro /dev/disk/by-id/virtio-updates /run/updates"
ANSWER_LIMIT_S = 900.0
LOOK_EVERY_S = 3.0
SHELL_LIMIT_S = 60.0
INSTALL_LIMIT_S = 600.0
VERSION = "9.{}"


class Box:
    """The machine as these tests see it. `answered_s`: from the last restart to a call that was answered."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.shell: LabShell
        self._boot = ""

    def begin(self) -> None:
        """For the first time: with a card in software, for there is no other."""
        self.machine.power_on()
        self.shell = self.machine.shell(ANSWER_LIMIT_S)
        self.machine.wait(
            "make its settings", lambda: self.shell.status("grep -q card /etc/careline/careline.toml")[0] == 0, ANSWER_LIMIT_S, 2
        )
        self.shell.run("sed -i 's/^card = .*/card = \"virtual\"/' /etc/careline/careline.toml")
        self.await_call("")

    def start(self) -> None:
        self.machine.power_on()
        self.await_call("")

    def install(self, name: str, *, check: bool = True) -> str:
        self.shell.run(MOUNT)
        return self.shell.run(f"careline update install /run/updates/{name}.raucb --yes", INSTALL_LIMIT_S, check=check)

    def restart(self) -> None:
        """And wait until calls are answered again, whichever version does."""
        self.shell.run("careline update restart --within 0 --yes", check=False)
        self.await_call(self._boot)

    def await_call(self, before: str) -> None:
        """In another boot than `before`: the start was proved, nothing is on trial, and a call to itself is answered and heard."""
        until_s = time.monotonic() + ANSWER_LIMIT_S
        while True:
            with contextlib.suppress(MachineError):  # it restarts just now
                self.shell = self.machine.shell(SHELL_LIMIT_S)
                if self._is_settled(before) and self.shell.run(CALL, check=False).endswith("heard") and self.told()["trial"] is None:
                    return
            assert time.monotonic() < until_s, self.machine.failure("no call is answered")
            time.sleep(LOOK_EVERY_S)

    def _is_settled(self, before: str) -> bool:
        """Cheap to ask, while the machine has better to do."""
        self._boot = self.shell.run("cat /proc/sys/kernel/random/boot_id", SHELL_LIMIT_S)
        self.shell.run(MOUNT, check=False)
        return self._boot != before and self.shell.run("systemctl is-active careline-good", check=False) == "active"

    def told(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.shell.run("careline update status --json"))
        return told

    @property
    def slot(self) -> str:
        return next(slot["name"] for slot in self.told()["slots"] if slot["booted"])

    @property
    def events(self) -> list[str]:
        return [note["event"] for note in self.told()["history"]]

    def uptime_s(self) -> float:
        return float(self.shell.run("cut -d' ' -f1 /proc/uptime"))


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with all of them."""
    folder = tmp_path_factory.mktemp("updates")
    for number, name in enumerate(updates.CHANGES):
        updates.make(folder, name, VERSION.format(number))
    (folder / "bundles" / "call.py").write_text(SELF_CALL)
    return folder / "bundles"


@pytest.fixture(scope="module")
def box(bundles: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    folder = tmp_path_factory.mktemp("machine")
    stick = updates.stick_of(bundles / "good.raucb", folder / "stick.img")
    usb: tuple[str, ...] = ("-device", "qemu-xhci", "-drive", f"file={stick},if=none,id=stick,format=raw,readonly=on")
    usb = (*usb, "-device", "usb-storage,drive=stick,removable=on")
    with Machine(folder / "vm", disks={"updates": updates.disk_of(bundles)}, more=usb) as machine:
        started = Box(machine)
        started.begin()
        yield started


def tell(record_property: Any, box: Box, what: str) -> None:
    seconds = box.uptime_s()
    record_property(what, seconds)
    print(f"{what}: calls answered and settled {seconds:.0f} s after the kernel's last start")


def test_a_wrong_signature_is_refused(box: Box) -> None:
    assert "SYS-072" in box.install("foreign", check=False)
    assert box.events[0] == "not_installed"
    assert box.slot == "A"


def test_power_cut_while_it_is_installed(box: Box, record_property: Any) -> None:
    box.shell.run(MOUNT)
    box.shell.run("(careline update install /run/updates/good.raucb --yes >/run/install.log 2>&1 &)")
    until_s = time.monotonic() + INSTALL_LIMIT_S
    while (job := box.told()["job"] or {}).get("step") != "copying" or job["percent"] < 30:
        assert time.monotonic() < until_s, box.shell.run("cat /run/install.log")
    time.sleep(LOOK_EVERY_S)
    box.machine.cut_power()
    box.start()
    assert box.slot == "A"
    assert box.events[0] == "interrupted"
    tell(record_property, box, "power cut while it is installed")


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("init-dies", "did_not_start"),
        ("hangs", "did_not_start"),
        ("unhealthy", "not_healthy"),
        ("migration-fails", "not_healthy"),
    ],
)
def test_the_box_goes_back_by_itself(box: Box, name: str, event: str, record_property: Any) -> None:
    assert box.slot == "A"
    box.install(name)
    box.restart()
    told = box.told()
    assert box.slot == "A"
    assert (told["trial"], told["history"][0]["event"]) == (None, event)
    assert next(slot for slot in told["slots"] if slot["booted"])["next"]
    tell(record_property, box, name)


def test_a_good_one_from_a_stick_is_kept_and_the_way_back_by_hand(box: Box, record_property: Any) -> None:
    listed = json.loads(box.shell.run("careline update list --json"))["bundles"]
    found, *others = [each for each in listed if each["stick"] == "UPDATE"]
    assert not others, listed
    box.shell.run(f"careline update install {found['bundle']} --yes", INSTALL_LIMIT_S)
    box.restart()
    assert (box.slot, box.events[0]) == ("B", "proved")
    assert "careline-v" in box.shell.run("ls /var/lib/careline/*-settled.db")
    tell(record_property, box, "good")
    box.shell.run("careline update back --yes")
    box.restart()
    assert box.slot == "A"
    (left,) = box.told()["left"]
    assert left["version"] == left["back_to"] + 1
    tell(record_property, box, "back by hand")
