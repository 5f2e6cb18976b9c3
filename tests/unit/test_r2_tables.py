"""MFC/R2's tables: that every event has its row, that no channel is ever stuck, and what single rows do."""

import itertools
from typing import Literal

import pytest

from drivers.io import LineEvent
from drivers.protocol import Cause, LegPhase
from drivers.signalling import (
    Action,
    AlertWanted,
    AnswerWanted,
    BitsChanged,
    BlockWanted,
    CallReleased,
    CallWanted,
    ChannelIdle,
    EventUnexpected,
    FarBlocked,
    FlashWanted,
    Input,
    LineFailed,
    LineHappened,
    MfHeard,
    NumberSent,
    ReleaseWanted,
    SetBits,
    StartTimer,
    StopTimer,
    TimerFired,
)
from drivers.signalling.r2 import VARIANTS, R2Line, R2Span, R2Timers
from drivers.signalling.r2.incoming import Asking, IncomingRegister
from drivers.signalling.r2.line import TABLE
from drivers.signalling.r2.machine import IN_CALL, RESTING, TIMERS, Bits, R2State
from drivers.signalling.r2.outgoing import OutgoingRegister, Sending
from drivers.signalling.r2.variants import ACCEPTED, CAUSES, Order, refusal, signal_for

S = R2State
IDLE, SEIZED, BUSY, ANSWERED = 0b1011, 0b0011, 0b1111, 0b0111
AT_ONCE = R2Span(timers=R2Timers(bits_ms=0))
WANTED = ("AnswerWanted", "ReleaseWanted", "AlertWanted", "AlertWanted inband", "BlockWanted", "BlockWanted off")


def run(line: R2Line, *events: Input) -> list[Action]:
    return [action for event in events for _, action in line.handle(1, event)]


def rested(span: R2Span = AT_ONCE, far: int = IDLE) -> R2Line:
    line = R2Line(1, span, lambda: 0.0)
    run(line, BitsChanged(far), BlockWanted(False))
    return line


@pytest.mark.parametrize("state", S)
def test_bits_and_wishes_have_a_row_in_every_state(state: R2State) -> None:
    missing = {trigger for trigger in (*(f"bits {bits}" for bits in Bits), *WANTED) if (state, trigger) not in TABLE}
    # A channel that can be idle takes calls; nobody seizes one that is not.
    assert missing == set()
    assert ((state, "CallWanted") in TABLE) == (state in {*RESTING, S.NEW})


@pytest.mark.parametrize("state", S)
def test_timers_of_a_state_have_a_row_there(state: R2State) -> None:
    assert {f"timer {name}" for name in TIMERS[state]} <= {trigger for each, trigger in TABLE if each is state}


def test_timers_have_rows_only_where_they_run() -> None:
    assert {(state, trigger) for state, trigger in TABLE if trigger.startswith("timer ")} == {
        (state, f"timer {name}") for state in S for name in TIMERS[state]
    }


def test_every_adoption_has_a_row() -> None:
    told = [*Bits, "unknown"]
    phases = [phase for phase in LegPhase if phase is not LegPhase.RELEASED]
    assert {(S.NEW, f"adopt {phase} {bits}") for phase in phases for bits in told} <= set(TABLE)


@pytest.mark.parametrize(("kind", "states"), [(OutgoingRegister, Sending), (IncomingRegister, Asking)])
def test_register_rows(kind: type[OutgoingRegister | IncomingRegister], states: type[Sending | Asking]) -> None:
    for state in states:
        if state is kind.over:
            continue
        triggers = {"signal", "signal early", "silence", "silence early", "sound lost", *(f"timer {name}" for name in kind.timers[state])}
        assert triggers == {trigger for each, trigger in kind.table if each is state}


@pytest.mark.parametrize("name", VARIANTS)
def test_variants_can_carry_a_call(name: str) -> None:
    variant = VARIANTS[name]
    for order in (Order.NEXT, Order.TO_B, Order.CONGESTED, Order.CALLER):
        assert signal_for(variant.a, order), order
    for order in (Order.NEXT_OF_CALLER, Order.TO_B, Order.CONGESTED):
        assert signal_for(variant.caller, order), order
    for category, refused in itertools.product(variant.categories, CAUSES):
        meanings = variant.group_b(category)
        assert signal_for(meanings, Order.FREE)
        assert meanings[refusal(meanings, refused)] not in ACCEPTED
    signals = {*variant.a, *variant.caller, *variant.b, *variant.categories, *variant.caller_categories}
    assert signals <= {str(number) for number in range(1, 16)}


def test_signals_of_china() -> None:
    """GF 002-9002: KA 1 to 10, KD 1 to 6, group A 1 to 6, group B of toll and local calls; bits C and D are 1."""
    china = VARIANTS["cn"]
    assert [china.a[str(number)] for number in range(1, 7)] == [
        Order.NEXT, Order.FROM_FIRST, Order.TO_B, Order.CONGESTED, Order.UNALLOCATED, Order.CALLER,
    ]  # fmt: skip
    assert china.caller["1"] is Order.NEXT_OF_CALLER
    assert set(china.categories) == {"1", "2", "3", "4", "5", "6"}
    assert refusal(china.group_b("2"), Order.BUSY) == "2"
    assert refusal(china.group_b("3"), Order.BUSY) == "4"
    assert rested().send(Bits.IDLE) == SetBits(IDLE)


# --- one event after another -----------------------------------------------------------------------------------------


def test_begin_says_idle_and_hears_idle() -> None:
    line = R2Line(1, AT_ONCE, lambda: 0.0)
    assert not line.is_idle(1)
    assert run(line, BitsChanged(IDLE)) == [StopTimer("bits")]
    assert run(line, BlockWanted(False)) == [SetBits(IDLE)]
    assert line.is_idle(1)


def test_begin_with_a_far_side_that_is_blocked() -> None:
    line = R2Line(1, AT_ONCE, lambda: 0.0)
    assert run(line, BitsChanged(BUSY), BlockWanted(False))[-2:] == [SetBits(IDLE), FarBlocked(True)]
    assert line.state_name(1) == "far_blocked"
    assert run(line, BitsChanged(IDLE))[-1] == FarBlocked(False)
    assert line.is_idle(1)


def test_blocking_is_told_and_taken_back() -> None:
    line = rested()
    assert run(line, BlockWanted(True)) == [SetBits(BUSY)]
    assert line.state_name(1) == "blocked"
    assert run(line, CallWanted("1"))[0] == CallReleased(Cause.CHANNEL_NOT_AVAILABLE, False)
    assert run(line, BitsChanged(BUSY))[-1] == FarBlocked(True)
    assert line.state_name(1) == "both_blocked"
    assert run(line, BlockWanted(False)) == [SetBits(IDLE)]
    assert run(line, BitsChanged(IDLE))[-1] == FarBlocked(False)
    assert line.is_idle(1)


def test_blocking_waits_for_the_end_of_a_call() -> None:
    line = rested()
    run(line, CallWanted("1"))
    assert run(line, BlockWanted(True)) == []
    run(line, ReleaseWanted(), BitsChanged(BUSY), BitsChanged(IDLE))
    assert SetBits(BUSY) in run(line, TimerFired("guard"))
    assert line.state_name(1) == "blocked"


def test_noise_on_the_bits_is_no_seizure() -> None:
    line = rested(R2Span())
    assert run(line, BitsChanged(SEIZED)) == [StartTimer("bits", 20)]
    assert run(line, BitsChanged(IDLE)) == [StopTimer("bits")]
    assert line.is_idle(1)


def test_only_bits_a_and_b_mean_something() -> None:
    line = rested()
    run(line, BitsChanged(IDLE & 0b1100), BitsChanged(IDLE | 0b0010))
    assert line.is_idle(1)


def test_far_side_that_was_blocked_may_seize_at_once() -> None:
    line = rested(far=BUSY)
    run(line, BitsChanged(SEIZED))
    assert line.state is S.COLLECTING


def test_far_side_with_mad_bits_has_not_seized() -> None:
    line = rested(far=ANSWERED)
    run(line, BitsChanged(SEIZED))
    assert line.state is S.FAR_BLOCKED


def test_number_that_cannot_be_sent() -> None:
    line = rested()
    assert run(line, CallWanted("12*4")) == [CallReleased(Cause.INVALID_NUMBER, False), ChannelIdle()]
    assert line.is_idle(1)


def test_no_acknowledgement() -> None:
    line = rested()
    assert SetBits(SEIZED) in run(line, CallWanted("1"))
    done = run(line, TimerFired("seize_ack"))
    assert CallReleased(Cause.NETWORK_OUT_OF_ORDER, False) in done
    assert SetBits(IDLE) in done
    run(line, TimerFired("guard"))
    assert line.is_idle(1)


def test_acknowledgement_too_late() -> None:
    line = rested()
    run(line, CallWanted("1"), TimerFired("seize_ack"), TimerFired("guard"))
    run(line, BitsChanged(BUSY))
    assert not line.is_idle(1)
    run(line, BitsChanged(IDLE))
    assert line.is_idle(1)


def test_released_before_the_acknowledgement_keeps_seizing_until_it_comes() -> None:
    line = rested()
    run(line, CallWanted("1"))
    assert run(line, ReleaseWanted()) == [StopTimer("no_answer"), CallReleased(Cause.NORMAL, False)]
    assert SetBits(IDLE) in run(line, BitsChanged(BUSY))
    run(line, BitsChanged(IDLE), TimerFired("guard"))
    assert line.is_idle(1)


def test_glare_ends_both_calls() -> None:
    line = rested()
    run(line, CallWanted("1"))
    done = run(line, BitsChanged(SEIZED))
    assert CallReleased(Cause.CHANNEL_NOT_AVAILABLE, False) in done
    assert SetBits(IDLE) not in done  # the far side must have time to see it
    assert SetBits(IDLE) in run(line, TimerFired("glare"))
    run(line, BitsChanged(IDLE), TimerFired("guard"))
    assert line.is_idle(1)


def test_far_side_that_never_becomes_idle_counts_as_blocked() -> None:
    line = rested()
    run(line, CallWanted("1"), BitsChanged(BUSY), ReleaseWanted())
    done = run(line, TimerFired("clearing"))
    assert ChannelIdle() in done
    assert FarBlocked(True) in done
    assert not line.is_idle(1)
    run(line, BitsChanged(IDLE))
    assert line.is_idle(1)


@pytest.mark.parametrize(("metering_ms", "variant"), [(400, "ar"), (0, "itu")])
def test_metering_ms(metering_ms: int, variant: Literal["ar", "itu"]) -> None:
    line = rested(R2Span(variant=variant, timers=R2Timers(bits_ms=0)))
    line.state = S.ANSWERED_OUT
    assert run(line, BitsChanged(BUSY))[-1] == StartTimer("metering", metering_ms)


def test_a_charge_pulse_is_no_hang_up() -> None:
    line = rested()
    line.state = S.ANSWERED_OUT
    run(line, BitsChanged(BUSY), BitsChanged(ANSWERED), BitsChanged(SEIZED), BitsChanged(ANSWERED))
    assert line.state is S.ANSWERED_OUT
    done = run(line, BitsChanged(BUSY), TimerFired("metering"))
    assert CallReleased(Cause.NORMAL, True) in done


def test_forced_release() -> None:
    line = rested(R2Span(forced_release=True, timers=R2Timers(bits_ms=0)))
    line.state = S.ANSWERED_IN
    assert SetBits(SEIZED) in run(line, ReleaseWanted())
    assert line.state is S.CLEARED_BACK


def test_double_answer() -> None:
    line = rested(R2Span(double_answer=True, timers=R2Timers(bits_ms=0)))
    line.state = S.RINGING
    assert [action for action in run(line, AnswerWanted()) if isinstance(action, SetBits)] == [SetBits(ANSWERED)]
    assert run(line, TimerFired("reanswer"))[0] == SetBits(BUSY)
    assert line.state is S.ANSWER_GAP
    assert run(line, TimerFired("reanswer"))[1] == SetBits(ANSWERED)
    assert line.state is S.ANSWERED_IN


def test_collect_call_does_not_survive_a_double_answer() -> None:
    line = rested(R2Span(double_answer=True, timers=R2Timers(bits_ms=0)))
    line.state = S.ANSWER_GAP
    assert CallReleased(Cause.NORMAL, True) in run(line, BitsChanged(BUSY))  # the far side is blocked, its call gone


@pytest.mark.parametrize("state", S)
@pytest.mark.parametrize("far", [IDLE, SEIZED, BUSY, ANSWERED])
def test_failure_ends_whatever_there_is(state: R2State, far: int) -> None:
    line = rested(far=far)
    line.state = state
    done = run(line, LineFailed())
    assert [action for action in done if isinstance(action, CallReleased)] == [CallReleased(Cause.NETWORK_OUT_OF_ORDER, True)] * (
        state in IN_CALL
    )
    assert line.state in {*RESTING, S.NEW}
    assert line.is_idle(1) == (far == IDLE and state is not S.NEW)
    assert SetBits(IDLE) in done


@pytest.mark.parametrize("state", S)
@pytest.mark.parametrize(
    "event",
    [
        LineHappened(LineEvent.RINGOFFHOOK),
        NumberSent(),
        FlashWanted(),
        MfHeard("1"),
        MfHeard(),
        TimerFired("pause"),
        TimerFired("forward_signal"),
    ],
)
def test_events_that_say_nothing(state: R2State, event: Input) -> None:
    line = rested()
    line.state = state
    assert run(line, event) == []


def test_event_without_a_row_releases() -> None:
    line = rested()
    line.state = S.ANSWERED_IN
    assert run(line, CallWanted("1"))[:2] == [EventUnexpected("answered_in", "CallWanted"), CallReleased(Cause.INTERWORKING, True)]


@pytest.mark.parametrize("far", [IDLE, SEIZED, BUSY, ANSWERED, None])
@pytest.mark.parametrize("phase", [phase for phase in LegPhase if phase is not LegPhase.RELEASED])
def test_adopted_call_ends_once(far: int | None, phase: LegPhase) -> None:
    line = R2Line(1, AT_ONCE, lambda: 0.0)
    if far is not None:
        run(line, BitsChanged(far))
    first = [action for _, action in line.adopt(1, phase)]
    done = [*first, *run(line, ReleaseWanted(), BitsChanged(IDLE), TimerFired("guard"))]
    assert len([action for action in done if isinstance(action, CallReleased)]) == 1
    if any(isinstance(action, CallReleased) for action in first):
        assert isinstance(first[0], CallReleased)
    assert line.is_idle(1)


@pytest.mark.parametrize(
    ("phase", "far", "state"),
    [
        (LegPhase.ANSWERED, ANSWERED, S.ANSWERED_OUT),
        (LegPhase.ANSWERED, SEIZED, S.ANSWERED_IN),
        (LegPhase.ALERTING, BUSY, S.PROGRESS),
        (LegPhase.ALERTING, ANSWERED, S.ANSWERED_OUT),
        (LegPhase.OFFERED, SEIZED, S.RINGING),
    ],
)
def test_calls_that_are_taken_over(phase: LegPhase, far: int, state: R2State) -> None:
    line = R2Line(1, AT_ONCE, lambda: 0.0)
    run(line, BitsChanged(far))
    done = [action for _, action in line.adopt(1, phase)]
    assert not any(isinstance(action, CallReleased) for action in done)
    assert line.state is state


def test_wishes_without_a_call_do_nothing() -> None:
    line = rested()
    assert run(line, AnswerWanted(), ReleaseWanted(), AlertWanted(), AlertWanted(inband=True)) == []
    assert line.is_idle(1)
