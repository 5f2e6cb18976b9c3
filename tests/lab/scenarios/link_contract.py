"""The contract of E1 spans (tests/contract/link_suite.py, span_suite.py) on the kernel's drivers: D-channels, alarms, pulled spans."""

import asyncio
import time

from drivers.dahdi.device import Channel
from drivers.dahdi.records import BufferPolicy, Policy
from tests.contract.link_suite import LINK_CASES
from tests.contract.span_suite import SPAN_CASES
from tests.lab import cards
from tests.lab.e1_rig import BOX_SPOILT, FAR_SPOILT, e1_setup, play
from tests.lab.hdlc import sound
from tests.lab.scenario import Report, scenario

WAIT_S = 20.0


@scenario(limit_s=400)
def frames(report: Report) -> None:
    """All cases of frames."""
    asyncio.run(play(report, LINK_CASES))


@scenario(limit_s=400)
def spans(report: Report) -> None:
    """All cases of spans."""
    asyncio.run(play(report, SPAN_CASES))


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
