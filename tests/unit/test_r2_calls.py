"""MFC/R2 back to back over a wire with delays: numbers arrive whole or not at all, hang-ups at every stage, noise; no channel is ever
stuck."""

import random
from functools import partial
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.protocol import Caller, Cause, Presentation
from drivers.signalling import (
    AlertWanted,
    AnswerWanted,
    BitsChanged,
    BlockWanted,
    CallAlerting,
    CallAnswered,
    CallOffered,
    CallReleased,
    CallWanted,
    ChannelIdle,
    FarBlocked,
    Input,
    LineFailed,
    MfHeard,
    ReleaseWanted,
    SoundLost,
    SoundTone,
)
from drivers.signalling.r2 import VARIANTS, R2Span
from tests.unit.r2_rig import End, Timeline, settled, trunk

NUMBERS = st.text("0123456789", min_size=1, max_size=15)
CALLERS = st.one_of(st.none(), st.text("0123456789", min_size=1, max_size=15))
CALL_MS = 90_000  # more than any call set-up takes, over satellites too
DELAYS = st.sampled_from([(5.0, 5.0), (10.0, 20.0), (20.0, 50.0), (60.0, 120.0), (270.0, 300.0)])


def span(variant: str = "cn", **wanted: Any) -> R2Span:
    return msgspec.convert({"variant": variant, **wanted}, R2Span)


def offered(end: End) -> CallOffered:
    (call,) = end.kinds(CallOffered)
    assert isinstance(call, CallOffered)
    return call


def caller_at(end: End) -> Caller:
    """Who calls, as the offered call tells it."""
    caller = offered(end).caller
    assert caller is not None
    return caller


def released(end: End) -> CallReleased:
    (news,) = end.kinds(CallReleased)
    assert isinstance(news, CallReleased)
    return news


def call(line: Timeline, near: End, number: str = "88886666", caller: str | None = "13800138000") -> None:
    near.tell(CallWanted(number, caller, no_answer_ms=10 * CALL_MS))
    line.run(line.now_ms + CALL_MS)


def forget(*ends: End) -> None:
    for end in ends:
        end.news.clear()
        end.said.clear()


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(VARIANTS)), NUMBERS, CALLERS, st.booleans(), st.booleans(), st.booleans(), DELAYS, st.integers(0, 9999))
def test_numbers_arrive_as_they_were_sent(
    variant: str, number: str, caller: str | None, fixed: bool, ani: bool, category: bool, delays_ms: tuple[float, float], seed: int
) -> None:
    wanted = span(variant, dnis_length=len(number) if fixed else 0, ani=ani, category=category)
    line, near, far = trunk(wanted, seed=seed, delays_ms=delays_ms)
    call(line, near, number, caller)
    arrived = offered(far)
    assert arrived.dnis == number
    assert arrived.caller is not None
    assert arrived.caller.ani == (caller if ani else None)
    assert arrived.caller.category == "ordinary"
    assert near.kinds(CallAlerting) == [CallAlerting(inband=True)]  # told by the time the call agent has
    far.tell(AnswerWanted())
    line.run(line.now_ms + 2000)
    assert near.kinds(CallAnswered, CallReleased) == far.kinds(CallAnswered, CallReleased) == [CallAnswered()]
    near.tell(ReleaseWanted())
    settled(line, near, far)


@pytest.mark.parametrize("variant", ["itu", "br", "ar", "mx"])
def test_caller_who_withholds_the_number(variant: str) -> None:
    line, near, far = trunk(span(variant))
    call(line, near, caller=None)
    assert caller_at(far).presentation is Presentation.RESTRICTED


def test_china_knows_no_withheld_numbers() -> None:
    line, near, far = trunk()
    call(line, near, caller=None)
    assert caller_at(far).presentation is Presentation.UNAVAILABLE


@pytest.mark.parametrize("variant", sorted(VARIANTS))
@pytest.mark.parametrize("after", [1, 3])
def test_caller_asked_for_in_the_middle_of_the_number(variant: str, after: int) -> None:
    line, near, far = trunk(span(variant, dnis_length=8, ani_after=after))
    call(line, near)
    assert (offered(far).dnis, caller_at(far).ani) == ("88886666", "13800138000")


@pytest.mark.parametrize("variant", ["itu", "ar"])
def test_without_group_b(variant: str) -> None:
    line, near, far = trunk(span(variant, group_b=False))
    call(line, near)
    assert offered(far).dnis == "88886666"
    assert far.state == "ringing"
    far.tell(AnswerWanted())
    line.run(line.now_ms + 1000)
    assert near.kinds(CallAnswered)


@pytest.mark.parametrize("variant", ["itu", "mx", "br"])
def test_free_of_charge(variant: str) -> None:
    line, near, far = trunk(span(variant, charge=False))
    call(line, near)
    assert near.kinds(CallAlerting)
    assert far.state == "ringing"


@pytest.mark.parametrize(
    ("cause", "told"),
    [
        (Cause.USER_BUSY, Cause.USER_BUSY),
        (Cause.UNALLOCATED_NUMBER, Cause.UNALLOCATED_NUMBER),
        (Cause.SWITCH_CONGESTION, Cause.SWITCH_CONGESTION),
        (Cause.DESTINATION_OUT_OF_ORDER, Cause.DESTINATION_OUT_OF_ORDER),
        (Cause.NORMAL, Cause.USER_BUSY),
    ],
)
def test_refused_calls_tell_why(cause: Cause, told: Cause) -> None:
    line, near, far = trunk(span("itu", dnis_length=8))
    near.tell(CallWanted("88886666", "1"))
    while not far.kinds(CallOffered):
        line.run(line.now_ms + 10)
    far.tell(ReleaseWanted(cause))
    settled(line, near, far)
    assert released(near) == CallReleased(told, True)
    assert released(far) == CallReleased(cause, False)
    assert not near.kinds(CallAlerting)


@pytest.mark.parametrize(("category", "told"), [("ordinary", Cause.USER_BUSY), ("toll", Cause.USER_BUSY)])
def test_busy_in_china_is_told_by_category(category: str, told: Cause) -> None:
    line, near, far = trunk(span(dnis_length=8, own_category=category))
    near.tell(CallWanted("88886666", "1"))
    while not far.kinds(CallOffered):
        line.run(line.now_ms + 10)
    far.tell(ReleaseWanted(Cause.USER_BUSY))
    settled(line, near, far)
    assert released(near).cause == told


def test_ringing_is_sounded_until_the_answer() -> None:
    line, near, far = trunk()
    call(line, near)
    assert far.kinds(SoundTone) == [SoundTone("ringback")]
    far.tell(AnswerWanted())
    assert far.kinds(SoundTone)[1:] == [SoundTone()]


def test_no_ringing_where_the_call_agent_has_something_better() -> None:
    line, near, far = trunk(span(dnis_length=8))
    near.tell(CallWanted("88886666", "1"))
    while not far.kinds(CallOffered):
        line.run(line.now_ms + 10)
    far.tell(AlertWanted(inband=True))
    line.run(line.now_ms + 1000)
    assert near.kinds(CallAlerting)
    assert far.kinds(SoundTone) == [SoundTone()]


def test_no_answer() -> None:
    line, near, far = trunk()
    near.tell(CallWanted("88886666", "1", no_answer_ms=20_000))
    line.run(line.now_ms + 19_000)
    assert far.state == "ringing"
    settled(line, near, far)
    assert released(near) == CallReleased(Cause.NO_ANSWER, False)
    assert released(far) == CallReleased(Cause.NORMAL, True)


def test_number_shorter_than_expected_is_no_call() -> None:
    line, near, far = trunk(span(dnis_length=8))
    call(line, near, number="8888")
    settled(line, near, far)
    assert not far.kinds(CallOffered)
    assert released(near).cause == Cause.SWITCH_CONGESTION


def test_far_side_with_other_categories_is_still_heard() -> None:
    line, near, far = trunk(span(own_category="operator"))
    call(line, near)
    assert caller_at(far).category == "ordinary"  # KA has no operator; KD says so
    assert near.kinds(CallAlerting)


def test_glare() -> None:
    line, near, far = trunk()
    for end in (near, far):
        end.tell(CallWanted("1", "2"))
    settled(line, near, far)
    for end in (near, far):
        assert end.kinds(CallReleased, CallOffered) == [CallReleased(Cause.CHANNEL_NOT_AVAILABLE, False)]


def test_blocked_far_side_is_told_and_untold() -> None:
    line, near, far = trunk()
    near.tell(BlockWanted(True))
    line.run()
    assert far.kinds(FarBlocked)[-1:] == [FarBlocked(True)]
    near.tell(BlockWanted(False))
    settled(line, near, far)
    assert far.kinds(FarBlocked)[-1:] == [FarBlocked(False)]


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 200), st.sampled_from([(5.0, 20.0), (10.0, 60.0)]), st.integers(0, 999))
def test_seized_as_it_blocks(after_ms: float, delays_ms: tuple[float, float], seed: int) -> None:
    line, near, far = trunk(span(dnis_length=4), seed=seed, delays_ms=delays_ms)
    near.tell(CallWanted("1234", "5"))
    line.run(line.now_ms + after_ms)
    far.tell(BlockWanted(True))
    line.run(line.now_ms + CALL_MS)
    near.tell(ReleaseWanted())
    far.tell(BlockWanted(False))
    settled(line, near, far)
    assert len(near.kinds(CallReleased)) == 1


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["cn", "itu", "mx"]),
    st.lists(
        st.tuples(st.sampled_from(["near", "far", "far answers", "near fails", "far fails"]), st.floats(0, 9000)), min_size=1, max_size=4
    ),
    st.booleans(),
    st.booleans(),
    DELAYS,
    st.integers(0, 9999),
)
def test_hang_ups_at_every_stage(
    variant: str, acts: list[tuple[str, float]], forced: bool, double: bool, delays_ms: tuple[float, float], seed: int
) -> None:
    wanted = span(variant, dnis_length=4, forced_release=forced, double_answer=double)
    line, near, far = trunk(wanted, seed=seed, delays_ms=delays_ms)
    near.tell(CallWanted("1234", "567", no_answer_ms=10 * CALL_MS))
    events: dict[str, Input] = {
        "near": ReleaseWanted(), "far": ReleaseWanted(), "far answers": AnswerWanted(),
        "near fails": LineFailed(), "far fails": LineFailed(),
    }  # fmt: skip
    for who, after_ms in acts:
        line.at(after_ms, partial((near if who.startswith("near") else far).tell, events[who]))
    line.run(line.now_ms + CALL_MS)
    near.tell(ReleaseWanted())
    settled(line, near, far)
    assert len(near.kinds(CallReleased)) == 1
    assert len(far.kinds(CallReleased)) == len(far.kinds(CallOffered)) <= 1
    assert len(near.kinds(ChannelIdle)) >= 1
    assert len(far.kinds(CallAnswered)) >= len(near.kinds(CallAnswered)) - double


Noise = tuple[str, float, float, str]
ENDS = st.sampled_from(["near", "far", "both"])


@settings(max_examples=500, deadline=None)
@given(
    st.sampled_from(["cn", "itu", "mx"]),
    NUMBERS,
    st.booleans(),
    st.tuples(ENDS, st.floats(0, 12_000), st.floats(1, 600), st.just("")),
    st.sampled_from([5.0, 15.0, 40.0, 100.0, 300.0]),
)
def test_interrupted_sounds_never_make_a_wrong_number(variant: str, number: str, fixed: bool, noise: Noise, delay_ms: float) -> None:
    _disturbed(span(variant, dnis_length=len(number) if fixed else 0), number, [noise], delay_ms)


@settings(max_examples=500, deadline=None)
@given(
    st.sampled_from(["cn", "itu", "mx"]),
    NUMBERS,
    st.lists(
        st.tuples(ENDS, st.floats(0, 12_000), st.floats(1, 30), st.integers(1, 15).map(str)),
        min_size=1,
        max_size=3,
    ),
    st.sampled_from([15.0, 40.0, 100.0, 300.0]),
)
def test_clicks_that_sound_like_signals_never_make_a_wrong_number(variant: str, number: str, noise: list[Noise], delay_ms: float) -> None:
    _disturbed(span(variant, dnis_length=len(number)), number, noise, delay_ms)


def _disturbed(wanted: R2Span, number: str, noise: list[Noise], delay_ms: float) -> None:
    """A call on a line that has carried one before, with this noise at one end or the other."""
    line, near, far = trunk(wanted, delays_ms=(delay_ms, delay_ms))
    call(line, near, number)
    near.tell(ReleaseWanted())
    settled(line, near, far)
    forget(near, far)
    for where, after_ms, ms, sound in noise:
        for end in {"near": (near,), "far": (far,), "both": (near, far)}[where]:
            line.at(after_ms, partial(end.disturb, ms, sound))
    call(line, near, number)
    for arrived in far.kinds(CallOffered):
        assert isinstance(arrived, CallOffered)
        assert arrived.dnis == number
        assert arrived.caller is not None
        assert arrived.caller.ani in ("13800138000", None)
    assert far.kinds(CallOffered) or near.kinds(CallReleased)  # it was told
    near.tell(ReleaseWanted())
    settled(line, near, far)


def fuzzed(seed: int, events: int) -> None:
    """An end that is told anything, then left in peace."""
    rng = random.Random(seed)
    line, near, far = trunk(span(rng.choice(sorted(VARIANTS))), seed=seed, delays_ms=(30, 50))
    wishes: list[Input] = [
        ReleaseWanted(),
        AnswerWanted(),
        AlertWanted(),
        CallWanted("12345", "678"),
        BlockWanted(),
        BlockWanted(False),
        LineFailed(),
        SoundLost(),
    ]
    for _ in range(events):
        chance = rng.random()
        if chance < 0.4:
            near.tell(BitsChanged(rng.randrange(16)))
        elif chance < 0.8:
            near.tell(MfHeard(rng.choice(["", *map(str, range(1, 16))])))
        elif (wish := rng.choice(wishes)) and not (isinstance(wish, CallWanted) and not near.signaller.is_idle(1)):
            near.tell(wish)
        line.run(line.now_ms + rng.choice([0, 1, 25, 400, 5000]))
    near.tell(ReleaseWanted())
    far.tell(ReleaseWanted())
    near.tell(BlockWanted(False))
    line.run(line.now_ms + CALL_MS)
    near.tell(BitsChanged(0b1001))  # the wire is what the far side says again
    far.tell(BitsChanged(near.bits_out))
    settled(line, near, far)
    for _ in range(3):  # it may have learnt to expect another far side than this one
        call(line, near, "12345", "678")
        near.tell(ReleaseWanted())
        settled(line, near, far)
    assert far.kinds(CallOffered)


@pytest.mark.parametrize("seed", range(60))
def test_fuzz_of_bits_and_signals(seed: int) -> None:
    fuzzed(seed, 200)
