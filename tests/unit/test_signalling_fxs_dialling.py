"""A telephone set dials, when it is lifted and again in a call: the rows of its state table for that."""

import pytest

from drivers.io import Hook, LineEvent
from drivers.protocol import Cause
from drivers.signalling import (
    AnswerWanted,
    CallAnswered,
    CallOffered,
    CallReleased,
    CallWanted,
    ChannelIdle,
    FlashHeard,
    Input,
    LineHappened,
    ListenForDigits,
    NumberDialled,
    NumberWanted,
    ReleaseWanted,
    SetHook,
    SoundTone,
    StartTimer,
    StopTimer,
    TimerFired,
)
from drivers.signalling.fxs import Fxo
from tests.unit.analog_rig import ONHOOK, RINGOFFHOOK, kinds, run
from tests.unit.set_rig import FLASH, OWN, keys, lifted, offered, talking, telephone


def test_lifted_set_has_dial_tone() -> None:
    assert run(telephone(), RINGOFFHOOK) == [SetHook(Hook.OFF), SoundTone("dial"), ListenForDigits(), StartTimer("first_digit", 15_000)]


def test_first_digit_ends_the_dial_tone() -> None:
    made = lifted()
    assert kinds(run(made, *keys("8")), SoundTone, StartTimer) == [SoundTone(), StartTimer("next_digit", 4000)]
    assert kinds(run(made, *keys("0")), SoundTone) == []


@pytest.mark.parametrize("number", ["0", "8002", "110", "119", "120", "9120", "913800138000", "958881234", "*60"])
def test_number_is_complete_by_its_pattern(number: str) -> None:
    made = lifted()
    assert offered(run(made, *keys(number[:-1]))) == []
    done = run(made, *keys(number[-1]))
    assert kinds(done, CallOffered)[0] == CallOffered(OWN, number, urgent=number.endswith(("110", "119", "120")))
    assert ListenForDigits(False) in done
    assert made.state == Fxo.OFFERED


def test_number_is_complete_by_hash_or_by_time() -> None:
    made = lifted()
    assert offered(run(made, *keys("995588"))) == []
    assert offered(run(made, *keys("#"))) == ["995588"]
    made = lifted()
    assert offered(run(made, *keys("995588"), TimerFired("next_digit"))) == ["995588"]


def test_pulses_dial_as_well() -> None:
    pulses = [LineHappened(LineEvent[f"PULSE_{digit}"]) for digit in "8002"]
    assert offered(run(lifted(), *pulses)) == ["8002"]


@pytest.mark.parametrize("wrong", ["7", "83", "*1", "8#", "##8003"])
def test_wrong_number_hears_congestion(wrong: str) -> None:
    made = lifted()
    done = run(made, *keys(wrong))
    assert kinds(done, SoundTone)[-1] == SoundTone("congestion")
    assert offered(done) == []
    assert made.state == Fxo.TONE


def test_number_broken_off_hears_congestion() -> None:
    assert SoundTone("congestion") in run(lifted(), *keys("80"), TimerFired("next_digit"))


def test_hash_before_any_digit_is_nothing() -> None:
    made = lifted()
    assert run(made, *keys("#")) == []
    assert offered(run(made, *keys("8002"))) == ["8002"]


@pytest.mark.parametrize("dialled", ["", "80"])
def test_flash_while_dialling_begins_anew(dialled: str) -> None:
    made = lifted()
    run(made, *keys(dialled))
    assert SoundTone("dial") in run(made, FLASH)
    assert offered(run(made, *keys("8002"))) == ["8002"]


@pytest.mark.parametrize("dialled", ["", "80"])
def test_set_put_down_while_dialling(dialled: str) -> None:
    made = lifted()
    done = run(made, *keys(dialled), ONHOOK)
    assert kinds(done, CallOffered, CallReleased) == []
    assert kinds(done, SetHook, ListenForDigits)[-2:] == [ListenForDigits(False), SetHook(Hook.ON)]
    assert run(made, TimerFired("guard")) == [StopTimer("guard"), ChannelIdle()]
    assert made.is_idle(7)


def test_dialled_call_is_answered_and_ends() -> None:
    made = lifted()
    run(made, *keys("8002"))
    assert CallAnswered() in run(made, AnswerWanted())
    assert CallReleased(Cause.NORMAL, True) in run(made, ONHOOK)


@pytest.mark.parametrize(
    ("cause", "tone"),
    [
        (Cause.USER_BUSY, "busy"),
        (Cause.NO_ANSWER, "busy"),
        (Cause.INVALID_NUMBER, "congestion"),
        (Cause.NO_CHANNEL, "congestion"),
    ],
)
def test_dialled_call_that_comes_to_nothing(cause: Cause, tone: str) -> None:
    made = lifted()
    run(made, *keys("8002"))
    done = run(made, ReleaseWanted(cause))
    assert kinds(done, CallReleased, SoundTone, SetHook) == [CallReleased(cause, False), SoundTone(tone)]


def test_hotline_is_called_when_lifted() -> None:
    made = telephone(hotline="0")
    assert run(made, RINGOFFHOOK) == [SetHook(Hook.OFF), CallOffered(OWN, "0")]


def test_hotline_after_a_while_leaves_time_to_dial() -> None:
    made = telephone(hotline="0", hotline_after_ms=5000)
    assert StartTimer("first_digit", 5000) in run(made, RINGOFFHOOK)
    assert offered(run(made, TimerFired("first_digit"))) == ["0"]
    made = telephone(hotline="0", hotline_after_ms=5000)
    assert offered(run(made, RINGOFFHOOK, *keys("8002"))) == ["8002"]


def test_hotline_lifted_while_guarded() -> None:
    made = telephone(hotline="0")
    run(made, CallWanted(), ReleaseWanted(), RINGOFFHOOK)
    assert offered(run(made, TimerFired("guard"))) == ["0"]


@pytest.mark.parametrize("end", [keys("2"), [TimerFired("next_digit")]])
def test_second_number(end: list[Input]) -> None:
    made = talking()
    assert SoundTone("dial") in run(made, NumberWanted())
    run(made, *keys("800"))
    done = run(made, *end)
    dialled = NumberDialled("8002") if end != [TimerFired("next_digit")] else NumberDialled("800", valid=False)
    assert kinds(done, NumberDialled) == [dialled]
    assert ListenForDigits(False) in done
    assert made.state == Fxo.ANSWERED


def test_second_number_by_hash() -> None:
    made = talking()
    assert NumberDialled("95") in run(made, NumberWanted(), *keys("95#"))


@pytest.mark.parametrize(("given_up", "number"), [([TimerFired("first_digit")], ""), (keys("7"), "7")])
def test_second_number_that_is_none(given_up: list[Input], number: str) -> None:
    made = talking()
    run(made, NumberWanted())
    assert NumberDialled(number, valid=False) in run(made, *given_up)


def test_flash_instead_of_a_second_number() -> None:
    made = talking()
    assert kinds(run(made, NumberWanted(), FLASH), FlashHeard, NumberDialled) == [FlashHeard()]


def test_call_ends_while_the_second_number_is_dialled() -> None:
    made = talking()
    run(made, NumberWanted(), *keys("80"))
    assert CallReleased(Cause.NORMAL, True) in run(made, ONHOOK)
