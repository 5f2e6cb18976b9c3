"""Who calls, over the line itself: every way the exchange tells it, as the call agent is told."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from drivers.protocol import Answer, Answered, Caller, NumberSource, Offered, Presentation
from drivers.signalling.fxo_profile import LineProfile
from drivers.virtual.config import NumberConfig, SpanConfig, SpanKind
from drivers.virtual.handset import Phase
from drivers.virtual.world import WITHHELD
from tests.scenarios.lines_rig import BOX, LINES, WORLD, Rig, run_rig

ZHANG = "13812345678"


def lines(profile: LineProfile, **span: Any) -> Any:
    spans = (SpanConfig(kind=SpanKind.FXO, channels=4, **span), *WORLD.spans[1:])
    world = msgspec.structs.replace(WORLD, spans=spans, numbers=(NumberConfig(number=BOX, spans=(1,)),))
    return msgspec.structs.replace(LINES, virtual=world, analog=profile)


WAYS = [
    ({"caller_id": "bell202"}, LineProfile(), NumberSource.FSK),
    ({"caller_id": "v23"}, LineProfile(), NumberSource.FSK),
    ({"caller_id": "dtmf"}, LineProfile(), NumberSource.DTMF),
    ({"caller_id": "bell202", "caller_id_at": "polarity"}, LineProfile(caller_id_begins="polarity"), NumberSource.FSK),
    ({"caller_id": "v23", "caller_id_at": "polarity"}, LineProfile(caller_id_begins="polarity"), NumberSource.FSK),
    ({"caller_id": "dtmf", "caller_id_at": "polarity"}, LineProfile(caller_id_begins="polarity"), NumberSource.DTMF),
    ({"caller_id": "dtmf", "caller_id_at": "unannounced"}, LineProfile(caller_id_begins="idle", caller_id=("dtmf",)), NumberSource.DTMF),
]
NAMES = ["-".join(str(part) for part in span.values()) for span, _, _ in WAYS]


@pytest.mark.parametrize(("span", "profile", "source"), WAYS, ids=NAMES)
def test_number_is_told_with_the_offer(folder: Path, span: dict[str, Any], profile: LineProfile, source: NumberSource) -> None:
    async def main(rig: Rig) -> None:
        for number in (ZHANG, "02012345678", WITHHELD, ZHANG):
            caller = rig.call_in(caller=number)
            state = (await rig.agent.told(Offered)).state
            shown = number != WITHHELD
            assert state.caller is not None
            assert (state.caller.number, state.caller.source) == (number if shown else "", source)
            assert state.caller.presentation is (Presentation.ALLOWED if shown else Presentation.RESTRICTED)
            assert state.ani == (number if shown else None)
            rig.agent.send(Answer(leg=state.leg))
            await rig.agent.told(Answered, leg=state.leg)
            await caller.reached(Phase.TALKING)
            caller.hang_up()
            await asyncio.sleep(5)

    run_rig(folder, main, lines(profile, **span))


def test_exchange_without_caller_id_is_offered_with_the_second_ring(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        began, began_at = rig.clock.monotonic_s(), rig.clock.now()
        rig.call_in()
        state = (await rig.agent.told(Offered)).state
        assert state.caller is None
        assert 4.9 < rig.clock.monotonic_s() - began < 5.6
        assert (state.offered_at - began_at).total_seconds() < 0.3  # it rings since then

    run_rig(folder, main, lines(LineProfile(), caller_id="none"))


def test_line_that_asks_for_no_caller_id_is_offered_with_the_first_ring(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        began = rig.clock.monotonic_s()
        rig.call_in()
        assert (await rig.agent.told(Offered)).state.caller is None
        assert rig.clock.monotonic_s() - began < 0.8

    run_rig(folder, main, lines(LineProfile(caller_id=())))


def test_caller_who_hangs_up_before_the_second_ring_leaves_the_line_free(folder: Path) -> None:
    async def main(rig: Rig) -> None:
        caller = rig.call_in()
        await asyncio.sleep(1.5)
        caller.hang_up()
        await asyncio.sleep(8)
        assert not rig.agent.heard(Offered)
        assert rig.server.lines.channels[1].is_free()
        rig.call_in(caller=ZHANG)
        assert (await rig.agent.told(Offered)).state.caller == Caller(ZHANG, Presentation.ALLOWED, NumberSource.FSK)

    run_rig(folder, main, lines(LineProfile()))


def test_call_right_after_another_is_offered_with_its_number(folder: Path) -> None:
    """Its first ring falls into the 2 s in which the kernel tells of none; the second one is the first we hear of."""

    async def main(rig: Rig) -> None:
        caller, _ = await rig.answered()
        await asyncio.sleep(1)
        caller.hang_up()
        await asyncio.sleep(0.2)
        for _ in range(3):
            rig.call_in(caller="13900000001")
        rig.call_in(caller=ZHANG)
        states = [(await rig.agent.told(Offered, limit_s=8)).state for _ in range(4)]
        assert [state.ani for state in states if state.channel == 1] == ["13900000001"]

    run_rig(folder, main, lines(LineProfile()))


def test_idle_line_that_listens_is_bothered_by_no_call_of_its_own(folder: Path) -> None:
    """Keys that we dial ourselves, and those a caller presses, are no caller id."""

    async def main(rig: Rig) -> None:
        caller, leg = await rig.answered(rig.call_in(caller=ZHANG))
        caller.press("138#5555")
        await caller.keys_sent()
        await asyncio.sleep(2)
        assert "".join(press.digit for press in rig.leg(leg).digits) == "138#5555"
        caller.hang_up()
        await asyncio.sleep(5)
        assert rig.server.lines.channels[1].is_free()

    profile = LineProfile(caller_id_begins="idle", caller_id=("dtmf",))
    run_rig(folder, main, lines(profile, caller_id="dtmf", caller_id_at="unannounced"))
