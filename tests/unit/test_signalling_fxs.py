"""A telephone set: its state table row by row."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.io import Hook, LineEvent
from drivers.protocol import Cause, LegPhase
from drivers.signalling import (
    AnswerWanted,
    CallAlerting,
    CallAnswered,
    CallOffered,
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
    SoundTone,
    StopTimer,
    TimerFired,
    ToneHeard,
)
from drivers.signalling.analog_machine import INDIFFERENT, AnalogTimings
from drivers.signalling.fxs import Fxo, FxoSignalled
from tests.unit.analog_rig import (
    ONHOOK,
    RINGOFFHOOK,
    check_adopted,
    check_every_event_has_a_row,
    check_names_are_real,
    check_never_stuck,
    kinds,
    run,
)

TIMINGS = AnalogTimings()


def telephone() -> FxoSignalled:
    return FxoSignalled(7, TIMINGS)


def test_set_is_rung_and_answers() -> None:
    made = telephone()
    assert kinds(run(made, CallWanted()), SetHook, CallAlerting) == [SetHook(Hook.RING), CallAlerting()]
    assert run(made, RINGOFFHOOK) == [StopTimer("no_answer"), SetHook(Hook.OFF), CallAnswered()]


def test_set_nobody_answers() -> None:
    made = telephone()
    run(made, CallWanted())
    assert CallReleased(Cause.NO_ANSWER, False) in run(made, TimerFired("no_answer"))


def test_set_lifted_by_itself_is_an_internal_call() -> None:
    made = telephone()
    assert run(made, RINGOFFHOOK) == [SetHook(Hook.OFF), CallOffered()]
    assert CallAnswered() in run(made, AnswerWanted())
    assert CallReleased(Cause.NORMAL, True) in run(made, ONHOOK)


def test_set_left_off_hook_hears_busy_tone_until_put_down() -> None:
    made = telephone()
    run(made, CallWanted(), RINGOFFHOOK)
    assert kinds(run(made, ReleaseWanted()), CallReleased, SoundTone) == [CallReleased(Cause.NORMAL, False), SoundTone("busy")]
    assert not made.is_idle(7)
    assert run(made, TimerFired("lockout")) == [SoundTone()]
    assert kinds(run(made, ONHOOK, TimerFired("guard")), ChannelIdle) == [ChannelIdle()]
    assert made.is_idle(7)


def test_set_lifted_right_after_ringing_stopped() -> None:
    made = telephone()
    run(made, CallWanted(), ReleaseWanted())
    assert run(made, RINGOFFHOOK) == []
    assert kinds(run(made, TimerFired("guard")), ChannelIdle, SetHook, CallOffered) == [ChannelIdle(), SetHook(Hook.OFF), CallOffered()]


# --- whatever happens ----------------------------------------------------------------------------------------------


# What the kernel can say of such a port. Source: dahdi-base.c, __dahdi_hooksig_pvt (RINGBEGIN for FXS signalling alone), and the drivers
# of cards (POLARITY of FXO ports alone). WINKFLASH is a short ONHOOK.
def test_whatever_the_kernel_can_say_has_a_row_in_every_state() -> None:
    check_every_event_has_a_row(FxoSignalled, {"ONHOOK", "RINGOFFHOOK", "RINGERON", "RINGEROFF", "WINKFLASH"})


def test_table_names_real_triggers() -> None:
    check_names_are_real(FxoSignalled, {"CallWanted", "AnswerWanted", "ReleaseWanted", "NumberSent"})


def test_event_without_a_row_releases() -> None:
    made = telephone()
    made.state = Fxo.ANSWERED
    done = run(made, CallWanted("1"))
    assert done[0] == EventUnexpected("answered", "CallWanted")
    ended = [SetHook(Hook.ON), CallReleased(Cause.INTERWORKING, True), ChannelIdle()]
    assert kinds(done, SetHook, CallReleased, ChannelIdle) == ended


@pytest.mark.parametrize("event", sorted(INDIFFERENT))
def test_events_that_say_nothing(event: LineEvent) -> None:
    assert run(telephone(), LineHappened(event)) == []


@pytest.mark.parametrize("phase", [phase for phase in LegPhase if phase is not LegPhase.RELEASED])
def test_adopted_call_can_be_released(phase: LegPhase) -> None:
    check_adopted(telephone(), phase)


EVENTS = st.one_of(
    st.sampled_from([LineHappened(event) for event in LineEvent]),
    st.sampled_from(sorted({name for names in FxoSignalled.timers.values() for name in names})).map(TimerFired),
    st.builds(ToneHeard, st.sampled_from(["dial", "ringback", "busy", "congestion"]), st.booleans()),
    st.sampled_from([NumberSent(), AnswerWanted(), ReleaseWanted(Cause.USER_BUSY), CallWanted("12#"), CallWanted(), LineFailed()]),
)


@given(events=st.lists(EVENTS, max_size=30))
def test_never_stuck_and_every_call_ends_once(events: list[Input]) -> None:
    check_never_stuck(telephone(), events)
