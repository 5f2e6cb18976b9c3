"""`python -m tests.bench.memory [SERVICE …]`: what each service of the box takes of the memory while nothing goes on, in MB.

Every service is started as its unit in systemd/ starts it (what stands after ExecStart=, the unit's environment), with a virtual card and a
folder of its own, and is read from the kernel (/proc/PID/smaps_rollup) once it has settled. `own` is what is in use for this service alone:
memory its processes wrote to, page tables; what is only read from files (programs, libraries) can be dropped, and `free` counts it as free.
Needs root: the box service looks after a network of its own, as in the box. The whole box is weighed by tests/image/test_boot.py.
"""

import argparse
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from appliance.system.firstboot import make_web_certificate
from tests.terminals import terminal_pair

UNITS = Path(__file__).resolve().parents[2] / "systemd"
ENVIRONMENT = UNITS / "all"
START_LIMIT_S = 60.0
STOP_LIMIT_S = 20.0
SERVICES = ("lines", "calls", "system", "web", "health", "printers", "peripherals", "console@")
ALONE = ("unshare", "--net", "--uts", "--mount", "--")  # a network and a host name that may be changed
CONFIG = """\
[paths]
run_dir = "{0}/run"
data_dir = "{0}/data"
[lines]
card = "virtual"
[network]
manage = true
chronyc = "true"
resolv_conf = "{0}/resolv.conf"
time_sources = "{0}/sources"
[web]
port = {1}
tls_certificate = "{0}/tls/web.crt"
tls_key = "{0}/tls/web.key"
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.memory", description="What each service takes of the memory.")
    parser.add_argument("services", nargs="*", default=SERVICES, metavar="SERVICE", help=f"of {', '.join(SERVICES)} (default: all)")
    parser.add_argument("--settle-s", type=float, default=20.0, help="how long they are left alone before (default: %(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, ExitStack() as running:
        config = _prepare(Path(name))
        started = {service: running.enter_context(_running(service, config)) for service in options.services}
        time.sleep(options.settle_s)
        print(f"{'':16}{'own':>8}{'pss':>8}{'rss':>8}  processes")
        weighed = {service: _weigh(process) for service, process in started.items()}
        weighed["together"] = [sum(column) for column in zip(*weighed.values(), strict=True)]
        for service, (own, pss, rss, processes) in weighed.items():
            print(f"{service:16}{own / 1024:8.1f}{pss / 1024:8.1f}{rss / 1024:8.1f}  {processes:.0f}")
    return 0


def _prepare(folder: Path) -> Path:
    (folder / "run").mkdir()
    make_web_certificate(folder / "tls", "careline", None)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = folder / "careline.toml"
    config.write_text(CONFIG.format(folder, port))
    return config


@contextmanager
def _running(service: str, config: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Until the block ends. Raises: AssertionError with its log when it is not ready in time."""
    unit = (UNITS / f"careline-{service}.service").read_text()
    told = config.parent / f"{service}.notify"
    log = config.parent / f"{service}.log"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified, log.open("wb") as file:
        notified.bind(str(told))
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "NOTIFY_SOCKET": str(told), **_environment(unit)}
        process = subprocess.Popen(_command(service, unit, config), env=environment, cwd=UNITS.parent, stdout=file, stderr=file)
        try:
            _until_ready(notified, process, log, waits="Type=notify" in unit)
            yield process
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_LIMIT_S)
            process.kill()
            process.wait()


def _environment(unit: str) -> dict[str, str]:
    """What the unit and the drop-ins for all units of ours set."""
    texts = [*(path.read_text() for path in sorted(ENVIRONMENT.glob("*.conf"))), unit]
    pairs = [pair for text in texts for line in re.findall(r"^Environment=(.*)$", text, re.MULTILINE) for pair in line.split()]
    return dict(pair.split("=", 1) for pair in pairs)


def _command(service: str, unit: str, config: Path) -> list[str]:
    found = re.search(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    assert found is not None, service
    ours = {"/opt/careline/.venv/bin/python": sys.executable, "/etc/careline/careline.toml": str(config)}
    if "/dev/%I" in found[1]:
        ours["/dev/%I"] = terminal_pair().path
    words = [ours.get(word, word) for word in found[1].split()]
    return [*ALONE, *words] if service == "system" else words


def _until_ready(notified: socket.socket, process: "subprocess.Popen[bytes]", log: Path, waits: bool) -> None:
    until = time.monotonic() + START_LIMIT_S
    notified.settimeout(0.2)
    while waits:
        with suppress(TimeoutError):
            waits = b"READY=1" not in notified.recv(4096)
        assert process.poll() is None or not waits, log.read_text()
        assert time.monotonic() < until, log.read_text()


def _weigh(process: "subprocess.Popen[bytes]") -> list[float]:
    """In kB: own, proportional share, resident; and how many processes that are. Nothing for a service that has ended."""
    if process.poll() is not None:
        return [0, 0, 0, 0]
    weights = [[*_one(pid), 1.0] for pid in _with_children(process.pid)]
    return [sum(column) for column in zip(*weights, strict=True)]


def _with_children(pid: int) -> Iterator[int]:
    yield pid
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield from _with_children(int(child))


def _one(pid: int) -> tuple[float, float, float]:
    """Memory written to by several processes (after a fork) counts by its share."""
    rollup = _kilobytes(Path(f"/proc/{pid}/smaps_rollup").read_text())
    tables = _kilobytes(Path(f"/proc/{pid}/status").read_text())["VmPTE"]
    return rollup["Pss_Anon"] + rollup["Pss_Shmem"] + tables, rollup["Pss"], rollup["Rss"]


def _kilobytes(text: str) -> dict[str, float]:
    return {name: float(number) for name, number in re.findall(r"^(\w+):\s+(\d+) kB", text, re.MULTILINE)}


if __name__ == "__main__":
    sys.exit(main())
