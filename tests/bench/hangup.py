"""Hang-ups by tone: known in time, and never in speech or music; stepped, so it does not depend on load.

Half of the hang-ups are by China's busy and congestion tone, half by those of other zones of libtonezone; each at a level from -35 to
-5 dBm0, with its frequencies up to 2 % off, beginning anywhere in its rhythm, after speech, in noise of -60 dBm0.
"""

import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

from drivers.media import Cadence, End, Engine, EngineConfig, EventKind, Tone, zone_tone
from tests.media import audio

HANGUPS = 500
FALSE_MINUTES = 120
LIMIT_MS = 2500.0
HANGUP_TONES = (Tone.BUSY, Tone.CONGESTION)
LEVELS_DBM0 = (-35.0, -5.0)
OFF = 0.02
NOISE_DBM0 = -60.0
OTHER_ZONES = (
    "ae", "ar", "at", "be", "bg", "br", "ch", "cl", "cr", "cz", "de", "dk", "ee", "es", "fi", "fr", "gr", "hu", "il", "in",
    "it", "jp", "lt", "mo", "mx", "my", "nl", "no", "nz", "pa", "ph", "pl", "pt", "ru", "sg", "th", "tw", "uk", "us", "ve", "za",
)  # fmt: skip
FALSE_ZONES = ("cn", "us", "uk", "fr")  # France's tones are at 440 Hz, which music is tuned to
TALK_MS = 600.0


class Ears:
    """Ports that hear the same, each listening for the tones of its country."""

    def __init__(self, engine: Engine, folder: Path, zones: tuple[str, ...]) -> None:
        self._engine, self._folder = engine, folder
        self._far = [self._wire(zone) for zone in zones]

    def _wire(self, zone: str) -> int:
        line, near, far = self._engine.line_new(), self._engine.port_new(), self._engine.port_new()
        self._engine.attach_line(near, line, End.NEAR)
        self._engine.attach_line(far, line, End.FAR)
        self._engine.detect_tones(near, [Tone.DIAL, *HANGUP_TONES], zone)
        return far

    def tones_in(self, pcm: audio.Pcm) -> Iterator[float]:
        """When tones begin, in ms from the sound's first sample."""
        path = audio.wav(self._folder / "sound.wav", audio.to_alaw(pcm))
        clip = self._engine.clips.open(path)
        for far in self._far:
            self._engine.play(far, 1, [clip])
        began = self._engine.stats().samples + 2 * audio.FRAME  # obeyed in the next frame, heard one later
        for _ in range(len(pcm) // (audio.FRAME * 25) + 2):
            self._engine.step(25)
            for event in self._engine.poll_events():
                if event.kind is EventKind.TONE and event.value2:
                    yield (event.at + audio.FRAME - began) / 8
        self._engine.clips.close(clip)


def measure(hangups: int = HANGUPS, minutes: int = FALSE_MINUTES) -> dict[str, float]:
    """Time to know a hang-up, hang-ups not known within 2.5 s, and tones heard where there are none."""
    waited = [_waited_ms(number) for number in range(hangups)]
    return {
        "tone_hangup_ms_p99": float(np.percentile(waited, 99)),
        "tone_hangup_missed": float(sum(ms > LIMIT_MS for ms in waited)),
        "tone_false_2h": float(false_tones(minutes)),
    }


def _waited_ms(number: int) -> float:
    """From the first sample of tone to the end of the frame in which it is known; infinity if it is not."""
    random = np.random.default_rng(number)
    zone = "cn" if number % 2 else str(random.choice(OTHER_ZONES))
    sound = _hangup(random, zone_tone(zone, HANGUP_TONES[number // 2 % 2]), number)
    with tempfile.TemporaryDirectory() as name, closing(Engine(EngineConfig(max_ports=2, max_lines=1, max_recordings=1))) as engine:
        heard = [at_ms for at_ms in Ears(engine, Path(name), (zone,)).tones_in(sound) if at_ms >= TALK_MS]
    return heard[0] - TALK_MS if heard else float("inf")


def _hangup(random: np.random.Generator, cadence: Cadence, seed: int) -> audio.Pcm:
    tone = _rhythm(cadence, random.uniform(*LEVELS_DBM0), 1 + random.uniform(-OFF, OFF))
    skipped = int(random.uniform(0, _cycle_ms(cadence)) * 8)
    sound = np.concatenate([audio.speech(TALK_MS / 1000, seed), tone[skipped : skipped + 8 * 5000]]).astype(np.int32)
    return np.clip(sound + audio.noise(NOISE_DBM0, len(sound) / 8, seed), -32767, 32767).astype(np.int16)


def _cycle_ms(cadence: Cadence) -> int:
    return sum(step.on_ms + step.off_ms for step in cadence.steps)


def _rhythm(cadence: Cadence, dbm0: float, off: float) -> audio.Pcm:
    """At least 10 s of it; a tone of two frequencies has that level altogether."""
    once = []
    for step in cadence.steps:
        each_dbm0 = dbm0 - 3 if step.hz2 else dbm0
        sound = audio.sine(step.hz1 * off, each_dbm0, step.on_ms)
        once += [sound + audio.sine(step.hz2 * off, each_dbm0, step.on_ms) if step.hz2 else sound, audio.silence(step.off_ms)]
    return np.concatenate(once * (1 + 10_000 // _cycle_ms(cadence)))


def false_tones(minutes: int) -> int:
    """Tones of four countries heard in so many minutes, half speech and half music."""
    config = EngineConfig(max_ports=2 * len(FALSE_ZONES), max_lines=len(FALSE_ZONES), max_recordings=1)
    found = 0
    for seed in range(minutes // 2):
        for make in (audio.speech, audio.music):
            with tempfile.TemporaryDirectory() as name, closing(Engine(config)) as engine:
                found += len(list(Ears(engine, Path(name), FALSE_ZONES).tones_in(make(60.0, seed=1000 + seed))))
    return found
