"""Sound files of scenarios: prompts as their A-law bytes, noise to speak, what a line heard. Guest or host; touches only files."""

import random
from pathlib import Path

from appliance.ivr.prompts.library import PromptLibrary

NEEDLE_SAMPLES = 400
TAIL_SAMPLES = 800
PIECE_SAMPLES = 80
NEAR_SAMPLES = 24000
_library = PromptLibrary()


def samples_of(path: Path) -> bytes:
    """The A-law bytes of a WAV file, both sides of a stereo one interleaved."""
    raw = path.read_bytes()
    at = raw.index(b"data")
    return raw[at + 8 : at + 8 + int.from_bytes(raw[at + 4 : at + 8], "little")]


def prompt(prompt_id: str, language: str = "zh") -> bytes:
    """A prompt's samples."""
    return samples_of(_library.path(prompt_id, "en" if language == "en" else "zh"))


def noise_file(path: Path, seed: int, ms: int) -> bytes:
    """Write a WAV of noise at about -20 dBm0 (nothing in it looks like a key); returns its samples."""
    noise = random.Random(seed)
    samples = bytes(noise.choice((0xD5, 0x55)) ^ noise.randrange(0x40) for _ in range(8 * ms))
    fmt = (6).to_bytes(2, "little") + (1).to_bytes(2, "little") + (8000).to_bytes(4, "little") * 2 + b"\1\0\x08\0\0\0"
    chunks = b"fmt " + len(fmt).to_bytes(4, "little") + fmt + b"data" + len(samples).to_bytes(4, "little") + samples
    path.write_bytes(b"RIFF" + (len(chunks) + 4).to_bytes(4, "little") + b"WAVE" + chunks)
    return samples


def lacking(clip: bytes, heard: bytes, stalls: int = 0) -> str:
    """Empty when the clip is in what was heard, sample for sample; else how much of it is there, in pieces of 10 ms.

    `stalls`: so many times a card's clock may have stood still. A recording keeps the time with silence then, which may split one piece.
    """
    if clip in heard:
        return ""
    missing: list[int] = []
    jumps: list[str] = []
    pieces = [clip[at : at + PIECE_SAMPLES] for at in range(0, len(clip) - PIECE_SAMPLES + 1, PIECE_SAMPLES)]
    expected = 0
    for number, piece in enumerate(pieces):
        place = _place(piece, heard, expected, anywhere=len(missing) == number)
        if place < 0:
            missing.append(number)
        elif place != expected and len(missing) < number:
            jumps.append(f"{(place - expected) / 8:+.0f} ms at {number}")
        expected = (expected if place < 0 else place) + PIECE_SAMPLES
    if len(missing) <= len(jumps) <= stalls:
        return ""
    return f"{len(missing)} of {len(pieces)} pieces of 10 ms are not there: {missing[:20]}; jumps: {jumps[:8]}"


def _place(piece: bytes, heard: bytes, expected: int, anywhere: bool) -> int:
    """Where the piece is: where it should be, or near, or (for the first one found) anywhere; -1."""
    if heard.startswith(piece, expected):
        return expected
    if anywhere:
        return heard.find(piece)
    return heard.find(piece, max(0, expected - NEAR_SAMPLES), expected + NEAR_SAMPLES)


class Ear:
    """What a line heard, from a mono recording that grows. Positions are samples since its begin."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._heard = bytearray()
        self._cursor = 0
        self._searched: dict[bytes, int] = {}

    def heard(self) -> bytes:
        """All there is by now."""
        self._read()
        return bytes(self._heard)

    def find(self, clip: bytes) -> int:
        """Where the clip begins, told as soon as its end was heard, behind what was found before; -1 while it is not there."""
        self._read()
        end = len(clip) - TAIL_SAMPLES
        start = max(0, end - NEEDLE_SAMPLES)
        needle = clip[start:end]
        at = self._heard.find(needle, max(self._cursor, self._searched.get(needle, 0)))
        if at < 0:
            self._searched[needle] = max(0, len(self._heard) - NEEDLE_SAMPLES)
            return -1
        self._searched.clear()
        self._cursor = at + NEEDLE_SAMPLES // 2
        return at - start

    def lacking(self, clip: bytes) -> str:
        """Empty when the whole clip was heard, sample for sample; else what is wrong."""
        return lacking(clip, self.heard())

    def _read(self) -> None:
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            if not self._offset:
                head = file.read(256)
                if b"data" not in head:
                    return
                self._offset = head.index(b"data") + 8
            file.seek(self._offset + len(self._heard))
            self._heard += file.read()
