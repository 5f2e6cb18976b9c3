"""Tones as people write them, in the form of libtonezone and indications.conf: "450/350,0/350", "440+480/2000,0/4000", "450". Pure.

A part is FREQUENCY or FREQUENCY+FREQUENCY in Hz and, after a slash, milliseconds; frequency 0 is a pause; without milliseconds it sounds
without end. The parts are repeated for ever.
"""

import re

import msgspec

MAX_PARTS = 8  # Source: media.h, CM_MAX_CADENCE
HIGHEST_HZ = 3800
LONGEST_MS = 20_000

_PART = re.compile(r"\s*(\d{1,4})(?:\+(\d{1,4}))?(?:/(\d{1,5}))?\s*")


class TonePart(msgspec.Struct, frozen=True):
    """`hz1` 0: a pause; `hz2` 0: one frequency; `ms` 0: without end."""

    hz1: int
    hz2: int = 0
    ms: int = 0


def tone_parts(text: str) -> tuple[TonePart, ...]:
    """Raises: ValueError naming the part that is wrong."""
    parts = tuple(_part(part) for part in text.split(","))
    if len(parts) > MAX_PARTS:
        raise ValueError(f"`{text}` has {len(parts)} parts; {MAX_PARTS} are allowed")
    if not parts[0].hz1 or any(not part.ms for part in parts[1:]) or (len(parts) > 1 and not parts[0].ms):
        raise ValueError(f"`{text}` must begin with a frequency, and every part of several has its milliseconds")
    return parts


def tone_text(parts: tuple[TonePart, ...]) -> str:
    """What `tone_parts` reads."""
    return ",".join(_text(part) for part in parts)


def cycle_ms(parts: tuple[TonePart, ...]) -> int:
    """Length of one round; 0: without end."""
    return sum(part.ms for part in parts)


def _part(text: str) -> TonePart:
    found = _PART.fullmatch(text)
    if not found:
        raise ValueError(f"`{text.strip()}` is no tone: write 450/350 or 440+480/2000")
    part = TonePart(int(found[1]), int(found[2] or 0), int(found[3] or 0))
    if max(part.hz1, part.hz2) > HIGHEST_HZ or part.ms > LONGEST_MS:
        raise ValueError(f"`{text.strip()}` is beyond {HIGHEST_HZ} Hz or {LONGEST_MS} ms")
    return part


def _text(part: TonePart) -> str:
    hz = f"{part.hz1}+{part.hz2}" if part.hz2 else str(part.hz1)
    return f"{hz}/{part.ms}" if part.ms else hz
