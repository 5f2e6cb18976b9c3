"""Nonsense on the D-channel: nothing crashes, and a far side that behaves finds every channel free again."""

import pytest

from tests.unit.pri_liar import fuzz
from tests.unit.pri_pair import USER
from tests.unit.test_pri_calls import config


@pytest.mark.parametrize("switch", ["euroisdn", "qsig", "ni2", "dms100", "5ess", "4ess"])
def test_a_far_side_that_lies(switch: str) -> None:
    user = config(USER, switch=switch, overlap_receive=switch == "euroisdn", service_messages=True, transfer=True)
    pair = fuzz(20260308, 1500, user)
    taken = {number: pair.user.span.state_name(number) for number in pair.user.span.channels() if not pair.user.span.is_idle(number)}
    assert not taken
