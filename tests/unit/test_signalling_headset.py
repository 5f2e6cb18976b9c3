"""A headset: its state table row by row."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.io import Hook, LineEvent
from drivers.protocol import Cause, LegPhase
from drivers.protocol.number_plan import NumberPlan
from drivers.signalling import (
    AnswerWanted,
    AvailabilityChanged,
    CallAlerting,
    CallAnswered,
    CallReleased,
    CallWanted,
    ChannelIdle,
    ClipSaid,
    DigitHeard,
    EventUnexpected,
    FlashHeard,
    Input,
    LineFailed,
    LineHappened,
    ListenForDigits,
    MessageWaitingWanted,
    NumberDialled,
    NumberSent,
    NumberWanted,
    ReleaseWanted,
    SayClip,
    SetHook,
    ShowMessageWaiting,
    SoundTone,
    StartTimer,
    TimerFired,
)
from drivers.signalling.fxs import FxoSignalled
from drivers.signalling.fxs_config import SetPort, SetsConfig
from drivers.signalling.fxs_headset import Headset, HeadsetSignalled
from drivers.signalling.fxs_kinds import set_signaller
from tests.unit.analog_rig import ONHOOK, RINGOFFHOOK, Owner, check_every_event_has_a_row, check_names_are_real, kinds, run

FLASH = LineHappened(LineEvent.WINKFLASH)
SAID = {"ONHOOK", "RINGOFFHOOK", "RINGERON", "RINGEROFF", "WINKFLASH", "digit", "digit answers"}


def headset(**port: Any) -> HeadsetSignalled:
    return HeadsetSignalled(7, SetsConfig(), SetPort(channels="7", mode="headset", **port))


def ready(**port: Any) -> HeadsetSignalled:
    made = headset(**port)
    run(made, RINGOFFHOOK)
    return made


def talking(**port: Any) -> HeadsetSignalled:
    made = ready(**port)
    made.state = Headset.ANSWERED
    return made


def test_headset_that_is_put_on_waits_for_calls() -> None:
    made = headset()
    assert not made.is_idle(7)
    assert run(made, RINGOFFHOOK) == [SetHook(Hook.OFF), AvailabilityChanged()]
    assert made.is_idle(7)
    assert run(made, ONHOOK) == [SetHook(Hook.ON), AvailabilityChanged()]
    assert not made.is_idle(7)


def test_call_beeps_and_is_answered_at_once() -> None:
    made = ready()
    done = run(made, CallWanted(no_answer_ms=9000))
    assert done == [CallAlerting(), StartTimer("no_answer", 9000), SoundTone("beep"), StartTimer("beep", 500)]
    assert kinds(run(made, TimerFired("beep")), SoundTone, CallAnswered) == [SoundTone(), CallAnswered()]


def test_announcement_comes_before_the_answer() -> None:
    made = ready(announcement="hospital.wav")
    run(made, CallWanted())
    assert SayClip("hospital.wav") in run(made, TimerFired("beep"))
    assert CallAnswered() in run(made, ClipSaid())


def test_announcement_that_never_ends_is_no_obstacle() -> None:
    made = ready(announcement="hospital.wav")
    run(made, CallWanted(), TimerFired("beep"))
    assert CallAnswered() in run(made, TimerFired("announcement"))


@pytest.mark.parametrize("sign", [DigitHeard("5"), FLASH])
def test_call_can_wait_for_a_key(sign: Input) -> None:
    made = ready(answer="key", answer_key="5")
    assert ListenForDigits() in run(made, CallWanted())
    assert kinds(run(made, TimerFired("beep")), SoundTone, CallAnswered) == [SoundTone("beep")]
    assert run(made, DigitHeard("6")) == []
    done = run(made, sign)
    assert kinds(done, ListenForDigits, CallAnswered) == [ListenForDigits(False), CallAnswered()]


@pytest.mark.parametrize(
    ("sign", "cause", "by_far_end", "state"),
    [
        (TimerFired("no_answer"), Cause.NO_ANSWER, False, Headset.READY),
        (ReleaseWanted(Cause.USER_BUSY), Cause.USER_BUSY, False, Headset.READY),
        (ONHOOK, Cause.NO_USER_RESPONSE, True, Headset.AWAY),
    ],
)
def test_call_nobody_takes(sign: Input, cause: Cause, by_far_end: bool, state: Headset) -> None:
    made = ready(answer="key")
    run(made, CallWanted())
    assert kinds(run(made, sign), CallReleased, ChannelIdle) == [CallReleased(cause, by_far_end), ChannelIdle()]
    assert made.state == state


def test_end_of_a_call_leaves_the_headset_connected_and_silent() -> None:
    made = talking()
    done = run(made, ReleaseWanted())
    assert kinds(done, SetHook, SoundTone) == [SoundTone()]
    assert kinds(done, CallReleased, ChannelIdle) == [CallReleased(Cause.NORMAL, False), ChannelIdle()]
    assert made.is_idle(7)


def test_headset_put_down_in_a_call() -> None:
    made = talking()
    assert kinds(run(made, ONHOOK), SetHook, CallReleased) == [SetHook(Hook.ON), CallReleased(Cause.NORMAL, True)]
    assert made.state == Headset.AWAY


def test_headset_flashes_but_dials_nothing() -> None:
    made = talking()
    assert run(made, FLASH) == [FlashHeard()]
    assert run(made, NumberWanted()) == [NumberDialled("", valid=False)]
    assert run(made, MessageWaitingWanted()) == [ShowMessageWaiting()]


@pytest.mark.parametrize(
    ("phase", "state"),
    [
        (LegPhase.ANSWERED, Headset.ANSWERED),
        (LegPhase.ALERTING, Headset.BEEPING),
        (LegPhase.DIALLING, Headset.READY),
        (LegPhase.OFFERED, Headset.READY),
    ],
)
def test_call_of_an_earlier_process(phase: LegPhase, state: Headset) -> None:
    made = headset()
    done = [action for _, action in made.adopt(7, phase)]
    assert made.state == state
    assert bool(kinds(done, CallReleased)) == (state is Headset.READY)


def test_each_channel_has_its_kind() -> None:
    config = SetsConfig(ports=(SetPort(channels="5,7", mode="headset"), SetPort(channels="6", hotline="0")))
    made = [set_signaller(channel, config, NumberPlan()) for channel in (5, 6, 7, 8)]
    assert [type(each) for each in made] == [HeadsetSignalled, FxoSignalled, HeadsetSignalled, FxoSignalled]


def test_whatever_the_kernel_can_say_has_a_row_in_every_state() -> None:
    check_every_event_has_a_row(HeadsetSignalled, SAID)


def test_table_names_real_triggers() -> None:
    asked = {"CallWanted", "AnswerWanted", "ReleaseWanted", "NumberSent", "NumberWanted", "ClipSaid"}
    with_facts = {"timer beep announces", "timer beep answers", "WINKFLASH answers"}
    check_names_are_real(HeadsetSignalled, SAID | asked | with_facts)


EVENTS = st.one_of(
    st.sampled_from([RINGOFFHOOK, ONHOOK, FLASH, LineHappened(LineEvent.RINGERON)]),
    st.sampled_from(["beep", "no_answer", "announcement"]).map(TimerFired),
    st.sampled_from("0123456789*#").map(DigitHeard),
    st.sampled_from([NumberSent(), AnswerWanted(), ReleaseWanted(), NumberWanted(), MessageWaitingWanted(), ClipSaid(), CallWanted()]),
)
HEADSETS = st.builds(headset, answer=st.sampled_from(["at_once", "key"]), announcement=st.sampled_from(["", "a.wav"]))


@given(made=HEADSETS, events=st.lists(EVENTS, max_size=40))
def test_put_down_it_is_away_and_every_call_has_ended(made: HeadsetSignalled, events: list[Input]) -> None:
    owner = Owner(made)
    for event in events:
        if not isinstance(event, CallWanted) or made.is_idle(7):
            owner.give(event)
    owner.give(ONHOOK)
    assert made.state == Headset.AWAY
    assert not owner.in_call
    assert not owner.timers


@given(made=HEADSETS, events=st.lists(EVENTS, max_size=40))
def test_nothing_that_people_do_lacks_its_row(made: HeadsetSignalled, events: list[Input]) -> None:
    timers: set[str] = set()
    for event in events:
        if (isinstance(event, TimerFired) and event.name not in timers) or (isinstance(event, CallWanted) and not made.is_idle(7)):
            continue
        done = run(made, event)
        assert kinds(done, EventUnexpected) == []
        timers = {action.name for action in done if isinstance(action, StartTimer)} | timers
        timers &= set(made.timers[made.state])


def test_fault_ends_the_call() -> None:
    made = talking()
    assert kinds(run(made, LineFailed()), CallReleased, ChannelIdle) == [CallReleased(Cause.NETWORK_OUT_OF_ORDER, True), ChannelIdle()]
