"""How soon a key silences the prompt, counted in samples at the caller's end of a virtual line; stepped, so it does not depend on load."""

import tempfile
from contextlib import closing
from pathlib import Path

import numpy as np

from drivers.media import Clip, End, Engine, EngineConfig
from tests.media import audio

TRIALS = 400
KEYS = "0123456789*#"
KEY_MS = 60
KEY_DBM0 = -12.0
FRAMES_A_TRIAL = 20
SILENCES = (0xD5, 0x55)


def measure(trials: int = TRIALS) -> dict[str, float]:
    """Median and p99 over `trials` keys that begin at random samples."""
    random = np.random.default_rng(5)
    config = EngineConfig(max_ports=2, max_lines=1, max_recordings=4)
    with tempfile.TemporaryDirectory() as name, closing(Engine(config)) as engine:
        folder = Path(name)
        prompt = engine.clips.open(audio.wav(folder / "prompt.wav", bytes([0xA0, 0x20] * 40_000)))
        late_ms = [_trial(engine, folder / f"{trial}.wav", prompt, random) for trial in range(trials)]
    return {"barge_in_ms_p50": round(float(np.median(late_ms)), 1), "barge_in_ms_p99": round(float(np.quantile(late_ms, 0.99)), 1)}


def _trial(engine: Engine, path: Path, prompt: Clip, random: np.random.Generator) -> float:
    begins = int(random.integers(1600, 1760))
    key = str(random.choice(list(KEYS)))
    says = np.zeros(FRAMES_A_TRIAL * audio.FRAME, np.int16)
    tone = audio.key(key, KEY_DBM0, KEY_DBM0, KEY_MS, 0)
    says[begins : begins + len(tone)] = tone
    says_path = audio.wav(path.with_suffix(".key.wav"), audio.to_alaw(says))
    line, near, far = engine.line_new(), engine.port_new(), engine.port_new()
    engine.attach_line(near, line, End.NEAR)
    engine.attach_line(far, line, End.FAR)
    engine.detect_digits(near)
    engine.record(far, 1, path)
    engine.play(near, 1, [prompt], KEYS)
    engine.play(far, 1, [engine.clips.open(says_path)])
    engine.step(FRAMES_A_TRIAL)
    engine.record_stop(1)
    for port in (near, far):
        engine.port_free(port)
    engine.step(2)
    engine.line_free(line)
    engine.step(2)
    engine.poll_events()
    return _silent_after_ms(path, begins)


def _silent_after_ms(recorded: Path, begins: int) -> float:
    """From the key's first sample to the first sample after the last one of the prompt, at the caller's ear."""
    both = np.frombuffer(audio.read_recording(recorded)[1], np.uint8).reshape(-1, 2)
    heard = np.flatnonzero(~np.isin(both[:, 0], SILENCES))
    if heard[-1] == len(both) - 1:
        raise AssertionError("the key did not silence the prompt")
    return float(heard[-1] + 1 - begins) / 8
