"""An Astribank from bare to a lifted set: our loader beside Debian's own tools, the real xpp_usb driver, unplugged and plugged again."""

import asyncio
import contextlib
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from drivers.config import GroupConfig, LinesConfig, load
from drivers.dahdi import configure, places
from drivers.dahdi.sysfs import telephony_devices, text
from drivers.media import EngineConfig
from drivers.protocol import Card, CardStage, FirmwareAnswer, Offered, Released
from drivers.signalling.fxs_config import SetPort, SetsConfig
from firmware_shims import mpp
from firmware_shims.finding import Finder
from firmware_shims.loader import Loader
from firmware_shims.mpp import Mpp
from firmware_shims.shelf import Shelf
from firmware_shims.usb_link import UsbLink
from tests.astribank import files
from tests.astribank.box import LABEL, RENUMERATE, STATUS, Box, Seen
from tests.astribank.telephony import Telephony
from tests.lab import astribank_rig as rig
from tests.lab.cards import SYSTEM_CONF
from tests.lab.guest import CHECKOUT
from tests.lab.scenario import Report, scenario
from tests.lab.server_rig import ServerRig

PORTS = 8
LIFTED = 3  # the fourth set
LIFTED_LIMIT_S = 60.0
LOOKED_S = 5.0  # a set that is off-hook just after the start was left lying
FIRST = 41


def shelf() -> Shelf:
    """Synthetic files, kept as a person would add them."""
    shutil.rmtree(rig.FOLDER, ignore_errors=True)
    rig.FOLDER.mkdir(parents=True)
    kept = Shelf(rig.DATA)
    for name, content in (("USB_FW.hex", files.fx2_program(length=4000)), ("FPGA_1151.hex", files.fpga_image(records=300))):
        (rig.FOLDER / name).write_bytes(content)
        kept.add(rig.FOLDER / name)
    return kept


@scenario()
def same_bytes_as_debians_tools(report: Report) -> None:
    """fxload, astribank_hexload and astribank_tool, then our loader, with the same files to the same box: what arrives is compared."""
    kept = shelf()
    began_s = time.monotonic()
    theirs = _by_debians_tools(kept)
    report.figure("debians_tools_s", round(time.monotonic() - began_s, 1))
    box = Box()
    with rig.plugged(box) as there:
        loaded = Loader(Finder(kept), rig.RUN).load(there.port)
        assert loaded.fault is None, loaded
        assert loaded.after is CardStage.FOUND, loaded
    report.figure("our_loader_s", round(loaded.took_ms / 1000, 1))
    ours = box.seen
    assert ours.ram == theirs.ram, (len(ours.ram), len(theirs.ram))
    ordered = [each for each in theirs.commands if each[0] != STATUS]  # each of their programs asks for it anew
    assert [each for each in ours.commands if each[0] != STATUS] == ordered
    assert ours.commands[-1][0] == RENUMERATE
    report.figure("ram_writes", len(ours.ram))
    report.figure("commands", len(ours.commands))
    report.figure("fpga_bytes", len(ours.fpga))


def _by_debians_tools(kept: Shelf) -> Seen:
    box = Box()
    with rig.plugged(box) as there:
        rig.run("fxload", "-t", "fx2", "-D", rig.node(there.port), "-I", str(kept.folder / "USB_FW.hex"))
        rig.until(lambda: rig.shown(there.port) == 0x1151, "1151")
        rig.run("astribank_hexload", "-D", rig.node(there.port), "-F", str(kept.folder / "FPGA_1151.hex"))
        with contextlib.suppress(RuntimeError):  # it may call the missing answer a failure
            rig.run("astribank_tool", "-D", rig.node(there.port), "-n")
        rig.until(lambda: rig.shown(there.port) == 0x1152, "1152")
    return box.seen


@scenario()
def told_by_the_box(report: Report) -> None:
    """Status, capabilities and EEPROM through the real libusb; a reset takes it back to the beginning."""
    kept = shelf()
    box = Box()
    finder = Finder(kept)
    with rig.plugged(box) as there:
        Loader(finder, rig.RUN).load(there.port)
        device = finder.usb(there.port)
        assert device is not None
        assert device.serial == LABEL
        with UsbLink(device) as link:
            talk = Mpp(link.claim(mpp.INTERFACE), link.where)
            assert talk.status().is_fpga_loaded
            assert talk.capabilities().label == LABEL
            assert len(talk.read_eeprom(0, 32)) == 32
        Loader(finder, rig.RUN).reset(there.port)
        assert rig.shown(there.port) == 0x1150
    report.remark(device.ids)


@scenario(limit_s=900)
def from_bare_to_a_lifted_set(report: Report) -> None:
    """The program brings the box up, the kernel's driver takes it, it is numbered and configured, the line server sees a set lifted;
    unplugged and plugged again it has the same numbers, although another span came meanwhile."""
    shelf()
    config = _configuration()
    box = Box()
    with rig.kernel_drivers(box) as telephony, rig.plugged(box) as there:
        began_s = time.monotonic()
        _firmware(config, "load")
        report.figure("loaded_s", round(time.monotonic() - began_s, 1))
        _await_ready(report, "first")
        _check_rules(there.port)
        _configure(config)
        assert _card(config).stage is CardStage.SPANS
        asyncio.run(_lifted(report, telephony))
        box.unplug()
        rig.until(lambda: not telephony_devices(), "the driver let go")
        box.plug()
        rig.until(lambda: rig.shown(there.port) == 0x1150, "plugged")
        assert _card(config).stage is CardStage.BARE
        _firmware(config, "load")
        _await_ready(report, "again")
        _configure(config)
        card = _card(config)
        assert (card.hardware_id, card.spans[0].number, card.spans[0].first_channel) == (f"usb:{LABEL}", 5, 41), card
    known = json.loads((rig.DATA / places.FILE).read_text())
    report.remark(str(known))


def _configuration() -> Path:
    """The card's place is not what the kernel would give it: span 5, channels from 41."""
    path = rig.FOLDER / "careline.toml"
    path.write_text(f"""\
[paths]
run_dir = "{rig.RUN}"
data_dir = "{rig.DATA}"
[lines]
card = "dahdi"
[[lines.dahdi.places]]
card = "usb:{LABEL}"
span = 5
first_channel = 41
[[lines.dahdi.groups]]
channels = "41-48"
signalling = "fxoks"
""")
    return path


def _firmware(config: Path, *arguments: str) -> FirmwareAnswer:
    """The program itself."""
    command = [sys.executable, "-m", "firmware_shims", "--config", str(config), "--json", *arguments]
    done = subprocess.run(command, capture_output=True, timeout=rig.COMMAND_LIMIT_S, check=False)
    assert done.returncode == 0, done
    return msgspec.json.decode(done.stdout, type=FirmwareAnswer)


def _card(config: Path) -> Card:
    told = _firmware(config, "cards").told
    assert told is not None
    assert len(told.cards) == 1, told
    return told.cards[0]


def _await_ready(report: Report, name: str) -> None:
    """The kernel's driver ran the script of the package dahdi and is done."""
    waited_s = rig.until(lambda: any(text(box / "xbus_state").startswith("READY") for box in rig.BOXES.iterdir()), "the driver is done")
    report.figure(f"driver_{name}_s", round(waited_s, 1))


def _check_rules(port: str) -> None:
    """What udev itself makes of our rules, for the box as it is and as it was."""
    rules = Path("/run/udev/rules.d")
    rules.mkdir(parents=True)
    for rule in (CHECKOUT / "systemd/udev").glob("*.rules"):
        shutil.copy(rule, rules)
    assert "careline-firmware@" not in rig.run("udevadm", "test", "--action=add", f"/sys/bus/usb/devices/{port}")
    box = next(rig.BOXES.iterdir()).resolve()
    assert "dahdi_registration" in rig.run("udevadm", "test", "--action=online", str(box))


def _configure(config: Path) -> None:
    """What careline-cards does, with a system.conf of the scenario's own."""
    read = load(config)
    places.settle(read.lines.dahdi.places, rig.DATA)
    configure.configure(read.lines.dahdi, SYSTEM_CONF)


async def _lifted(report: Report, telephony: Telephony) -> None:
    """The line server takes the sets and offers the call of one that is lifted; put down, its call is over."""
    sets = SetsConfig(ports=(SetPort(channels=f"{FIRST}-{FIRST + PORTS - 1}", hotline="8000"),))
    group = GroupConfig(name="sets", channels=f"{FIRST}-{FIRST + PORTS - 1}", role="extension")
    lines = LinesConfig(card="dahdi", groups=(group,), sets=sets)
    async with ServerRig(lines, rig.FOLDER / "lines", EngineConfig(), write_ahead=4) as served:
        assert sorted(served.server.lines.channels) == list(range(FIRST, FIRST + PORTS))
        await asyncio.sleep(LOOKED_S)
        began_s = time.monotonic()
        await asyncio.to_thread(telephony.hook, LIFTED, True)
        offered = await served.agent.told(Offered, LIFTED_LIMIT_S)
        assert offered.state.channel == FIRST + LIFTED, offered
        report.figure("lifted_offered_s", round(time.monotonic() - began_s, 2))
        began_s = time.monotonic()
        await asyncio.to_thread(telephony.hook, LIFTED, False)
        await served.agent.told(Released, LIFTED_LIMIT_S)
        report.figure("put_down_released_s", round(time.monotonic() - began_s, 2))
