"""The D-channel lost and found, channels restarted and blocked, both sides seizing at once, frames lost: no channel may stay stuck."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.io import LineEvent
from drivers.protocol import Cause, LegPhase, TransferOutcome
from drivers.signalling import (
    AlertWanted,
    AnswerWanted,
    BlockWanted,
    CallAnswered,
    CallOffered,
    CallReleased,
    CallWanted,
    ChannelIdle,
    EventUnexpected,
    FarBlocked,
    FrameReceived,
    LineFailed,
    LineHappened,
    LinkChanged,
    LinkTransferWanted,
    ReleaseWanted,
    TransferDone,
)
from tests.unit.pri_pair import CHANNELS, NETWORK, USER, Pair, Side, up
from tests.unit.test_pri_calls import answers, config, talk

TALKING = CHANNELS


def all_talk(pair: Pair) -> None:
    for number in TALKING:
        pair.network.tell(number, CallWanted("114", "13800138000"))
    pair.run(1)
    for number in TALKING:
        pair.user.tell(number, AnswerWanted())
    pair.run(1)
    assert len(answers(pair.user)) == len(answers(pair.network)) == len(TALKING)


def hang_up_all(pair: Pair) -> None:
    for side in pair.sides:
        for number in side.span.channels():
            side.tell(number, ReleaseWanted())
    pair.run(1)


def settle(pair: Pair) -> None:
    """All is well on the wire again, everybody hangs up, and timers have run: then no channel may be taken."""
    pair.cut = False
    pair.loses = lambda frame: False
    pair.run(30)
    hang_up_all(pair)
    pair.run(150)
    for side in pair.sides:
        taken = {number: side.span.state_name(number) for number in side.span.channels() if not side.span.is_idle(number)}
        assert not taken
        assert not side.of(EventUnexpected)


@pytest.mark.parametrize("cut_s", [5, 15, 60])
def test_talking_calls_outlive_the_link(cut_s: float) -> None:
    pair = up()
    all_talk(pair)
    pair.cut = True
    pair.run(cut_s)
    pair.cut = False
    pair.run(30)
    assert pair.user.of(CallReleased) == pair.network.of(CallReleased) == []
    assert bool(pair.user.of(LinkChanged)) == (cut_s > 14)
    hang_up_all(pair)
    assert pair.user.all_idle()
    assert pair.network.all_idle()


def test_talking_calls_are_given_up_at_last() -> None:
    pair = up(config(USER, keep_calls_ms=20_000), config(NETWORK, keep_calls_ms=20_000))
    all_talk(pair)
    pair.cut = True
    pair.run(90)
    for side in pair.sides:
        assert len(side.of(CallReleased)) == len(TALKING)
        assert {action for _, action in side.of(CallReleased)} == {CallReleased(Cause.DESTINATION_OUT_OF_ORDER, True)}
        assert not side.span.is_idle(3)
    settle(pair)


def test_calls_that_are_not_answered_end_with_the_link() -> None:
    pair = up()
    pair.network.tell(3, CallWanted("114"))
    pair.user.tell(9, CallWanted("114"))
    pair.run(1)
    pair.cut = True
    pair.run(40)
    assert {channel for channel, _ in pair.user.of(CallReleased)} == {3, 9}
    settle(pair)


def test_hung_up_while_the_link_is_down() -> None:
    pair = up()
    all_talk(pair)
    pair.cut = True
    pair.run(30)
    for number in TALKING:
        pair.user.tell(number, ReleaseWanted())
    pair.run(10)
    pair.cut = False
    pair.run(120)
    assert len(pair.user.of(CallReleased)) == len(TALKING)
    settle(pair)


@pytest.mark.parametrize("cut_s", [3, 8, 20, 60])
def test_a_call_the_far_side_gave_up_while_the_link_was_down(cut_s: float) -> None:
    pair = up()
    talk(pair)
    pair.cut = True
    pair.run(cut_s / 2)
    pair.network.tell(3, LineFailed(gone=True))
    pair.run(cut_s / 2)
    pair.cut = False
    pair.run(60)
    assert len(pair.user.of(CallReleased)) == 1
    settle(pair)


def test_an_alarm_keeps_talking_calls_only() -> None:
    pair = up()
    talk(pair, 3)
    pair.network.tell(4, CallWanted("114"))
    pair.run(0.05)
    pair.user.take()
    for number in (3, 4, 5):
        pair.user.tell(number, LineFailed())
    assert pair.user.take() == [(4, CallReleased(Cause.NETWORK_OUT_OF_ORDER, True))]
    pair.user.tell(3, LineFailed(gone=True))
    assert pair.user.take() == [(3, CallReleased(Cause.NETWORK_OUT_OF_ORDER, True))]
    settle(pair)


# --- glare -----------------------------------------------------------------------------------------------------------


def test_both_seize_the_same_channel() -> None:
    """The network's call stays; ours is told to try another channel."""
    pair = up()
    pair.user.tell(7, CallWanted("114"))
    pair.network.tell(7, CallWanted("88886666"))
    pair.run(0.05)
    assert pair.user.take()[0] == (7, CallReleased(Cause.CHANNEL_NOT_AVAILABLE, True))
    assert pair.network.of(CallReleased) == []
    assert pair.user.of(ChannelIdle) == []
    pair.user.tell(7, AnswerWanted())
    pair.run(0.1)
    assert answers(pair.network) == [7]
    settle(pair)


def test_both_seize_all_channels() -> None:
    pair = up()
    for number in CHANNELS:
        pair.user.tell(number, CallWanted("114"))
        pair.network.tell(number, CallWanted("88886666"))
    pair.run(0.5)
    assert len(pair.user.of(CallReleased)) == len(CHANNELS)
    assert len(pair.user.of(CallOffered)) == len(CHANNELS)
    assert pair.network.of(CallOffered) == []
    settle(pair)


# --- restart, service, transfer ---------------------------------------------------------------------------------------


def test_a_far_side_that_begins_anew_clears_our_calls() -> None:
    pair = up()
    all_talk(pair)
    fresh = Side(pair, NETWORK, {number: number for number in CHANNELS})
    fresh.send, pair.network = pair.network.send, fresh
    pair.user.send = lambda frame: pair._carry(fresh, frame)
    fresh.perform(fresh.span.start())
    pair.run(20)
    assert len(pair.user.of(CallReleased)) == len(TALKING)
    assert pair.user.all_idle()
    assert fresh.all_idle()


def test_a_far_side_that_does_not_answer_restart() -> None:
    pair = Pair()
    pair.loses = lambda frame: b"\x4e" in frame[8:10]
    pair.run(11)
    assert pair.user.all_idle()


def test_a_call_an_earlier_process_left_is_over() -> None:
    pair = up()
    assert pair.user.span.adopt(3, LegPhase.ANSWERED)[0] == (3, CallReleased(Cause.TEMPORARY_FAILURE, False))


def test_service_states() -> None:
    pair = up(config(USER, switch="ni2", service_messages=True), config(NETWORK, switch="ni2", service_messages=True), tuple(range(1, 24)))
    pair.network.tell(5, BlockWanted())
    pair.run(0.1)
    assert pair.user.take() == [(5, FarBlocked(True))]
    assert not pair.user.span.is_idle(5)
    assert pair.user.span.state_name(5) == "blocked"
    pair.network.tell(5, BlockWanted(False))
    pair.run(0.1)
    assert pair.user.take() == [(5, FarBlocked(False))]
    assert pair.user.all_idle()


def test_a_channel_blocked_without_a_link_is_told_when_it_is_up() -> None:
    service = {"switch": "ni2", "service_messages": True}
    pair = Pair(config(USER, **service), config(NETWORK, **service), tuple(range(1, 24)))
    pair.user.tell(5, BlockWanted())
    pair.run(10)
    assert pair.network.of(FarBlocked)[-1] == (5, FarBlocked(True))
    assert [number for number in pair.network.span.channels() if not pair.network.span.is_idle(number)] == [5]


def test_where_there_is_no_service_message_none_is_sent() -> None:
    pair = up()
    frames = pair.frames
    pair.user.tell(5, BlockWanted())
    assert pair.frames == frames


def test_a_switch_that_does_not_transfer() -> None:
    pair = up()
    talk(pair, 3)
    talk(pair, 4)
    pair.user.tell(3, LinkTransferWanted(4))
    assert pair.user.take() == [(3, TransferDone(TransferOutcome.REFUSED))]
    settle(pair)


def two_calls(transfer: bool = True) -> Pair:
    pair = up(config(USER, transfer=transfer))
    talk(pair, 3)
    talk(pair, 4)
    return pair


def test_a_switch_that_joins_two_calls() -> None:
    """It releases both."""
    pair = two_calls()
    pair.user.tell(3, LinkTransferWanted(4))
    pair.run(0.5)
    for channel in (3, 4):
        pair.network.tell(channel, ReleaseWanted())
    pair.run(0.5)
    assert pair.user.take() == [
        (3, TransferDone(TransferOutcome.TRANSFERRED)),
        (3, CallReleased(Cause.NORMAL, True)),
        (4, CallReleased(Cause.NORMAL, True)),
    ]
    settle(pair)


def test_a_switch_that_does_not_answer_the_wish_to_join() -> None:
    pair = two_calls()
    pair.user.tell(3, LinkTransferWanted(4))
    pair.run(20)
    assert pair.user.take() == [(3, TransferDone(TransferOutcome.REFUSED))]
    assert pair.user.span.state_name(3) == pair.user.span.state_name(4) == "answered"
    settle(pair)


@pytest.mark.parametrize("other", [3, 5, 16])
def test_there_is_no_call_to_be_joined_with(other: int) -> None:
    pair = two_calls()
    pair.user.tell(3, LinkTransferWanted(other))
    assert pair.user.take() == [(3, TransferDone(TransferOutcome.REFUSED))]


# --- anything --------------------------------------------------------------------------------------------------------

ORDERS = ("call_user", "call_network", "answer", "alert", "release", "fail", "cut", "mend", "lossy", "wait", "long_wait", "event")


def do(pair: Pair, order: str, at: int, chance: random.Random) -> None:
    number = CHANNELS[at % 4]
    side = pair.sides[at % 2]
    match order:
        case "call_user" | "call_network":
            caller = pair.user if order == "call_user" else pair.network
            if caller.span.is_idle(number):
                caller.tell(number, CallWanted("114", "13800138000", no_answer_ms=30_000))
        case "answer":
            for each in pair.sides:
                each.tell(number, AnswerWanted())
        case "alert":
            side.tell(number, AlertWanted(inband=bool(at & 4)))
        case "release":
            side.tell(number, ReleaseWanted(chance.choice([16, 17, 21, 34, 44, 1, 82, 6, 26, 81, 127])))
        case "fail":
            side.tell(number, LineFailed(chance.choice([38, 41]), gone=bool(at & 4)))
        case "event":
            side.tell(number, LineHappened(LineEvent.OVERRUN))
        case "cut" | "mend":
            pair.cut = order == "cut"
        case "lossy":
            pair.loses = lambda frame: chance.random() < 0.3
        case "wait":
            pair.run(chance.choice([0.003, 0.01, 0.2]))
        case "long_wait":
            pair.run(chance.choice([2, 15, 40]))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    orders=st.lists(st.tuples(st.sampled_from(ORDERS), st.integers(0, 15)), min_size=1, max_size=40),
    seed=st.integers(0, 2**16),
    overlap=st.booleans(),
)
def test_whatever_happens_no_channel_stays_taken(orders: list[tuple[str, int]], seed: int, overlap: bool) -> None:
    chance = random.Random(seed)
    pair = up(config(USER, overlap_receive=overlap), config(NETWORK, overlap_send=overlap), CHANNELS[:4])
    for order, at in orders:
        do(pair, order, at, chance)
    settle(pair)


def test_hundreds_of_calls_ended_at_every_stage_on_a_bad_wire() -> None:
    chance = random.Random(7)
    pair = up()
    pair.loses = lambda frame: chance.random() < 0.05
    done = {"calls": 0}
    for _ in range(3000):
        number = chance.choice(CHANNELS)
        order = chance.choice(["call_user", "call_network", "answer", "answer", "alert", "release", "wait", "wait"])
        side = chance.choice(pair.sides)
        match order:
            case "call_user" | "call_network":
                if side.span.is_idle(number):
                    side.tell(number, CallWanted("114", "13800138000"))
                    done["calls"] += 1
            case "answer":
                side.tell(number, AnswerWanted())
            case "alert":
                side.tell(number, AlertWanted())
            case "release":
                side.tell(number, ReleaseWanted(chance.choice([16, 17, 21, 34, 44])))
            case "wait":
                pair.run(chance.choice([0.002, 0.02, 0.5, 1.5]))
    assert done["calls"] > 250
    assert len([1 for side in pair.sides for _ in side.of(CallAnswered)]) > 100
    settle(pair)


def test_frames_that_are_none() -> None:
    pair = up()
    talk(pair)
    for frame in (b"", b"\x02", b"\x02\x01", b"\xff" * 300, b"\x00" * 300, b"\x02\x01" * 500):
        pair.user.tell(16, FrameReceived(frame))
    pair.run(1)
    assert pair.user.of(CallReleased) == []
