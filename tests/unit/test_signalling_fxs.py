"""A telephone set: its state table row by row."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.dial_plan import DialPlan, GroupFacts, ServiceRule, number_plan
from drivers.io import Hook, LineEvent
from drivers.protocol import Caller, Cause, LegPhase, NumberSource, Presentation
from drivers.signalling import (
    Action,
    AnswerWanted,
    CallAlerting,
    CallAnswered,
    CallOffered,
    CallReleased,
    CallWanted,
    ChannelIdle,
    DigitHeard,
    EventUnexpected,
    FlashHeard,
    Input,
    LeftOffHook,
    LineFailed,
    LineHappened,
    ListenForDigits,
    MessageWaitingWanted,
    NumberDialled,
    NumberSent,
    NumberWanted,
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
    ToneHeard,
)
from drivers.signalling.analog_machine import INDIFFERENT
from drivers.signalling.fxs import Fxo, FxoSignalled
from drivers.signalling.fxs_config import SetPort, SetsConfig
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

PLAN = number_plan(
    DialPlan(services=(ServiceRule(code="*60", service="after_hours"),)),
    {"trunk": GroupFacts((1, 2), False), "sets": GroupFacts((7, 8), True)},
)
OWN = Caller("8001", Presentation.ALLOWED, NumberSource.SET)
FLASH = LineHappened(LineEvent.WINKFLASH)
RING_ENDS, RING_BEGINS = LineHappened(LineEvent.RINGEROFF), LineHappened(LineEvent.RINGERON)


def telephone(hotline: str = "", hotline_after_ms: int = 0, **config: Any) -> FxoSignalled:
    port = SetPort(channels="7", hotline=hotline, hotline_after_ms=hotline_after_ms)
    return FxoSignalled(7, SetsConfig(**config), PLAN, port)


def keys(text: str) -> list[Input]:
    return [DigitHeard(digit) for digit in text]


def lifted(**config: Any) -> FxoSignalled:
    made = telephone(**config)
    run(made, RINGOFFHOOK)
    return made


def talking(**config: Any) -> FxoSignalled:
    made = telephone(**config)
    run(made, CallWanted(), RINGOFFHOOK)
    return made


def offered(done: list[Action]) -> list[str | None]:
    return [action.dnis for action in done if isinstance(action, CallOffered)]


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


# --- the set is lifted and dials ------------------------------------------------------------------------------------


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


# --- messages ------------------------------------------------------------------------------------------------------


def test_message_waiting_lights_the_lamp_and_stutters_the_dial_tone() -> None:
    made = telephone()
    assert run(made, MessageWaitingWanted()) == [ShowMessageWaiting()]
    assert SoundTone("stutter") in run(made, RINGOFFHOOK)
    run(made, ONHOOK, TimerFired("guard"))
    assert run(made, MessageWaitingWanted(False)) == [ShowMessageWaiting(False)]
    assert SoundTone("dial") in run(made, RINGOFFHOOK)


# --- flash and the second number ---------------------------------------------------------------------------------------


def test_flash_in_a_call_is_news() -> None:
    made = talking()
    assert run(made, FLASH) == [FlashHeard()]
    assert made.state == Fxo.ANSWERED


def test_flash_can_mean_nothing() -> None:
    assert run(talking(flash=False), FLASH) == []


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


# --- whatever happens ----------------------------------------------------------------------------------------------


# What the kernel can say of such a port. Source: dahdi-base.c, __dahdi_hooksig_pvt (RINGBEGIN for FXS signalling alone), and the drivers
# of cards (POLARITY of FXO ports alone). WINKFLASH is a short ONHOOK.
SAID = {"ONHOOK", "RINGOFFHOOK", "RINGERON", "RINGEROFF", "WINKFLASH"}
DIGITS = {"digit more", "digit complete", "digit ends", "digit invalid"}
ASKED = {"CallWanted", "CallWanted number first", "AnswerWanted", "ReleaseWanted", "NumberSent", "NumberWanted"}
WITH_FACTS = {"RINGOFFHOOK hotline", "timer guard hotline", "timer first_digit hotline", "timer next_digit ends"}


def test_whatever_the_kernel_can_say_has_a_row_in_every_state() -> None:
    check_every_event_has_a_row(FxoSignalled, SAID | DIGITS)


def test_table_names_real_triggers() -> None:
    check_names_are_real(FxoSignalled, ASKED | DIGITS | WITH_FACTS)


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


TIMERS = st.sampled_from(sorted({name for names in FxoSignalled.timers.values() for name in names})).map(TimerFired)
EVENTS = st.one_of(
    st.sampled_from([LineHappened(event) for event in LineEvent]),
    TIMERS,
    st.sampled_from("0123456789*#").map(DigitHeard),
    st.builds(ToneHeard, st.sampled_from(["dial", "ringback", "busy", "congestion"]), st.booleans()),
    st.sampled_from([NumberSent(), AnswerWanted(), ReleaseWanted(Cause.USER_BUSY), NumberWanted(), MessageWaitingWanted(), LineFailed()]),
    st.builds(CallWanted, st.just(""), st.sampled_from([None, "8002"]), ring=st.sampled_from(["", "internal", "recall"])),
)
TELEPHONES = st.builds(
    telephone,
    st.sampled_from(["", "0"]),
    st.sampled_from([0, 3000]),
    caller_id=st.sampled_from(["fsk", "dtmf", "none"]),
    flash=st.booleans(),
)


@given(made=TELEPHONES, events=st.lists(EVENTS, max_size=40))
def test_never_stuck_and_every_call_ends_once(made: FxoSignalled, events: list[Input]) -> None:
    check_never_stuck(made, events)


# What a person and the box can do to a set, in any order: it has its row, always.
PEOPLE = st.one_of(
    st.sampled_from([RINGOFFHOOK, ONHOOK, FLASH, RING_ENDS, RING_BEGINS]),
    TIMERS,
    st.sampled_from("0123456789*#").map(DigitHeard),
    st.sampled_from([NumberSent(), AnswerWanted(), ReleaseWanted(), NumberWanted(), MessageWaitingWanted()]),
)


@given(made=TELEPHONES, events=st.lists(PEOPLE, max_size=60))
def test_nothing_that_people_do_lacks_its_row(made: FxoSignalled, events: list[Input]) -> None:
    told = [event for event in events if not isinstance(event, TimerFired) or event.name in made.timers[made.state]]
    running: set[str] = set()
    for event in told:
        if isinstance(event, TimerFired) and event.name not in running:
            continue
        done = run(made, event)
        assert kinds(done, EventUnexpected) == []
        running |= {action.name for action in done if isinstance(action, StartTimer)}
        running &= set(made.timers[made.state])
