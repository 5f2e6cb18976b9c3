"""A leg: waits when the process itself stood still, the hook of a set."""

import asyncio
import time
from datetime import UTC, datetime

import pytest

from appliance.call.leg import STOOD_STILL_S, Leg
from drivers.protocol import Answered, Direction, HookFlashed, LegPhase, LegState, NumberDialled

T0 = datetime(2026, 3, 8, 2, 0, tzinfo=UTC)


def offered() -> Leg:
    state = LegState(leg="L1", channel=1, group="trunk", direction=Direction.INBOUND, phase=LegPhase.OFFERED, offered_at=T0)
    return Leg(state)


@pytest.mark.parametrize(("stands_still_s", "answered"), [(STOOD_STILL_S + 0.2, True), (0.0, False)])
def test_events_that_waited_come_before_the_limit(stands_still_s: float, answered: bool) -> None:
    """The answer is read 0.2 s after the limit: too late, unless the whole process was asleep over the limit."""

    async def main() -> bool:
        leg = offered()
        loop = asyncio.get_running_loop()
        waiting = asyncio.create_task(leg.wait(lambda leg: leg.phase is LegPhase.ANSWERED, 0.05))
        await asyncio.sleep(0)
        loop.call_soon(time.sleep, stands_still_s)
        loop.call_later(stands_still_s + 0.25, leg.apply, Answered(leg="L1", at=T0))
        return await waiting

    assert asyncio.run(main()) is answered


def test_hook_of_a_set_and_its_second_number_are_kept_for_whoever_asks() -> None:
    leg = offered()
    leg.apply(Answered(leg="L1", at=T0))
    leg.apply(HookFlashed(leg="L1", at=T0))
    leg.apply(NumberDialled(leg="L1", number="8002", valid=True, at=T0))
    assert (leg.flashes, leg.collected and leg.collected.number) == (1, "8002")
