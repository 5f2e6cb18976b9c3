"""The contract of ABCD bits (tests/contract/bits_suite.py) on the kernel's drivers."""

import asyncio
import time

from drivers.dahdi.device import Channel
from drivers.dahdi.records import Flush
from tests.contract.bits_suite import BIT_CASES
from tests.lab import cards
from tests.lab.e1_rig import BOX_CAS, FAR_CAS, e1_setup, play
from tests.lab.scenario import Report, scenario

QUIET_S = 0.05


@scenario(limit_s=300)
def bits(report: Report) -> None:
    """All cases."""
    asyncio.run(play(report, BIT_CASES))


@scenario(limit_s=60)
def the_kernel_tells_neighbours(report: Report) -> None:
    """What the card driver keeps from us: changes of one channel that the kernel tells on the one before it, with foreign bits on top."""
    cards.install(e1_setup())
    here, next_there = Channel(BOX_CAS), Channel(FAR_CAS + 1)
    time.sleep(QUIET_S)
    here.flush(Flush.ALL)
    for bits in range(16):
        next_there.set_tx_bits(bits)
        time.sleep(QUIET_S)
    told = list(iter(here.get_event, 0))
    raw = here.get_int("DAHDI_GETRXBITS")
    report.figure("events_of_nothing", len(told))
    report.figure("raw_bits", f"{raw:08b}")
    assert here.rx_bits() == raw & 0b1111 == 0b1101
