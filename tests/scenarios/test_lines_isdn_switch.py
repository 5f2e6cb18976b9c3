"""Commands towards the switch of an ISDN span: that it rings here, and a transfer it does not offer."""

from pathlib import Path

import pytest

from drivers.protocol import Alert, CommandFailed, Offered, TransferInSwitch, TransferOutcome, Transferred
from tests.scenarios.lines_rig import Rig, run_rig
from tests.scenarios.test_lines_pri import PriRig, run_pri


@pytest.mark.parametrize("inband", [False, True])
def test_a_caller_is_told_that_it_rings(folder: Path, inband: bool) -> None:
    async def main(pri: PriRig) -> None:
        call = pri.exchange.call(3, "88886666")
        leg = (await pri.agent.told(Offered)).state.leg
        pri.agent.send(Alert(leg=leg, inband=inband))
        await pri.exchange.until(lambda: call.alerting_at is not None)
        assert call.inband is inband

    run_pri(folder, main)


def test_a_switch_that_offers_no_transfer_leaves_both_calls(folder: Path) -> None:
    async def main(pri: PriRig) -> None:
        (first, leg), (second, other) = await pri.talking(3), await pri.talking(4)
        pri.agent.send(TransferInSwitch(leg=leg, other=other, transfer_id=3))
        done = await pri.agent.told(Transferred, leg=leg)
        assert (done.outcome, done.transfer_id) == (TransferOutcome.REFUSED, 3)
        assert (first.ended_at, second.ended_at) == (None, None)

    run_pri(folder, main)


def test_analogue_lines_need_no_alert_and_have_no_transfer_of_their_switch(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        _, leg = await rig.answered()
        rig.call_in()
        offered = await rig.offered()
        rig.agent.send(Alert(leg=offered))
        _, other = await rig.answered()
        rig.agent.send(TransferInSwitch(leg=leg, other=other))
        assert (await rig.agent.told(CommandFailed)).code == "LIN-180"

    run_rig(folder, main)
