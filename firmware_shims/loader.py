"""Makes cards ready: firmware into USB boxes until their driver can take them. Blocking; root; one thread.

May be repeated: what is done already is not done again. A box that does not answer is tried anew, a few times. Every file is read and
checked before the first byte of any is sent.
"""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from drivers.protocol import CardLoaded, CardStage, FileKind
from firmware_shims import fx2, mpp, pic
from firmware_shims.catalogue import FileNeed, UsbCard, usb_card
from firmware_shims.checks import Checked
from firmware_shims.errors import BAD_ANSWER, FILE_MISSING, LOADING_FAILED, NOT_BACK, NOT_OPENED, NOT_THERE, TRANSFER, FirmwareError, told
from firmware_shims.finding import Finder
from firmware_shims.intel_hex import HexFile
from firmware_shims.locks import card_lock
from firmware_shims.mpp import Destination, Mpp
from firmware_shims.sysfs import UsbDevice
from firmware_shims.usb_link import Backend, UsbLink, fresh_libusb

ATTEMPTS = 3
ECHO_LIMIT_S = 120.0
LOOK_S = 0.1
STEPS_MOST = 4
TRIED_AGAIN = frozenset({TRANSFER, NOT_BACK, BAD_ANSWER, NOT_OPENED})
HEXLOAD = "astribank_hexload"
ECHO_MODULE, ALAW_MODULES = 5, frozenset({3, 4})
"""Types of modules: echo canceller; BRI and PRI, whose lines here are A-law. Source: xpp_fxloader, load_fw_device."""

Tell = Callable[[str], None]


class Waits(msgspec.Struct, frozen=True):
    """Where time comes from, and how long is waited: for a box to come back, for another loader."""

    monotonic_s: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] = time.sleep
    back_limit_s: float = 15.0
    lock_limit_s: float = 120.0


class Loader:
    """`locks`: a folder. `backend`: pyusb's. `tell` hears each step."""

    def __init__(
        self, finder: Finder, locks: Path, backend: Backend = fresh_libusb, tell: Tell = lambda _: None, waits: Waits | None = None
    ) -> None:
        self._finder, self._locks, self._backend, self._tell = finder, locks, backend, tell
        self._waits = waits or Waits()

    def load(self, port: str) -> CardLoaded:
        """The box at that port, as far as it gets. Raises: FirmwareError CRD-016 when there is none."""
        began_s, steps = self._waits.monotonic_s(), list[str]()
        _, row = self._there(port)
        fault = None
        try:
            with card_lock(self._locks, port, self._waits.lock_limit_s, self._waits.sleep):
                self._insist(port, steps)
        except FirmwareError as error:
            fault = told(error)
        after = self._finder.usb(port)
        reached = usb_card(after.vendor, after.product, after.revision) if after is not None else None
        return CardLoaded(
            where=port,
            name=row.name,
            before=row.stage,
            after=reached.stage if reached else CardStage.BARE,
            steps=tuple(steps),
            took_ms=round((self._waits.monotonic_s() - began_s) * 1000),
            fault=fault,
        )

    def reset(self, port: str, half: bool = False) -> None:
        """Make the box at that port forget what it was loaded with. Raises: FirmwareError."""
        device, row = self._there(port)
        if row.stage is CardStage.BARE:
            return
        with card_lock(self._locks, port, self._waits.lock_limit_s, self._waits.sleep):
            with UsbLink(device, self._backend) as link:
                Mpp(link.claim(mpp.INTERFACE), link.where).reset(half)
            self._await_other(device, None)

    def _there(self, port: str) -> tuple[UsbDevice, UsbCard]:
        device = self._finder.usb(port)
        row = usb_card(device.vendor, device.product, device.revision) if device is not None else None
        if device is None or row is None:
            raise FirmwareError(NOT_THERE, f"no card of ours at USB port {port}", "See `careline cards` for those that are there")
        return device, row

    def _insist(self, port: str, steps: list[str]) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._bring_up(port, steps)
                return
            except FirmwareError as error:
                if attempt == ATTEMPTS or error.code not in TRIED_AGAIN or not self._is_back(port):
                    raise
                self._say(steps, f"again: {error}")

    def _bring_up(self, port: str, steps: list[str]) -> None:
        for _ in range(STEPS_MOST):
            device, row = self._there(port)
            if row.stage not in (CardStage.BARE, CardStage.FIRMWARE) or "recovery" in row.notes:
                return
            files = self._read(row)
            if row.stage is CardStage.BARE:
                self._load_controller(device, row, files, steps)
            else:
                self._load_fpga(device, row, files, steps)
        what = f"the box at {port} is not ready after {STEPS_MOST} steps"
        raise FirmwareError(LOADING_FAILED, what, "Are these files for this very box?")

    def _read(self, row: UsbCard) -> dict[FileKind, list[Checked]]:
        """All it wants, by kind. Raises: FirmwareError for a required one that is missing or damaged."""
        found: dict[FileKind, list[Checked]] = {}
        for need in row.files:
            if (checked := self._read_one(need)) is not None:
                found.setdefault(need.kind, []).append(checked)
        return found

    def _read_one(self, need: FileNeed) -> Checked | None:
        try:
            return self._finder.shelf.read(need)
        except FirmwareError as error:
            if need.required or error.code != FILE_MISSING:
                raise
            return None

    def _load_controller(self, device: UsbDevice, row: UsbCard, files: dict[FileKind, list[Checked]], steps: list[str]) -> None:
        file = files[FileKind.USB][0]
        assert file.hex_file is not None
        with UsbLink(device, self._backend) as link:
            fx2.load(link, file.hex_file.records)
        self._await_other(device, row.then)
        self._say(steps, f"loaded {file.name} {file.version}".rstrip())

    def _load_fpga(self, device: UsbDevice, row: UsbCard, files: dict[FileKind, list[Checked]], steps: list[str]) -> None:
        file = files[FileKind.FPGA][0]
        assert file.hex_file is not None
        with UsbLink(device, self._backend) as link:
            talk = Mpp(link.claim(mpp.INTERFACE), link.where)
            if not talk.status().is_fpga_loaded:
                talk.send_file(file.hex_file.records, file.version, Destination.FPGA, lambda _: None)
                self._say(steps, f"loaded {file.name} {file.version}".rstrip())
            modules = [each.hex_file for each in files.get(FileKind.PIC, []) if each.hex_file is not None]
            if modules:
                self._load_modules(link, device, talk, modules, bool(files.get(FileKind.ECHO)), steps)
            talk.renumerate()
        self._await_other(device, row.then)

    # --- modules of the family 116x ------------------------------------------------------------------------------------

    def _load_modules(
        self, link: UsbLink, device: UsbDevice, talk: Mpp, modules: list[HexFile], has_echo_file: bool, steps: list[str]
    ) -> None:
        if has_echo_file and talk.module_type(4) == ECHO_MODULE and talk.capabilities().echo:
            self._load_echo(device, talk.module_type(0), steps)
        pic.load(link.claim(pic.INTERFACE), modules, link.where)
        self._say(steps, f"loaded {', '.join(each.name for each in modules)}")

    def _load_echo(self, device: UsbDevice, first_module: int, steps: list[str]) -> None:
        """By the maker's own tool, which has the chip's programming interface in it. Its failure costs echo cancelling, no lines."""
        path = self._finder.shelf.find("OCT6104E-256D.ima")
        node = f"/dev/bus/usb/{device.bus:03d}/{device.address:03d}"
        law = ["-A"] if first_module in ALAW_MODULES else []
        try:
            done = subprocess.run(
                [HEXLOAD, "-D", node, "-O", *law, str(path)],
                capture_output=True,
                text=True,
                errors="replace",
                timeout=ECHO_LIMIT_S,
                check=False,
            )
        except (FileNotFoundError, subprocess.TimeoutExpired) as error:
            self._say(steps, f"no echo canceller: {error}")
            return
        complaint = " ".join(done.stderr.split())[-200:]
        self._say(steps, f"no echo canceller: {complaint}" if done.returncode else "loaded OCT6104E-256D.ima")

    # --- waiting -------------------------------------------------------------------------------------------------------

    def _await_other(self, before: UsbDevice, product: int | None) -> None:
        """Until the port shows `product` (None: anything else than before)."""
        deadline_s = self._waits.monotonic_s() + self._waits.back_limit_s
        while True:
            now = self._finder.usb(before.port)
            if now is not None and now.product != before.product:
                if product is None or now.product == product:
                    return
                what = f"the box at {before.port} came back as {now.ids}, not as {product:04x}"
                raise FirmwareError(LOADING_FAILED, what, "Is it the file for this very card?")
            if self._waits.monotonic_s() > deadline_s:
                what = f"the box at {before.port} did not come back within {self._waits.back_limit_s:.0f} s"
                raise FirmwareError(NOT_BACK, what, "Unplug it for ten seconds and plug it in again; is it the file for this very card?")
            self._waits.sleep(LOOK_S)

    def _is_back(self, port: str) -> bool:
        """Whether something is at the port, or comes soon."""
        deadline_s = self._waits.monotonic_s() + self._waits.back_limit_s
        while self._finder.usb(port) is None and self._waits.monotonic_s() < deadline_s:
            self._waits.sleep(LOOK_S)
        return self._finder.usb(port) is not None

    def _say(self, steps: list[str], step: str) -> None:
        steps.append(step)
        self._tell(step)
