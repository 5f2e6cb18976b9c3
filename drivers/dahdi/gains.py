"""Gain tables for the kernel: a byte in, the byte of the same sample made louder or quieter out. Pure.

Needed where the kernel bridges by itself; a call through the media core takes its gain there. Source: ITU-T
G.711, tables 1 and 2.
"""

from functools import cache

from drivers.dahdi.records import Law

IDENTITY = bytes(range(256))
MAX_GAIN_DB = 24.0
_ULAW_BIAS = 132


def gain_table(law: Law, gain_db: float) -> bytes:
    """256 bytes for DAHDI_SETGAINS; 0 dB gives the identity, so that a channel stays bit exact. Range:
    -24 .. +24 dB."""
    if not -MAX_GAIN_DB <= gain_db <= MAX_GAIN_DB:
        raise ValueError(f"gain must be within {MAX_GAIN_DB} dB, not {gain_db}")
    if gain_db == 0.0:
        return IDENTITY
    factor = 10.0 ** (gain_db / 20.0)
    linear = _linear_values(law)
    return bytes(_nearest(linear, sample * factor) for sample in linear)


@cache
def _linear_values(law: Law) -> tuple[int, ...]:
    decode = _alaw_to_linear if law is Law.ALAW else _ulaw_to_linear
    return tuple(decode(code) for code in range(256))


def _nearest(linear: tuple[int, ...], wanted: float) -> int:
    return min(range(256), key=lambda code: (abs(linear[code] - wanted), code))


def _alaw_to_linear(code: int) -> int:
    bits = code ^ 0x55  # even bits are inverted on the line
    segment, step = bits >> 4 & 7, (bits & 15) << 4
    magnitude = step + 8 if segment == 0 else step + 0x108 << segment - 1
    return magnitude if bits & 0x80 else -magnitude


def _ulaw_to_linear(code: int) -> int:
    bits = ~code & 0xFF
    magnitude = (((bits & 15) << 3) + _ULAW_BIAS << (bits >> 4 & 7)) - _ULAW_BIAS
    return -magnitude if bits & 0x80 else magnitude
