"""Which profile a line has, tones as text, and what was learnt of a line kept in its file."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.config import GroupConfig, load
from drivers.errors import ConfigError
from drivers.line_profiles import LEARNT_FILE, LearntTones, keep_learnt, load_learnt, profile_of
from drivers.signalling.fxo_profile import LineProfile, LineTones
from drivers.signalling.tone_text import TonePart, cycle_ms, tone_parts, tone_text

CITY, PBX, OWN = LineProfile(), LineProfile(name="pbx", answer="voice"), LineProfile(name="own", channels="7", flash_ms=100)
ODD = LineTones(dial="400", ringback="400/1000,0/2000", busy="400/500,0/500")


def learnt(*channels: int) -> LearntTones:
    return LearntTones(channels=channels, number="8001", learnt_at="2026-11-23T08:00:00Z", tones=ODD)


@pytest.mark.parametrize(("channel", "wanted", "profile"), [(1, "", CITY), (1, "pbx", PBX), (7, "pbx", OWN), (7, "", OWN)])
def test_channel_comes_before_group_before_default(channel: int, wanted: str, profile: LineProfile) -> None:
    assert profile_of(channel, wanted, CITY, (PBX, OWN), ()) == profile


def test_what_was_learnt_replaces_the_tones_and_nothing_else() -> None:
    found = profile_of(7, "pbx", CITY, (PBX, OWN), (learnt(6, 7),))
    assert (found.tones, found.flash_ms, found.ringback_gap_ms) == (ODD, 100, 2400)
    assert profile_of(5, "pbx", CITY, (PBX, OWN), (learnt(6, 7),)) == PBX


def test_learnt_tones_are_part_of_the_configuration(tmp_path: Path) -> None:
    keep_learnt(tmp_path, learnt(1, 2))
    config = tmp_path / "careline.toml"
    config.write_text(f"[paths]\ndata_dir = '{tmp_path}'\n", "utf-8")
    lines = load(config).lines
    assert lines.profile_of(2, GroupConfig(name="a", channels="1-4")).tones == ODD
    assert lines.profile_of(3, GroupConfig(name="a", channels="1-4")).tones == LineTones()


def test_learning_again_replaces_the_lines_it_is_for(tmp_path: Path) -> None:
    keep_learnt(tmp_path, learnt(1, 2, 3))
    keep_learnt(tmp_path, learnt(2))
    assert [each.channels for each in load_learnt(tmp_path)] == [(1, 3), (2,)]


def test_a_spoilt_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / LEARNT_FILE).write_text("[[lines]]\nchannels = [1]\nnumber = '1'\nlearnt_at = ''\ntones = {busy = 'beep'}\n", "utf-8")
    with pytest.raises(ConfigError, match=r"line-tones\.toml.*beep"):
        load_learnt(tmp_path)


PARTS = st.builds(TonePart, st.integers(100, 3800), st.integers(0, 3800), st.integers(1, 20_000))


@given(parts=st.lists(PARTS, min_size=1, max_size=8).map(tuple))
def test_tone_text_is_read_back(parts: tuple[TonePart, ...]) -> None:
    assert tone_parts(tone_text(parts)) == parts
    assert cycle_ms(parts) == sum(part.ms for part in parts)


@pytest.mark.parametrize("text", ["", "0/100", "450,450", "450/350,450", "9999", "450/30000", "a", "450+", ",".join(["450/100"] * 9)])
def test_what_is_no_tone(text: str) -> None:
    with pytest.raises(ValueError, match="`"):
        tone_parts(text)
