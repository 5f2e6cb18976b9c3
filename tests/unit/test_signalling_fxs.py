"""A telephone set: its state table row by row (dialling: test_signalling_fxs_dialling)."""

import pytest

from drivers.io import Hook
from drivers.protocol import Caller, Cause, Presentation
from drivers.signalling import (
    CallAlerting,
    CallAnswered,
    CallOffered,
    CallReleased,
    CallWanted,
    ChannelIdle,
    EventUnexpected,
    FlashHeard,
    LeftOffHook,
    LineFailed,
    MessageWaitingWanted,
    NumberSent,
    ReleaseWanted,
    SendCallerId,
    SetCadence,
    SetHook,
    ShowMessageWaiting,
    SoundTone,
    StartTimer,
    StopSending,
    StopTimer,
    TimerFired,
)
from drivers.signalling.fxs import Fxo
from tests.unit.analog_rig import ONHOOK, RINGOFFHOOK, kinds, run
from tests.unit.set_rig import FLASH, RING_BEGINS, RING_ENDS, keys, lifted, offered, talking, telephone

# --- the set is rung ----------------------------------------------------------------------------------------------


def test_set_is_rung_and_answers() -> None:
    made = telephone()
    assert kinds(run(made, CallWanted()), SetHook, CallAlerting) == [SetHook(Hook.RING), CallAlerting()]
    assert run(made, RINGOFFHOOK) == [StopTimer("caller_id"), StopTimer("no_answer"), StopSending(), SetHook(Hook.OFF), CallAnswered()]


def test_set_nobody_answers() -> None:
    made = telephone()
    run(made, CallWanted())
    assert CallReleased(Cause.NO_ANSWER, False) in run(made, TimerFired("no_answer"))


@pytest.mark.parametrize(("ring", "cadence"), [("internal", (400, 200, 400, 4000)), ("external", ()), ("", ()), ("unheard_of", ())])
def test_each_kind_of_call_rings_its_way(ring: str, cadence: tuple[int, ...]) -> None:
    done = run(telephone(), CallWanted(ring=ring))
    assert kinds(done, SetCadence, SetHook) == [SetCadence(cadence), SetHook(Hook.RING)]


def test_caller_id_comes_after_the_first_ring_and_once() -> None:
    made = telephone()
    run(made, CallWanted("", "13800138000", ring="external"))
    assert run(made, RING_ENDS) == [StartTimer("caller_id", 600)]
    assert run(made, TimerFired("caller_id")) == [SendCallerId(Caller("13800138000", Presentation.ALLOWED), "fsk")]
    assert run(made, NumberSent(), RING_BEGINS, RING_ENDS) == []


def test_caller_id_waits_for_the_long_pause_of_a_double_ring() -> None:
    made = telephone()
    run(made, CallWanted("", "8002", ring="internal"))
    assert run(made, RING_ENDS, RING_BEGINS) == []
    assert run(made, RING_ENDS) == [StartTimer("caller_id", 600)]


def test_withheld_number_is_told_as_such() -> None:
    made = telephone()
    run(made, CallWanted(), RING_ENDS)
    assert run(made, TimerFired("caller_id")) == [SendCallerId(Caller())]


def test_caller_id_can_be_switched_off() -> None:
    made = telephone(caller_id="none")
    assert run(made, CallWanted("", "8002"), RING_ENDS)[-1:] != [StartTimer("caller_id", 600)]


def test_caller_id_by_keys_comes_before_the_ring() -> None:
    made = telephone(caller_id="dtmf")
    done = run(made, CallWanted("", "8002"))
    assert kinds(done, SendCallerId, SetHook) == [SendCallerId(Caller("8002", Presentation.ALLOWED), "dtmf")]
    assert kinds(run(made, NumberSent()), SetHook, CallAlerting) == [SetHook(Hook.RING), CallAlerting()]
    assert run(made, RING_ENDS) == []


def test_caller_id_by_keys_that_never_ends_rings_all_the_same() -> None:
    made = telephone(caller_id="dtmf")
    run(made, CallWanted("", "8002"))
    assert SetHook(Hook.RING) in run(made, TimerFired("caller_id"))


def test_no_keys_without_a_number() -> None:
    assert SetHook(Hook.RING) in run(telephone(caller_id="dtmf"), CallWanted())


def test_set_lifted_before_its_first_ring_has_the_call() -> None:
    made = telephone(caller_id="dtmf")
    run(made, CallWanted("", "8002"))
    assert CallAnswered() in run(made, RINGOFFHOOK)


# --- messages ------------------------------------------------------------------------------------------------------


def test_message_waiting_lights_the_lamp_and_stutters_the_dial_tone() -> None:
    made = telephone()
    assert run(made, MessageWaitingWanted()) == [ShowMessageWaiting()]
    assert SoundTone("stutter") in run(made, RINGOFFHOOK)
    run(made, ONHOOK, TimerFired("guard"))
    assert run(made, MessageWaitingWanted(False)) == [ShowMessageWaiting(False)]
    assert SoundTone("dial") in run(made, RINGOFFHOOK)


# --- flash ----------------------------------------------------------------------------------------------------------


def test_flash_in_a_call_is_news() -> None:
    made = talking()
    assert run(made, FLASH) == [FlashHeard()]
    assert made.state == Fxo.ANSWERED


def test_flash_can_mean_nothing() -> None:
    assert run(talking(flash=False), FLASH) == []


# --- left off-hook ---------------------------------------------------------------------------------------------------


def test_set_left_off_hook_goes_through_its_tones_to_silence() -> None:
    made = talking()
    assert kinds(run(made, ReleaseWanted()), SetHook, CallReleased) == [SetHook(Hook.ON), CallReleased(Cause.NORMAL, False)]
    assert SoundTone("busy") in run(made, TimerFired("guard"))
    assert kinds(run(made, TimerFired("tone")), SoundTone, LeftOffHook) == [SoundTone("howler"), LeftOffHook()]
    assert SoundTone() in run(made, TimerFired("howler"))
    assert run(made, FLASH, RINGOFFHOOK, *keys("8002")) == []
    assert kinds(run(made, ONHOOK), LeftOffHook, SetHook) == [LeftOffHook(False), SetHook(Hook.ON)]
    assert run(made, TimerFired("guard")) == [StopTimer("guard"), ChannelIdle()]
    assert made.is_idle(7)


def test_set_lifted_and_forgotten() -> None:
    made = lifted()
    assert SoundTone("busy") in run(made, TimerFired("first_digit"))
    assert LeftOffHook() in run(made, TimerFired("tone"))


def test_set_that_hears_a_tone_can_flash_and_dial() -> None:
    made = talking()
    run(made, ReleaseWanted(), TimerFired("guard"))
    assert SoundTone("dial") in run(made, FLASH)
    assert offered(run(made, *keys("8002"))) == ["8002"]


def test_alarm_of_a_set_left_off_hook_is_no_complaint_any_more() -> None:
    made = lifted()
    run(made, TimerFired("first_digit"), TimerFired("tone"))
    assert LeftOffHook(False) in run(made, LineFailed())


def test_set_that_flickers_makes_no_calls() -> None:
    made = telephone()
    done = run(made, *[RINGOFFHOOK, ONHOOK] * 20)
    assert kinds(done, CallOffered, EventUnexpected) == []
    assert len(kinds(done, SetHook)) == 2


def test_set_lifted_right_after_ringing_stopped() -> None:
    made = telephone()
    run(made, CallWanted(), ReleaseWanted())
    assert run(made, RINGOFFHOOK) == []
    assert kinds(run(made, TimerFired("guard")), ChannelIdle, SetHook, SoundTone) == [ChannelIdle(), SetHook(Hook.OFF), SoundTone("dial")]
