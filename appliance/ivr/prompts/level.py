"""From 24 kHz speech to what goes on the line: trimmed, band-limited, levelled, faded, A-law. Pure; needs numpy, scipy, pyloudnorm.

Loudness is ITU-R BS.1770-4, one channel, measured on the decoded A-law at 8 kHz, that is on what the caller gets. Its gate works
on blocks of 400 ms, so a shorter clip has no block at all. For such a clip the same K-weighted mean square is taken over the whole
clip as its one block. That is what the gate would leave: a clip trimmed to its speech has no silence for the gate to remove,
and padding it to 400 ms instead would make a clip louder the shorter it is.
"""

import numpy as np
import numpy.typing as npt
import pyloudnorm
from scipy import signal

LINE_HZ = 8000
TARGET_LUFS = -19.0
FULL_SCALE_DBM0 = 3.14  # a full-scale sine in A-law (ITU-T G.711, table 6)
BLOCK_SAMPLES = 3200  # 400 ms, the gating block of BS.1770-4
_FRAME_SAMPLES = 40  # 5 ms
_LEAD_SAMPLES, _TAIL_SAMPLES = 160, 240  # 20 ms and 30 ms kept around the speech
_FADE_SAMPLES = 40  # 5 ms
_PAUSE_SAMPLES = 2800  # 350 ms between two sentences
# Against the loudest frame. Below 4 kHz a first /s/ or /θ/ lies 30 to 40 dB under it and lasts 100 ms, hardly heard on a telephone.
_WEAK_DB, _CLEAR_DB = -42.0, -30.0
_WEAK_LEAD_SAMPLES, _WEAK_TAIL_SAMPLES = 560, 800  # at most 70 ms and 100 ms from there to what is clearly heard
_CEILING = 0.95  # of full scale
_EDGE_HZ = 3500.0
_RUMBLE_HZ = 120.0

Samples = npt.NDArray[np.float64]


def speech_clip(sentences: list[npt.NDArray[np.float32]], rate_hz: int) -> bytes:
    """Spoken sentences at `rate_hz` as one clip: even number of A-law samples, −19 LUFS, 20 ms lead, 30 ms tail, faded ends."""
    trimmed = [_faded(_trimmed(_to_line(sentence.astype(np.float64), rate_hz))) for sentence in sentences]
    pause = np.zeros(_PAUSE_SAMPLES)
    pieces = [piece for sentence in trimmed for piece in (pause, sentence)][1:]
    return encode(_levelled(np.concatenate(pieces)))


def tone_clip(frequency_hz: int, level_dbm0: float, duration_ms: int) -> bytes:
    """A sine of a given level in A-law, faded ends, even number of samples."""
    count = duration_ms * LINE_HZ // 1000 // 2 * 2
    amplitude = 10 ** ((level_dbm0 - FULL_SCALE_DBM0) / 20)
    return encode(_faded(amplitude * np.sin(2 * np.pi * frequency_hz * np.arange(count) / LINE_HZ)))


def loudness_lufs(samples: Samples) -> float:
    """BS.1770-4 loudness at 8 kHz, in LUFS; see the module's docstring for clips under 400 ms."""
    block_samples = min(BLOCK_SAMPLES, len(samples))
    return float(pyloudnorm.Meter(LINE_HZ, block_size=block_samples / LINE_HZ).integrated_loudness(samples))


def _to_line(audio: Samples, rate_hz: int) -> Samples:
    """Down to 8 kHz with a linear-phase filter (pass to 3.5 kHz, 60 dB at 4 kHz), rumble under 120 Hz taken out."""
    width_hz = 2 * (LINE_HZ / 2 - _EDGE_HZ)
    taps, beta = signal.kaiserord(60.0, width_hz / rate_hz)
    low_pass = signal.firwin(taps | 1, (_EDGE_HZ + LINE_HZ / 2) / 2, window=("kaiser", beta), fs=rate_hz)
    line = signal.resample_poly(audio, LINE_HZ, rate_hz, window=low_pass)
    high_pass = signal.butter(2, _RUMBLE_HZ, "highpass", fs=LINE_HZ, output="sos")
    return np.asarray(signal.sosfiltfilt(high_pass, line), np.float64)


def _trimmed(samples: Samples) -> Samples:
    """The part with speech and a little silence; of a weak first or last consonant no more than is worth the waiting."""
    frames = samples[: len(samples) // _FRAME_SAMPLES * _FRAME_SAMPLES].reshape(-1, _FRAME_SAMPLES)
    power = np.mean(frames**2, axis=1)
    weak_start, weak_end = _louder_than(power, _WEAK_DB)
    clear_start, clear_end = _louder_than(power, _CLEAR_DB)
    start = max(0, weak_start - _LEAD_SAMPLES, clear_start - _WEAK_LEAD_SAMPLES)
    end = min(len(samples), weak_end + _TAIL_SAMPLES, clear_end + _WEAK_TAIL_SAMPLES)
    return samples[start : start + (end - start) // 2 * 2]


def _louder_than(power: Samples, floor_db: float) -> tuple[int, int]:
    """First and last sample of the frames within `floor_db` of the loudest."""
    heard = np.flatnonzero(power > np.max(power) * 10 ** (floor_db / 10))
    return int(heard[0]) * _FRAME_SAMPLES, (int(heard[-1]) + 1) * _FRAME_SAMPLES


def _faded(samples: Samples) -> Samples:
    """Raised-cosine ends of 5 ms, so that a clip begins and ends at zero."""
    ramp = 0.5 - 0.5 * np.cos(np.pi * np.arange(_FADE_SAMPLES) / _FADE_SAMPLES)
    shape = np.ones(len(samples))
    shape[:_FADE_SAMPLES], shape[-_FADE_SAMPLES:] = ramp, ramp[::-1]
    return samples * shape


def _levelled(samples: Samples) -> Samples:
    """Brought to the target in rounds: bending the few peaks that would not fit takes a little loudness away again."""
    levelled = samples
    for _ in range(4):
        gain = 10 ** ((TARGET_LUFS - loudness_lufs(levelled)) / 20)
        levelled = _bent(levelled * gain)
    return levelled


def _bent(samples: Samples) -> Samples:
    """Peaks over half of full scale are bent smoothly towards the ceiling; everything below passes unchanged."""
    knee = _CEILING / 2
    over = np.abs(samples) > knee
    bent = knee + (_CEILING - knee) * np.tanh((np.abs(samples) - knee) / (_CEILING - knee))
    return np.where(over, np.sign(samples) * bent, samples)


def _alaw_levels() -> npt.NDArray[np.int32]:
    """The 16-bit linear value of each A-law byte (ITU-T G.711, table 1, even bits inverted)."""
    code = np.arange(256) ^ 0x55
    segment, step = (code >> 4) & 7, code & 15
    magnitude = np.where(segment == 0, (step << 4) + 8, ((step << 4) + 264) << np.maximum(segment - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int32)


_LEVELS = _alaw_levels()
_ORDER = np.argsort(_LEVELS)
_BOUNDS = (_LEVELS[_ORDER][1:] + _LEVELS[_ORDER][:-1]) / 2


def encode(samples: Samples) -> bytes:
    """Float samples in −1…1 to A-law bytes, each to the nearest level."""
    return _ORDER[np.searchsorted(_BOUNDS, samples * 32768.0, side="right")].astype(np.uint8).tobytes()


def decode(alaw: bytes) -> Samples:
    """A-law bytes to float samples in −1…1."""
    return _LEVELS[np.frombuffer(alaw, np.uint8)] / 32768.0
