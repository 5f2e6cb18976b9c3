"""Tones of a switch from what was heard on one call: the rhythm is found wherever listening began and ended."""

import random

import pytest

from drivers.signalling.fxo_profile import LineTones
from drivers.signalling.tone_learning import OTHER, Stretch, dial_tone, has_ended, learn, rhythms
from drivers.signalling.tone_text import tone_parts

DIAL = [Stretch(120), Stretch(3900, 400)]
SPEECH = [Stretch(90, OTHER), Stretch(300), Stretch(700, OTHER)]


def heard(text: str, cycles: int, first_cut_ms: float = 0, last_ms: float | None = None, noise: int = 0) -> list[Stretch]:
    """That tone for so many cycles, listened to late and stopped early, each length off by up to `noise` ms."""
    spread = random.Random(len(text) * cycles)
    made = [
        Stretch(part.ms + spread.uniform(-noise, noise), part.hz1 + (spread.uniform(-2, 2) if part.hz1 else 0), part.hz2)
        for part in tone_parts(text) * cycles
    ]
    made[0] = Stretch(made[0].ms - first_cut_ms, made[0].hz1, made[0].hz2)
    return made if last_ms is None else [*made[:-1], Stretch(last_ms, made[-1].hz1, made[-1].hz2)]


TONES = [
    "450/350,0/350",
    "400/500,0/500",
    "450/700,0/700",
    "480+620/250,0/250",
    "425/200,0/600",
    "450/100,0/100,450/100,0/100,450/100,0/400",
]
RINGBACKS = ["450/1000,0/4000", "400/1000,0/2000", "440+480/2000,0/4000", "400+450/400,0/200,400+450/400,0/2000"]


@pytest.mark.parametrize("text", TONES)
@pytest.mark.parametrize("noise", [0, 15])
def test_engaged_tone_is_found(text: str, noise: int) -> None:
    assert learn(DIAL, [Stretch(500), *heard(text, 6, noise=noise)]).busy != ""
    assert [each.text for each in rhythms(heard(text, 6))] == [text]


@pytest.mark.parametrize("text", RINGBACKS)
def test_ringback_is_found_and_what_follows_it(text: str) -> None:
    tones = learn(DIAL, [Stretch(300), *heard(text, 3), Stretch(500, 450), Stretch(340), *heard("450/350,0/350", 4)])
    assert tones == LineTones(dial="400", ringback=text, busy="450/350,0/350")


@pytest.mark.parametrize("ends_ms", [1.0, 1500, 4000])
def test_ringback_that_is_answered(ends_ms: float) -> None:
    assert learn([], [*heard("450/1000,0/4000", 2, last_ms=ends_ms), *SPEECH]).ringback == "450/1000,0/4000"


def test_ringback_broken_off_in_its_second_burst() -> None:
    after = [Stretch(1000, 450), Stretch(4000), Stretch(300, 450), Stretch(200, OTHER)]
    assert learn([], after).ringback == "450/1000,0/4000"


def test_first_burst_heard_from_its_middle_costs_nothing() -> None:
    assert learn([], heard("450/350,0/350", 6, first_cut_ms=200)).busy == "450/350,0/350"


@pytest.mark.parametrize("late", range(8))
def test_one_burst_or_pause_that_a_late_frame_lengthened(late: int) -> None:
    tones = heard("400/500,0/500", 4)
    tones[late] = Stretch(tones[late].ms + 20, tones[late].hz1)
    assert learn(DIAL, [Stretch(500), *tones]).busy == "400/500,0/500"


def test_busy_and_then_congestion() -> None:
    tones = learn([], [*heard("450/350,0/350", 5), *heard("450/700,0/700", 4)])
    assert (tones.busy, tones.congestion) == ("450/350,0/350", "450/700,0/700")


def test_speech_is_no_tone() -> None:
    assert learn(SPEECH, SPEECH * 10) == LineTones()


def test_a_beep_is_no_rhythm() -> None:
    assert learn([], [Stretch(2000), Stretch(400, 1400), Stretch(3000), *SPEECH]) == LineTones()


@pytest.mark.parametrize(("before", "text"), [(DIAL, "400"), ([Stretch(2000, 350.4, 440.2)], "350+440"), ([Stretch(4000)], ""), ([], "")])
def test_dial_tone(before: list[Stretch], text: str) -> None:
    assert dial_tone(before) == text


def test_interrupted_dial_tone_of_a_mailbox() -> None:
    assert dial_tone(heard("450/400,0/40", 8)) == "450/400,0/40"


def test_enough_was_heard() -> None:
    assert has_ended(heard("450/350,0/350", 4))
    assert not has_ended(heard("450/350,0/350", 3))
    assert not has_ended(heard("450/1000,0/4000", 5))
    assert has_ended([*heard("450/1000,0/4000", 2), *SPEECH, *SPEECH])
