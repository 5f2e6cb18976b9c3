"""Buffering: 24 wired pairs talk both ways for a minute under each policy; what is lost, what is late, what delay it costs."""

import json
import subprocess

from drivers.dahdi.device import Channel
from drivers.dahdi.records import BufferPolicy, Policy
from drivers.io import Hook
from tests.lab import cards
from tests.lab.guest import LAB_DIR
from tests.lab.scenario import Report, scenario

PAIRS = 24
RUN_S = 60
SHORT_RUN_S = 15


def _pump(report: Report, policy: BufferPolicy, mode: str, ahead: int, run_s: int = RUN_S) -> dict[str, float]:
    cards.install(cards.analogue_pairs(PAIRS))
    channels = [Channel(number) for number in range(1, 2 * PAIRS + 1)]
    for channel in channels:
        channel.set_buffers(policy)
        channel.set_hook(Hook.OFF)
    fds = [channel.fileno() for channel in channels]
    command = [str(LAB_DIR / "pump"), mode, str(run_s), str(ahead), *map(str, fds)]
    done = subprocess.run(command, pass_fds=fds, capture_output=True, text=True, timeout=run_s + 60, check=True)
    report.remark(f"{mode} {policy.blocks} blocks {policy.write.name.lower()}, {ahead} ahead: {done.stdout.strip()}")
    for channel in channels:
        channel.close()
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


@scenario(limit_s=400, soak=True)
def immediate(report: Report) -> None:
    """16 buffers, sent at once, kept 4, 6 or 8 blocks ahead by writing one block for each one read."""
    for ahead in (4, 6, 8):
        figures = _pump(report, BufferPolicy(16, Policy.IMMEDIATE), "read", ahead)
        report.figure(f"silent_ms_{ahead}_ahead", figures["silent_ms"])  # a loaded host stalls the whole guest
        assert figures["lost_ms"] + figures["repeated_ms"] == 0


@scenario(limit_s=400, soak=True)
def half_full(report: Report) -> None:
    """16 buffers, begun when half full; 8 ahead, and 16 buffers filled."""
    for ahead in (8, 12):
        _pump(report, BufferPolicy(16, Policy.HALF_FULL), "read", ahead)


@scenario(limit_s=400, soak=True)
def small(report: Report) -> None:
    """The kernel's idea of few buffers: 4, with 3 ahead and with 2."""
    for ahead in (2, 3):
        _pump(report, BufferPolicy(4, Policy.IMMEDIATE), "read", ahead, SHORT_RUN_S)


@scenario(limit_s=400, soak=True)
def own_clock(report: Report) -> None:
    """Writing by our own 20 ms clock instead of the card's: the two drift apart."""
    _pump(report, BufferPolicy(16, Policy.IMMEDIATE), "tick", 6, SHORT_RUN_S)
    _pump(report, BufferPolicy(16, Policy.HALF_FULL), "tick", 8, SHORT_RUN_S)
