"""An emulated Astribank at the guest's USB, the kernel's drivers for it, and what those need of a system. Guest only."""

import contextlib
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from drivers.dahdi.places import BOXES as BOXES_BELOW
from drivers.dahdi.sysfs import below, text
from tests.astribank.box import Box
from tests.astribank.telephony import Telephony
from tests.astribank.vhci import Plugged
from tests.lab import cards

FOLDER = Path("/tmp/astribank")
DATA, RUN = FOLDER / "data", FOLDER / "run"
LIMIT_S = 120.0
LOOK_S = 0.2
COMMAND_LIMIT_S = 300.0
KERNELS_ROOT = Path("/proc/1/root")
INIT_FOLDER = "/careline-init"
INIT_SCRIPT = """#!/bin/busybox sh
exec /bin/busybox chroot /root /usr/share/dahdi/init_card_1_30 "$@"
"""
BOXES = Path("/") / BOXES_BELOW
MODULES = ("xpp_usb", "xpd_fxs", "xpp", "dahdi")


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=COMMAND_LIMIT_S, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def until(is_so: Callable[[], bool], what: str, limit_s: float = LIMIT_S) -> float:
    """How long it took. Raises: AssertionError."""
    began_s = time.monotonic()
    while not is_so():
        assert time.monotonic() - began_s < limit_s, f"not within {limit_s:.0f} s: {what}"
        time.sleep(LOOK_S)
    return time.monotonic() - began_s


@contextlib.contextmanager
def plugged(box: Box) -> Iterator[Plugged]:
    """The box at the guest's USB."""
    run("modprobe", "vhci_hcd")
    with Plugged(box) as there:
        until(lambda: shown(there.port) == box.product, f"{box.product:04x} at {there.port}")
        yield there


def shown(port: str) -> int:
    """The product number the kernel shows at that port, 0 for none."""
    return int(text(Path("/sys/bus/usb/devices") / port / "idProduct") or "0", 16)


def node(port: str) -> str:
    """The device file, as Debian's tools want it."""
    path = Path("/sys/bus/usb/devices") / port
    return f"/dev/bus/usb/{int(text(path / 'busnum')):03d}/{int(text(path / 'devnum')):03d}"


@contextlib.contextmanager
def kernel_drivers(box: Box) -> Iterator[Telephony]:
    """The real xpp_usb and its modules, which find the box when its FPGA runs; the script they start runs in the guest's root."""
    cards.unload()
    script = KERNELS_ROOT / INIT_FOLDER.lstrip("/") / "init_card_1_30"
    script.parent.mkdir(exist_ok=True)
    script.write_text(INIT_SCRIPT)
    script.chmod(0o755)
    telephony = Telephony(box)
    with _system_log():
        run("modprobe", "dahdi", "auto_assign_spans=1")
        run("modprobe", "xpp", f"initdir={INIT_FOLDER}")
        run("modprobe", "xpd_fxs")
        run("modprobe", "xpp_usb", "tx_sluggish=1000000")
        try:
            yield telephony
        finally:
            telephony.end()
            until(lambda: not below(BOXES), "the driver let go of the box")
            _unload()


def _unload() -> None:
    loaded = {line.split()[0] for line in Path("/proc/modules").read_text().splitlines()}
    for module in MODULES:
        if module in loaded:
            run("rmmod", module)


@contextlib.contextmanager
def _system_log() -> Iterator[None]:
    """Debian's script pipes through logger, which wants somebody to listen."""
    path = "/dev/log"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listening.bind(path)
    thread = threading.Thread(target=_drop_all, args=(listening,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        os.unlink(path)


def _drop_all(listening: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while listening.recv(65536):
            pass
