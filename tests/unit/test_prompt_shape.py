"""Cutting and levelling: what is kept keeps its bytes, what is levelled is as loud as it should be, whatever comes in."""

import math
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.ivr.prompts import level, shape, wav
from appliance.ivr.prompts.catalogue import HERE, PromptError

PROMPTS = sorted((HERE / "zh").glob("*.wav"))[::60]
CLIPS = st.integers(min_value=1600, max_value=12_000).flatmap(lambda count: st.binary(min_size=count, max_size=count))
LISTENED = settings(max_examples=25, deadline=None)


def voice(seconds: float, gain: float, seed: int = 1) -> list[float]:
    """Syllables: a tone that comes and goes, with noise."""
    source = random.Random(seed)
    count = round(seconds * shape.RATE_HZ)
    return [gain * (math.sin(at * 0.24) * abs(math.sin(at * 0.0015)) + source.gauss(0, 0.02)) for at in range(count)]


def test_every_byte_comes_back() -> None:
    every = bytes(range(256)) * 2
    assert shape.encode(shape.decode(every)) == every
    assert list(shape.decode(every)) == [round(value * 32768) for value in level.decode(every)]


@given(pcm=st.lists(st.integers(-40_000, 40_000), min_size=2, max_size=400))
def test_each_sample_becomes_the_nearest_level(pcm: list[int]) -> None:
    levels = shape.decode(bytes(range(256)))
    for value, coded in zip(pcm, shape.decode(shape.encode(pcm)), strict=False):
        held = min(32767, max(-32768, value))
        assert abs(coded - held) == min(abs(each - held) for each in levels)


@pytest.mark.parametrize("path", PROMPTS, ids=lambda path: path.stem)
def test_loudness_is_the_renderers(path: Path) -> None:
    alaw = wav.unwrap(path)
    theirs, ours = level.loudness_lufs(level.decode(alaw)), shape.loudness(alaw).lufs
    assert (ours is None and theirs < -70) or (ours is not None and abs(ours - theirs) < 0.02)


@LISTENED
@given(CLIPS, st.integers(0, 3000), st.integers(0, 3000))
def test_a_cut_keeps_what_it_does_not_take(alaw: bytes, start_ms: int, end_ms: int) -> None:
    length_ms = len(alaw) // 8
    if not (start_ms + shape.SHORTEST_MS <= end_ms <= length_ms + 1):
        with pytest.raises(PromptError, match="APP-190"):
            shape.cut(alaw, start_ms, end_ms)
        return
    part = shape.cut(alaw, start_ms, end_ms)
    whole = alaw[start_ms * 8 : len(alaw) if end_ms >= length_ms else end_ms * 8]
    assert len(part) % 2 == 0
    assert len(part) - len(whole) in (0, 1)
    begin = 40 if start_ms else 0
    end = len(whole) - (40 if end_ms < length_ms else 0)
    assert part[begin:end] == whole[begin:end]
    if start_ms:
        assert abs(shape.decode(part[:1])[0]) <= 8


@LISTENED
@given(st.floats(0.4, 2.0), st.floats(150.0, 32_000.0), st.integers(0, 99))
def test_what_is_levelled_is_as_loud_as_the_others(seconds: float, gain: float, seed: int) -> None:
    held = shape.levelled(voice(seconds, gain, seed))
    assert shape.loudness(held).is_level
    assert abs(level.loudness_lufs(level.decode(held)) - shape.TARGET_LUFS) <= shape.TOLERANCE_LU


@pytest.mark.parametrize("pcm", [[], [0.0] * 8000, [1.0, -1.0] * 4000])
def test_silence_cannot_be_levelled(pcm: list[float]) -> None:
    with pytest.raises(PromptError, match="APP-191"):
        shape.levelled(pcm)


@LISTENED
@given(CLIPS)
def test_any_bytes_are_levelled_or_refused(alaw: bytes) -> None:
    pcm = shape.decode(alaw)
    try:
        held = shape.levelled(pcm)
    except PromptError:
        assert (shape.loudness_lufs([value - sum(pcm) / len(pcm) for value in pcm]) or -99) < shape.SILENCE_LUFS
        return
    heard = shape.loudness(held)
    assert len(held) - len(alaw) in (0, 1)
    assert heard.is_level or max(map(abs, shape.decode(held))) > 32768 * 0.45
    assert (heard.lufs or -99) <= shape.TARGET_LUFS + shape.TOLERANCE_LU


@pytest.mark.parametrize(("level_share", "twist"), [(0.3, 0), (0.05, 3), (0.6, 7)])
def test_the_end_key_is_taken_away(level_share: float, twist: int) -> None:
    at = np.arange(800)
    key = 32768 * level_share / 2 * (np.sin(2 * np.pi * 941 * at / 8000 + twist) + np.sin(2 * np.pi * 1477 * at / 8000))
    spoken = shape.encode(voice(1.5, 9000))
    held = shape.without_end_key(spoken + bytes([0xD5]) * (1600 + twist) + shape.encode(list(key)) + bytes([0xD5]) * 160)
    assert held[: len(spoken)] == spoken
    assert len(held) <= len(spoken) + 1600 + twist
    assert len(held) % 2 == 0


@pytest.mark.parametrize("seed", range(6))
def test_speech_is_no_end_key(seed: int) -> None:
    spoken = shape.encode(voice(1.0, 12_000, seed))
    assert shape.without_end_key(spoken) == spoken
    for path in PROMPTS[seed::6]:
        assert shape.without_end_key(wav.unwrap(path)) == wav.unwrap(path)
