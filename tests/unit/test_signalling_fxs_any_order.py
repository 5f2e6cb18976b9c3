"""A telephone set, whatever happens to it and in whatever order: every event has its row, every call ends once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.io import Hook, LineEvent
from drivers.protocol import Cause, LegPhase
from drivers.signalling import (
    AnswerWanted,
    CallReleased,
    CallWanted,
    ChannelIdle,
    DigitHeard,
    EventUnexpected,
    Input,
    LineFailed,
    LineHappened,
    MessageWaitingWanted,
    NumberSent,
    NumberWanted,
    ReleaseWanted,
    SetHook,
    StartTimer,
    TimerFired,
    ToneHeard,
)
from drivers.signalling.analog_machine import INDIFFERENT
from drivers.signalling.fxs import Fxo, FxoSignalled
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
from tests.unit.set_rig import FLASH, RING_BEGINS, RING_ENDS, telephone

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
