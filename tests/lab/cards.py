"""Cards of the lab: the kernel's loopback spans, loaded afresh for each scenario, and the figures read from a process.

Runs as root inside the guest only. Channel numbers begin at 1 again after each load.
"""

import subprocess
import time
from pathlib import Path
from typing import NamedTuple

from drivers.dahdi.configure import configure
from drivers.dahdi.control import Control
from drivers.dahdi.records import SpanRecord
from drivers.dahdi.setup import CardSetup, ChannelGroup, DynamicSpan
from drivers.errors import LineError
from drivers.io import Signalling, SpanStatus

MODULES = ("dahdi", "dahdi_dynamic", "dahdi_dynamic_loc", "dahdi_echocan_mg2")
SYSTEM_CONF = Path("/tmp/system.conf")
COMMAND_LIMIT_S = 60.0
CLOSED_LIMIT_S = 5.0


def analogue_pairs(pairs: int) -> CardSetup:
    """`pairs` FXO ports (fxsks, channels 1..pairs), each wired to an FXS port (fxoks, pairs+1..2*pairs); A-law, zone cn."""
    trunks, handsets = f"1-{pairs}", f"{pairs + 1}-{2 * pairs}"
    return CardSetup(
        dynamic_spans=(DynamicSpan("loc", "1:0", pairs), DynamicSpan("loc", "1:1", pairs)),
        groups=(
            ChannelGroup(trunks, Signalling.FXSKS, law="alaw", echo_canceller="mg2"),
            ChannelGroup(handsets, Signalling.FXOKS, law="alaw"),
        ),
    )


def install(wanted: CardSetup) -> None:
    """Load the modules afresh and configure them; what an earlier scenario left is gone."""
    unload()
    load()
    configure(wanted, SYSTEM_CONF)


def load() -> None:
    """Load the modules; no span is there yet."""
    for module in MODULES:
        options = ["auto_assign_spans=1"] if module == "dahdi" else []
        _run("modprobe", module, *options)


def unload() -> None:
    """Unload the modules; harmless when they are not loaded. A channel still open makes it fail."""
    loaded = {line.split()[0] for line in Path("/proc/modules").read_text().splitlines()}
    if "dahdi" in loaded:
        _destroy_spans()
    for module in reversed(MODULES):
        if module in loaded:
            _run("rmmod", module)


def destroy_span(span: SpanRecord | SpanStatus) -> None:
    """Take one loopback span away, as a card is pulled."""
    driver, _, address = span.name.removeprefix("DYN/").partition("/")
    with Control() as control:
        control.destroy_dynamic_span(driver, address)


class Pulled(NamedTuple):
    """A span without its place in the kernel: the device it belongs to, and what it was there and in the kernel's counting."""

    device: Path
    local: int
    span: int
    first_channel: int


def pull_span(number: int) -> Pulled:
    """Take a span from under its open channels, as when its card is pulled."""
    span = Path(f"/sys/bus/dahdi_spans/devices/span-{number}")
    local, first = (int((span / name).read_text()) for name in ("local_spanno", "basechan"))
    pulled = Pulled((span / "ddev").resolve(), local, number, first)
    (pulled.device / "unassign_span").write_text(f"{local}\n")
    return pulled


def plug_span(pulled: Pulled) -> None:
    """Put it back where it was; its channels are not configured."""
    (pulled.device / "assign_span").write_text(f"{pulled.local}:{pulled.span}:{pulled.first_channel}\n")


def _destroy_spans() -> None:
    # Modules are in use while their spans exist.
    with Control() as control:
        spans = control.spans()
    for span in spans:
        _destroy_soon(span)


def _destroy_soon(span: SpanRecord) -> None:
    """Descriptors on their way through a socket are closed by the kernel a little after the process that was to get them."""
    deadline_s = time.monotonic() + CLOSED_LIMIT_S
    while True:
        try:
            return destroy_span(span)
        except LineError:
            if time.monotonic() > deadline_s:
                raise
        time.sleep(0.1)


def cpu_seconds(process_id: int) -> float:
    """CPU seconds of a whole process (all threads, user and system), from the kernel's nanosecond count."""
    # The clock id of a process, as clock_getcpuclockid(3) makes it.
    return time.clock_gettime_ns((~process_id << 3) | 2) / 1e9


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_LIMIT_S, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stdout}{done.stderr}")
