"""The state table of the exchange's line circuits: every pair of state and event ends somewhere sensible."""

import itertools
import logging

import pytest

from drivers.virtual.config import SpanConfig, SpanKind, VirtualConfig
from drivers.virtual.trunk import TABLE, TrunkEvent, TrunkState
from tests.contract.rig import Rig, run_rig

CONFIG = VirtualConfig(spans=(SpanConfig(kind=SpanKind.FXO, channels=1),))
PAIRS = list(itertools.product(TrunkState, TrunkEvent))
MISSING = [pair for pair in PAIRS if pair not in TABLE]


@pytest.mark.parametrize(("state", "event"), MISSING, ids=[f"{state.name}-{event.name}" for state, event in MISSING])
def test_event_without_a_row_is_logged_and_releases(caplog: pytest.LogCaptureFixture, state: TrunkState, event: TrunkEvent) -> None:
    async def main(rig: Rig) -> None:
        trunk = rig.world.trunks[1]
        trunk.state = state
        with caplog.at_level(logging.ERROR):
            trunk.happened(event)
        assert trunk.state is TrunkState.IDLE
        assert f"LIN-074: exchange line 1: {event.name} in state {state.name}" in caplog.text

    run_rig(CONFIG, main)


@pytest.mark.parametrize("state", [state for state in TrunkState if state not in (TrunkState.IDLE, TrunkState.RINGING)])
def test_hanging_up_always_frees_the_line(state: TrunkState) -> None:
    assert TABLE[state, TrunkEvent.LOOP_OPENED][1] is TrunkState.IDLE


@pytest.mark.parametrize("state", list(TrunkState))
def test_the_loop_may_be_told_in_every_state(state: TrunkState) -> None:
    assert (state, TrunkEvent.LOOP_OPENED) in TABLE
    assert (state, TrunkEvent.LOOP_CLOSED) in TABLE
