"""Composes the music that comes with the box: `python -m appliance.music_maker`. Nobody's recording: arpeggios over four chords, plucked by
arithmetic. Needs sox for the loudness. Run by hand; the result is kept.
"""

import asyncio
import math
import struct
import tempfile
import wave
from pathlib import Path

from appliance.music import DEFAULT
from appliance.music_level import levelled

RATE_HZ = 8000
BEAT_S = 0.46
DECAY_S = 0.9
PARTIALS = ((1, 1.0), (2, 0.35), (3, 0.12), (4, 0.05))
CHORDS = (  # MIDI notes, low to high: C, a minor, F, G, and once more higher with an ending
    (48, 55, 60, 64, 67), (45, 52, 57, 60, 64), (41, 48, 57, 60, 65), (43, 50, 55, 59, 62),
    (48, 55, 64, 67, 72), (45, 57, 60, 64, 69), (41, 53, 57, 60, 65), (43, 55, 59, 62, 67),
)  # fmt: skip
FIGURE = (0, 2, 3, 4, 3, 2, 1, 2)  # which note of the chord on which beat


def composed() -> bytes:
    """16-bit samples; the end runs into the beginning without a seam."""
    beats = [chord[place] for chord in CHORDS for place in FIGURE]
    length = round(len(beats) * BEAT_S * RATE_HZ)
    mixed = [0.0] * length
    for beat, note in enumerate(beats):
        _pluck(mixed, round(beat * BEAT_S * RATE_HZ), note)
    loudest = max(abs(value) for value in mixed)
    return struct.pack(f"<{length}h", *(round(value / loudest * 20_000) for value in mixed))


def _pluck(mixed: list[float], begins: int, note: int) -> None:
    hz = 440.0 * 2 ** ((note - 69) / 12)
    for at in range(round(4 * DECAY_S * RATE_HZ)):
        fade = math.exp(-at / (DECAY_S * RATE_HZ)) * min(1.0, at / 40)
        angle = 2 * math.pi * hz * at / RATE_HZ
        mixed[(begins + at) % len(mixed)] += fade * sum(part * math.sin(number * angle) for number, part in PARTIALS)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        plain = Path(name) / "composed.wav"
        with wave.open(str(plain), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE_HZ)
            file.writeframes(composed())
        asyncio.run(levelled(plain, DEFAULT))


if __name__ == "__main__":
    main()
