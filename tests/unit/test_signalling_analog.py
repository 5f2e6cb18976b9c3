"""The analogue state tables: what a line or a set does, row by row, and that no channel is ever stuck."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.io import Hook, LineEvent
from drivers.protocol import Cause, LegPhase
from drivers.signalling import (
    Action,
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
from drivers.signalling.analog_machine import INDIFFERENT, AnalogLine, AnalogTimings
from drivers.signalling.fxo import Fxs, FxsSignalled
from drivers.signalling.fxs import Fxo, FxoSignalled

TIMINGS = AnalogTimings()
ONHOOK, RINGOFFHOOK, RINGBEGIN = (LineHappened(event) for event in (LineEvent.ONHOOK, LineEvent.RINGOFFHOOK, LineEvent.RINGBEGIN))


def run(line: AnalogLine, *events: Input) -> list[Action]:
    return [action for event in events for _, action in line.handle(7, event)]


def kinds(actions: list[Action], *wanted: type[Action]) -> list[Action]:
    return [action for action in actions if isinstance(action, wanted)]


def line(**timings: Any) -> FxsSignalled:
    return FxsSignalled(7, AnalogTimings(**timings))


def ringing() -> FxsSignalled:
    made = line()
    run(made, RINGBEGIN, TimerFired("ring_confirm"))
    return made


def calling(**timings: Any) -> FxsSignalled:
    made = line(**timings)
    run(made, CallWanted("8001"), ToneHeard("dial"))
    return made


# --- a line of the exchange ---------------------------------------------------------------------------------------


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


# What the kernel can say of a port. Source: dahdi-base.c, __dahdi_hooksig_pvt (RINGBEGIN for FXS signalling alone), and the drivers of
# cards (POLARITY of FXO ports alone). WINKFLASH is a short ONHOOK.
@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (FxsSignalled, {"ONHOOK", "RINGOFFHOOK", "RINGBEGIN", "WINKFLASH", "POLARITY"}),
        (FxoSignalled, {"ONHOOK", "RINGOFFHOOK", "RINGERON", "RINGEROFF", "WINKFLASH"}),
    ],
)
def test_whatever_the_kernel_can_say_has_a_row_in_every_state(kind: type[AnalogLine], said: set[str]) -> None:
    assert {(state, name) for state in kind.timers for name in said} - set(kind.table) == set()


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


# --- a telephone set -----------------------------------------------------------------------------------------------


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


# --- both ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [FxsSignalled, FxoSignalled])
def test_event_without_a_row_releases(kind: type[AnalogLine]) -> None:
    made = kind(7, TIMINGS)
    made.state = Fxs.ANSWERED if kind is FxsSignalled else Fxo.ANSWERED
    done = run(made, CallWanted("1"))
    assert done[0] == EventUnexpected("answered", "CallWanted")
    assert kinds(done, SetHook, CallReleased, ChannelIdle) == [
        SetHook(Hook.ON), CallReleased(Cause.INTERWORKING, True), ChannelIdle(),
    ]  # fmt: skip


@pytest.mark.parametrize("event", sorted(INDIFFERENT))
def test_events_that_say_nothing(event: LineEvent) -> None:
    made = ringing()
    assert run(made, LineHappened(event)) == []


@pytest.mark.parametrize("kind", [FxsSignalled, FxoSignalled])
@pytest.mark.parametrize("phase", [phase for phase in LegPhase if phase is not LegPhase.RELEASED])
def test_adopted_call_can_be_released(kind: type[AnalogLine], phase: LegPhase) -> None:
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


class Owner:
    """Keeps timers and the call as the line server does, and holds the machine to its word."""

    def __init__(self, made: AnalogLine) -> None:
        self.made = made
        self.timers: set[str] = set()
        self.in_call = False

    def give(self, event: Input) -> None:
        if isinstance(event, TimerFired):
            if event.name not in self.timers:
                return
            self.timers.remove(event.name)
        self.in_call |= isinstance(event, CallWanted) and self.made.is_idle(7)
        for _, action in self.made.handle(7, event):
            self.take(action)
        assert self.timers <= set(self.made.timers[self.made.state])

    def take(self, action: Action) -> None:
        match action:
            case StartTimer(name=name, ms=ms):
                assert ms > 0
                self.timers.add(name)
            case StopTimer(name=name):
                self.timers.discard(name)
            case CallOffered():
                assert not self.in_call
                self.in_call = True
            case CallReleased():
                assert self.in_call
                self.in_call = False
            case ChannelIdle():
                assert not self.in_call


@pytest.mark.parametrize("kind", [FxsSignalled, FxoSignalled])
@given(events=st.lists(EVENTS, max_size=30), timings=st.builds(
    AnalogTimings, answer=st.sampled_from(["tone", "dialled", "polarity"]), dial_without_tone=st.booleans(), busy_disconnect=st.booleans(),
))  # fmt: skip
def test_never_stuck_and_every_call_ends_once(kind: type[AnalogLine], events: list[Input], timings: AnalogTimings) -> None:
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
