"""Test audio, made on the spot and always the same: A-law files, tones, noise, and sound like speech and music.

Samples are numpy int16 at 8000 Hz unless a name says A-law. Levels in dBm0.
"""

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Pcm = NDArray[np.int16]
RATE_HZ = 8000
FRAME = 160
ALAW_SILENCE = 0xD5


def _alaw_table() -> NDArray[np.int16]:
    """ITU-T G.711 table 1a, written out from its definition, not taken from the code under test."""
    table = np.zeros(256, np.int16)
    for code in range(256):
        bits = code ^ 0x55
        segment, step = (bits >> 4) & 7, bits & 15
        magnitude = (step << 4) + 8 if segment == 0 else ((step << 4) + 0x108) << (segment - 1)
        table[code] = magnitude if bits & 0x80 else -magnitude
    return table


ALAW = _alaw_table()
_ORDER = np.argsort(ALAW)
_SORTED = ALAW[_ORDER].astype(np.int32)


def to_alaw(pcm: Pcm) -> bytes:
    """Nearest code of each sample."""
    wide = pcm.astype(np.int32)
    right = np.clip(np.searchsorted(_SORTED, wide), 1, 255)
    nearer = np.where(wide - _SORTED[right - 1] < _SORTED[right] - wide, right - 1, right)
    return _ORDER[nearer].astype(np.uint8).tobytes()


def from_alaw(codes: bytes) -> Pcm:
    return ALAW[np.frombuffer(codes, np.uint8)]


def longest_silence(codes: bytes) -> int:
    """A-law samples in a row that are silent."""
    longest = run = 0
    for code in codes:
        run = run + 1 if code in (0xD5, 0x55) else 0
        longest = max(longest, run)
    return longest


def rms_of(dbm0: float) -> float:
    """16-bit rms of a level; a sine of 3.14 dBm0 peaks at 32768."""
    return float(32768 / np.sqrt(2) * 10 ** ((dbm0 - 3.14) / 20))


def level_dbm0(pcm: Pcm) -> float:
    power = np.mean(pcm.astype(np.float64) ** 2) if len(pcm) else 0.0
    return float(20 * np.log10(max(np.sqrt(power), 1e-3) / rms_of(0)))


def sine(hz: float, dbm0: float, ms: float) -> Pcm:
    t = np.arange(round(ms * RATE_HZ / 1000)) / RATE_HZ
    return np.round(rms_of(dbm0) * np.sqrt(2) * np.sin(2 * np.pi * hz * t)).astype(np.int16)


def silence(ms: float) -> Pcm:
    return np.zeros(round(ms * RATE_HZ / 1000), np.int16)


def noise(dbm0: float, ms: float, seed: int = 1) -> Pcm:
    count = round(ms * RATE_HZ / 1000)
    return np.clip(np.random.default_rng(seed).normal(0, rms_of(dbm0), count), -32767, 32767).astype(np.int16)


ROW_HZ = (697, 770, 852, 941)
COLUMN_HZ = (1209, 1336, 1477, 1633)
KEYS = "123A456B789C*0#D"


def key(digit: str, low_dbm0: float, high_dbm0: float, on_ms: float = 50, off_ms: float = 50, deviation: float = 1.0) -> Pcm:
    """A key of ITU-T Q.23, both frequencies out of tune by that factor."""
    row_hz, column_hz = ROW_HZ[KEYS.index(digit) // 4], COLUMN_HZ[KEYS.index(digit) % 4]
    tone = sine(row_hz * deviation, low_dbm0, on_ms) + sine(column_hz * deviation, high_dbm0, on_ms)
    return np.concatenate([tone, silence(off_ms)])


def wav(path: Path, alaw: bytes, law: int = 6, rate_hz: int = RATE_HZ, channels: int = 1, bits: int = 8) -> Path:
    """A plain WAV of these bytes; every header field can be made wrong."""
    fmt = struct.pack("<HHIIHH", law, channels, rate_hz, rate_hz * channels * bits // 8, channels * bits // 8, bits)
    body = b"WAVEfmt " + struct.pack("<I", 16) + fmt + b"data" + struct.pack("<I", len(alaw)) + alaw
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return path


def read_recording(path: Path) -> tuple[int, bytes]:
    """Channels and audio bytes of a recording; asserts that its header tells the truth or less (never more)."""
    content = path.read_bytes()
    riff, riff_bytes, wave, fmt, fmt_bytes, law, channels, rate_hz = struct.unpack_from("<4sI4s4sIHHI", content)
    assert (riff, wave, fmt, fmt_bytes, law, rate_hz) == (b"RIFF", b"WAVE", b"fmt ", 18, 6, 8000)
    fact, _, fact_samples, data, data_bytes = struct.unpack_from("<4sII4sI", content, 38)
    assert (fact, data) == (b"fact", b"data")
    assert fact_samples * channels == data_bytes
    assert riff_bytes == 50 + data_bytes
    assert 58 + data_bytes <= len(content)
    return channels, content[58 : 58 + data_bytes]


def _formant(source: NDArray[np.float64], hz: float, width_hz: float) -> NDArray[np.float64]:
    """A two-pole resonator, block-wise in the frequency domain: fast enough for an hour of sound."""
    spectrum = np.fft.rfft(source)
    z = np.exp(-2j * np.pi * np.fft.rfftfreq(len(source), 1 / RATE_HZ) / RATE_HZ)
    r = np.exp(-np.pi * width_hz / RATE_HZ)
    return np.fft.irfft(spectrum / (1 - 2 * r * np.cos(2 * np.pi * hz / RATE_HZ) * z + r * r * z * z), len(source))


def _pulses(rng: np.random.Generator, count: int, pitch_hz: float) -> NDArray[np.float64]:
    """A voice's source: pulses of a pitch that glides and trembles."""
    glide = np.linspace(pitch_hz, pitch_hz * rng.uniform(0.8, 1.25), count)
    phase = np.cumsum(glide / RATE_HZ) + 0.002 * np.cumsum(rng.normal(0, 1, count)) * 0.1
    return np.diff(np.floor(phase), prepend=0.0)


def _syllable(rng: np.random.Generator, pitch_hz: float) -> NDArray[np.float64]:
    count = int(rng.uniform(0.08, 0.3) * RATE_HZ)
    voiced = _pulses(rng, count, pitch_hz) if rng.random() < 0.85 else rng.normal(0, 0.2, count)
    out = np.zeros(count)
    for low, high, width_hz in ((250, 850, 70), (800, 2400, 100), (2300, 3200, 150)):
        out += _formant(voiced, rng.uniform(low, high), width_hz)
    return out / (np.max(np.abs(out)) + 1e-9) * np.sin(np.linspace(0, np.pi, count)) ** 0.5 * rng.uniform(0.3, 1.0)


def speech(seconds: float, seed: int = 1, dbm0: float = -18) -> Pcm:
    """Sound like speech: voices of changing pitch, formants, hisses and pauses; at that level where it sounds."""
    rng = np.random.default_rng(seed)
    parts: list[NDArray[np.float64]] = []
    total, wanted = 0, int(seconds * RATE_HZ)
    while total < wanted:
        pitch_hz = rng.uniform(85, 280)
        for _ in range(int(rng.integers(3, 14))):
            parts.append(_syllable(rng, pitch_hz * rng.uniform(0.85, 1.2)))
            parts.append(np.zeros(int(rng.uniform(0, 0.05) * RATE_HZ)))
        parts.append(np.zeros(int(rng.uniform(0.1, 0.7) * RATE_HZ)))
        total = sum(map(len, parts)) if len(parts) > 4096 else total + sum(map(len, parts[-30:]))
    return _levelled(np.concatenate(parts)[:wanted], dbm0)


def music(seconds: float, seed: int = 1, dbm0: float = -18) -> Pcm:
    """Sound like music: chords of tempered notes with harmonics that decay, one to four voices."""
    rng = np.random.default_rng(seed)
    out = np.zeros(int(seconds * RATE_HZ))
    at = 0
    while at < len(out):
        length = int(rng.choice([0.125, 0.25, 0.5, 1.0]) * RATE_HZ)
        for _ in range(int(rng.integers(1, 5))):
            note = _note(rng, 110 * 2 ** (int(rng.integers(0, 44)) / 12), length + RATE_HZ // 4)
            out[at : at + len(note)] += note[: len(out) - at]
        at += length
    return _levelled(out, dbm0)


def _note(rng: np.random.Generator, hz: float, count: int) -> NDArray[np.float64]:
    t = np.arange(count) / RATE_HZ
    falls = rng.uniform(0.5, 6)
    partials = [k for k in range(1, 7) if hz * k < 3400]
    sound = sum((rng.uniform(0.2, 1) / k * np.sin(2 * np.pi * hz * k * t) for k in partials), np.zeros(count))
    return np.asarray(sound * np.exp(-falls * t) * np.minimum(1, t * 100))


def _levelled(sound: NDArray[np.float64], dbm0: float) -> Pcm:
    active = sound[np.abs(sound) > 0.02 * np.max(np.abs(sound))]
    gain = rms_of(dbm0) / np.sqrt(np.mean(active**2))
    return np.clip(np.round(sound * gain), -32000, 32000).astype(np.int16)
