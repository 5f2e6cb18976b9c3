"""Leases: one udhcpc (BusyBox) for each interface that has its address from a DHCP server. Threads of careline-system.

Why a program: asking, renewing, rebinding and being refused have been right in it for twenty years on millions of routers, and it runs on
when the box service is killed. It changes nothing itself: its hook writes what it was given into a file, and addresses and routes are
put in place with all the others (wanted.py, kernel.py), for as long as the lease is; the kernel drops an address whose lease has ended
even if nobody of ours is alive.
"""

import contextlib
import logging
import os
import shutil
import signal
import subprocess
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path

from appliance.system.errors import BoxError
from appliance.system.network import addresses
from appliance.system.network.messages import LeaseTold

HOOK = Path(__file__).with_name("lease_hook")
ASK_AGAIN_S = 10
TRIES, TRY_S = 4, 2
STOP_LIMIT_S = 2.0
DOMAIN_MOST = 253

log = logging.getLogger("careline.network")


class DhcpClients:
    """The clients that run, by the attachment's name. `folder`: their leases, which outlive them and us."""

    def __init__(self, folder: Path, program: str) -> None:
        self._folder, self._program = folder, program
        self._running: dict[str, tuple[str, subprocess.Popen[bytes]]] = {}

    def run(self, devices: Mapping[str, str], host_name: str) -> None:
        """Exactly for these; one that has ended begins anew. Raises: BoxError SYS-064."""
        for name in tuple(self._running):
            device, client = self._running[name]
            if devices.get(name) != device or client.poll() is not None:
                self._stop(name)
        for name in devices.keys() - self._running.keys():
            self._start(name, devices[name], host_name)

    def stop(self) -> None:
        for name in tuple(self._running):
            self._stop(name)

    def end_strangers(self) -> None:
        """Those that a box service killed before us has left behind."""
        for path in self._folder.glob("*.pid"):
            with contextlib.suppress(OSError, ValueError):
                number = int(path.read_text())
                if self._is_client(number):
                    os.kill(number, signal.SIGKILL)  # it has nothing to tidy up, and may be too young to hear SIGTERM
            path.unlink(missing_ok=True)

    def ended(self) -> bool:
        """Whether one has ended by itself."""
        return any(client.poll() is not None for _, client in self._running.values())

    def changed_at(self) -> int:
        """Another number than before when a lease has changed."""
        try:
            return max((path.stat().st_mtime_ns for path in self._files()), default=0)
        except OSError:
            return 0

    def leases(self, names: Iterable[str], now: datetime) -> dict[str, LeaseTold]:
        """Those that still hold."""
        read = {name: read_lease(self._folder / name) for name in names}
        return {name: lease for name, lease in read.items() if lease is not None and lease.until > now}

    def forget(self, names: Iterable[str]) -> None:
        """The leases of all others: another network may be on that cable when they are asked for again."""
        kept = set(names)
        for path in self._files():
            if path.name not in kept:
                path.unlink(missing_ok=True)

    def _is_client(self, number: int) -> bool:
        """Whether the process of that number is one of ours. One just begun has its file already and its arguments not yet."""
        program = shutil.which(self._program) or self._program
        if os.readlink(f"/proc/{number}/exe") != os.path.realpath(program):
            return False
        arguments = Path(f"/proc/{number}/cmdline").read_bytes()
        return not arguments or HOOK.name.encode() in arguments

    def _files(self) -> list[Path]:
        return [path for path in self._folder.glob("*") if path.suffix not in (".pid", ".new")]

    def _start(self, name: str, device: str, host_name: str) -> None:
        if not os.access(HOOK, os.X_OK):
            raise BoxError("SYS-064", f"{HOOK} is not to be executed", "Install Careline again")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            client = subprocess.Popen(
                self._command(name, device, host_name),
                env={**os.environ, "CARELINE_LEASES": str(self._folder), "CARELINE_NAME": name},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            what = f"the DHCP client {self._program} does not start: {error.strerror}"
            raise BoxError("SYS-064", what, "Install udhcpc, or give the address by hand") from error
        (self._folder / f"{name}.pid").write_text(str(client.pid))
        self._running[name] = (device, client)
        log.info("asks for an address on %s (%s)", name, device)

    def _command(self, name: str, device: str, host_name: str) -> list[str]:
        before = read_lease(self._folder / name)
        asked = ["-r", before.address.partition("/")[0]] if before else []
        limits = ["-t", str(TRIES), "-T", str(TRY_S), "-A", str(ASK_AGAIN_S)]
        return [self._program, "-f", "-i", device, "-s", str(HOOK), "-x", f"hostname:{host_name}", *limits, *asked]

    def _stop(self, name: str) -> None:
        _, client = self._running.pop(name)
        client.terminate()
        try:
            client.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            client.kill()
            client.wait(STOP_LIMIT_S)
        (self._folder / f"{name}.pid").unlink(missing_ok=True)


def read_lease(path: Path) -> LeaseTold | None:
    """What the hook wrote; None when there is nothing that can be used. A server may have sent anything."""
    try:
        told = dict(line.split("=", 1) for line in path.read_text("utf-8", errors="replace").splitlines() if "=" in line)
        if told.get("event") == "nak":
            return None
        own = IPv4Interface(f"{told['ip']}/{told['mask']}")
        until = datetime.fromtimestamp(int(told["at"]), UTC) + timedelta(seconds=min(int(told["lease"]), 0x7FFFFFFF))
    except (OSError, KeyError, ValueError, OverflowError):
        return None
    if addresses.why_not_own(str(own), 4) is not None:
        return None
    domain = told.get("domain", "")
    return LeaseTold(
        address=str(own),
        gateway=_first_host(told.get("router", "")),
        dns=tuple(text for text in told.get("dns", "").split() if addresses.is_server(text)),
        domain=domain if domain.isascii() and domain.replace("-", "").replace(".", "").isalnum() and len(domain) <= DOMAIN_MOST else "",
        server=_first_host(told.get("serverid", "")),
        until=until,
    )


def _first_host(text: str) -> str:
    first = text.split()[:1]
    found = addresses.host(first[0], 4) if first else None
    return str(found) if isinstance(found, IPv4Address) else ""
