"""Proof of the lab itself: 24 pairs of analogue channels come up, ring crosses, audio crosses, CPU seconds can be read."""

import os
import select
import time

from drivers.dahdi.control import Control
from drivers.dahdi.device import Channel, EventPendingError
from drivers.dahdi.records import BLOCK_SAMPLES, BufferPolicy, Law, Policy
from drivers.io import Hook, LineEvent, Signalling
from tests.lab import cards
from tests.lab.scenario import Report, scenario

PAIRS = 24
WAIT_S = 20.0


@scenario()
def spans_and_channels(report: Report) -> None:
    """Spans, channels, signalling and law are as configured."""
    cards.install(cards.analogue_pairs(PAIRS))
    with Control() as control:
        spans = control.require_spans()
        channels = list(control.channels())
        report.figure("dahdi_version", control.version())
    assert [span.channels_total for span in spans] == [PAIRS, PAIRS], spans
    assert [channel.number for channel in channels] == list(range(1, 2 * PAIRS + 1))
    assert {channel.law for channel in channels} == {Law.ALAW}
    assert {channel.signalling for channel in channels[:PAIRS]} == {Signalling.FXSKS}
    assert {channel.signalling for channel in channels[PAIRS:]} == {Signalling.FXOKS}
    report.remark(str(spans[0]))


@scenario()
def ring_and_audio(report: Report) -> None:
    """Every FXS port rings its FXO port, which answers; then each sends a pattern of its own, which arrives."""
    cards.install(cards.analogue_pairs(PAIRS))
    pairs = [(Channel(number), Channel(number + PAIRS)) for number in range(1, PAIRS + 1)]
    for trunk, handset in pairs:
        trunk.set_buffers(BufferPolicy(8, Policy.IMMEDIATE))
        handset.set_buffers(BufferPolicy(8, Policy.IMMEDIATE))
        handset.set_hook(Hook.RING)
    for trunk, _ in pairs:
        _await_event(trunk, LineEvent.RINGBEGIN)
        trunk.set_hook(Hook.OFF)
    for _, handset in pairs:
        _await_event(handset, LineEvent.RINGOFFHOOK)
        handset.set_hook(Hook.OFF)  # the driver goes on ringing until told
    heard = sum(_pattern_crosses(trunk, handset, number) for number, (trunk, handset) in enumerate(pairs, 1))
    report.figure("pairs_heard", heard)
    assert heard == PAIRS


@scenario()
def cpu_is_measured(report: Report) -> None:
    """CPU seconds of another process grow while it computes and stand still while it sleeps."""
    child = os.fork()
    if child == 0:
        until = time.monotonic() + 1.0
        while time.monotonic() < until:
            pass
        time.sleep(60)
    time.sleep(2.0)
    busy_s = cards.cpu_seconds(child)
    time.sleep(1.0)
    idle_s = cards.cpu_seconds(child) - busy_s
    os.kill(child, 9)
    os.waitpid(child, 0)
    report.figure("busy_cpu_s", round(busy_s, 6))
    report.figure("idle_cpu_s", round(idle_s, 6))
    assert 0.5 < busy_s < 1.5
    assert idle_s < 0.01


def _await_event(channel: Channel, wanted: LineEvent) -> None:
    waiting = select.poll()
    waiting.register(channel.fileno(), select.POLLPRI)
    deadline = time.monotonic() + WAIT_S
    seen: list[int] = []
    while time.monotonic() < deadline:
        waiting.poll(200)
        while event := channel.get_event():
            seen.append(event)
            if event == wanted:
                return
    raise AssertionError(f"{channel.where}: no {wanted.name} within {WAIT_S:.0f} s, but {seen}")


def _pattern_crosses(trunk: Channel, handset: Channel, number: int) -> bool:
    block = bytes([number]) * BLOCK_SAMPLES
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        try:
            trunk.write_block(block)
            if handset.read_block() == block:
                return True
        except EventPendingError:
            _drain_events(trunk)
            _drain_events(handset)
        time.sleep(0.005)
    return False


def _drain_events(channel: Channel) -> None:
    while channel.get_event():
        pass
