"""The lab's guest: one QEMU (software emulation) that boots Debian's kernel over the host's root and runs one
command.

Lives on the host side, used by `tests.lab.run`. Touches only QEMU, build/lab/ and a share directory made for
one run. The guest sees the host's `/` read-only (in a chroot: the chroot's) and the share, writable, at
/run/lab. Nothing listens on a network.
"""

import os
import shlex
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
LAB_DIR = Path(os.environ.get("CARELINE_LAB_DIR", CHECKOUT / "build" / "lab"))
GUEST_SHARE = Path("/run/lab")
BOOT_LIMIT_S = 180.0
POLL_S = 0.1
CONSOLE_TAIL_LINES = 60

HOST_TIME = ("-accel", "tcg,thread=multi", "-smp", "2")
"""Two processors, the host's clock: what a busy host does not compute in time is late in the guest, or lost."""
OWN_TIME = ("-accel", "tcg,thread=single", "-smp", "1", "-icount", "shift=1,sleep=on")
"""One processor, a clock of its own: 2 ns an instruction. A busy host makes it slower, never late. While it waits (for a file of the
host, say) time passes as on the host; with sleep=off it would fly, and a page that is read late would cost seconds of audio."""


class GuestError(Exception):
    """The guest did not boot, died or took too long; the text ends with the tail of its console."""


def set_up() -> None:
    """Run setup.sh (quick when nothing changed). Raises: GuestError when it fails."""
    if subprocess.run([CHECKOUT / "tests" / "lab" / "setup.sh"], check=False).returncode != 0:
        raise GuestError("tests/lab/setup.sh failed, its messages are above")


def guest_script(command: Sequence[str]) -> str:
    """Shell text the guest runs as root: the command, from the checkout with its
    output kept."""
    lines = (
        "export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp LANG=C.UTF-8",
        "export PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1",
        "touch /run/lab/booted",
        f"cd {shlex.quote(str(CHECKOUT))}",
        f"{shlex.join(command)} >/run/lab/output 2>&1",
        "status=$?",
        "dmesg >/run/lab/kernel.log",
        "exit $status",
        "",
    )
    return "\n".join(lines)


class Guest:
    """One run of the guest. A context manager: leaving it always ends the QEMU process, and QEMU dies
    with its parent."""

    def __init__(self, share: Path, memory_mb: int = 1024, own_time: bool = False) -> None:
        self.share = share
        self.memory_mb = memory_mb
        self.own_time = own_time
        self._qemu: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Guest":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def start(self, command: Sequence[str]) -> None:
        """Boot and run `command` (absolute paths as on the host) as root in the checkout; returns at once."""
        self.share.mkdir(parents=True, exist_ok=True)
        for name in ("booted", "exit", "output", "console", "kernel.log"):
            (self.share / name).unlink(missing_ok=True)
        (self.share / "run.sh").write_text(guest_script(command))
        errors = (self.share / "qemu.err").open("wb")
        with errors:
            self._qemu = subprocess.Popen(self._qemu_command(), stdin=subprocess.DEVNULL, stdout=errors, stderr=errors)

    def wait(self, limit_s: float, on_poll: Callable[[], None] | None = None) -> int:
        """Wait for the command to end; returns its exit code. Raises: GuestError with the console's tail."""
        started = time.monotonic()
        while self._running():
            waited_s = time.monotonic() - started
            if waited_s > BOOT_LIMIT_S and not (self.share / "booted").exists():
                raise self.failure(f"the guest did not boot within {BOOT_LIMIT_S:.0f} s")
            if waited_s > limit_s:
                raise self.failure(f"the guest was not done within {limit_s:.0f} s")
            if on_poll is not None:
                on_poll()
            time.sleep(POLL_S)
        if not (self.share / "exit").exists():
            raise self.failure("the guest ended without a result")
        return int((self.share / "exit").read_text())

    def end(self) -> None:
        """End QEMU if it still runs."""
        if self._qemu is not None and self._qemu.poll() is None:
            self._qemu.kill()
            self._qemu.wait(timeout=30)

    def failure(self, what: str) -> GuestError:
        """An error with the tails of QEMU's messages, the guest's console and the command's output."""
        parts = [what]
        for name in ("qemu.err", "console", "output"):
            path = self.share / name
            lines = path.read_text(errors="replace").splitlines() if path.exists() else []
            parts.append(f"--- {name}, last lines")
            parts += lines[-CONSOLE_TAIL_LINES:]
        return GuestError("\n".join(parts))

    def _running(self) -> bool:
        return self._qemu is not None and self._qemu.poll() is None

    def _qemu_command(self) -> list[str]:
        kernel = (LAB_DIR / "kernel").read_text().strip()
        # nokaslr and mitigations=off only save emulated time; panic=-1 with -no-reboot turns a dead
        # kernel into a dead QEMU.
        append = f"console=ttyS0 loglevel=5 panic=-1 mitigations=off nokaslr lab.run={GUEST_SHARE}/run.sh lab.checkout={CHECKOUT}"
        return [
            "setpriv",
            "--pdeathsig",
            "KILL",
            "qemu-system-x86_64",
            "-nodefaults",
            "-display",
            "none",
            "-no-reboot",
            "-machine",
            "pc",
            "-cpu",
            "Nehalem",
            *(OWN_TIME if self.own_time else HOST_TIME),
            "-m",
            str(self.memory_mb),
            "-rtc",
            "base=utc",
            "-kernel",
            f"/boot/vmlinuz-{kernel}",
            "-initrd",
            str(LAB_DIR / "initramfs.gz"),
            "-append",
            append,
            "-serial",
            f"file:{self.share / 'console'}",
            *_share_options("host", Path("/"), writable=False),
            *_share_options("results", self.share, writable=True),
        ]


def _share_options(tag: str, path: Path, writable: bool) -> list[str]:
    access = "" if writable else ",readonly=on"
    return [
        "-fsdev",
        f"local,id={tag},path={path},security_model=none,multidevs=remap{access}",
        "-device",
        f"virtio-9p-pci,fsdev={tag},mount_tag={tag}",
    ]
