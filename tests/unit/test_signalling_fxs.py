"""A telephone set: its state table row by row."""

from drivers.io import Hook
from drivers.protocol import Cause
from drivers.signalling import (
    AnswerWanted,
    CallAlerting,
    CallAnswered,
    CallOffered,
    CallReleased,
    CallWanted,
    ChannelIdle,
    ReleaseWanted,
    SetHook,
    SoundTone,
    StopTimer,
    TimerFired,
)
from drivers.signalling.analog_machine import AnalogTimings
from drivers.signalling.fxs import FxoSignalled
from tests.unit.analog_rig import ONHOOK, RINGOFFHOOK, kinds, run

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
