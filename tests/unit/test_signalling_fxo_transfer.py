"""Behind a switch: a caller handed on by flash and digits, and taken back when the target does not answer."""

import pytest

from drivers.io import Hook
from drivers.protocol import Cause, TransferOutcome, TransferWhen
from drivers.signalling import (
    CallReleased,
    DialNumber,
    Input,
    ListenForTones,
    NumberSent,
    ReleaseWanted,
    SetHook,
    SpeechHeard,
    StartTimer,
    SwitchTransferWanted,
    TimerFired,
    ToneHeard,
    TransferDone,
)
from drivers.signalling.fxo import Fxs, FxsSignalled
from tests.unit.analog_rig import ONHOOK, kinds, run
from tests.unit.fxo_rig import consulting, talking

FLASH = TimerFired("flash")


def test_flash_then_dial_tone_then_digits() -> None:
    made = talking()
    assert kinds(run(made, SwitchTransferWanted("8002")), SetHook, StartTimer) == [SetHook(Hook.ON), StartTimer("flash", 300)]
    assert kinds(run(made, FLASH), SetHook, ListenForTones) == [SetHook(Hook.OFF), ListenForTones(("dial", "busy", "congestion"))]
    assert DialNumber("8002") in run(made, ToneHeard("dial"))


@pytest.mark.parametrize(
    ("when", "events"),
    [
        (TransferWhen.ANSWERED, [ToneHeard("ringback"), ToneHeard("ringback", False), TimerFired("answer_assumed")]),
        (TransferWhen.ANSWERED, [TimerFired("answer_assumed")]),
        (TransferWhen.RINGING, [ToneHeard("ringback")]),
    ],
)
def test_on_hook_joins_the_two(when: TransferWhen, events: list[Input]) -> None:
    done = run(consulting(when), *events)
    assert kinds(done, TransferDone, SetHook, CallReleased) == [
        TransferDone(TransferOutcome.TRANSFERRED), SetHook(Hook.ON), CallReleased(Cause.NORMAL, False),
    ]  # fmt: skip


def test_blind_transfer_lets_go_as_soon_as_it_is_dialled() -> None:
    made = talking()
    run(made, SwitchTransferWanted("8002", TransferWhen.DIALLED), FLASH, ToneHeard("dial"))
    assert TransferDone(TransferOutcome.TRANSFERRED) in run(made, NumberSent())


def test_target_that_rings_is_not_let_go_before_it_answers() -> None:
    assert not kinds(run(consulting(), ToneHeard("ringback"), SpeechHeard()), TransferDone)


def test_voice_answers() -> None:
    done = run(consulting(answer="voice"), SpeechHeard(), ToneHeard("ringback"), ToneHeard("ringback", False), SpeechHeard())
    assert TransferDone(TransferOutcome.TRANSFERRED) in done


BAD = [
    (ToneHeard("busy"), TransferOutcome.BUSY),
    (ToneHeard("congestion"), TransferOutcome.CONGESTION),
    (ToneHeard("dial"), TransferOutcome.REFUSED),
    (TimerFired("no_answer"), TransferOutcome.NO_ANSWER),
]


@pytest.mark.parametrize(("sign", "outcome"), BAD)
def test_caller_is_taken_back_by_a_second_flash(sign: Input, outcome: TransferOutcome) -> None:
    made = consulting()
    assert kinds(run(made, sign), SetHook, TransferDone) == [SetHook(Hook.ON)]
    assert kinds(run(made, FLASH), SetHook, TransferDone) == [SetHook(Hook.OFF), TransferDone(outcome)]
    assert made.state == Fxs.ANSWERED


def test_switch_that_wants_digits_to_have_the_caller_back() -> None:
    made = consulting(back_digits="1")
    assert kinds(run(made, ToneHeard("busy"), FLASH), SetHook, StartTimer)[-2:] == [SetHook(Hook.OFF), StartTimer("recall", 600)]
    assert run(made, TimerFired("recall"))[-1] == DialNumber("1")
    assert TransferDone(TransferOutcome.BUSY) in run(made, NumberSent())


@pytest.mark.parametrize("sign", [TimerFired("recall"), ToneHeard("busy"), ToneHeard("congestion")])
def test_switch_that_does_not_take_the_flash(sign: Input) -> None:
    made = talking()
    done = run(made, SwitchTransferWanted("8002"), FLASH, sign, FLASH)
    assert not kinds(done, DialNumber)
    assert TransferDone(TransferOutcome.NO_DIAL_TONE) in done
    assert made.state == Fxs.ANSWERED


def test_caller_who_gave_up_on_hold_is_known_by_the_switch_s_dial_tone() -> None:
    made = consulting()
    run(made, ToneHeard("busy"), FLASH)
    assert CallReleased(Cause.NORMAL, True) in run(made, ToneHeard("dial"))


@pytest.mark.parametrize("state", [Fxs.RECALL_TONE, Fxs.REDIALLING, Fxs.CONSULTING, Fxs.BACK_PAUSE, Fxs.BACK_DIGITS])
def test_loop_break_ends_the_call_at_any_point(state: Fxs) -> None:
    made = consulting()
    made.state = state
    assert kinds(run(made, ONHOOK), CallReleased, TransferDone) == [CallReleased(Cause.NORMAL, True)]


@pytest.mark.parametrize("made", [talking(), consulting()])
def test_release_ends_it(made: FxsSignalled) -> None:
    run(made, SwitchTransferWanted("8002"))
    assert kinds(run(made, ReleaseWanted()), SetHook, CallReleased) == [SetHook(Hook.ON), CallReleased(Cause.NORMAL, False)]


def test_the_next_call_is_not_hung_up_by_dial_tone() -> None:
    made = consulting()
    run(made, ToneHeard("busy"), FLASH, ToneHeard("dial"), TimerFired("guard"))
    again = talking()
    assert not kinds(run(again, ToneHeard("dial")), CallReleased)
