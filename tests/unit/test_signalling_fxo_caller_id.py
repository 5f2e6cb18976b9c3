"""Who calls, as a line of the exchange tells it: before the first ring, between the first and the second, or never."""

import pytest

from drivers.io import LineEvent
from drivers.protocol import Caller, Cause
from drivers.signalling import (
    Action,
    AnswerWanted,
    CallerIdHeard,
    CallOffered,
    CallReleased,
    ChannelIdle,
    LineHappened,
    ListenForCallerId,
    ReleaseWanted,
    StartTimer,
    StopTimer,
    TimerFired,
)
from drivers.signalling.fxo import Fxs, FxsSignalled
from tests.unit.analog_rig import ONHOOK, RINGBEGIN, RINGOFFHOOK, kinds, run
from tests.unit.fxo_rig import WITHHELD, ZHANG, line, ringing, talking

BOTH = ("fsk", "dtmf")
POLARITY = LineHappened(LineEvent.POLARITY)


def offers(actions: list[Action]) -> list[Action]:
    return kinds(actions, CallOffered)


def waiting() -> FxsSignalled:
    return ringing(caller_id=BOTH)


def test_ring_is_not_offered_before_the_id_can_have_come() -> None:
    made = line(caller_id=BOTH)
    done = run(made, RINGBEGIN, TimerFired("ring_confirm"))
    assert not offers(done)
    assert ListenForCallerId(BOTH) in done
    assert StartTimer("caller_id", 8000) in done


@pytest.mark.parametrize("caller", [ZHANG, WITHHELD, Caller()])
def test_offered_with_what_was_heard_after_the_first_ring(caller: Caller) -> None:
    made = waiting()
    done = run(made, RINGOFFHOOK, CallerIdHeard(caller))
    assert offers(done) == [CallOffered(caller)]
    assert ListenForCallerId() in done
    assert made.state == Fxs.RINGING


def test_a_withheld_number_is_never_matched() -> None:
    assert (ZHANG.ani, WITHHELD.ani) == ("13800138000", None)


def test_second_ring_ends_the_wait() -> None:
    made = waiting()
    assert offers(run(made, RINGOFFHOOK, RINGBEGIN)) == [CallOffered()]


def test_the_wait_has_an_end() -> None:
    assert offers(run(waiting(), TimerFired("caller_id"))) == [CallOffered()]


def test_caller_who_gives_up_before_being_offered_is_no_call() -> None:
    made = waiting()
    done = run(made, RINGOFFHOOK, TimerFired("ring_stopped"))
    assert not kinds(done, CallOffered, CallReleased)
    assert kinds(done, ListenForCallerId, ChannelIdle) == [ListenForCallerId(), ChannelIdle()]
    assert made.is_idle(7)


def test_id_that_comes_late_changes_nothing() -> None:
    made = waiting()
    run(made, TimerFired("caller_id"))
    assert run(made, CallerIdHeard(ZHANG)) == []


def test_next_call_is_not_taken_for_the_last_caller_s() -> None:
    made = waiting()
    run(made, CallerIdHeard(ZHANG), AnswerWanted(), ONHOOK, TimerFired("guard"))
    run(made, RINGBEGIN, TimerFired("ring_confirm"))
    assert offers(run(made, TimerFired("caller_id"))) == [CallOffered()]


def announced() -> FxsSignalled:
    made = line(caller_id=BOTH, caller_id_begins="polarity")
    run(made, POLARITY)
    return made


def test_polarity_announces_caller_id_before_the_first_ring() -> None:
    made = line(caller_id=BOTH, caller_id_begins="polarity")
    assert kinds(run(made, POLARITY), ListenForCallerId, StartTimer) == [ListenForCallerId(BOTH), StartTimer("ring_stopped", 6000)]
    assert not made.is_idle(7)
    assert not offers(run(made, CallerIdHeard(ZHANG), RINGBEGIN))
    assert offers(run(made, TimerFired("ring_confirm"))) == [CallOffered(ZHANG)]


def test_polarity_without_a_call_is_forgotten() -> None:
    made = announced()
    done = run(made, TimerFired("ring_stopped"))
    assert done == [StopTimer("ring_stopped"), ListenForCallerId(), ChannelIdle()]
    assert made.is_idle(7)


def test_announced_but_not_told_is_waited_for_once_more_after_the_first_ring() -> None:
    made = announced()
    assert not offers(run(made, RINGBEGIN, TimerFired("ring_confirm")))
    assert offers(run(made, RINGOFFHOOK, CallerIdHeard(ZHANG))) == [CallOffered(ZHANG)]


def test_polarity_means_nothing_where_it_announces_nothing() -> None:
    assert run(line(caller_id=BOTH), POLARITY) == []
    assert run(line(caller_id_begins="polarity"), POLARITY) == []


def test_unannounced_id_needs_a_line_that_always_listens() -> None:
    made = line(caller_id=("dtmf",), caller_id_begins="idle")
    assert [action for _, action in made.begin(7)] == [ListenForCallerId(("dtmf",))]
    run(made, CallerIdHeard(ZHANG))
    assert not made.is_idle(7)
    assert offers(run(made, RINGBEGIN, TimerFired("ring_confirm"))) == [CallOffered(ZHANG)]
    done = run(made, ReleaseWanted(Cause.REJECTED), TimerFired("ring_stopped"))
    assert kinds(done, ChannelIdle, ListenForCallerId) == [ChannelIdle(), ListenForCallerId(("dtmf",))]


def test_other_lines_do_not_listen_at_rest() -> None:
    assert line(caller_id=BOTH).begin(7) == ()
    made = talking()
    run(made, ONHOOK)
    assert kinds(run(made, TimerFired("guard")), ChannelIdle, ListenForCallerId) == [ChannelIdle()]


def test_id_after_a_ring_that_the_kernel_did_not_tell_of_so_soon_after_a_call() -> None:
    made = talking(caller_id=BOTH)
    run(made, ONHOOK)
    assert run(made, TimerFired("guard"))[1:] == [ChannelIdle(), ListenForCallerId(("fsk",)), StartTimer("after_call", 6000)]
    assert made.is_idle(7)
    run(made, CallerIdHeard(ZHANG))
    assert offers(run(made, RINGBEGIN, TimerFired("ring_confirm"))) == [CallOffered(ZHANG)]


def test_listening_after_a_call_has_an_end() -> None:
    made = talking(caller_id=BOTH)
    run(made, ONHOOK, TimerFired("guard"))
    assert run(made, TimerFired("after_call")) == [ListenForCallerId(), ChannelIdle()]
