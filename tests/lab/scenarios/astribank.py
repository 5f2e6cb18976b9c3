"""An Astribank from bare to a lifted set: our loader beside Debian's own tools, the real xpp_usb driver, unplugged and plugged again."""

import asyncio
import contextlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from drivers.config import GroupConfig, LinesConfig, load
from drivers.dahdi import configure, places
from drivers.dahdi.sysfs import text
from drivers.media import EngineConfig
from drivers.protocol import Card, CardStage, ChannelChanged, ChannelState, FirmwareAnswer, Offered, Released
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
    unplugged under the running line server and plugged again, the set has the same channel, and is seen lifted again."""
    shelf()
    config = _configuration()
    box = Box()
    with rig.kernel_drivers(box) as telephony, rig.plugged(box) as there:
        assert f"careline-firmware@{there.port}.service" in _by_our_rules("add", f"/sys/bus/usb/devices/{there.port}")
        _made_ready(report, config, "first")
        assert "careline-firmware@" not in _by_our_rules("add", f"/sys/bus/usb/devices/{there.port}")
        assert "dahdi_registration" in _by_our_rules("online", str(next(rig.BOXES.iterdir()).resolve()))
        asyncio.run(_served(report, telephony, box, there.port, config))
    known = json.loads((rig.DATA / places.FILE).read_text())
    assert [(place["card"], place["span"], place["first_channel"]) for place in known] == [(f"usb:{LABEL}", 5, FIRST)]


def _made_ready(report: Report, config: Path, name: str) -> None:
    """As udev, careline-firmware and careline-cards do it, one after the other."""
    assert _card(config).stage is CardStage.BARE
    began_s = time.monotonic()
    _firmware(config, "load")
    report.figure(f"{name}_loaded_s", round(time.monotonic() - began_s, 1))
    waited_s = rig.until(lambda: any(text(each / "xbus_state").startswith("READY") for each in rig.BOXES.iterdir()), "the driver is done")
    report.figure(f"{name}_driver_s", round(waited_s, 1))
    _configure(config)
    card = _card(config)
    assert (card.stage, card.hardware_id) == (CardStage.SPANS, f"usb:{LABEL}"), card
    assert [(span.number, span.first_channel) for span in card.spans] == [(5, FIRST)], card


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
first_channel = {FIRST}
[[lines.dahdi.groups]]
channels = "{FIRST}-{FIRST + PORTS - 1}"
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


def _by_our_rules(action: str, device: str) -> str:
    """What udev itself makes of them."""
    rules = Path("/run/udev/rules.d")
    rules.mkdir(parents=True, exist_ok=True)
    for rule in (CHECKOUT / "systemd/udev").glob("*.rules"):
        shutil.copy(rule, rules)
    return rig.run("udevadm", "test", f"--action={action}", device)


def _configure(config: Path) -> None:
    """What careline-cards does, with a system.conf of the scenario's own."""
    read = load(config)
    places.settle(read.lines.dahdi.places, rig.DATA)
    configure.configure(read.lines.dahdi, SYSTEM_CONF)


async def _served(report: Report, telephony: Telephony, box: Box, port: str, config: Path) -> None:
    """The line server before, during and after."""
    sets = SetsConfig(ports=(SetPort(channels=f"{FIRST}-{FIRST + PORTS - 1}", hotline="8000"),))
    group = GroupConfig(name="sets", channels=f"{FIRST}-{FIRST + PORTS - 1}", role="extension")
    lines = LinesConfig(card="dahdi", groups=(group,), sets=sets)
    async with ServerRig(lines, rig.FOLDER / "lines", EngineConfig(), write_ahead=4) as served:
        assert sorted(served.server.lines.channels) == list(range(FIRST, FIRST + PORTS))
        await _lifted(report, served, telephony, "first")
        await asyncio.to_thread(box.unplug)
        await _told(served, lambda state: "removed" in state.alarms)
        await asyncio.to_thread(rig.until, lambda: not rig.BOXES.is_dir() or not any(rig.BOXES.iterdir()), "the driver let go")
        await asyncio.to_thread(box.plug)
        await asyncio.to_thread(rig.until, lambda: rig.shown(port) == box.family, "plugged")
        await asyncio.to_thread(_made_ready, report, config, "again")
        await _told(served, lambda state: not state.alarms)
        await _lifted(report, served, telephony, "again")


async def _lifted(report: Report, served: ServerRig, telephony: Telephony, name: str) -> None:
    """A call is offered when the set is lifted, and over when it is put down."""
    await asyncio.sleep(LOOKED_S)
    await asyncio.to_thread(telephony.hook, LIFTED, True)
    offered = await served.agent.told(Offered, LIFTED_LIMIT_S)
    assert offered.state.channel == FIRST + LIFTED, offered
    began_s = time.monotonic()
    await asyncio.to_thread(telephony.hook, LIFTED, False)
    await served.agent.told(Released, LIFTED_LIMIT_S, leg=offered.state.leg)
    report.figure(f"{name}_put_down_s", round(time.monotonic() - began_s, 2))


async def _told(served: ServerRig, is_it: Callable[[ChannelState], bool]) -> None:
    """Until the line server says so of the set's channel."""
    deadline_s = time.monotonic() + LIFTED_LIMIT_S
    while not any(map(is_it, _changes(served))):
        assert time.monotonic() < deadline_s, f"not told of channel {FIRST + LIFTED}"
        await asyncio.sleep(0.05)


def _changes(served: ServerRig) -> list[ChannelState]:
    """Of the set's channel since the last look."""
    events, served.agent.events = served.agent.events, []
    return [each.channel for each in events if isinstance(each, ChannelChanged) and each.channel.number == FIRST + LIFTED]
