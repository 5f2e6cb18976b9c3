"""MFC/R2 through the whole line server: bits and sounds on the virtual card, our own exchange at the far end."""

from pathlib import Path

import pytest

from drivers.protocol import Answer, Answered, NumberSource, Released
from tests.scenarios.r2_rig import ANI, DNIS, R2Rig, r2_lines, run_r2


@pytest.mark.parametrize("variant", ["cn", "itu", "mx", "br", "ar"])
def test_call_in(tmp_path: Path, variant: str) -> None:
    async def main(rig: R2Rig) -> None:
        call = rig.office.call(DNIS, ANI)
        offered = await rig.offered()
        assert offered.state.dnis == DNIS
        assert offered.state.ani == ANI
        assert offered.state.caller is not None
        assert offered.state.caller.source is NumberSource.MF
        assert offered.state.caller.category == "ordinary"
        rig.agent.send(Answer(leg=offered.state.leg))
        await rig.agent.told(Answered, leg=offered.state.leg)
        await rig.office.until(lambda: call.answered_at is not None)
        rig.office.release(call)
        released = await rig.agent.told(Released, leg=offered.state.leg)
        assert (released.cause, released.by_far_end) == (16, True)
        await rig.all_idle()

    run_r2(tmp_path, main, r2_lines(variant=variant))


@pytest.mark.parametrize("variant", ["cn", "itu", "mx", "br", "ar"])
def test_call_out(tmp_path: Path, variant: str) -> None:
    async def main(rig: R2Rig) -> None:
        leg = await rig.answered_out()
        (call,) = rig.office.calls
        assert (call.dnis, call.ani, call.category) == ("01066668888", DNIS, "ordinary")
        await rig.released(leg)
        await rig.office.until(lambda: call.over)
        assert (call.cause, call.by_far_end) == (16, True)
        await rig.all_idle()

    run_r2(tmp_path, main, r2_lines(variant=variant), r2_lines(variant=variant, dnis_length=0))
