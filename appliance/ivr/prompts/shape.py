"""Cutting and levelling a prompt, without the tools of the renderer: 8 kHz mono as 16-bit samples, A-law in and out. Pure, any thread.

Loudness is ITU-R BS.1770-4 as in level.py, measured on what the caller gets; peaks are bent as there. Pure Python: 0.6 s for a minute.
"""

import math
from array import array
from collections.abc import Sequence
from itertools import pairwise

import msgspec

from appliance.ivr.prompts.catalogue import PromptError

RATE_HZ = 8000
SAMPLES_PER_MS = 8
TARGET_LUFS = -19.0
TOLERANCE_LU = 1.0
SHORTEST_MS, LONGEST_MS = 100, 180_000
SILENCE_LUFS = -60.0  # nothing to level: noise would be raised by 40 dB
_FADE_SAMPLES = 40  # 5 ms
_HOP_SAMPLES = 800  # 100 ms: blocks of 400 ms overlap by three quarters
_BLOCK_HOPS = 4
_BLOCK_SAMPLES = _BLOCK_HOPS * _HOP_SAMPLES
_ABSOLUTE_LUFS, _RELATIVE_LU = -70.0, -10.0
_ROUNDS = 4
_CEILING = 0.95 * 32768
_QUIET_DB = 40.0  # below the loudest: what lies before and after it is silence
_MARGIN_MS = 60
_END_KEY_HZ = (941.0, 1477.0)  # # (ITU-T Q.23)
_END_KEY_SAMPLES = 80
_END_KEY_LOOKED_AT = 60  # blocks of 10 ms

Biquad = tuple[float, float, float, float, float]


class Loudness(msgspec.Struct, frozen=True):
    """`lufs` None: silence."""

    lufs: float | None

    @property
    def is_level(self) -> bool:
        return self.lufs is not None and abs(self.lufs - TARGET_LUFS) <= TOLERANCE_LU


def decode(alaw: bytes) -> "array[int]":
    """A-law to 16-bit samples."""
    return array("h", map(_LEVELS.__getitem__, alaw))


def encode(pcm: Sequence[float]) -> bytes:
    """Each sample to the nearest A-law level; an even number of them (a last one is said twice, as WAV wants it)."""
    coded = bytes(map(_CODES.__getitem__, (min(32767, max(-32768, round(value))) + 32768 for value in pcm)))
    return coded + coded[-1:] if len(coded) % 2 else coded


def loudness_lufs(pcm: Sequence[float]) -> float | None:
    """BS.1770-4 with both gates; a clip under 400 ms is its own one block. None: silence."""
    loud = [power for power in _blocks(pcm) if _lufs(power) >= _ABSOLUTE_LUFS]
    if not loud:
        return None
    gate = _lufs(math.fsum(loud) / len(loud)) + _RELATIVE_LU
    kept = [power for power in loud if _lufs(power) > gate]
    return round(_lufs(math.fsum(kept) / len(kept)), 2)


def _blocks(pcm: Sequence[float]) -> list[float]:
    """Mean squares of 400 ms every 100 ms; half a step at the end makes one more, as in the renderer's measuring."""
    energies = _hop_energies(pcm)
    if len(pcm) < _BLOCK_SAMPLES:
        return [math.fsum(energies) / max(1, len(pcm))]
    block_s = _BLOCK_SAMPLES / RATE_HZ
    count = round((len(pcm) / RATE_HZ - block_s) / (block_s / _BLOCK_HOPS)) + 1  # in floats, so that half a step falls as it does there
    return [math.fsum(energies[place : place + _BLOCK_HOPS]) / _BLOCK_SAMPLES for place in range(count)]


def loudness(alaw: bytes) -> Loudness:
    return Loudness(loudness_lufs(decode(alaw)))


def levelled(pcm: Sequence[float]) -> bytes:
    """A-law at −19 LUFS; lower where there is little but peaks. Raises: PromptError APP-191 when there is nothing to hear."""
    offset = math.fsum(pcm) / max(1, len(pcm))  # of a sound card: nobody hears it, but it takes the room of peaks
    shaped: Sequence[float] = [value - offset for value in pcm]
    for _ in range(_ROUNDS):
        found = loudness_lufs(shaped)
        if found is None or found < SILENCE_LUFS:
            raise PromptError("APP-191", "there is nothing to hear in it", "Record it again, nearer to the telephone")
        if abs(found - TARGET_LUFS) < 0.1:
            break
        gain = 10 ** ((TARGET_LUFS - found) / 20)
        shaped = [_bent(value * gain) for value in shaped]
    return encode(shaped)


def cut(alaw: bytes, start_ms: int, end_ms: int, *, level: bool = False) -> bytes:
    """That part of it; an end that was cut fades within 5 ms, all else keeps its bytes unless it is levelled.

    Raises: PromptError APP-190 for a part that is too short or not within it, APP-191.
    """
    length_ms = len(alaw) // SAMPLES_PER_MS
    if not (start_ms >= 0 and end_ms <= length_ms + 1 and end_ms - start_ms >= SHORTEST_MS):
        what = f"{start_ms} to {end_ms} ms cannot be cut out of {length_ms} ms"
        raise PromptError("APP-190", what, f"Leave at least {SHORTEST_MS} ms, within the audio")
    begin, end = start_ms * SAMPLES_PER_MS, len(alaw) if end_ms >= length_ms else end_ms * SAMPLES_PER_MS
    part = alaw[begin:end]
    if begin:
        part = _faded(part[:_FADE_SAMPLES]) + part[_FADE_SAMPLES:]
    if end < len(alaw):
        part = part[:-_FADE_SAMPLES] + _faded(part[-_FADE_SAMPLES:][::-1])[::-1]
    if level:
        return levelled(decode(part))
    return part + part[-1:] if len(part) % 2 else part


def speech_ms(alaw: bytes) -> tuple[int, int]:
    """Where it begins and ends to be heard, a little before and after: what the cutter proposes. All of it when it is all alike."""
    peaks = [max(map(abs, decode(alaw[at : at + 80])), default=0) for at in range(0, len(alaw), 80)]
    floor = max(peaks, default=0) * 10 ** (-_QUIET_DB / 20)
    heard = [place for place, peak in enumerate(peaks) if peak > floor]
    length_ms = len(alaw) // SAMPLES_PER_MS
    if not heard:
        return 0, length_ms
    return max(0, heard[0] * 10 - _MARGIN_MS), min(length_ms, (heard[-1] + 1) * 10 + _MARGIN_MS)


def without_end_key(alaw: bytes) -> bytes:
    """The recording without the tone of # with which it was ended, and what comes after that; an even number of samples."""
    first = max(0, len(alaw) // _END_KEY_SAMPLES - _END_KEY_LOOKED_AT)
    for block in range(first, len(alaw) // _END_KEY_SAMPLES):
        at = block * _END_KEY_SAMPLES
        if _is_end_key(decode(alaw[at : at + _END_KEY_SAMPLES])) and _is_end_key(decode(alaw[at + 80 : at + 160])):
            return alaw[: max(0, at - _END_KEY_SAMPLES)]
    return alaw[: len(alaw) & ~1]


def _is_end_key(block: Sequence[int]) -> bool:
    """Most of its power is in the two tones, and so much in each. Ten cycles a block tell them from speech, not from other keys: those
    end no recording."""
    power = math.fsum(value * value for value in block)
    if len(block) < _END_KEY_SAMPLES or power < _END_KEY_SAMPLES * 200.0**2:
        return False
    shares = [_power_at(block, hz) / power for hz in _END_KEY_HZ]
    return sum(shares) > 0.75 and min(shares) > 0.15


def _power_at(block: Sequence[int], hz: float) -> float:
    """Of the block's energy, what a sine of this frequency has."""
    turn = 2 * math.pi * hz / RATE_HZ
    real = math.fsum(value * math.cos(turn * place) for place, value in enumerate(block))
    imaginary = math.fsum(value * math.sin(turn * place) for place, value in enumerate(block))
    return 2 * (real * real + imaginary * imaginary) / len(block)


def _faded(alaw: bytes) -> bytes:
    """From silence to full."""
    pcm = decode(alaw)
    return bytes(_CODES[round(value * (0.5 - 0.5 * math.cos(math.pi * place / len(pcm)))) + 32768] for place, value in enumerate(pcm))


def _bent(value: float) -> float:
    """Peaks over half of full scale are bent smoothly towards the ceiling, as in level.py."""
    knee = _CEILING / 2
    over = abs(value) - knee
    return value if over <= 0 else math.copysign(knee + (_CEILING - knee) * math.tanh(over / (_CEILING - knee)), value)


def _lufs(power: float) -> float:
    return -math.inf if power <= 0 else -0.691 + 10 * math.log10(power / 32768**2)


def _hop_energies(pcm: Sequence[float]) -> list[float]:
    """Of every 100 ms behind the two filters (BS.1770-4, annex 1), the last one what is left over."""
    squares = [value * value for value in _weighted(pcm)]
    return [math.fsum(squares[at : at + _HOP_SAMPLES]) for at in range(0, len(squares), _HOP_SAMPLES)]


def _weighted(samples: Sequence[float]) -> list[float]:
    """Both filters in one go, each in transposed direct form II."""
    (b0, b1, b2, a1, a2), (d0, d1, d2, c1, c2) = _SHELF, _HIGH_PASS
    first = second = third = fourth = 0.0
    out = []
    for value in samples:
        shelved = b0 * value + first
        first = b1 * value - a1 * shelved + second
        second = b2 * value - a2 * shelved
        heard = d0 * shelved + third
        third = d1 * shelved - c1 * heard + fourth
        fourth = d2 * shelved - c2 * heard
        out.append(heard)
    return out


def _shelf(hz: float, gain_db: float, q: float) -> Biquad:
    """High shelf. Source: R. Bristow-Johnson, Audio EQ Cookbook; the frequency and q that give BS.1770's filter at any rate."""
    root, cosine, alpha = 10 ** (gain_db / 80), math.cos(2 * math.pi * hz / RATE_HZ), math.sin(2 * math.pi * hz / RATE_HZ) / (2 * q)
    a = root * root
    slope = 2 * root * alpha
    a0 = (a + 1) - (a - 1) * cosine + slope
    b = (a * ((a + 1) + (a - 1) * cosine + slope), -2 * a * ((a - 1) + (a + 1) * cosine), a * ((a + 1) + (a - 1) * cosine - slope))
    return b[0] / a0, b[1] / a0, b[2] / a0, 2 * ((a - 1) - (a + 1) * cosine) / a0, ((a + 1) - (a - 1) * cosine - slope) / a0


def _high_pass(hz: float, q: float) -> Biquad:
    cosine, alpha = math.cos(2 * math.pi * hz / RATE_HZ), math.sin(2 * math.pi * hz / RATE_HZ) / (2 * q)
    a0 = 1 + alpha
    return (1 + cosine) / 2 / a0, -(1 + cosine) / a0, (1 + cosine) / 2 / a0, -2 * cosine / a0, (1 - alpha) / a0


_SHELF = _shelf(1500.0, 4.0, 1 / math.sqrt(2))
_HIGH_PASS = _high_pass(38.0, 0.5)


def _alaw_level(code: int) -> int:
    """ITU-T G.711, table 1: even bits inverted, sign, segment, interval."""
    code ^= 0x55
    segment, interval = (code >> 4) & 7, code & 15
    size = (interval << 4) + 8 if segment == 0 else ((interval << 4) + 264) << (segment - 1)
    return size if code & 0x80 else -size


def _nearest_codes() -> bytes:
    """The code of each 16-bit value, from −32768 on."""
    by_level = sorted((_alaw_level(code), code) for code in range(256))
    codes = bytearray()
    for (level, code), (following, _) in pairwise(by_level):
        codes += bytes([code]) * (math.ceil((level + following) / 2) + 32768 - len(codes))
    return bytes(codes) + bytes([by_level[-1][1]]) * (65536 - len(codes))


_LEVELS = tuple(_alaw_level(code) for code in range(256))
_CODES = _nearest_codes()
