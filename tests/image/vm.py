"""One emulated machine that boots the box's image: its disk, serial lines, network, power switch. Host side.

Touches only QEMU and a folder made for one run; nothing but ports of 127.0.0.1 are opened. The image itself is never written to: the
machine has a sparse copy of it, which is kept when the power is cut and the machine is started again.

By hand: python -m tests.image.vm [--uefi] [--keep FOLDER] [--size-gb N] [--extra TEXT]   (see image-build/README.md)
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from tests.image.serial_line import SerialLine
from tests.image.shell import LabShell

CHECKOUT = Path(__file__).resolve().parents[2]
IMAGE = Path(os.environ.get("CARELINE_IMAGE_DIR", CHECKOUT / "build" / "image")) / "careline.img"
LAB_EXTRA = "careline.lab"
BOOT_LIMIT_S = 300.0  # some 30 s on a quiet machine
STOP_LIMIT_S = 120.0
ESP_AT = "@@2M"  # where the EFI partition begins; see LAYOUT of image-build/disk.py
CONSOLE_TAIL_LINES = 60
UEFI_CODE, UEFI_VARIABLES = Path("/usr/share/OVMF/OVMF_CODE_4M.fd"), Path("/usr/share/OVMF/OVMF_VARS_4M.fd")


class MachineError(Exception):
    """The machine did not do what was asked; the text ends with the tail of its console."""


class Machine:
    """A machine with its disk below `folder`. A context manager: leaving it ends QEMU, and QEMU dies with its parent.

    `extra`: more for the kernel's command line; `disks`: read-only disks by name ("bundle", …), found in the guest as
    /dev/disk/by-id/virtio-NAME; `ports`: the guest's TCP ports that are wanted, see `port`.
    """

    def __init__(
        self,
        folder: Path,
        image: Path = IMAGE,
        *,
        uefi: bool = False,
        extra: str = LAB_EXTRA,
        size_mb: int = 4096,
        memory_mb: int = 1024,
        processors: int = 2,
        disks: Mapping[str, Path] | None = None,
        ports: Sequence[int] = (80, 443),
        more: Sequence[str] = (),
    ) -> None:
        self.folder, self.uefi, self.memory_mb, self.processors = folder, uefi, memory_mb, processors
        self.disks, self.more = dict(disks or {}), tuple(more)
        self.disk = folder / "disk.img"
        self._ports = {port: _free_port() for port in ports}
        self._qemu: subprocess.Popen[bytes] | None = None
        self.console = SerialLine(folder / "console.log")
        self._lab = SerialLine(folder / "lab.log")
        self.started_s = 0.0
        folder.mkdir(parents=True, exist_ok=True)
        if not self.disk.exists():
            _copy_sparse(image, self.disk, size_mb)
            self.set_extra(extra)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.cut_power()

    # --- power -----------------------------------------------------------------------------------------------------------

    def power_on(self) -> None:
        """Start it; returns as soon as the firmware runs."""
        assert self._qemu is None, "it is on already"
        for name in ("console", "lab"):
            (self.folder / f"{name}.sock").unlink(missing_ok=True)
        with (self.folder / "qemu.err").open("wb") as errors:
            self._qemu = subprocess.Popen(self._command(), stdin=subprocess.DEVNULL, stdout=errors, stderr=errors)
        self.started_s = time.monotonic()
        for line, name in ((self.console, "console"), (self._lab, "lab")):
            line.connect(self.folder / f"{name}.sock", self.is_on)

    def cut_power(self) -> None:
        """Pull the plug: nothing that the guest still had in memory reaches its disk."""
        if self._qemu is not None:
            self._qemu.kill()
            self._qemu.wait(timeout=30)
            self._qemu = None
            self.console.close()
            self._lab.close()

    def wait_off(self, limit_s: float = STOP_LIMIT_S) -> None:
        """Until the guest has switched itself off. Raises: MachineError."""
        self.wait("switch itself off", lambda: not self.is_on(), limit_s)
        self.cut_power()

    def is_on(self) -> bool:
        return self._qemu is not None and self._qemu.poll() is None

    # --- what goes on in it ------------------------------------------------------------------------------------------------

    def shell(self, limit_s: float = BOOT_LIMIT_S) -> LabShell:
        """The root shell of the tests, once it is there; anew after each start. Needs LAB_EXTRA on the kernel's line."""
        return LabShell(self._lab, limit_s, self.failure)

    def port(self, guest_port: int) -> int:
        """The port of 127.0.0.1 that leads to that port of the guest."""
        return self._ports[guest_port]

    def wait(self, what: str, reached: Callable[[], bool], limit_s: float, poll_s: float = 0.1) -> None:
        """Raises: MachineError."""
        deadline_s = time.monotonic() + limit_s
        while not reached():
            if time.monotonic() > deadline_s:
                raise self.failure(f"it did not {what} within {limit_s:.0f} s")
            time.sleep(poll_s)

    def failure(self, what: str) -> MachineError:
        errors = (self.folder / "qemu.err").read_text(errors="replace").splitlines()[-5:]
        return MachineError("\n".join([what, "--- qemu", *errors, "--- console, last lines", *self.console.tail(CONSOLE_TAIL_LINES)]))

    # --- its disk, while it is off --------------------------------------------------------------------------------------------

    def set_extra(self, extra: str) -> None:
        """More for the kernel's command line, from the next start on."""
        self.set_grubenv(extra=extra)

    def set_grubenv(self, **values: str) -> None:
        """Variables of GRUB, in the environment file of the disk's EFI partition."""
        environment = self.folder / "grubenv"
        environment.unlink(missing_ok=True)
        self._mtools("mcopy", "::/grub/grubenv", str(environment))
        _run("grub-editenv", str(environment), "set", *(f"{name}={value}" for name, value in values.items()))
        self._mtools("mcopy", "-o", str(environment), "::/grub/grubenv")

    def grubenv(self) -> dict[str, str]:
        """GRUB's variables as they are on the disk."""
        environment = self.folder / "grubenv"
        environment.unlink(missing_ok=True)
        self._mtools("mcopy", "::/grub/grubenv", str(environment))
        listed = _run("grub-editenv", str(environment), "list")
        return dict(line.split("=", 1) for line in listed.splitlines())

    def _mtools(self, program: str, *arguments: str) -> None:
        _run(program, "-i", f"{self.disk}{ESP_AT}", *arguments)

    # --- QEMU ---------------------------------------------------------------------------------------------------------------

    def _command(self) -> list[str]:
        forwards = "".join(f",hostfwd=tcp:127.0.0.1:{here}-:{there}" for there, here in self._ports.items())
        command = ["setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64", "-nodefaults", "-display", "none"]
        command += ["-machine", "q35,graphics=off", "-accel", "tcg,thread=multi", "-cpu", "Nehalem", "-smp", str(self.processors)]
        command += ["-m", str(self.memory_mb), "-rtc", "base=utc", "-monitor", "none"]
        command += ["-device", "i6300esb", "-action", "watchdog=reset"]
        command += [
            "-drive",
            f"file={self.disk},if=none,id=disk,format=raw,cache=writeback",
            "-device",
            "virtio-blk-pci,drive=disk,bootindex=0",
        ]
        for name, path in self.disks.items():
            command += ["-drive", f"file={path},if=none,id={name},format=raw,readonly=on"]
            command += ["-device", f"virtio-blk-pci,drive={name},serial={name}"]
        command += ["-netdev", f"user,id=lan,restrict=on{forwards}", "-device", "virtio-net-pci,netdev=lan"]
        for name in ("console", "lab"):
            command += ["-chardev", f"socket,id={name},path={self.folder / name}.sock,server=on,wait=on", "-serial", f"chardev:{name}"]
        return [*command, *(self._firmware() if self.uefi else ()), *self.more]

    def _firmware(self) -> tuple[str, ...]:
        variables = self.folder / "uefi-variables.fd"
        if not variables.exists():
            shutil.copy(UEFI_VARIABLES, variables)
        code = f"if=pflash,format=raw,unit=0,readonly=on,file={UEFI_CODE}"
        return ("-drive", code, "-drive", f"if=pflash,format=raw,unit=1,file={variables}")


def _copy_sparse(image: Path, disk: Path, size_mb: int) -> None:
    if not image.exists():
        raise MachineError(f"there is no {image}: run `make image` first")
    _run("cp", "--sparse=always", "--reflink=auto", str(image), str(disk))
    with disk.open("r+b") as file:
        file.truncate(max(size_mb << 20, disk.stat().st_size))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode != 0:
        raise MachineError(f"{' '.join(command)} failed: {done.stderr}{done.stdout}")
    return done.stdout


def main() -> int:
    """Boot the image with the console on this terminal (Ctrl-] ends it) and a test shell on a socket."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.image.vm", description="Boot the image; its console is this terminal, Ctrl-] ends it."
    )
    parser.add_argument("--image", type=Path, default=IMAGE)
    parser.add_argument("--uefi", action="store_true")
    parser.add_argument("--keep", type=Path, help="folder that keeps the disk; the next time it goes on with it")
    parser.add_argument("--size-mb", type=int, default=4096)
    parser.add_argument("--extra", default=LAB_EXTRA, help="more for the kernel's command line (default: %(default)s)")
    parser.add_argument("--run", help="run this in the test shell, print what it says, then switch off")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="careline-vm-") as scratch:
        folder = options.keep or Path(scratch)
        with Machine(folder, options.image, uefi=options.uefi, extra=options.extra, size_mb=options.size_mb) as machine:
            machine.power_on()
            if options.run:
                print(machine.shell().run(options.run, limit_s=600))
                return 0
            print(f"https://127.0.0.1:{machine.port(443)}/  console: {folder}/console.log", file=sys.stderr)
            machine.console.attach_terminal(machine.is_on)
    return 0


if __name__ == "__main__":
    sys.exit(main())
