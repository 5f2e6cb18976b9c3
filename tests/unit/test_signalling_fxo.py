"""A line of the exchange: its state table row by row."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.io import Hook, LineEvent
from drivers.protocol import Cause, LegPhase, TransferWhen
from drivers.signalling import (
    AlertWanted,
    AnswerWanted,
    BlockWanted,
    CallAlerting,
    CallAnswered,
    CallComing,
    CallerIdHeard,
    CallOffered,
    CallReleased,
    CallWanted,
    ChannelIdle,
    DialNumber,
    EventUnexpected,
    FlashWanted,
    Input,
    LineFailed,
    LineHappened,
    ListenForSpeech,
    ListenForTones,
    NumberSent,
    ReleaseWanted,
    SetHook,
    SoundTone,
    SpeechHeard,
    StartTimer,
    StopTimer,
    SwitchTransferWanted,
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
from tests.unit.fxo_rig import WITHHELD, ZHANG, calling, line, progressing, ringing, talking

POLARITY = LineHappened(LineEvent.POLARITY)


def test_ring_is_offered_once_confirmed() -> None:
    made = line()
    assert StartTimer("ring_confirm", 200) in run(made, RINGBEGIN)
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


@pytest.mark.parametrize("sign", [ONHOOK, ToneHeard("busy"), ToneHeard("congestion")])
def test_far_end_hangs_up(sign: Input) -> None:
    made = talking()
    assert kinds(run(made, sign), SetHook, CallReleased) == [SetHook(Hook.ON), CallReleased(Cause.NORMAL, True)]
    assert run(made, TimerFired("guard")) == [StopTimer("guard"), ChannelIdle()]
    assert made.is_idle(7)


@pytest.mark.parametrize(
    "sign", [ToneHeard("dial"), ToneHeard("ringback"), ToneHeard("busy", False), POLARITY, SpeechHeard(), NumberSent()]
)
def test_what_does_not_end_a_call(sign: Input) -> None:
    assert not kinds(run(talking(), sign), CallReleased, SetHook)


def test_tones_of_the_profile_alone_hang_up() -> None:
    assert not kinds(run(talking(hangup_tones=("congestion",)), ToneHeard("busy")), CallReleased)
    assert kinds(run(talking(hangup_tones=("dial",)), ToneHeard("dial")), CallReleased)


def test_tone_must_go_on_where_the_profile_is_careful() -> None:
    made = talking(hangup_sure_ms=700)
    assert run(made, ToneHeard("busy")) == [StartTimer("hangup_sure", 700)]
    assert run(made, ToneHeard("busy", False)) == [StopTimer("hangup_sure")]
    assert kinds(run(made, ToneHeard("busy"), TimerFired("hangup_sure")), CallReleased) == [CallReleased(Cause.NORMAL, True)]


def test_polarity_hangs_up_once_the_answer_is_past() -> None:
    made = talking(hangup_by_polarity=True)
    assert not kinds(run(made, POLARITY), CallReleased)
    assert CallReleased(Cause.NORMAL, True) in run(made, TimerFired("settle"), POLARITY)


def test_flash_opens_the_loop_for_the_profile_s_time_and_the_call_goes_on() -> None:
    made = talking(flash_ms=120)
    assert kinds(run(made, FlashWanted()), SetHook, StartTimer) == [SetHook(Hook.ON), StartTimer("flash", 120)]
    assert run(made, ONHOOK, FlashWanted()) == []
    assert SetHook(Hook.OFF) in run(made, TimerFired("flash"))
    assert made.state == Fxs.ANSWERED


def test_flash_without_a_call_is_nothing() -> None:
    assert run(line(), FlashWanted()) == []


def test_next_call_may_ring_while_the_last_one_is_guarded() -> None:
    made = ringing()
    run(made, AnswerWanted(), ReleaseWanted())
    assert run(made, RINGBEGIN) == [StopTimer("guard"), ChannelIdle(), CallComing(), StartTimer("ring_confirm", 200)]


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
    made = progressing(answer="tone")
    assert CallAlerting(inband=True) in run(made, ToneHeard("ringback"))
    assert run(made, ToneHeard("ringback", False)) == [StartTimer("answer_assumed", 4500)]
    assert StopTimer("answer_assumed") in run(made, ToneHeard("ringback"))
    run(made, ToneHeard("ringback", False))
    assert CallAnswered() in run(made, TimerFired("answer_assumed"))


def test_alerting_is_told_once() -> None:
    made = progressing()
    told = run(made, ToneHeard("ringback"), ToneHeard("ringback", False), ToneHeard("ringback"))
    assert len(kinds(told, CallAlerting)) == 1


def test_answered_as_soon_as_dialled_by_policy() -> None:
    assert CallAnswered() in run(calling(answer="dialled"), NumberSent())


def test_answered_by_polarity_alone() -> None:
    made = calling(answer="polarity")
    done = run(made, NumberSent(), ToneHeard("ringback"), ToneHeard("ringback", False), SpeechHeard())
    assert not kinds(done, CallAnswered, ListenForSpeech)
    assert [each for each in done if isinstance(each, StartTimer) and each.name == "answer_assumed"] == []
    assert CallAnswered() in run(made, POLARITY)


def test_answered_by_a_voice_that_ends_the_ringing() -> None:
    made = progressing(answer="voice")
    assert not kinds(run(made, SpeechHeard(), ToneHeard("ringback"), SpeechHeard()), CallAnswered)  # bursts of ringback are sound too
    assert ListenForSpeech() in run(made, ToneHeard("ringback", False))
    assert CallAnswered() in run(made, SpeechHeard())


def test_voice_without_any_ringback_answers_when_it_was_no_tone_after_all() -> None:
    made = progressing(answer="voice")
    assert run(made, TimerFired("echo")) == [ListenForSpeech()]
    assert run(made, SpeechHeard()) == [StartTimer("voice_sure", 4000)]
    assert run(made, TimerFired("voice_sure")) == [ListenForSpeech()]
    assert CallAnswered() in run(made, SpeechHeard())


@pytest.mark.parametrize("tone", ["ringback", "busy", "congestion"])
def test_sound_that_turns_out_to_be_a_tone_is_no_voice(tone: str) -> None:
    made = progressing(answer="voice")
    run(made, SpeechHeard())
    assert StopTimer("voice_sure") in run(made, ToneHeard(tone))


def rung(made: FxsSignalled) -> FxsSignalled:
    run(made, ToneHeard("ringback"))
    return made


def rung_out(made: FxsSignalled) -> FxsSignalled:
    run(rung(made), TimerFired("ring_out"))
    return made


@pytest.mark.parametrize(
    ("made", "sign", "cause", "by_far_end"),
    [
        (progressing(), ToneHeard("busy"), Cause.USER_BUSY, True),
        (rung(progressing()), ToneHeard("busy"), Cause.USER_BUSY, True),
        (rung_out(progressing()), ToneHeard("busy"), Cause.NO_ANSWER, True),
        (progressing(), ToneHeard("congestion"), Cause.NO_CHANNEL, True),
        (progressing(), ToneHeard("dial"), Cause.INVALID_NUMBER, True),
        (progressing(), TimerFired("no_answer"), Cause.NO_USER_RESPONSE, False),
        (rung(progressing()), TimerFired("no_answer"), Cause.NO_ANSWER, False),
        (progressing(), ONHOOK, Cause.NORMAL_UNSPECIFIED, True),
        (progressing(), ReleaseWanted(), Cause.NORMAL, False),
        (calling(), ReleaseWanted(), Cause.NORMAL, False),
        (calling(), ONHOOK, Cause.NORMAL_UNSPECIFIED, True),
        (calling(), TimerFired("no_answer"), Cause.NO_USER_RESPONSE, False),
    ],
)
def test_call_out_that_comes_to_nothing(made: FxsSignalled, sign: Input, cause: Cause, by_far_end: bool) -> None:
    assert kinds(run(made, sign), SetHook, CallReleased) == [SetHook(Hook.ON), CallReleased(cause, by_far_end)]


@pytest.mark.parametrize("tone", ["busy", "congestion"])
def test_exchange_that_gives_no_line(tone: str) -> None:
    made = line()
    run(made, CallWanted("8001"))
    assert CallReleased(Cause.NO_CHANNEL, True) in run(made, ToneHeard(tone))


def test_pulses_leave_pauses_out_and_know_no_star() -> None:
    assert DialNumber("08001", pulses=True) in run(line(dialling="pulse"), CallWanted("0w8001"), ToneHeard("dial"))
    assert kinds(run(line(dialling="pulse"), CallWanted("*8")), CallReleased) == [CallReleased(Cause.INVALID_NUMBER, False)]


def test_glare_gives_the_line_to_the_caller() -> None:
    made = line()
    run(made, CallWanted("8001"))
    news = kinds(run(made, RINGBEGIN), CallReleased, CallOffered)
    assert news == [CallReleased(Cause.CHANNEL_NOT_AVAILABLE, False), CallOffered()]
    assert kinds(run(made, AnswerWanted()), SoundTone, CallAnswered) == [SoundTone(), CallAnswered()]


def test_line_without_number_is_a_hotline() -> None:
    done = run(line(), CallWanted())
    assert kinds(done, SetHook, DialNumber) == [SetHook(Hook.OFF)]
    assert kinds(done, ListenForTones)


# --- whatever happens ----------------------------------------------------------------------------------------------

COMMANDS = {
    "CallWanted", "CallWanted hotline", "CallWanted unsendable", "AnswerWanted", "ReleaseWanted", "NumberSent", "NumberSent answers",
    "NumberSent suffices", "POLARITY answers", "POLARITY announces", "POLARITY hangs up", "RINGOFFHOOK without id",
    "timer ring_confirm without id", "timer flash then digits", "tone ringback suffices", "CallerIdHeard", "SpeechHeard",
    "SpeechHeard answers", "SpeechHeard perhaps answers", "DigitHeard", "AlertWanted", "BlockWanted", "FlashWanted",
    "SwitchTransferWanted", "LinkTransferWanted", "NumberWanted", "MessageWaitingWanted",
    *(f"tone {tone} {more}" for tone in ("busy", "congestion", "dial") for more in ("hangs up", "may hang up")),
}  # fmt: skip


# What the kernel can say of such a port. Source: dahdi-base.c, __dahdi_hooksig_pvt (RINGBEGIN for FXS signalling alone), and the drivers
# of cards (POLARITY of FXO ports alone). WINKFLASH is a short ONHOOK.
def test_whatever_the_kernel_can_say_has_a_row_in_every_state() -> None:
    check_every_event_has_a_row(FxsSignalled, {"ONHOOK", "RINGOFFHOOK", "RINGBEGIN", "WINKFLASH", "POLARITY"})


def test_table_names_real_triggers() -> None:
    check_names_are_real(FxsSignalled, COMMANDS)


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
    st.sampled_from([ZHANG, WITHHELD]).map(CallerIdHeard),
    st.builds(SwitchTransferWanted, st.just("8002"), st.sampled_from(TransferWhen)),
    st.sampled_from([NumberSent(), AnswerWanted(), ReleaseWanted(Cause.USER_BUSY), LineFailed(), SpeechHeard(), FlashWanted()]),
    st.sampled_from([CallWanted("12#"), CallWanted("12"), CallWanted(), AlertWanted(), BlockWanted()]),
)
PROFILES = st.builds(
    LineProfile,
    caller_id=st.sampled_from([(), ("fsk",), ("fsk", "dtmf")]),
    caller_id_begins=st.sampled_from(["ring", "polarity", "idle"]),
    dialling=st.sampled_from(["dtmf", "pulse"]),
    answer=st.sampled_from(["tone", "voice", "dialled", "polarity"]),
    dial_without_tone=st.booleans(),
    hangup_tones=st.sampled_from([(), ("busy",), ("busy", "congestion", "dial")]),
    hangup_sure_ms=st.sampled_from([0, 500]),
    hangup_by_polarity=st.booleans(),
    back_digits=st.sampled_from(["", "1"]),
)


@settings(max_examples=400)
@given(events=st.lists(EVENTS, max_size=40), profile=PROFILES)
def test_never_stuck_and_every_call_ends_once(events: list[Input], profile: LineProfile) -> None:
    check_never_stuck(FxsSignalled(7, profile), events)
