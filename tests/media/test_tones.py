"""Tones made and heard: country cadences both ways, CNG, CED, and sounds that are none of them."""

import numpy as np
import pytest

from drivers.errors import MediaError
from drivers.media import Cadence, EventKind, Tone, TonePlan, ToneStep, zone_tone
from tests.bench import hangup
from tests.media import audio
from tests.media.conftest import Bench, Wire

CALL_TONES = [Tone.DIAL, Tone.RINGBACK, Tone.BUSY, Tone.CONGESTION]


def heard_tones(bench: Bench, wire: Wire) -> list[tuple[Tone, int]]:
    return [(Tone(event.value), event.value2) for event in bench.of(EventKind.TONE, wire.near)]


def test_china_is_450_hz() -> None:
    assert zone_tone("cn", Tone.BUSY) == Cadence((ToneStep(450, on_ms=350, off_ms=350),))
    assert zone_tone("cn", Tone.DIAL) == Cadence((ToneStep(450),))
    assert [(s.hz1, s.hz2, s.on_ms, s.off_ms) for s in zone_tone("uk", Tone.RINGBACK).steps] == [
        (400, 450, 400, 200),
        (400, 450, 400, 2000),
    ]


def test_unknown_country_is_an_error(bench: Bench, wire: Wire) -> None:
    with pytest.raises(MediaError, match="MED-014"):
        zone_tone("xx", Tone.DIAL)
    with pytest.raises(MediaError, match="'xx'"):
        bench.engine.detect_tones(wire.near, [Tone.BUSY], "xx")


@pytest.mark.parametrize("country", ["cn", "us", "uk", "de", "ru", "fr"])
@pytest.mark.parametrize("kind", CALL_TONES)
def test_each_tone_is_known_once_and_its_end_seen(bench: Bench, wire: Wire, country: str, kind: Tone) -> None:
    bench.engine.detect_tones(wire.near, CALL_TONES, country)
    bench.engine.tone(wire.far, zone_tone(country, kind))
    bench.step(500)
    assert heard_tones(bench, wire) == [(kind, 1)]
    bench.engine.tone(wire.far, None)
    bench.step(400)
    assert heard_tones(bench, wire) == [(kind, 1), (kind, 0)]


@pytest.mark.parametrize(("kind", "limit_ms"), [(Tone.DIAL, 1600), (Tone.BUSY, 1300), (Tone.CONGESTION, 2400), (Tone.RINGBACK, 2300)])
def test_time_to_know_a_tone(bench: Bench, wire: Wire, kind: Tone, limit_ms: int) -> None:
    bench.engine.detect_tones(wire.near, CALL_TONES)
    bench.engine.tone(wire.far, zone_tone("cn", kind))
    assert bench.step_until(EventKind.TONE).at <= limit_ms * 8


def test_weak_busy_tone_in_noise(bench: Bench, wire: Wire) -> None:
    rhythm = np.concatenate([audio.sine(450, -28, 350), audio.silence(350)] * 6).astype(np.int32)
    sound = (rhythm + audio.noise(-55, len(rhythm) / 8)).astype(np.int16)
    bench.engine.detect_tones(wire.near, CALL_TONES)
    bench.engine.play(wire.far, 1, [bench.clip(audio.to_alaw(sound))])
    assert bench.step_until(EventKind.TONE).value == Tone.BUSY


def test_busy_right_after_ringback(bench: Bench, wire: Wire) -> None:
    bench.engine.detect_tones(wire.near, CALL_TONES)
    for kind in (Tone.RINGBACK, Tone.BUSY):
        bench.engine.tone(wire.far, zone_tone("cn", kind))
        bench.step(300)
    assert heard_tones(bench, wire) == [(Tone.RINGBACK, 1), (Tone.RINGBACK, 0), (Tone.BUSY, 1)]


def test_only_what_was_asked_for(bench: Bench, wire: Wire) -> None:
    bench.engine.detect_tones(wire.near, [Tone.BUSY])
    bench.engine.tone(wire.far, zone_tone("cn", Tone.CONGESTION))
    bench.step(300)
    assert heard_tones(bench, wire) == []


def test_speech_and_music_are_no_tones(bench: Bench, wire: Wire) -> None:
    bench.engine.detect_tones(wire.near, list(Tone))
    sound = np.concatenate([audio.speech(120, 5), audio.music(120, 5)])
    bench.engine.play(wire.far, 1, [bench.clip(audio.to_alaw(sound))])
    bench.step(len(sound) // 160)
    assert heard_tones(bench, wire) == []


def test_fax_calling_and_answering_tones(bench: Bench, wire: Wire) -> None:
    bench.engine.detect_tones(wire.near, [Tone.CNG, Tone.CED])
    calling = np.concatenate([audio.sine(1100, -15, 500), audio.silence(3000), audio.sine(1100, -15, 500)])
    bench.engine.play(wire.far, 1, [bench.clip(audio.to_alaw(np.concatenate([calling, audio.silence(1000)])))])
    bench.step(300)
    assert heard_tones(bench, wire)[:2] == [(Tone.CNG, 1), (Tone.CNG, 0)]
    bench.events.clear()
    answering = np.concatenate([audio.sine(2100, -12, 3000), audio.silence(500)])
    bench.engine.play(wire.far, 2, [bench.clip(audio.to_alaw(answering))])
    bench.step(200)
    assert heard_tones(bench, wire) == [(Tone.CED, 1), (Tone.CED, 0)]


def test_level_and_frequency_of_a_made_tone(bench: Bench, wire: Wire) -> None:
    tone = Cadence((ToneStep(440, dbm0=-20),))
    heard = audio.from_alaw(bench.hear(wire.near, 60, lambda: bench.engine.tone(wire.far, tone)))[800:8800]
    assert abs(audio.level_dbm0(heard) - -20) < 0.3
    assert abs(np.argmax(np.abs(np.fft.rfft(heard))) * 8000 / len(heard) - 440) < 1.5


@pytest.mark.parametrize("step", [ToneStep(5000, on_ms=100), ToneStep(450, on_ms=-1), ToneStep(0), ToneStep(450, -3)])
def test_impossible_tones(bench: Bench, wire: Wire, step: ToneStep) -> None:
    with pytest.raises(MediaError, match="MED-014"):
        bench.engine.tone(wire.near, Cadence((step,)))


def test_speech_and_silence(bench: Bench, wire: Wire) -> None:
    bench.engine.detect_speech(wire.near, silence_ms=1000)
    sound = np.concatenate([audio.silence(500), audio.speech(2, 4), audio.silence(2000)]).astype(np.int32)
    sound += audio.noise(-62, len(sound) / 8)
    bench.engine.play(wire.far, 1, [bench.clip(audio.to_alaw(sound.astype(np.int16)))])
    bench.step(250)
    seen = [(event.kind, event.at / 8000) for event in bench.events if event.kind in (EventKind.SPEECH, EventKind.SILENCE)]
    assert seen[0][0] is EventKind.SPEECH
    assert 0.5 <= seen[0][1] <= 0.8
    assert seen[-1][0] is EventKind.SILENCE
    assert 3.3 <= seen[-1][1] <= 3.7
    assert [kind for kind, _ in seen].count(EventKind.SILENCE) == 1


def test_silence_from_the_start_is_told_once(bench: Bench, wire: Wire) -> None:
    bench.engine.detect_speech(wire.near, silence_ms=3000)
    bench.step(500)
    (silent,) = bench.of(EventKind.SILENCE)
    assert silent.value == 3000
    assert silent.at == 3000 * 8 - 160


def test_steady_noise_becomes_the_floor(bench: Bench, wire: Wire) -> None:
    bench.engine.detect_speech(wire.near, silence_ms=2000)
    bench.engine.play(wire.far, 1, [bench.clip(audio.to_alaw(audio.noise(-45, 20000)))])
    bench.step(1000)
    assert bench.of(EventKind.SILENCE)


# --- hanging up by tone ---


@pytest.mark.parametrize("country", ["cn", *hangup.OTHER_ZONES])
@pytest.mark.parametrize("kind", hangup.HANGUP_TONES)
def test_hangup_tones_of_all_zones(bench: Bench, wire: Wire, country: str, kind: Tone) -> None:
    bench.engine.detect_tones(wire.near, CALL_TONES, country)
    bench.engine.tone(wire.far, zone_tone(country, kind))
    event = bench.step_until(EventKind.TONE, 150)
    assert event.value in hangup.HANGUP_TONES
    assert event.at <= 8 * hangup.LIMIT_MS


@pytest.mark.parametrize("off", [425 / 450, 0.98, 1.0, 1.02, 475 / 450])  # GB/T 3380: 450 +-25 Hz
@pytest.mark.parametrize("dbm0", [-35, -20, -5])
@pytest.mark.parametrize(("on_ms", "kind"), [(350, Tone.BUSY), (700, Tone.CONGESTION)])
def test_levels_and_detuning(bench: Bench, wire: Wire, off: float, dbm0: float, on_ms: int, kind: Tone) -> None:
    bench.engine.detect_tones(wire.near, CALL_TONES)
    rhythm = np.concatenate([audio.sine(450 * off, dbm0, on_ms), audio.silence(on_ms)] * 4)
    bench.engine.play(wire.far, 1, [bench.clip(audio.to_alaw(rhythm))])
    assert bench.step_until(EventKind.TONE, 150).value == kind


def test_hangups_at_any_place_in_the_rhythm_are_known_in_time() -> None:
    figures = hangup.measure(hangups=60, minutes=4)
    assert figures["tone_hangup_missed"] == 0
    assert figures["tone_false_2h"] == 0


def notes(*lengths_ms: int, hz: float = 450, fades: float = 1.0) -> audio.Pcm:
    """Notes with pauses between them, the same length each; `fades`: to what share in its time."""
    parts = []
    for ms in lengths_ms:
        note = audio.sine(hz, -15, ms)
        parts += [(note * np.linspace(1, fades, len(note))).astype(np.int16), audio.silence(ms)]
    return np.concatenate(parts)


@pytest.mark.parametrize(
    "sound",
    [
        notes(*[350] * 8, fades=0.3),  # a tune of one note that fades
        notes(*[100, 200, 350, 200, 100, 500, 200, 100]),
        notes(*[350] * 8, hz=490),
        np.concatenate([audio.sine(450, dbm0, 350) if dbm0 else audio.silence(350) for dbm0 in (-10, 0, -16, 0, -10, 0, -16, 0, -10)]),
    ],
)
def test_tunes_that_are_nearly_busy_tone(bench: Bench, wire: Wire, sound: audio.Pcm) -> None:
    bench.engine.detect_tones(wire.near, CALL_TONES)
    bench.engine.play(wire.far, 1, [bench.clip(audio.to_alaw(sound))])
    bench.step(len(sound) // 160 + 20)
    assert heard_tones(bench, wire) == []


# --- a switch's own tones ---

OWN = TonePlan(
    dial=Cadence((ToneStep(400),)),
    busy=Cadence((ToneStep(500, on_ms=180, off_ms=220),)),
    congestion=Cadence((ToneStep(440, 480, on_ms=250), ToneStep(0, on_ms=600))),
)


@pytest.mark.parametrize("kind", [Tone.DIAL, Tone.BUSY, Tone.CONGESTION])
def test_tones_of_the_lines_own_switch(bench: Bench, wire: Wire, kind: Tone) -> None:
    bench.engine.detect_tones(wire.near, CALL_TONES, OWN)
    bench.engine.tone(wire.far, getattr(OWN, kind.name.lower()))
    assert bench.step_until(EventKind.TONE, 150).value == kind


def test_a_tone_the_switch_does_not_have(bench: Bench, wire: Wire) -> None:
    bench.engine.detect_tones(wire.near, CALL_TONES, OWN)
    bench.engine.tone(wire.far, zone_tone("cn", Tone.BUSY))
    bench.step(200)
    assert heard_tones(bench, wire) == []


@pytest.mark.parametrize("plan", [TonePlan(hz_percent=9), TonePlan(ms_percent=0), TonePlan(busy=Cadence((ToneStep(9000),)))])
def test_plans_that_are_none(bench: Bench, wire: Wire, plan: TonePlan) -> None:
    with pytest.raises(MediaError, match="MED-014"):
        bench.engine.detect_tones(wire.near, CALL_TONES, plan)
