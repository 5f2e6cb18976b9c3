"""WAV files as browsers play them: A-law and mu-law as 16-bit PCM, any byte range of it; and the outline of their loudness.

Pure reading; no file is held open between calls; used by request threads. A file still being written is served as far as it goes.
Source of the coding: ITU-T G.711; of the header: Microsoft RIFF WAVE format tags 1 (PCM), 6 (A-law), 7 (mu-law).
"""

import struct
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from webui.errors import WebError

PCM_HEADER_BYTES = 44
CHUNK_SAMPLES = 32 * 1024
HEADER_SEARCHED_BYTES = 4096
OPEN_ENDED = (0, 0xFFFFFFFF)
CODINGS = {(1, 16): "pcm16", (6, 8): "alaw", (7, 8): "ulaw", (0xFFFE, 16): "pcm16"}


@dataclass(frozen=True)
class Wave:
    """A readable WAV file. `samples` is per side; `data_at` the offset of the first sample."""

    path: Path
    coding: str
    sides: int
    rate_hz: int
    samples: int
    data_at: int
    changed_ns: int

    @property
    def sample_bytes(self) -> int:
        return 2 if self.coding == "pcm16" else 1

    @property
    def duration_ms(self) -> int:
        return self.samples * 1000 // self.rate_hz

    @property
    def pcm_bytes(self) -> int:
        """Length of the whole as 16-bit WAV, header included."""
        return PCM_HEADER_BYTES + self.samples * self.sides * 2


def open_wave(path: Path) -> Wave:
    """Raises: WebError WEB-007 when there is no such file or it is not a WAV file of speech."""
    try:
        status = path.stat()
        with path.open("rb") as file:
            head = file.read(HEADER_SEARCHED_BYTES)
        return _parsed(path, head, status.st_size, status.st_mtime_ns)
    except FileNotFoundError as error:
        raise WebError("WEB-007", f"the sound file {path.name} is gone", "Look in the backup; the record of the call is kept") from error
    except (OSError, ValueError, struct.error) as error:
        raise WebError("WEB-007", f"the sound file {path.name} cannot be read: {error}", "Look in the backup") from error


def pcm_range(wave: Wave, start: int, stop: int) -> Iterator[bytes]:
    """Bytes `start` to `stop` (excluded) of the file as 16-bit PCM WAV."""
    if start < PCM_HEADER_BYTES:
        yield _pcm_header(wave)[start : min(stop, PCM_HEADER_BYTES)]
    first, last = max(start - PCM_HEADER_BYTES, 0), stop - PCM_HEADER_BYTES
    with wave.path.open("rb") as file:
        while first < last:
            piece_end = min(last, (first // 2 + CHUNK_SAMPLES) * 2)
            yield _pcm_piece(wave, file, first, piece_end)
            first = piece_end


@lru_cache(maxsize=256)
def outline(wave: Wave, columns: int) -> tuple[bytes, ...]:
    """For each side the loudest sample of each of `columns` equal stretches, 0 to 255. Cached: reading an hour takes half a second."""
    stretch = max(1, -(-wave.samples // columns)) * wave.sides
    found: list[list[int]] = [[] for _ in range(wave.sides)]
    with wave.path.open("rb") as file:
        file.seek(wave.data_at)
        left = wave.samples * wave.sides
        while left > 0:
            levels = _levels(wave, file.read(min(stretch, left) * wave.sample_bytes))
            left -= stretch
            for side, heights in enumerate(found):
                heights.append(max(levels[side :: wave.sides], default=0))
    return tuple(bytes(heights) for heights in found)


def _parsed(path: Path, head: bytes, size: int, changed_ns: int) -> Wave:
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        raise ValueError("it is not a WAV file")
    at, coding, sides, rate_hz = 12, None, 0, 0
    while at + 8 <= len(head):
        name, length = head[at : at + 4], struct.unpack_from("<I", head, at + 4)[0]
        at += 8
        if name == b"data":
            return _wave(path, coding, sides, rate_hz, at, length, size, changed_ns)
        if name == b"fmt ":
            tag, sides, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", head, at)
            coding = CODINGS.get((tag, bits))
        at += length + length % 2
    raise ValueError("it has no sound in it")


def _wave(path: Path, coding: str | None, sides: int, rate_hz: int, at: int, length: int, size: int, changed_ns: int) -> Wave:
    if coding is None or sides not in (1, 2) or not 8000 <= rate_hz <= 48000:
        raise ValueError("its coding is not one of telephony")
    there = max(0, size - at)
    usable = there if length in OPEN_ENDED else min(length, there)
    sample_bytes = 2 if coding == "pcm16" else 1
    return Wave(path, coding, sides, rate_hz, usable // (sides * sample_bytes), at, changed_ns)


def _pcm_header(wave: Wave) -> bytes:
    length, frame = wave.samples * wave.sides * 2, wave.sides * 2
    parts = (b"RIFF", 36 + length, b"WAVE", b"fmt ", 16, 1, wave.sides, wave.rate_hz, wave.rate_hz * frame, frame, 16, b"data", length)
    return struct.pack("<4sI4s4sIHHIIHH4sI", *parts)


def _pcm_piece(wave: Wave, file: BinaryIO, start: int, stop: int) -> bytes:
    """PCM bytes `start` to `stop` of the sound; what the file lacks is silence, so that the promised length is kept."""
    first, last = start // 2, -(-stop // 2)
    file.seek(wave.data_at + first * wave.sample_bytes)
    pcm = _decoded(wave, file.read((last - first) * wave.sample_bytes))
    piece = pcm[start - first * 2 : stop - first * 2]
    return piece + bytes(stop - start - len(piece))


def _decoded(wave: Wave, coded: bytes) -> bytes:
    if wave.coding == "pcm16":
        return coded
    low, high, _ = _TABLES[wave.coding]
    pcm = bytearray(2 * len(coded))
    pcm[0::2] = coded.translate(low)
    pcm[1::2] = coded.translate(high)
    return bytes(pcm)


def _levels(wave: Wave, coded: bytes) -> bytes:
    """The size of each sample, 0 to 255."""
    if wave.coding != "pcm16":
        return coded.translate(_TABLES[wave.coding][2])
    samples = array("h", coded[: len(coded) & ~1])
    return bytes(min(255, abs(sample) >> 7) for sample in samples)


def _alaw(code: int) -> int:
    """G.711 table 1a: even bits inverted, sign, segment, interval."""
    code ^= 0x55
    segment, interval = (code >> 4) & 7, code & 15
    size = (interval << 4) + 8 if segment == 0 else ((interval << 4) + 0x108) << (segment - 1)
    return size if code & 0x80 else -size


def _ulaw(code: int) -> int:
    """G.711 table 2a: all bits inverted, biased by 132."""
    code = ~code & 0xFF
    size = ((((code & 15) << 3) + 132) << ((code >> 4) & 7)) - 132
    return -size if code & 0x80 else size


def _tables(decode: Callable[[int], int]) -> tuple[bytes, bytes, bytes]:
    samples = [decode(code) for code in range(256)]
    pcm = struct.pack("<256h", *samples)
    return pcm[0::2], pcm[1::2], bytes(min(255, abs(sample) >> 7) for sample in samples)


_TABLES = {"alaw": _tables(_alaw), "ulaw": _tables(_ulaw)}
