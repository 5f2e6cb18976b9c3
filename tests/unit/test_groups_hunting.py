"""Hunting: which channel of a trunk group carries the next call."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.config import GroupConfig, Hunting
from drivers.groups import TrunkGroup


class Seat:
    """A channel reduced to what a group asks of it."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.calls = 0
        self.reserved = False
        self.busy = False

    def is_free(self) -> bool:
        return not self.busy and not self.reserved


def group(hunting: Hunting, size: int = 3) -> TrunkGroup[Seat]:
    config = GroupConfig(name="trunk", channels=f"1-{size}", hunting=hunting)
    return TrunkGroup(config, [Seat(number) for number in config.numbers])


def take(made: TrunkGroup[Seat]) -> int | None:
    """One short call; answers the channel it was carried by."""
    seat = made.reserve()
    if seat is None:
        return None
    seat.calls += 1
    seat.reserved = False
    return seat.number


@pytest.mark.parametrize(
    ("hunting", "expected"),
    [("up", [1, 1, 1, 1]), ("down", [3, 3, 3, 3]), ("round_robin", [1, 2, 3, 1]), ("least_used", [1, 2, 3, 1])],
)
def test_order_of_short_calls(hunting: Hunting, expected: list[int]) -> None:
    made = group(hunting)
    assert [take(made) for _ in expected] == expected


def test_least_used_counts_calls_whoever_began_them() -> None:
    made = group("least_used")
    made.channels[0].calls, made.channels[1].calls = 5, 2
    assert [take(made) for _ in range(3)] == [3, 3, 2]


def test_reserved_channel_is_nobody_elses() -> None:
    made = group("up")
    assert [seat.number if seat else None for seat in (made.reserve() for _ in range(4))] == [1, 2, 3, None]


def test_channels_tried_before_are_left_out() -> None:
    made = group("up")
    seat = made.reserve(besides=(1, 2))
    assert seat is not None
    assert seat.number == 3


@given(st.sampled_from(["up", "down", "round_robin", "least_used"]), st.lists(st.booleans(), min_size=1, max_size=8))
def test_finds_a_free_channel_if_and_only_if_there_is_one(hunting: Hunting, busy: list[bool]) -> None:
    made = group(hunting, len(busy))
    for seat, is_busy in zip(made.channels, busy, strict=True):
        seat.busy = is_busy
    found = made.reserve()
    assert (found is not None) == (not all(busy))
    assert found is None or not found.busy


def test_state_names_channels_in_order_written() -> None:
    config = GroupConfig(name="out", channels="5,1-2", hunting="down")
    state = TrunkGroup(config, [Seat(number) for number in config.numbers]).state()
    assert (state.name, state.channels, state.hunting) == ("out", (5, 1, 2), "down")
