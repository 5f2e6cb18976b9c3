"""Both analogue state tables: that every event has its row, and that no channel is ever stuck."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.io import Hook, LineEvent
from drivers.protocol import Cause, LegPhase
from drivers.signalling import (
    AnswerWanted,
    CallReleased,
    CallWanted,
    ChannelIdle,
    EventUnexpected,
    Input,
    LineFailed,
    LineHappened,
    NumberSent,
    ReleaseWanted,
    SetHook,
    TimerFired,
    ToneHeard,
)
from drivers.signalling.analog_machine import INDIFFERENT, AnalogTimings
from drivers.signalling.fxo import Fxs, FxsSignalled
from drivers.signalling.fxs import Fxo, FxoSignalled
from tests.unit.analog_rig import ONHOOK, Owner, kinds, run

TIMINGS = AnalogTimings()


# What the kernel can say of a port. Source: dahdi-base.c, __dahdi_hooksig_pvt (RINGBEGIN for FXS signalling alone), and the drivers of
# cards (POLARITY of FXO ports alone). WINKFLASH is a short ONHOOK.
@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (FxsSignalled, {"ONHOOK", "RINGOFFHOOK", "RINGBEGIN", "WINKFLASH", "POLARITY"}),
        (FxoSignalled, {"ONHOOK", "RINGOFFHOOK", "RINGERON", "RINGEROFF", "WINKFLASH"}),
    ],
)
def test_whatever_the_kernel_can_say_has_a_row_in_every_state(kind: type[FxsSignalled | FxoSignalled], said: set[str]) -> None:
    assert {(state, name) for state in kind.timers for name in said} - set(kind.table) == set()


@pytest.mark.parametrize("kind", [FxsSignalled, FxoSignalled])
def test_event_without_a_row_releases(kind: type[FxsSignalled | FxoSignalled]) -> None:
    made = kind(7, TIMINGS)
    made.state = Fxs.ANSWERED if kind is FxsSignalled else Fxo.ANSWERED
    done = run(made, CallWanted("1"))
    assert done[0] == EventUnexpected("answered", "CallWanted")
    assert kinds(done, SetHook, CallReleased, ChannelIdle) == [
        SetHook(Hook.ON), CallReleased(Cause.INTERWORKING, True), ChannelIdle(),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", [FxsSignalled, FxoSignalled])
@pytest.mark.parametrize("event", sorted(INDIFFERENT))
def test_events_that_say_nothing(kind: type[FxsSignalled | FxoSignalled], event: LineEvent) -> None:
    assert run(kind(7, TIMINGS), LineHappened(event)) == []


@pytest.mark.parametrize("kind", [FxsSignalled, FxoSignalled])
@pytest.mark.parametrize("phase", [phase for phase in LegPhase if phase is not LegPhase.RELEASED])
def test_adopted_call_can_be_released(kind: type[FxsSignalled | FxoSignalled], phase: LegPhase) -> None:
    made = kind(7, TIMINGS)
    first = [action for _, action in made.adopt(7, phase)]
    done = [*first, *run(made, ReleaseWanted(), ONHOOK, TimerFired("guard"), TimerFired("ring_stopped"))]
    assert len(kinds(done, CallReleased)) == 1
    assert (phase is LegPhase.DIALLING) == bool(kinds(first, CallReleased))
    assert made.is_idle(7)


def test_tables_name_real_triggers() -> None:
    tones = {f"tone {tone}{end}" for tone in ("dial", "ringback", "busy", "congestion") for end in ("", " ends")}
    commands = {"CallWanted", "CallWanted hotline", "AnswerWanted", "ReleaseWanted", "NumberSent", "NumberSent answers", "POLARITY answers"}
    for kind in (FxsSignalled, FxoSignalled):
        timers = {f"timer {name}" for names in kind.timers.values() for name in names}
        known = tones | commands | timers | {event.name for event in LineEvent}
        assert {trigger for _, trigger in kind.table} <= known
        assert {state for state, _ in kind.table} == set(kind.timers)


TIMERS = sorted({name for kind in (FxsSignalled, FxoSignalled) for names in kind.timers.values() for name in names})
EVENTS = st.one_of(
    st.sampled_from([LineHappened(event) for event in LineEvent]),
    st.sampled_from(TIMERS).map(TimerFired),
    st.builds(ToneHeard, st.sampled_from(["dial", "ringback", "busy", "congestion"]), st.booleans()),
    st.sampled_from([NumberSent(), AnswerWanted(), ReleaseWanted(Cause.USER_BUSY), CallWanted("12#"), CallWanted(), LineFailed()]),
)


@pytest.mark.parametrize("kind", [FxsSignalled, FxoSignalled])
@given(events=st.lists(EVENTS, max_size=30), timings=st.builds(
    AnalogTimings, answer=st.sampled_from(["tone", "dialled", "polarity"]), dial_without_tone=st.booleans(), busy_disconnect=st.booleans(),
))  # fmt: skip
def test_never_stuck_and_every_call_ends_once(kind: type[FxsSignalled | FxoSignalled], events: list[Input], timings: AnalogTimings) -> None:
    owner = Owner(kind(7, timings))
    for event in events:
        owner.give(event)
    owner.give(ReleaseWanted())
    owner.give(ONHOOK)
    for name in sorted(owner.timers):
        owner.give(TimerFired(name))
    assert not owner.in_call
    assert owner.made.is_idle(7)
    assert not owner.timers
