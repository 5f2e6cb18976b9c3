"""Measuring a line: levels, echo, bit errors, and what was heard as stretches of tone, pause and other sound."""

import numpy as np
import pytest

from drivers.errors import MediaError
from drivers.media import Cadence, End, Fault, Tone, ToneStep, zone_tone
from drivers.media.measuring import MILLIWATT, SWEEP_HZ, BitErrors, Segment, Sound, sweep
from tests.media import audio
from tests.media.conftest import Bench, Wire

# --- levels, echo ---


def test_levels_both_ways(bench: Bench, wire: Wire) -> None:
    bench.engine.meter(wire.near)
    bench.engine.tone(wire.far, Cadence((ToneStep(1004, dbm0=-10),)))
    bench.engine.tone(wire.near, Cadence((ToneStep(440, 480, dbm0=-20),)))
    bench.step(40)
    levels = bench.engine.levels(wire.near)
    assert abs(levels.rx_dbm0 - -10) < 0.2
    assert abs(levels.rx_peak_dbm0 - -10) < 0.4
    assert abs(levels.tx_dbm0 - -17) < 0.2
    assert abs(levels.tx_peak_dbm0 - -14) < 0.4


def test_milliwatt_and_silence(bench: Bench, wire: Wire) -> None:
    bench.engine.meter(wire.near)
    bench.engine.tone(wire.far, MILLIWATT)
    bench.step(30)
    assert abs(bench.engine.levels(wire.near).rx_dbm0) < 0.1
    assert bench.engine.levels(wire.near).tx_dbm0 < -60


def test_sweep_has_its_frequencies_at_its_level(bench: Bench, wire: Wire) -> None:
    bench.engine.capture(wire.near, 9000)
    bench.engine.tone(wire.far, sweep(-10.0))
    bench.step(402)
    tones = [segment for segment in bench.engine.segments(wire.near) if segment.sound is Sound.TONE]
    assert [round(tone.hz1, -1) for tone in tones] == list(SWEEP_HZ)
    assert all(abs(tone.dbm0 - -10) < 0.3 for tone in tones)


def test_echo_is_exact_and_ends(bench: Bench, wire: Wire) -> None:
    sound = audio.to_alaw(audio.speech(2.0, 5))
    bench.engine.echo(wire.near)
    heard = bench.hear(wire.far, 110, lambda: bench.engine.play(wire.far, 1, [bench.clip(sound)]))
    assert sound in heard
    bench.engine.echo(wire.near, False)
    quiet = bench.hear(wire.far, 100, lambda: bench.engine.play(wire.far, 2, [bench.clip(sound)]))
    assert set(quiet[320:]) == {audio.ALAW_SILENCE}


def test_results_nobody_asked_for(bench: Bench, wire: Wire) -> None:
    for ask in (bench.engine.levels, bench.engine.bit_errors, bench.engine.segments):
        with pytest.raises(MediaError, match="MED-015"):
            ask(wire.near)
    with pytest.raises(MediaError, match="MED-014"):
        bench.engine.capture(wire.near, 60_001)


# --- bit errors ---


def pattern_of_o151(octets: int) -> bytes:
    """Written from the Recommendation, not taken from the code under test: x^15 + x^14 + 1, inverted, first bit first."""
    stages, bits = [1] * 15, []
    for _ in range(8 * octets):
        bit = stages[13] ^ stages[14]
        stages = [bit, *stages[:14]]
        bits.append(1 - bit)
    return bytes(int("".join(map(str, bits[at : at + 8])), 2) for at in range(0, len(bits), 8))


def test_the_pattern_is_that_of_o151(bench: Bench, wire: Wire) -> None:
    heard = bench.hear(wire.far, 60, lambda: bench.engine.bit_error_test(wire.near))
    assert pattern_of_o151(9000)[:8000] in heard


def test_an_exact_path_has_no_errors(bench: Bench, wire: Wire) -> None:
    for port in (wire.near, wire.far):
        bench.engine.bit_error_test(port)
    bench.step(500)
    for port in (wire.near, wire.far):
        found = bench.engine.bit_errors(port)
        assert found.synced
        assert (found.errors, found.sync_losses) == (0, 0)
        assert found.bits > 490 * 1280


def test_a_channel_looped_at_its_far_end(bench: Bench, wire: Wire) -> None:
    bench.engine.bit_error_test(wire.near)
    bench.engine.echo(wire.far)
    bench.step(200)
    found = bench.engine.bit_errors(wire.near)
    assert found.synced
    assert (found.errors, found.sync_losses) == (0, 0)


def test_wrong_bits_are_counted(bench: Bench, wire: Wire) -> None:
    pattern = bytearray(pattern_of_o151(16000))
    wrong = [3000, 5000, 5001, 9000, 12000]
    for at in wrong:
        pattern[at] ^= 0x11
    bench.engine.bit_error_test(wire.near)
    bench.engine.play(wire.far, 1, [bench.clip(bytes(pattern))])
    bench.step(97)
    assert bench.engine.bit_errors(wire.near).errors == 2 * len(wrong)


@pytest.mark.parametrize("what", ["silence", "cut"])
def test_a_path_that_is_lost_and_comes_back(bench: Bench, wire: Wire, what: str) -> None:
    fault = Fault[what.upper()]
    for port in (wire.near, wire.far):
        bench.engine.bit_error_test(port)
    bench.step(50)
    bench.engine.line_fault(wire.line, End.NEAR, fault)
    bench.step(50)
    assert not bench.engine.bit_errors(wire.near).synced
    bench.engine.line_fault(wire.line, End.NEAR, fault, on=False)
    bench.step(50)
    found = bench.engine.bit_errors(wire.near)
    assert found.synced
    assert found.sync_losses == 1


def test_a_quiet_channel_has_no_pattern(bench: Bench, wire: Wire) -> None:
    bench.engine.bit_error_test(wire.near)
    bench.step(100)
    assert bench.engine.bit_errors(wire.near) == BitErrors(0, 0, 0, False)


def test_noise_on_the_path_shows(bench: Bench, wire: Wire) -> None:
    for port in (wire.near, wire.far):
        bench.engine.bit_error_test(port)
    bench.engine.line_fault(wire.line, End.NEAR, Fault.GAIN, value=-1.0)
    bench.step(100)
    found = bench.engine.bit_errors(wire.near)
    assert found.errors > 0 or not found.synced


# --- what was heard ---


def measured(bench: Bench, wire: Wire, sound: audio.Pcm) -> list[Segment]:
    bench.engine.capture(wire.near, 60_000)
    bench.engine.play(wire.far, 1, [bench.clip(audio.to_alaw(sound))])
    bench.step(len(sound) // audio.FRAME + 2)
    return bench.engine.segments(wire.near)


def tones_of(segments: list[Segment]) -> list[Segment]:
    return [segment for segment in segments if segment.sound is Sound.TONE]


def test_segments_cover_all_without_gaps(bench: Bench, wire: Wire) -> None:
    sound = np.concatenate(
        [audio.speech(3, 2), audio.silence(500), audio.sine(450, -10, 700), audio.silence(700), audio.sine(450, -10, 700)]
    )
    segments = measured(bench, wire, sound)
    at_ms = 0.0
    for segment in segments:
        assert abs(segment.begin_ms - at_ms) < 0.2
        at_ms = segment.begin_ms + segment.ms
    assert {segment.sound for segment in segments} == set(Sound)


@pytest.mark.parametrize("kind", [Tone.RINGBACK, Tone.BUSY, Tone.CONGESTION])
@pytest.mark.parametrize("country", ["cn", "us", "uk", "de", "au", "fr"])
@pytest.mark.parametrize(("dbm0", "off"), [(-10, 1.0), (-25, 1.02), (-32, 0.98)])
def test_tones_of_countries(bench: Bench, wire: Wire, kind: Tone, country: str, dbm0: float, off: float) -> None:
    parts = []
    steps = zone_tone(country, kind).steps
    for step in steps:
        sound = audio.sine(step.hz1 * off, dbm0, step.on_ms)
        sound = sound + audio.sine(step.hz2 * off, dbm0, step.on_ms) if step.hz2 else sound
        parts += [sound, audio.silence(step.off_ms)]
    heard = np.concatenate([audio.silence(300), *parts, *parts])
    loud = (heard.astype(np.int32) + audio.noise(-60, len(heard) / 8)).astype(np.int16)
    tones = tones_of(measured(bench, wire, loud))
    assert len(tones) == 2 * len(steps)
    for tone, step in zip(tones, steps * 2, strict=True):
        assert abs(tone.ms - step.on_ms) <= 15
        assert abs(tone.hz1 - step.hz1 * off) <= 3
        assert abs(tone.hz2 - step.hz2 * off) <= 3
        assert abs(tone.dbm0 - (dbm0 + (3 if step.hz2 else 0))) < 0.7
    for first, second, step in zip(tones, tones[1:], steps * 2, strict=False):
        assert abs(second.begin_ms - first.begin_ms - first.ms - step.off_ms) <= 15


def test_a_tone_that_goes_on(bench: Bench, wire: Wire) -> None:
    (tone,) = tones_of(measured(bench, wire, audio.sine(451.5, -18, 5000)))
    assert abs(tone.hz1 - 451.5) < 0.5
    assert tone.hz2 == 0
    assert tone.ms > 4950


def test_tones_one_right_after_another(bench: Bench, wire: Wire) -> None:
    """Special information tone."""
    sound = np.concatenate([audio.silence(200), *(audio.sine(hz, -14, 330) for hz in (950, 1400, 1800)), audio.silence(1000)])
    tones = tones_of(measured(bench, wire, sound))
    assert [round(tone.hz1 / 10) * 10 for tone in tones] == [950, 1400, 1800]
    assert all(abs(tone.ms - 330) <= 40 for tone in tones)


def test_speech_is_no_tone_for_long(bench: Bench, wire: Wire) -> None:
    segments = measured(bench, wire, audio.speech(30, 4))
    assert all(tone.ms <= 250 for tone in tones_of(segments))
    assert sum(tone.ms for tone in tones_of(segments)) < 3000
    assert any(segment.sound is Sound.OTHER for segment in segments)


def test_nothing_heard_yet(bench: Bench, wire: Wire) -> None:
    bench.engine.capture(wire.near, 1000)
    assert bench.engine.segments(wire.near) == []
    bench.step(10)
    (pause,) = bench.engine.segments(wire.near)
    assert (pause.sound, pause.ms) == (Sound.PAUSE, 200)


def test_what_is_kept_is_bounded(bench: Bench, wire: Wire) -> None:
    bench.engine.capture(wire.near, 1005)
    bench.step(100)
    assert sum(segment.ms for segment in bench.engine.segments(wire.near)) == pytest.approx(1005)
