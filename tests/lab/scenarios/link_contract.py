"""The contract of E1 spans (tests/contract/link_suite.py, span_suite.py) on the kernel's drivers: D-channels, alarms, pulled spans."""

import asyncio
import time

from drivers.dahdi.device import Channel
from drivers.dahdi.records import BufferPolicy, Policy
from tests.contract.e1_bench import send_all
from tests.contract.link_suite import LINK_CASES, frames_of_every_length
from tests.contract.span_suite import SPAN_CASES
from tests.lab import cards
from tests.lab.e1_rig import BOX_SPOILT, FAR_SPOILT, LabBench, e1_setup, play
from tests.lab.hdlc import sound
from tests.lab.scenario import Report, scenario

WAIT_S = 20.0
KEYS = "159D2580"


@scenario(limit_s=400)
def frames(report: Report) -> None:
    """All cases of frames."""
    asyncio.run(play(report, LINK_CASES))


@scenario(limit_s=400)
def spans(report: Report) -> None:
    """All cases of spans."""
    asyncio.run(play(report, SPAN_CASES))


@scenario(limit_s=200)
def thirty_conversations(report: Report) -> None:
    """Every B-channel carries keys both ways while frames of every length go both ways."""
    asyncio.run(_thirty_conversations(report))


async def _thirty_conversations(report: Report) -> None:
    async with LabBench() as bench:
        ends = ((bench.box, bench.far), (bench.far, bench.box))
        links = {end: end.open_link() for end, _ in ends}
        for end, _ in ends:
            for number in end.bearers:
                end.attach(end.open(number))
        await bench.pass_ms(500)
        for end, _ in ends:
            for number in end.bearers:
                end.say(number, KEYS)
        frames = frames_of_every_length()
        for frame in frames:
            for link in links.values():
                await send_all(bench, link, [frame])
        await bench.until(lambda: all(len(end.frames) >= len(frames) for end, _ in ends))
        await bench.until(lambda: all(end.heard[number] == KEYS for end, _ in ends for number in end.bearers))
        report.figure("frames_right", sum(end.frames == frames for end, _ in ends))
        right = sum(end.heard[number] == KEYS for end, _ in ends for number in end.bearers)
        report.figure("conversations_right", right)
        bad = {number: told for end, _ in ends for number, told in end.events.items() if told}
    assert (right, bad) == (60, {}), bad


@scenario(limit_s=60)
def frames_made_by_hand_are_understood(report: Report) -> None:
    """So that the bad ones of `spoil` are bad in one way only."""
    cards.install(e1_setup())
    raw, link = Channel(FAR_SPOILT), Channel(BOX_SPOILT)
    raw.set_buffers(BufferPolicy(blocks=4, write=Policy.IMMEDIATE))
    wanted = bytes(range(60, 130))
    assert raw.write_block(sound(wanted))
    deadline_s = time.monotonic() + WAIT_S
    while not (frame := link.read_frame()) and time.monotonic() < deadline_s:
        time.sleep(0.01)
    assert frame == wanted
    report.figure("frame_bytes", len(wanted))
