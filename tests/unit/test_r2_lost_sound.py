"""Machines that stand still while MFC/R2 numbers are signalled, at every place of a call: told of it, nobody takes a wrong number."""

from collections.abc import Iterator
from functools import partial

import pytest

from drivers.protocol import Cause
from drivers.signalling import (
    Action,
    CallAlerting,
    CallOffered,
    CallReleased,
    CallWanted,
    NumberDoubted,
    ReleaseWanted,
    SendMf,
    SoundLost,
)
from drivers.signalling.r2 import R2Span
from tests.unit.r2_rig import DETECTION_MS, End, settled, trunk

DNIS, ANI = "88886666", "13800138000"  # the same digit again and again: the worst of numbers
DELAY_MS = 15.0
AHEAD_MS = 80.0  # what the card has to send when nothing more comes
STALLS_MS = (60.0, 110.0, 170.0, 260.0, 500.0, 1700.0, 6000.0)
CALL_MS = 60_000.0
SPANS = [
    pytest.param(R2Span(variant="cn", dnis_length=8), id="cn"),
    pytest.param(R2Span(variant="cn"), id="cn of any length"),
    pytest.param(R2Span(variant="itu", dnis_length=8), id="itu"),
    pytest.param(R2Span(variant="itu", dnis_length=8, ani_length=11), id="itu without the end of the calling number"),
    pytest.param(R2Span(variant="mx", dnis_length=8, ani_after=3), id="mx asked in the middle"),
]


class Trunk:
    """Two ends that have carried a call; `told`: an end that stood still learns that sound was lost."""

    def __init__(self, wanted: R2Span, told: bool = True) -> None:
        self.told = told
        self.line, self.near, self.far = trunk(wanted, delays_ms=(DELAY_MS, DELAY_MS))
        self.call()
        self.hang_up()

    def call(self) -> None:
        self._begin()
        self.line.run(self.line.now_ms + CALL_MS)

    def _begin(self) -> None:
        for end in (self.near, self.far):
            end.news.clear()
            end.said.clear()
        self.near.tell(CallWanted(DNIS, ANI, no_answer_ms=600_000))

    def hang_up(self) -> None:
        self.near.tell(ReleaseWanted())
        settled(self.line, self.near, self.far)

    def call_disturbed(self, ends: tuple[End, ...], at_ms: float, ms: float) -> tuple[list[Action], list[Action]]:
        """News of the calling and of the called side of a call during which these stand still; then both are idle again."""
        for end in ends:
            self.line.at(at_ms, partial(end.stand_still, ms, AHEAD_MS, self.told))
        self.call()
        news = list(self.near.news), list(self.far.news)
        self.hang_up()
        return news

    def places(self) -> list[float]:
        """When, after a call begins, a signal of either side begins or ends, arrives, becomes known: each a place to stand still at."""
        began_ms, found = self.line.now_ms, [0.0]
        self._begin()
        said = 0
        while self.line.now_ms < began_ms + CALL_MS / 2:
            self.line.run(self.line.now_ms + 1)
            now_said = sum(isinstance(each, SendMf) for each in (*self.near.said, *self.far.said))
            if now_said > said:
                found.append(self.line.now_ms - began_ms)
            said = now_said
        self.hang_up()
        return sorted({at + shift for at in found for shift in (0.0, DELAY_MS - 1, DELAY_MS + DETECTION_MS - 1)})


def stalls(wanted: R2Span, most: int = 2) -> Iterator[tuple[float, float]]:
    """Every place of a call with so many of the lengths, a different choice for each."""
    for at, at_ms in enumerate(Trunk(wanted).places()):
        for step in range(most):
            yield at_ms, STALLS_MS[(at + 3 * step) % len(STALLS_MS)]


def right(news: list[Action]) -> list[bool]:
    """Of each call that was offered: is its number what was sent."""
    calls = [each for each in news if isinstance(each, CallOffered)]
    return [each.dnis == DNIS and each.caller is not None and each.caller.ani in (ANI, None) for each in calls]


@pytest.mark.parametrize("wanted", SPANS)
def test_called_side_stands_still(wanted: R2Span) -> None:
    """No wrong number is ever offered, none that was doubted either, and the next call is right."""
    line = Trunk(wanted)
    for at_ms, ms in stalls(wanted):
        _, far = line.call_disturbed((line.far,), at_ms, ms)
        assert all(right(far)), (at_ms, ms, far)
        if NumberDoubted() in far:
            assert not right(far), (at_ms, ms, far)
            line.call()
            assert right(line.far.news) == [True], (at_ms, ms)
            line.hang_up()


@pytest.mark.parametrize("wanted", SPANS)
def test_calling_side_stands_still(wanted: R2Span) -> None:
    """It lets go of a call whose number may have arrived wrong before anybody is told that it rings."""
    line = Trunk(wanted)
    for at_ms, ms in stalls(wanted):
        near, far = line.call_disturbed((line.near,), at_ms, ms)
        if any(isinstance(each, CallAlerting) for each in near):
            assert right(far) == [True], (at_ms, ms, far)
        if NumberDoubted() in near:
            assert [each for each in near if isinstance(each, CallReleased)] == [CallReleased(Cause.RESOURCE_UNAVAILABLE, False)]
            line.call()
            assert right(line.far.news) == [True], (at_ms, ms)
            line.hang_up()


@pytest.mark.parametrize("wanted", SPANS)
def test_both_stand_still(wanted: R2Span) -> None:
    line = Trunk(wanted)
    for at_ms, ms in stalls(wanted, most=1):
        _, far = line.call_disturbed((line.near, line.far), at_ms, ms)
        assert all(right(far)), (at_ms, ms, far)


def test_being_told_is_what_saves_the_number() -> None:
    """The wire is as cruel as it must be: nobody told, digits are lost and doubled."""
    wanted = R2Span(variant="itu", dnis_length=8)
    line = Trunk(wanted, told=False)
    wrong = [(at_ms, ms) for at_ms, ms in stalls(wanted) if not all(right(line.call_disturbed((line.far,), at_ms, ms)[1]))]
    assert wrong
    wrong = [(at_ms, ms) for at_ms, ms in stalls(wanted) if not all(right(line.call_disturbed((line.near,), at_ms, ms)[1]))]
    assert wrong


def test_sound_lost_without_a_number_means_nothing() -> None:
    line = Trunk(R2Span(variant="itu", dnis_length=8))
    for before in (lambda: None, line.call):
        before()  # at rest; the number is whole, and the far end rings
        for end in (line.near, line.far):
            end.said.clear()
            end.tell(SoundLost())
            assert not end.said
