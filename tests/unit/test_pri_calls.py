"""Calls between two PRI signallers: set up, answered and cleared in every way, with all that is told about the caller."""

import msgspec
import pytest

from drivers.protocol import Caller, Cause, NumberSource, Presentation
from drivers.signalling import (
    AlertWanted,
    AnswerWanted,
    CallAlerting,
    CallAnswered,
    CallOffered,
    CallReleased,
    CallWanted,
    LinkChanged,
    ReleaseWanted,
    TimerFired,
)
from drivers.signalling.pri.binding import Number, Setup
from drivers.signalling.pri.config import PriConfig
from tests.unit.pri_pair import NETWORK, USER, Pair, Side, up

QUIET = msgspec.structs.replace(USER, alert_after_ms=0)
OFFER = CallOffered(Caller("13800138000", Presentation.ALLOWED, NumberSource.USER), "88886666")


def ring(pair: Pair, channel: int = 3, number: str = "88886666", caller: str | None = "13800138000") -> None:
    """The network calls the user."""
    pair.network.tell(channel, CallWanted(number, caller))
    pair.run(0.1)


def talk(pair: Pair, channel: int = 3) -> None:
    ring(pair, channel)
    pair.user.tell(channel, AnswerWanted())
    pair.run(0.1)
    pair.user.take()
    pair.network.take()


def config(base: PriConfig, **changes: object) -> PriConfig:
    return msgspec.structs.replace(base, **changes)


def test_the_link_comes_up_and_the_channels_are_restarted() -> None:
    pair = Pair()
    pair.run(0.02)
    assert pair.user.of(LinkChanged) == [(16, LinkChanged(True))]
    assert pair.user.span.state_name(20) == "restarting"
    assert not pair.user.span.is_idle(20)
    pair.run(5)
    assert pair.user.all_idle()
    assert pair.network.all_idle()


def test_without_a_far_side_no_channel_is_idle() -> None:
    pair = Pair()
    pair.cut = True
    pair.run(60)
    assert not any(pair.user.span.is_idle(number) for number in pair.user.span.channels())
    assert pair.user.span.state_name(1) == "link down"
    pair.user.tell(1, CallWanted("114"))
    assert pair.user.take() == [(1, CallReleased(Cause.CHANNEL_NOT_AVAILABLE, False))]


def test_a_call_in() -> None:
    pair = up(QUIET)
    ring(pair)
    assert pair.user.take() == [(3, OFFER)]
    pair.user.tell(3, AlertWanted())
    pair.run(0.1)
    assert pair.network.take() == [(3, CallAlerting(False))]
    pair.user.tell(3, AnswerWanted())
    pair.run(0.1)
    assert pair.user.take() == [(3, CallAnswered())]
    assert pair.network.take() == [(3, CallAnswered())]
    pair.user.tell(3, ReleaseWanted())
    pair.run(0.1)
    assert pair.user.take() == [(3, CallReleased(16, False))]
    assert pair.network.take() == [(3, CallReleased(16, True))]
    assert pair.user.all_idle()
    assert pair.network.all_idle()


def test_a_call_offered_for_a_while_is_told_to_ring() -> None:
    pair = up()
    ring(pair)
    pair.run(0.1)
    assert pair.network.take() == [(3, CallAlerting(False))]


def test_ringing_that_can_be_heard() -> None:
    pair = up(QUIET)
    ring(pair)
    pair.user.tell(3, AlertWanted(inband=True))
    pair.run(0.1)
    assert pair.network.take() == [(3, CallAlerting(True))]


def test_something_to_hear_told_after_the_ringing() -> None:
    pair = up(QUIET)
    ring(pair)
    pair.user.tell(3, AlertWanted())
    pair.user.tell(3, AlertWanted(inband=True))
    pair.user.tell(3, AlertWanted(inband=True))
    pair.run(0.1)
    assert pair.network.take() == [(3, CallAlerting(False)), (3, CallAlerting(True))]


def test_a_call_out() -> None:
    pair = up()
    pair.user.tell(31, CallWanted("114", "88886666"))
    pair.run(0.1)
    assert pair.network.take() == [(31, CallOffered(Caller("88886666", Presentation.ALLOWED, NumberSource.USER), "114"))]
    pair.network.tell(31, AnswerWanted())
    pair.run(0.1)
    assert answers(pair.user) == [31]


def answers(side: Side) -> list[int]:
    return [channel for channel, action in side.take() if action == CallAnswered()]


def test_nobody_answers() -> None:
    pair = up()
    pair.user.tell(1, CallWanted("114", no_answer_ms=20_000))
    pair.run(19.9)
    assert pair.user.take() == [(1, CallAlerting(False))]
    pair.run(1)
    assert pair.user.take() == [(1, CallReleased(Cause.NO_ANSWER, False))]
    assert pair.network.take()[-1] == (1, CallReleased(Cause.NO_ANSWER, True))
    assert pair.user.all_idle()
    assert pair.network.all_idle()


@pytest.mark.parametrize("number", ["", "1" * 33, "12 34", "abc", "+"])
def test_a_number_that_cannot_be_called(number: str) -> None:
    pair = up()
    pair.user.tell(1, CallWanted(number))
    assert pair.user.take() == [(1, CallReleased(Cause.INVALID_NUMBER, False))]
    assert pair.user.all_idle()


SENDABLE = [cause for cause in Cause if cause not in (6, 7, 26, 81, 96)]


@pytest.mark.parametrize("cause", SENDABLE)
def test_every_cause_reaches_the_far_side(cause: Cause) -> None:
    """While it rings and while they talk, from both sides."""
    pair = up(QUIET)
    for by_user in (True, False):
        for stage in ("offered", "alerting", "answered"):
            ring(pair)
            if stage != "offered":
                pair.user.tell(3, AlertWanted())
            if stage == "answered":
                pair.user.tell(3, AnswerWanted())
            pair.run(0.1)
            pair.user.take()
            pair.network.take()
            ours, theirs = (pair.user, pair.network) if by_user else (pair.network, pair.user)
            ours.tell(3, ReleaseWanted(cause))
            pair.run(0.1)
            assert ours.take() == [(3, CallReleased(cause, False))]
            assert theirs.take() == [(3, CallReleased(cause, True))]
            assert pair.user.all_idle()
            assert pair.network.all_idle()


@pytest.mark.parametrize("cause", [6, 7, 26, 81, 96, 0, -1, 99, 500])
def test_a_cause_that_cannot_be_sent_ends_the_call_all_the_same(cause: int) -> None:
    pair = up()
    talk(pair)
    pair.user.tell(3, ReleaseWanted(cause))
    pair.run(0.1)
    assert [type(action) for _, action in pair.network.take()] == [CallReleased]
    assert pair.user.all_idle()
    assert pair.network.all_idle()


def test_both_hang_up_at_once() -> None:
    pair = up()
    talk(pair)
    pair.user.tell(3, ReleaseWanted())
    pair.network.tell(3, ReleaseWanted())
    pair.run(1)
    assert pair.user.take() == [(3, CallReleased(16, False))]
    assert pair.network.take() == [(3, CallReleased(16, False))]
    assert pair.user.all_idle()
    assert pair.network.all_idle()


def test_answer_and_hang_up_cross() -> None:
    pair = up()
    ring(pair)
    pair.user.tell(3, AnswerWanted())
    pair.network.tell(3, ReleaseWanted())
    pair.run(1)
    assert pair.user.take()[-1] == (3, CallReleased(16, True))
    assert pair.user.all_idle()
    assert pair.network.all_idle()


def test_all_channels_at_once_both_ways() -> None:
    pair = up()
    for number in pair.user.span.channels():
        (pair.user if number % 2 else pair.network).tell(number, CallWanted("114"))
    pair.run(1)
    for number in pair.user.span.channels():
        (pair.network if number % 2 else pair.user).tell(number, AnswerWanted())
    pair.run(1)
    assert sorted(answers(pair.user)) == sorted(pair.user.span.channels())
    for number in pair.user.span.channels():
        pair.user.tell(number, ReleaseWanted())
    pair.run(1)
    assert pair.user.all_idle()
    assert pair.network.all_idle()


# --- numbers ---------------------------------------------------------------------------------------------------------


def offered(pair: Pair, caller: str | None = "13800138000") -> CallOffered:
    ring(pair, caller=caller)
    (_, action), *_ = pair.user.take()
    assert isinstance(action, CallOffered)
    return action


def test_a_withheld_number_is_never_a_match() -> None:
    caller = offered(up(network=config(NETWORK, hide_number=True))).caller
    assert caller is not None
    assert (caller.number, caller.presentation, caller.ani) == ("13800138000", Presentation.RESTRICTED, None)


def test_no_number() -> None:
    caller = offered(up(), caller=None).caller
    assert caller == Caller("", Presentation.UNAVAILABLE, NumberSource.USER)


def test_the_trunk_s_own_number_where_the_call_has_none() -> None:
    caller = offered(up(network=config(NETWORK, caller_number="01012345678")), caller=None).caller
    assert caller is not None
    assert caller.ani == "01012345678"


@pytest.mark.parametrize(
    ("kind", "number", "told"),
    [
        ("national", "1088886666", "01088886666"),
        ("national", "01088886666", "01088886666"),
        ("international", "441632960000", "00441632960000"),
        ("subscriber", "88886666", "88886666"),
        ("unknown", "88886666", "88886666"),
    ],
)
def test_the_type_of_number_becomes_a_prefix(kind: str, number: str, told: str) -> None:
    caller = offered(up(network=config(NETWORK, caller_type=kind)), caller=number).caller
    assert caller is not None
    assert caller.ani == told


def told(calling: Number | None = None, name: str = "", redirecting: Number | None = None) -> CallOffered:
    """What the user side makes of a SETUP of the network's with these elements."""
    pair = up()
    setup = Setup(channel=5, law="alaw", called=Number("88886666"), calling=calling, name=name, redirecting=redirecting)
    assert pair.network.span.stack.setup(setup) is not None
    pair.network.tell(pair.network.d_channel, TimerFired("libpri"))
    pair.run(0.1)
    (_, action), *_ = pair.user.take()
    assert isinstance(action, CallOffered)
    return action


@pytest.mark.parametrize(
    ("presentation", "shown", "source"),
    [
        (0x00, Presentation.ALLOWED, NumberSource.USER),
        (0x01, Presentation.ALLOWED, NumberSource.NETWORK),
        (0x02, Presentation.ALLOWED, NumberSource.USER),
        (0x03, Presentation.ALLOWED, NumberSource.NETWORK),
        (0x21, Presentation.RESTRICTED, NumberSource.NETWORK),
        (0x43, Presentation.UNAVAILABLE, NumberSource.NETWORK),
    ],
)
def test_presentation_and_screening(presentation: int, shown: Presentation, source: NumberSource) -> None:
    caller = told(Number("13800138000", 0x41, presentation)).caller
    assert caller is not None
    assert (caller.number, caller.presentation, caller.source) == ("13800138000", shown, source)
    assert caller.ani == ("13800138000" if shown is Presentation.ALLOWED else None)


def test_a_name() -> None:
    caller = told(Number("13800138000", 0x41, 0x01), name="Ward 3").caller
    assert caller is not None
    assert caller.name == "Ward 3"


def test_the_number_a_call_was_diverted_from() -> None:
    assert told(redirecting=Number("88881234", 0x41)).rdnis == "88881234"
    assert told(redirecting=Number("1088881234", 0x21)).rdnis == "01088881234"
    assert told().rdnis is None


def test_an_international_number_is_marked_as_one() -> None:
    pair = up()
    pair.user.tell(1, CallWanted("+441632960000", "+8613800138000"))
    pair.run(0.1)
    (_, action), *_ = pair.network.take()
    assert isinstance(action, CallOffered)
    assert action.dnis == "441632960000"
    assert action.caller is not None
    assert action.caller.number == "008613800138000"


@pytest.mark.parametrize("switch", ["euroisdn", "euroisdn_t1", "qsig", "ni1", "ni2", "dms100", "5ess", "4ess"])
def test_every_switch_type(switch: str) -> None:
    channels = tuple(range(1, 16))
    pair = up(config(USER, switch=switch), config(NETWORK, switch=switch), channels)
    talk(pair)
    pair.network.tell(3, ReleaseWanted(Cause.NORMAL))
    pair.run(1)
    assert pair.user.take() == [(3, CallReleased(16, True))]
    pair.network.take()
    pair.user.tell(4, CallWanted("114", "88886666"))
    pair.run(0.05)
    (channel, action), *_ = pair.network.take()
    assert channel == 4
    assert isinstance(action, CallOffered)
    assert action.dnis == "114"
    pair.network.tell(4, ReleaseWanted(Cause.USER_BUSY))
    pair.run(1)
    assert pair.user.take()[-1] == (4, CallReleased(17, True))
    assert pair.user.all_idle()
    assert pair.network.all_idle()


# --- overlap ---------------------------------------------------------------------------------------------------------

OVERLAP_IN = config(QUIET, overlap_receive=True, digit_wait_ms=3000)
OVERLAP_OUT = config(NETWORK, overlap_send=True, first_digits=2)


def test_digits_one_by_one_until_none_comes() -> None:
    pair = up(OVERLAP_IN, OVERLAP_OUT)
    ring(pair)
    assert pair.user.take() == []
    pair.run(3.1)
    assert pair.user.take() == [(3, OFFER)]


def test_digits_one_by_one_until_there_are_enough() -> None:
    pair = up(config(OVERLAP_IN, dnis_digits=8), OVERLAP_OUT)
    ring(pair)
    assert pair.user.take() == [(3, OFFER)]


def test_a_complete_number_is_not_waited_for() -> None:
    pair = up(OVERLAP_IN)
    ring(pair)
    assert pair.user.take() == [(3, OFFER)]


def test_no_digit_in_setup() -> None:
    pair = up(config(OVERLAP_IN, dnis_digits=8), config(OVERLAP_OUT, first_digits=0))
    ring(pair)
    assert pair.user.take() == [(3, OFFER)]


def test_the_caller_gives_up_while_dialling() -> None:
    pair = up(OVERLAP_IN, OVERLAP_OUT)
    ring(pair)
    pair.network.tell(3, ReleaseWanted())
    pair.run(10)
    assert pair.user.take() == []
    assert pair.user.all_idle()
    assert pair.network.all_idle()
