"""Prompts: byte for byte, without gaps, looped, replaced, stopped; and cut short by keys in time."""

import numpy as np
import pytest

from drivers.errors import MediaError
from drivers.media import Cadence, Clip, End, EventKind, Law, PlayEnding, ToneStep
from tests.media import audio
from tests.media.conftest import Bench, Wire

EVERY_CODE = bytes(i * 7 % 256 for i in range(1000))
OTHER = bytes(i * 5 % 256 for i in range(777))


def test_one_prompt_arrives_byte_for_byte(bench: Bench, wire: Wire) -> None:
    clip = bench.clip(EVERY_CODE)
    heard = bench.hear(wire.far, 10, lambda: bench.engine.play(wire.near, 1, [clip]))
    assert heard[160:1160] == EVERY_CODE
    assert set(heard[1160:]) == {audio.ALAW_SILENCE}


def test_a_list_has_no_gap_and_tells_its_length(bench: Bench, wire: Wire) -> None:
    clips = [bench.clip(EVERY_CODE), bench.clip(b"\x01"), bench.clip(OTHER), bench.clip(EVERY_CODE)]
    heard = bench.hear(wire.far, 25, lambda: bench.engine.play(wire.near, 7, clips))
    assert heard[160 : 160 + 2778] == EVERY_CODE + b"\x01" + OTHER + EVERY_CODE
    (done,) = bench.of(EventKind.PLAY_DONE)
    assert (done.id, done.value, done.samples) == (7, PlayEnding.FINISHED, 2778)


@pytest.mark.parametrize("loops", [1, 2, 5])
def test_loops(bench: Bench, wire: Wire, loops: int) -> None:
    heard = bench.hear(wire.far, 40, lambda: bench.engine.play(wire.near, 1, [bench.clip(OTHER)], loops=loops))
    assert heard[160:] == (OTHER * loops).ljust(len(heard) - 160, bytes([audio.ALAW_SILENCE]))


def test_endless_until_stopped(bench: Bench, wire: Wire) -> None:
    bench.engine.play(wire.near, 3, [bench.clip(OTHER)], loops=0)
    bench.step(500)
    assert not bench.of(EventKind.PLAY_DONE)
    bench.engine.play_stop(wire.near)
    (done,) = bench.step(1)
    assert (done.id, done.value, done.samples) == (3, PlayEnding.STOPPED, 500 * 160)


def test_a_new_play_replaces_the_old(bench: Bench, wire: Wire) -> None:
    bench.engine.play(wire.near, 1, [bench.clip(EVERY_CODE)])
    bench.step(2)
    bench.engine.play(wire.near, 2, [bench.clip(OTHER)])
    bench.step(10)
    ends = [(done.id, done.value) for done in bench.of(EventKind.PLAY_DONE)]
    assert ends == [(1, PlayEnding.STOPPED), (2, PlayEnding.FINISHED)]


def test_a_closed_clip_plays_to_its_end(bench: Bench, wire: Wire) -> None:
    clip = bench.clip(EVERY_CODE)
    bench.engine.play(wire.near, 1, [clip])
    bench.engine.clips.close(clip)
    assert bench.hear(wire.far, 10)[160:1160] == EVERY_CODE


def test_a_prompt_rendered_anew_in_place_does_no_harm(bench: Bench, wire: Wire) -> None:
    clip = bench.clip(EVERY_CODE)
    clip.path.write_bytes(b"")
    assert bench.hear(wire.far, 10, lambda: bench.engine.play(wire.near, 1, [clip]))[160:1160] == EVERY_CODE


def test_the_same_file_is_open_once(bench: Bench) -> None:
    path = audio.wav(bench.folder / "once.wav", OTHER)
    first, again = bench.engine.clips.open(path), bench.engine.clips.open(path)
    assert first is again
    assert first.samples == 777
    audio.wav(path, EVERY_CODE)
    assert bench.engine.clips.open(path) is not first


def pcm_clip(bench: Bench, pcm: audio.Pcm) -> Clip:
    return bench.engine.clips.open(audio.wav(bench.folder / "pcm.wav", pcm.tobytes(), law=1, bits=16))


def test_linear_prompts_are_coded(bench: Bench, wire: Wire) -> None:
    pcm = audio.sine(1000, -10, 100)
    heard = bench.hear(wire.far, 10, lambda: bench.engine.play(wire.near, 1, [pcm_clip(bench, pcm)]))
    error = audio.from_alaw(heard[160:960]).astype(int) - pcm
    assert np.max(np.abs(error)) <= 512  # half of A-law's largest step
    assert audio.level_dbm0(error.astype(np.int16)) < -45


def test_mu_law_prompts_are_transcoded(bench: Bench, wire: Wire) -> None:
    codes = bytes(range(256))
    clip = bench.engine.clips.open(audio.wav(bench.folder / "u.wav", codes, law=7))
    heard = bench.hear(wire.far, 5, lambda: bench.engine.play(wire.near, 1, [clip]))
    linear = audio.from_alaw(heard[160:416])
    assert np.all(np.diff(linear[:128].astype(int)) >= 0)  # mu-law codes 0-127 rise from the most negative
    assert linear[0] < -30000
    assert linear[128] > 30000


def test_lines_take_a_law_ports_only(bench: Bench) -> None:
    port, line = bench.engine.port_new(Law.ULAW), bench.engine.line_new()
    with pytest.raises(MediaError, match="MED-014"):
        bench.engine.attach_line(port, line, End.NEAR)


@pytest.mark.parametrize("clips", [0, 513])
def test_lists_have_limits(bench: Bench, wire: Wire, clips: int) -> None:
    with pytest.raises(MediaError, match=r"MED-014|MED-012"):
        bench.engine.play(wire.near, 1, [bench.clip(OTHER)] * clips)


def test_nothing_cannot_be_played_endlessly(bench: Bench, wire: Wire) -> None:
    with pytest.raises(MediaError, match="MED-014"):
        bench.engine.play(wire.near, 1, [bench.clip(b"")], loops=0)
    bench.engine.play(wire.near, 2, [bench.clip(b"")])
    assert bench.step_until(EventKind.PLAY_DONE, 2).samples == 0


def test_only_the_wanted_digits_barge_in(bench: Bench, wire: Wire) -> None:
    bench.engine.detect_digits(wire.near)
    bench.engine.play(wire.near, 1, [bench.clip(OTHER)], barge_digits="45", loops=0)
    bench.engine.send_digits(wire.far, "1235")
    bench.step(50)
    (done,) = bench.of(EventKind.PLAY_DONE)
    assert (done.value, chr(done.value2)) == (PlayEnding.BARGED, "5")
    assert bench.digits(wire.near) == "1235"


def barge_in_ms(bench: Bench, wire: Wire, press: Clip, lead: int, number: int) -> float:
    """From the first sample of the key to the first without prompt, both as the caller's end of the line has them."""
    path = bench.folder / f"barge{number}.wav"
    bench.engine.play(wire.near, number, [bench.clip(b"\x2a" * 1600)], barge_digits="0123456789*#", loops=0)
    bench.engine.record(wire.far, number, path)
    bench.step(2)
    bench.engine.play(wire.far, 1000, [bench.clip(bytes([audio.ALAW_SILENCE]) * lead), press])
    bench.step(15)
    bench.engine.record_stop(number)
    bench.step(5)
    _, both = audio.read_recording(path)
    pressed = 2 * 160 + lead
    assert both[2 * (pressed - 1) + 1] == audio.ALAW_SILENCE
    assert both[2 * pressed : 2 * pressed + 2] != b"\xd5\xd5"
    last_prompt = max(i for i, code in enumerate(both[0::2]) if code == 0x2A)
    return (last_prompt + 1 - pressed) / 8


def test_barge_in_within_90_ms(bench: Bench, wire: Wire) -> None:
    bench.engine.detect_digits(wire.near)
    rng = np.random.default_rng(1)
    presses = [bench.clip(audio.to_alaw(audio.key(key, -12, -10, 100))) for key in "0123456789*#"]
    times = [barge_in_ms(bench, wire, presses[n % 12], int(rng.integers(0, 160)), n + 1) for n in range(240)]
    assert np.percentile(times, 99) <= 90, sorted(times)[-10:]
    assert max(times) <= 90


def test_music_on_hold_while_the_other_side_talks_elsewhere(bench: Bench) -> None:
    """A and B talk; A is put on hold with music in an endless loop of two clips; B talks to C meanwhile; then A and B again."""
    a, b, c = (bench.wire() for _ in range(3))
    tune = [bench.clip(audio.to_alaw(audio.sine(hz, -15, ms))) for hz, ms in ((600, 77), (900, 133))]
    bench.engine.bridge(a.near, b.near)
    bench.step(5)
    bench.engine.unbridge(a.near)
    bench.engine.play(a.near, 1, tune, loops=0)
    bench.engine.bridge(b.near, c.near)
    bench.engine.tone(c.far, Cadence((ToneStep(1500, dbm0=-20),)))
    at_a = audio.from_alaw(bench.hear(a.far, 500))
    period = tune[0].samples + tune[1].samples
    assert np.array_equal(at_a[800 : 800 + 40 * period], np.tile(at_a[800 : 800 + period], 40))
    at_b = audio.from_alaw(bench.hear(b.far, 50))
    assert abs(audio.level_dbm0(at_b[800:]) - -20) < 0.3
    bench.engine.play_stop(a.near)
    bench.engine.unbridge(b.near)
    bench.engine.bridge(a.near, b.near)
    bench.engine.tone(b.far, Cadence((ToneStep(500, dbm0=-25),)))
    assert abs(audio.level_dbm0(audio.from_alaw(bench.hear(a.far, 50))[1600:]) - -25) < 0.3
