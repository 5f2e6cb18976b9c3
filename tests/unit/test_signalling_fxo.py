"""A line of the exchange: its state table row by row."""

from typing import Any

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
    DialNumber,
    EventUnexpected,
    Input,
    LineFailed,
    LineHappened,
    NumberSent,
    ReleaseWanted,
    SetHook,
    SoundTone,
    StartTimer,
    StopTimer,
    TimerFired,
    ToneHeard,
)
from drivers.signalling.analog_machine import INDIFFERENT
from drivers.signalling.fxo import Fxs, FxsSignalled
from drivers.signalling.fxo_profile import LineProfile
from tests.unit.analog_rig import (
    ONHOOK,
    RINGBEGIN,
    RINGOFFHOOK,
    check_adopted,
    check_every_event_has_a_row,
    check_names_are_real,
    check_never_stuck,
    kinds,
    run,
)

TIMINGS = LineProfile()


def line(**timings: Any) -> FxsSignalled:
    return FxsSignalled(7, LineProfile(**timings))


def ringing() -> FxsSignalled:
    made = line()
    run(made, RINGBEGIN, TimerFired("ring_confirm"))
    return made


def calling(**timings: Any) -> FxsSignalled:
    made = line(**timings)
    run(made, CallWanted("8001"), ToneHeard("dial"))
    return made


def test_ring_is_offered_once_confirmed() -> None:
    made = line()
    assert run(made, RINGBEGIN) == [StartTimer("ring_confirm", 200)]
    assert CallOffered() in run(made, TimerFired("ring_confirm"))


def test_short_ring_is_noise() -> None:
    made = line()
    assert not kinds(run(made, RINGBEGIN, RINGOFFHOOK), CallOffered)
    assert made.is_idle(7)


def test_end_of_a_burst_alone_is_a_ring() -> None:
    assert CallOffered() in run(line(), RINGOFFHOOK)


def test_caller_who_gives_up_is_noticed_by_the_missing_ring() -> None:
    made = ringing()
    run(made, RINGOFFHOOK, RINGBEGIN)
    assert run(made, TimerFired("ring_stopped")) == [StopTimer("ring_stopped"), CallReleased(Cause.NORMAL, True), ChannelIdle()]
    assert made.is_idle(7)


def test_answer_goes_off_hook_and_stops_waiting_for_rings() -> None:
    done = run(ringing(), AnswerWanted())
    assert done[:3] == [StopTimer("ring_stopped"), SetHook(Hook.OFF), CallAnswered()]


def test_ring_that_began_as_we_answered_is_no_second_call() -> None:
    """The kernel tells of rings late: the row (ANSWERED, RINGBEGIN) does nothing, it neither offers nor releases."""
    made = ringing()
    run(made, AnswerWanted())
    assert run(made, RINGBEGIN, RINGOFFHOOK, RINGBEGIN) == []
    assert made.state == Fxs.ANSWERED


def test_refused_call_rings_on_and_ends_by_itself() -> None:
    made = ringing()
    assert CallReleased(Cause.USER_BUSY, False) in run(made, ReleaseWanted(Cause.USER_BUSY))
    assert not kinds(run(made, RINGBEGIN, RINGOFFHOOK), CallOffered, SetHook)
    assert ChannelIdle() in run(made, TimerFired("ring_stopped"))


@pytest.mark.parametrize("sign", [ONHOOK, ToneHeard("busy")])
def test_far_end_hangs_up(sign: Input) -> None:
    made = ringing()
    run(made, AnswerWanted())
    assert kinds(run(made, sign), SetHook, CallReleased) == [SetHook(Hook.ON), CallReleased(Cause.NORMAL, True)]
    assert run(made, TimerFired("guard")) == [StopTimer("guard"), ChannelIdle()]
    assert made.is_idle(7)


def test_next_call_may_ring_while_the_last_one_is_guarded() -> None:
    made = ringing()
    run(made, AnswerWanted(), ReleaseWanted())
    assert run(made, RINGBEGIN) == [StopTimer("guard"), ChannelIdle(), StartTimer("ring_confirm", 200)]


@pytest.mark.parametrize("sign", [ToneHeard("dial"), TimerFired("dial_blind")])
def test_call_out_waits_for_dial_tone_but_not_for_ever(sign: Input) -> None:
    made = line()
    assert SetHook(Hook.OFF) in run(made, CallWanted("8001"))
    assert DialNumber("8001") in run(made, sign)


def test_no_dial_tone_can_mean_no_exchange() -> None:
    made = line(dial_without_tone=False)
    run(made, CallWanted("8001"))
    assert CallReleased(Cause.NETWORK_OUT_OF_ORDER, True) in run(made, TimerFired("dial_tone_missing"))


def test_answered_when_ringback_stops() -> None:
    made = calling()
    assert CallAlerting() in run(made, NumberSent())
    assert run(made, ToneHeard("ringback")) == [StopTimer("answer_assumed")]
    assert run(made, ToneHeard("ringback", False)) == [StartTimer("answer_assumed", TIMINGS.ringback_gap_ms)]
    assert CallAnswered() in run(made, TimerFired("answer_assumed"))


def test_answered_as_soon_as_dialled_by_policy() -> None:
    assert CallAnswered() in run(calling(answer="dialled"), NumberSent())


def test_answered_by_polarity() -> None:
    made = calling(answer="polarity")
    assert not kinds(run(made, NumberSent()), CallAnswered)
    assert CallAnswered() in run(made, LineHappened(LineEvent.POLARITY))


@pytest.mark.parametrize(
    ("sign", "cause", "by_far_end"),
    [
        (ToneHeard("busy"), Cause.USER_BUSY, True),
        (ToneHeard("congestion"), Cause.NO_CHANNEL, True),
        (TimerFired("no_answer"), Cause.NO_ANSWER, False),
        (ONHOOK, Cause.NORMAL, True),
        (ReleaseWanted(), Cause.NORMAL, False),
    ],
)
def test_call_out_that_comes_to_nothing(sign: Input, cause: Cause, by_far_end: bool) -> None:
    made = calling()
    run(made, NumberSent())
    assert kinds(run(made, sign), SetHook, CallReleased) == [SetHook(Hook.ON), CallReleased(cause, by_far_end)]


def test_glare_gives_the_line_to_the_caller() -> None:
    made = line()
    run(made, CallWanted("8001"))
    news = kinds(run(made, RINGBEGIN), CallReleased, CallOffered)
    assert news == [CallReleased(Cause.CHANNEL_NOT_AVAILABLE, False), CallOffered()]
    assert kinds(run(made, AnswerWanted()), SoundTone, CallAnswered) == [SoundTone(), CallAnswered()]


def test_line_without_number_is_a_hotline() -> None:
    assert kinds(run(line(), CallWanted()), SetHook, CallAlerting, DialNumber) == [SetHook(Hook.OFF), CallAlerting()]


# --- whatever happens ----------------------------------------------------------------------------------------------


# What the kernel can say of such a port. Source: dahdi-base.c, __dahdi_hooksig_pvt (RINGBEGIN for FXS signalling alone), and the drivers
# of cards (POLARITY of FXO ports alone). WINKFLASH is a short ONHOOK.
def test_whatever_the_kernel_can_say_has_a_row_in_every_state() -> None:
    check_every_event_has_a_row(FxsSignalled, {"ONHOOK", "RINGOFFHOOK", "RINGBEGIN", "WINKFLASH", "POLARITY"})


def test_table_names_real_triggers() -> None:
    check_names_are_real(
        FxsSignalled,
        {"CallWanted", "CallWanted hotline", "AnswerWanted", "ReleaseWanted", "NumberSent", "NumberSent answers", "POLARITY answers"},
    )


def test_event_without_a_row_releases() -> None:
    made = line()
    made.state = Fxs.ANSWERED
    done = run(made, CallWanted("1"))
    assert done[0] == EventUnexpected("answered", "CallWanted")
    ended = [SetHook(Hook.ON), CallReleased(Cause.INTERWORKING, True), ChannelIdle()]
    assert kinds(done, SetHook, CallReleased, ChannelIdle) == ended


@pytest.mark.parametrize("event", sorted(INDIFFERENT))
def test_events_that_say_nothing(event: LineEvent) -> None:
    assert run(line(), LineHappened(event)) == []


@pytest.mark.parametrize("phase", [phase for phase in LegPhase if phase is not LegPhase.RELEASED])
def test_adopted_call_can_be_released(phase: LegPhase) -> None:
    check_adopted(line(), phase)


EVENTS = st.one_of(
    st.sampled_from([LineHappened(event) for event in LineEvent]),
    st.sampled_from(sorted({name for names in FxsSignalled.timers.values() for name in names})).map(TimerFired),
    st.builds(ToneHeard, st.sampled_from(["dial", "ringback", "busy", "congestion"]), st.booleans()),
    st.sampled_from([NumberSent(), AnswerWanted(), ReleaseWanted(Cause.USER_BUSY), CallWanted("12#"), CallWanted(), LineFailed()]),
)


@given(events=st.lists(EVENTS, max_size=30))
def test_never_stuck_and_every_call_ends_once(events: list[Input]) -> None:
    check_never_stuck(line(), events)
