"""Trunk groups under load: reserve, direction, attempts in a second, overflow. Properties that hold for any groups."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.config import GroupConfig, LinesConfig, check
from drivers.errors import ConfigError
from drivers.group_rules import overflow_order
from drivers.groups import TrunkGroup
from tests.unit.test_groups_hunting import Seat

SIZE = 8
HUNTINGS = st.sampled_from(["up", "down", "round_robin", "least_used"])
WAYS = st.lists(st.sampled_from(["in", "out", "both"]), min_size=SIZE, max_size=SIZE)
CALLS = st.lists(st.sampled_from(["out", "urgent", "in", "end"]), max_size=60)


def directed(hunting: Any, ways: list[str], reserve: int) -> TrunkGroup[Seat]:
    config = GroupConfig(
        name="trunk", channels=f"1-{SIZE}", hunting=hunting, reserve=reserve, incoming_only=of(ways, "in"), outgoing_only=of(ways, "out")
    )
    return TrunkGroup(config, [Seat(number) for number in config.numbers])


def of(ways: list[str], way: str) -> str:
    return ",".join(str(number) for number, each in enumerate(ways, 1) if each == way)


def free_for_callers(made: TrunkGroup[Seat]) -> int:
    return sum(seat.is_free() and made.config.carries_in(seat.number) for seat in made.channels)


def begin(made: TrunkGroup[Seat], urgent: bool) -> Seat | None:
    seat = made.reserve(urgent=urgent)
    if seat:
        seat.reserved, seat.busy = False, True
    return seat


def end_first(made: TrunkGroup[Seat]) -> None:
    for seat in made.channels:
        if seat.busy:
            seat.busy = False
            return


def call_in(made: TrunkGroup[Seat]) -> None:
    for seat in made.channels:
        if seat.is_free() and made.config.carries_in(seat.number):
            seat.busy = True
            return


@given(HUNTINGS, WAYS, st.integers(0, SIZE), CALLS)
def test_calls_out_leave_the_reserve_and_keep_their_direction(hunting: str, ways: list[str], reserve: int, calls: list[str]) -> None:
    made = directed(hunting, ways, reserve)
    for call in calls:
        before = free_for_callers(made)
        if call == "out" and (seat := begin(made, urgent=False)):
            assert ways[seat.number - 1] != "in"
            assert ways[seat.number - 1] == "out" or free_for_callers(made) >= reserve
        elif call == "out":
            free = [seat for seat in made.channels if seat.is_free() and ways[seat.number - 1] != "in"]
            assert all(ways[seat.number - 1] == "both" for seat in free)
            assert not free or before <= reserve
        elif call == "urgent":
            some_free = any(seat.is_free() for seat in made.channels)
            assert (begin(made, urgent=True) is not None) == some_free
        elif call == "in":
            call_in(made)
        else:
            end_first(made)


@given(st.integers(1, 5), st.lists(st.integers(0, 400), max_size=60))
def test_never_more_attempts_in_any_second_than_allowed(limit: int, pauses_ms: list[int]) -> None:
    made = TrunkGroup(GroupConfig(name="trunk", channels="1-4", attempts_per_s=limit), [Seat(number) for number in range(1, 5)])
    now_s, begun = 0.0, []
    for pause_ms in pauses_ms:
        now_s += pause_ms / 1000
        turn_s = made.turn_in_s(now_s)
        if turn_s == 0:
            made.begun(now_s)
            begun.append(now_s)
        else:
            assert sum(at > now_s - 1 for at in begun) >= limit
    for first, last in itertools.pairwise([begun[at] for at in range(0, len(begun), limit)]):
        assert last - first >= 1 - 1e-9


@pytest.mark.parametrize("limit", [0, 3])
def test_a_group_without_limit_never_waits(limit: int) -> None:
    made = TrunkGroup(GroupConfig(name="trunk", channels="1", attempts_per_s=limit), [Seat(1)])
    for _ in range(3):
        assert made.turn_in_s(5.0) == 0
        made.begun(5.0)
    assert made.turn_in_s(5.25) == (0.75 if limit else 0)


def groups(**overflow: tuple[str, ...]) -> tuple[GroupConfig, ...]:
    return tuple(GroupConfig(name=name, channels=str(at), overflow=to) for at, (name, to) in enumerate(overflow.items(), 1))


def test_overflow_goes_deep_first_and_nowhere_twice() -> None:
    made = {group.name: group for group in groups(a=("b", "c"), b=("d",), c=("d",), d=())}
    assert overflow_order("a", made) == ("a", "b", "d", "c")


def refused(made: tuple[GroupConfig, ...]) -> str:
    try:
        check(LinesConfig(groups=made))
    except ConfigError as error:
        return error.code
    return ""


@given(st.dictionaries(st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdef"), max_size=3, unique=True), min_size=1))
def test_overflow_that_is_accepted_ends(ways: dict[str, list[str]]) -> None:
    made = groups(**{name: tuple(to) for name, to in ways.items()})
    if code := refused(made):
        assert code in ("CFG-081", "CFG-082")
        return
    for group in made:
        order = overflow_order(group.name, {each.name: each for each in made})
        assert order[0] == group.name
        assert len(set(order)) == len(order)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"incoming_only": "9"}, "CFG-080"),
        ({"outgoing_only": "x"}, "CFG-080"),
        ({"incoming_only": "1", "outgoing_only": "1-2"}, "CFG-080"),
        ({"overflow": ("nowhere",)}, "CFG-081"),
        ({"overflow": ("trunk",)}, "CFG-082"),
        ({"reserve": 5}, "CFG-034"),
        ({"attempts_per_s": -1}, "CFG-034"),
        ({"attempts_wait_ms": 60_001}, "CFG-034"),
    ],
)
def test_bad_groups_are_refused(change: dict[str, Any], code: str) -> None:
    with pytest.raises(ConfigError) as raised:
        check(LinesConfig(groups=(GroupConfig(name="trunk", channels="1-4", **change),)))
    assert raised.value.code == code
