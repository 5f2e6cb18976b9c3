"""Nonsense on the D-channel: nothing crashes, and a far side that behaves finds every channel free again."""

import pytest

from drivers.signalling.pri.config import PriConfig
from tests.unit.pri_liar import fuzz, stuck
from tests.unit.pri_pair import NETWORK, USER
from tests.unit.test_pri_calls import config


@pytest.mark.parametrize("base", [USER, NETWORK], ids=["user", "network"])
@pytest.mark.parametrize("switch", ["euroisdn", "qsig", "ni2", "dms100", "5ess", "4ess"])
def test_a_far_side_that_lies(base: PriConfig, switch: str) -> None:
    ours = config(base, switch=switch, overlap_receive=switch == "euroisdn", service_messages=True, transfer=True)
    assert not stuck(fuzz(20260308, 1500, ours))
