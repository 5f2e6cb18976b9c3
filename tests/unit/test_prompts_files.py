"""Every rendered prompt, as the line server will play it: format, loudness, silence, clicks, and what the manifest says of it."""

import hashlib
import struct
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from appliance.ivr.prompts import level, render, wav
from appliance.ivr.prompts.catalogue import HERE, LANGS, LETTER, PHRASE, PINYIN, SYLLABLE, WORD, Lang, jobs, read_manifest, read_texts

MANIFEST = read_manifest(HERE / "manifest.json")
TEXTS = read_texts()
SPOKEN = TEXTS.spoken_texts()
FRAME = 40  # 5 ms


def files(lang: Lang) -> dict[str, Path]:
    return {path.stem: path for path in sorted((HERE / lang).glob("*.wav"))}


def samples(path: Path) -> npt.NDArray[np.float64]:
    return level.decode(wav.unwrap(path))


def frame_levels_db(audio: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    frames = audio[: len(audio) // FRAME * FRAME].reshape(-1, FRAME)
    return np.asarray(10 * np.log10(np.mean(frames**2, axis=1) + 1e-9), np.float64)


@cache
def levels_db(path: Path) -> npt.NDArray[np.float64]:
    return frame_levels_db(samples(path))


@pytest.mark.parametrize("lang", LANGS)
def test_format(lang: Lang) -> None:
    """Read by the standard's offsets, not by our own reader."""
    for path in files(lang).values():
        content = path.read_bytes()
        riff, riff_size, wave, fmt, fmt_size = struct.unpack_from("<4sI4s4sI", content)
        tag, channels, rate_hz, bytes_per_s, block, bits = struct.unpack_from("<HHIIHH", content, 20)
        data, data_size = struct.unpack_from("<4sI", content, 50)
        assert (riff, wave, fmt, fmt_size, data) == (b"RIFF", b"WAVE", b"fmt ", 18, b"data"), path
        assert (tag, channels, rate_hz, bytes_per_s, block, bits) == (6, 1, 8000, 8000, 1, 8), path
        assert len(content) == 58 + data_size == riff_size + 8, path


@pytest.mark.parametrize("lang", LANGS)
def test_loudness(lang: Lang) -> None:
    some_of_the_bank = set(sorted(TEXTS.bank)[::8])  # they are many, and come from the same studio
    measured = {
        key: level.loudness_lufs(samples(path))
        for key, path in files(lang).items()
        if key in some_of_the_bank or (key in SPOKEN and key not in TEXTS.bank)
    }
    assert {key: lufs for key, lufs in measured.items() if abs(lufs + 19.0) > 0.5} == {}


@pytest.mark.parametrize("lang", LANGS)
def test_speech_starts_within_100_ms_and_ends_cleanly(lang: Lang) -> None:
    for key, path in files(lang).items():
        levels = levels_db(path)
        heard = np.flatnonzero(levels > levels.max() - 30)
        assert heard[0] * 5 <= 100, key
        assert (len(levels) - 1 - heard[-1]) * 5 <= (240 if key in TEXTS.bank else 160), key


@pytest.mark.parametrize("lang", LANGS)
def test_no_click_at_either_end_and_nothing_clipped(lang: Lang) -> None:
    for key, path in files(lang).items():
        audio = samples(path)
        assert np.max(np.abs(audio[:2])) < 0.005, key
        assert np.max(np.abs(audio[-2:])) < 0.005, key
        assert np.max(np.abs(audio)) < 0.97, key


@pytest.mark.parametrize("lang", LANGS)
def test_speech_keeps_to_the_telephone_band(lang: Lang) -> None:
    for key in ("greeting", "main_menu", "hospital_introduction"):
        audio = samples(files(lang)[key])
        power = np.abs(np.fft.rfft(audio)) ** 2
        hz = np.fft.rfftfreq(len(audio), 1 / 8000)
        assert power[hz < 60].sum() / power.sum() < 1e-4
        assert abs(float(np.mean(audio))) < 1e-3


@pytest.mark.parametrize("lang", LANGS)
def test_speed_is_that_of_a_person(lang: Lang) -> None:
    """A clip cut short or a voice that ran on shows in milliseconds per syllable or letter."""
    low, high = (70, 700) if lang == "zh" else (30, 330)
    for entry in MANIFEST.prompts:
        rendering = entry.rendering(lang)
        if rendering is not None and entry.id in SPOKEN and not entry.id.startswith(("offer_other_language", LETTER)):
            units = sum(char.isalpha() for char in rendering.text)
            assert low <= rendering.duration_ms / units <= high, (entry.id, rendering)


@pytest.mark.parametrize("lang", LANGS)
def test_no_clip_is_broken_in_two(lang: Lang) -> None:
    """The voice sometimes puts a pause into a lone syllable; a stop consonant's own silence is under 120 ms."""
    there = files(lang)
    for key in (TEXTS.clips.keys() | TEXTS.bank.keys()) & there.keys():
        levels = levels_db(there[key])
        heard = np.flatnonzero(levels > levels.max() - 35)
        assert np.max(np.diff(heard)) * 5 <= 120, key


def test_syllables_are_as_long_as_in_speech() -> None:
    """One that ran into its neighbour when it was cut, or lost its end, shows in its length; neutral ones are short."""
    entries = MANIFEST.by_id()
    for key, text in TEXTS.bank.items():
        rendering = entries[key].zh if key.startswith(SYLLABLE) else None
        if rendering is not None:
            assert 70 <= rendering.duration_ms <= 560, (key, text.zh)


def test_the_bank_has_its_own_ids_and_nothing_else_has_such() -> None:
    begins = (PHRASE, WORD, SYLLABLE, LETTER)
    assert all(key.startswith(begins) for key in TEXTS.bank)
    assert not any(key.startswith(begins) for key in {**TEXTS.prompts, **TEXTS.clips})


def test_beep_is_a_sine_of_its_level() -> None:
    audio = samples(HERE / "zh" / "beep.wav")
    middle = audio[400:-400]
    rms_dbm0 = 10 * np.log10(2 * np.mean(middle**2)) + level.FULL_SCALE_DBM0
    assert len(audio) == 2400
    assert rms_dbm0 == pytest.approx(-15.0, abs=0.1)
    assert np.argmax(np.abs(np.fft.rfft(middle))) * 8000 / len(middle) == pytest.approx(1000, abs=6)


def test_manifest_is_what_is_on_disk() -> None:
    on_disk = {(lang, key): path for lang in LANGS for key, path in files(lang).items()}
    in_manifest = {
        (lang, entry.id): rendering for entry in MANIFEST.prompts for lang in LANGS if (rendering := entry.rendering(lang)) is not None
    }
    assert on_disk.keys() == in_manifest.keys()
    for where, rendering in in_manifest.items():
        content = on_disk[where].read_bytes()
        assert hashlib.sha256(content).hexdigest() == rendering.file_sha256, where
        assert (len(content) - 58) // 8 == rendering.duration_ms, where


def test_nothing_is_left_to_render() -> None:
    assert [f"{job.lang}/{job.id}" for job in render.stale(HERE, list(jobs(TEXTS)))] == []


def test_every_prompt_is_in_both_languages_and_spells_out_its_numerals() -> None:
    for key, text in TEXTS.prompts.items():
        assert None not in (text.zh, text.en), key
    for key, text in SPOKEN.items():
        said = PINYIN.sub("", f"{text.zh}{text.en}{text.zh_say}{text.en_say}")
        assert not any(char.isdigit() for char in said), key
