"""Keys: none lost, none doubled, none made up. A decoder that is not ours agrees with what is sent."""

from pathlib import Path

import numpy as np
import pytest

from drivers.media import End, EventKind, Fault
from tests.dtmf import keys_in
from tests.media import audio
from tests.media.conftest import Bench, Wire

ALL_KEYS = list("0123456789*#ABCD")


def pressed(count: int, level_dbm0: float, twist_db: float, seed: int, snr_db: float | None = None) -> tuple[str, audio.Pcm]:
    """Random keys of 50/50 ms with a little jitter between; the stronger frequency at that level. Positive twist: low is stronger."""
    rng = np.random.default_rng(seed)
    keys = "".join(rng.choice(ALL_KEYS, count))
    low, high = level_dbm0 - max(0.0, -twist_db), level_dbm0 - max(0.0, twist_db)
    parts = [audio.silence(100)]
    for key in keys:
        parts += [audio.key(key, low, high), audio.silence(float(rng.integers(0, 104)) / 8)]
    pcm = np.concatenate([*parts, audio.silence(100)])
    if snr_db is not None:
        loud = pcm.astype(np.int32) + audio.noise(level_dbm0 - snr_db, len(pcm) / 8, seed)
        pcm = np.clip(loud, -32000, 32000).astype(np.int16)
    return keys, pcm


def received(bench: Bench, wire: Wire, pcm: audio.Pcm) -> str:
    bench.events.clear()
    bench.engine.detect_digits(wire.near)
    bench.engine.play(wire.far, 1, [bench.clip(audio.to_alaw(pcm))])
    bench.step(len(pcm) // 160 + 10)
    return bench.digits(wire.near)


@pytest.mark.parametrize("snr_db", [None, 20.0])
@pytest.mark.parametrize("twist_db", [-6.0, 0.0, 6.0])
@pytest.mark.parametrize("level_dbm0", [-3.0, -10.0, -18.0, -26.0, -30.0])
def test_every_digit_once(bench: Bench, wire: Wire, level_dbm0: float, twist_db: float, snr_db: float | None) -> None:
    keys, pcm = pressed(340, level_dbm0, twist_db, seed=int(-level_dbm0 * 7 + twist_db), snr_db=snr_db)
    assert received(bench, wire, pcm) == keys


@pytest.mark.parametrize("level_dbm0", [-6.0, -16.0, -26.0])
def test_every_digit_once_under_a_prompt(bench: Bench, wire: Wire, level_dbm0: float) -> None:
    """The prompt comes back 30 dB weaker, as behind a card's echo canceller."""
    bench.engine.play(wire.near, 9, [bench.clip(audio.to_alaw(audio.speech(20, seed=2, dbm0=-15)))], loops=0)
    bench.engine.line_fault(wire.line, End.NEAR, Fault.ECHO, value=30)
    keys, pcm = pressed(340, level_dbm0, 3.0, seed=4, snr_db=20)
    assert received(bench, wire, pcm) == keys


def test_the_same_key_in_a_row_at_40_ms(bench: Bench, wire: Wire) -> None:
    press = [np.concatenate([audio.key("5", -12, -10, 40, 40), audio.silence(n / 8)]) for n in range(300)]
    assert received(bench, wire, np.concatenate(press)) == "5" * 300


def test_an_interruption_of_10_ms_doubles_nothing(bench: Bench, wire: Wire) -> None:
    parts = []
    for n in range(200):
        half = audio.key("B", -12, -10, 60 + n / 20, 0)
        parts += [half, audio.silence(10), half, audio.silence(60)]
    assert received(bench, wire, np.concatenate(parts)) == "B" * 200
    assert len(bench.of(EventKind.DIGIT_END, wire.near)) == 200


@pytest.mark.parametrize(
    ("deviation", "keys"),
    [(0.987, "0123456789*#"), (1.013, "0123456789*#"), (0.992, "0123456789*#ABCD"), (1.008, "0123456789*#ABCD")],
)
def test_keys_a_little_out_of_tune(bench: Bench, wire: Wire, deviation: float, keys: str) -> None:
    """Blocks of 102 samples are as narrow at 1633 Hz as at 697, so the fourth column bears less."""
    press = [audio.key(key, -12, -10, 60, 60, deviation) for key in keys * 6]
    assert received(bench, wire, np.concatenate(press)) == keys * 6


def test_length_and_level_are_told(bench: Bench, wire: Wire) -> None:
    bench.engine.detect_digits(wire.near)
    bench.engine.send_digits(wire.far, "7", on_ms=200, low_dbm0=-13, high_dbm0=-13)
    bench.step(30)
    (down,), (up,) = bench.of(EventKind.DIGIT), bench.of(EventKind.DIGIT_END)
    assert abs(down.value2 - -10) <= 1
    assert up.digit == "7"
    assert abs(up.value2 - 200) <= 40


def test_asking_again_does_not_count_a_held_key_twice(bench: Bench, wire: Wire) -> None:
    bench.engine.detect_digits(wire.near)
    bench.engine.send_digits(wire.far, "5", on_ms=600)
    for _ in range(10):
        bench.step(3)
        bench.engine.detect_digits(wire.near)
    bench.step(20)
    assert bench.digits(wire.near) == "5"


def test_no_digits_while_detection_is_off(bench: Bench, wire: Wire) -> None:
    bench.engine.detect_digits(wire.near)
    bench.engine.detect_digits(wire.near, False)
    bench.engine.send_digits(wire.far, "123")
    bench.step(60)
    assert bench.digits(wire.near) == ""


@pytest.mark.parametrize("seed", range(3))
def test_speech_and_music_are_no_digits(bench: Bench, wire: Wire, seed: int) -> None:
    sound = np.concatenate([audio.speech(120, seed), audio.music(120, seed)])
    assert received(bench, wire, sound) == ""


def test_recorded_voices_are_no_digits(bench: Bench, wire: Wire) -> None:
    """Our own prompts, faster and slower: other voices than those of the generator."""
    folder = Path(__file__).parents[2] / "appliance" / "ivr" / "prompts"
    codes = b"".join(path.read_bytes()[58:] for path in sorted(folder.rglob("*.wav"))[:200])
    voices = audio.from_alaw(codes)
    for pace in (0.85, 1.0, 1.2):
        places = np.arange(0, len(voices) - 1, pace)
        assert received(bench, wire, np.interp(places, np.arange(len(voices)), voices).astype(np.int16)) == ""


def test_digits_follow_one_another_when_sent_in_pieces(bench: Bench, wire: Wire) -> None:
    bench.engine.detect_digits(wire.near)
    bench.engine.send_digits(wire.far, "12")
    bench.engine.send_digits(wire.far, "3w4")
    bench.step(100)
    assert bench.digits(wire.near) == "1234"
    assert len(bench.of(EventKind.DIGITS_SENT, wire.far)) == 2


def test_another_decoder_agrees(bench: Bench, wire: Wire) -> None:
    keys = "0123456789*#ABCD" * 3
    heard = bench.hear(wire.near, 48 * 8 + 20, lambda: bench.engine.send_digits(wire.far, keys, 80, 80))
    assert keys_in(heard) == keys
