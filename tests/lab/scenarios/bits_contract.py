"""The contract of ABCD bits (tests/contract/bits_suite.py) on the kernel's drivers."""

import asyncio

from tests.contract.bits_suite import BIT_CASES
from tests.lab.e1_rig import play
from tests.lab.scenario import Report, scenario


@scenario(limit_s=300)
def bits(report: Report) -> None:
    """All cases."""
    asyncio.run(play(report, BIT_CASES))
