"""Keys lost, doubled and made up by the media core; stepped, so it does not depend on load.

Ten thousand keys of 50 ms, 50 ms apart, at -3 to -30 dBm0 with a twist of up to 6 dB: clean, with noise 20 dB below, and under a
prompt that comes back from the line; and an hour of made-up speech and music in which there is no key.
"""

import tempfile
from contextlib import closing
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np

from drivers.media import Clip, End, Engine, EngineConfig, EventKind, Fault
from tests.media import audio

KEYS = list("0123456789*#ABCD")
RUNS = 15
KEYS_A_RUN = 667
LEVELS_DBM0 = (-3.0, -10.0, -18.0, -26.0, -30.0)
TWISTS_DB = (-6.0, 0.0, 6.0)
PROMPT_DBM0 = -15.0
RETURN_LOSS_DB = 30.0
TALK_MINUTES = 60


class Line:
    """One virtual line: the world speaks at one end, the box detects digits at the other."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self._folder = engine, folder
        self.line, self.near, self.far = engine.line_new(), engine.port_new(), engine.port_new()
        engine.attach_line(self.near, self.line, End.NEAR)
        engine.attach_line(self.far, self.line, End.FAR)
        engine.detect_digits(self.near)

    def clip(self, pcm: audio.Pcm) -> Clip:
        path = audio.wav(self._folder / "sound.wav", audio.to_alaw(pcm))
        clip = self.engine.clips.open(path)
        path.unlink()
        return clip

    def keys_in(self, pcm: audio.Pcm) -> str:
        """What the box takes for keys while the world sends this."""
        self.engine.play(self.far, 1, [self.clip(pcm)])
        found = ""
        for _ in range(len(pcm) // (audio.FRAME * 50) + 2):
            self.engine.step(50)
            found += "".join(event.digit for event in self.engine.poll_events() if event.kind == EventKind.DIGIT)
        return found


def measure() -> dict[str, float]:
    """Keys lost and doubled in each of three sets, and keys heard in an hour without any."""
    clean, noisy, prompted = (_lost_and_doubled(*how) for how in ((None, False), (20.0, False), (20.0, True)))
    return {
        "digits_wrong_clean": clean,
        "digits_wrong_noise_20_db": noisy,
        "digits_wrong_under_prompt": prompted,
        "false_digits_60_min": float(_false_digits()),
    }


def _lost_and_doubled(snr_db: float | None, prompt: bool) -> float:
    wrong = 0
    for run in range(RUNS):
        level, twist = LEVELS_DBM0[run % 5], TWISTS_DB[run // 5]
        if prompt and level < -26:
            level = -22.0
        keys, sound = _pressed(level, twist, run, snr_db)
        wrong += _differences(keys, _heard(sound, prompt))
    return float(wrong)


def _heard(sound: audio.Pcm, prompt: bool) -> str:
    config = EngineConfig(max_ports=2, max_lines=1, max_recordings=1)
    with tempfile.TemporaryDirectory() as name, closing(Engine(config)) as engine:
        line = Line(engine, Path(name))
        if prompt:
            engine.play(line.near, 2, [line.clip(audio.speech(20, seed=2, dbm0=PROMPT_DBM0))], loops=0)
            engine.line_fault(line.line, End.NEAR, Fault.ECHO, value=RETURN_LOSS_DB)
        return line.keys_in(sound)


def _pressed(level_dbm0: float, twist_db: float, seed: int, snr_db: float | None) -> tuple[str, audio.Pcm]:
    random = np.random.default_rng(seed)
    keys = "".join(random.choice(KEYS, KEYS_A_RUN))
    low, high = level_dbm0 - max(0.0, -twist_db), level_dbm0 - max(0.0, twist_db)
    sound = np.concatenate([audio.silence(100), *(audio.key(key, low, high) for key in keys), audio.silence(100)])
    if snr_db is not None:
        loud = sound.astype(np.int32) + audio.noise(level_dbm0 - snr_db, len(sound) / 8, seed)
        sound = np.clip(loud, -32000, 32000).astype(np.int16)
    return keys, sound


def _differences(sent: str, heard: str) -> int:
    """Keys missing, added or changed."""
    blocks = SequenceMatcher(None, sent, heard, autojunk=False).get_opcodes()
    return sum(max(b - a, d - c) for kind, a, b, c, d in blocks if kind != "equal")


def _false_digits() -> int:
    return sum(len(_heard(make(60.0, seed=seed), False)) for seed in range(TALK_MINUTES // 2) for make in (audio.speech, audio.music))
