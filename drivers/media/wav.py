"""Says what is wrong with a WAV file that the media core refused. Pure reading of a header; used on errors only."""

import struct
from collections.abc import Iterator
from pathlib import Path

FORMATS = {1: "PCM", 6: "A-law", 7: "mu-law"}


def _chunks(content: bytes) -> Iterator[tuple[bytes, int, bytes]]:
    """Each chunk's name, the length it claims, and what of it is there."""
    at = 12
    while at + 8 <= len(content):
        name, length = struct.unpack_from("<4sI", content, at)
        yield name, length, content[at + 8 : at + 8 + length]
        at += 8 + length + (length & 1)


def _fault_of_format(fmt: bytes) -> str | None:
    if len(fmt) < 16:
        return f"its 'fmt ' chunk has {len(fmt)} bytes, not 16"
    code, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", fmt)
    if code not in FORMATS:
        return f"audio format {code} is not A-law (6), mu-law (7) or PCM (1)"
    if channels != 1:
        return f"it has {channels} channels, not 1"
    if rate_hz != 8000:
        return f"its sample rate is {rate_hz} Hz, not 8000"
    wanted = 16 if code == 1 else 8
    return f"{FORMATS[code]} with {bits} bits a sample, not {wanted}" if bits != wanted else None


def fault_of(path: Path) -> str:
    """One clause naming the field that is wrong, e.g. "its sample rate is 44100 Hz, not 8000"."""
    content = path.read_bytes()
    if len(content) < 12:
        return f"it is only {len(content)} bytes long"
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        return "it does not begin with RIFF and WAVE"
    found: dict[bytes, bytes] = {}
    for name, length, body in _chunks(content):
        if length != len(body):
            return f"its {name.decode('ascii', 'replace')!r} chunk claims {length} bytes, but {len(body)} are there"
        found.setdefault(name, body)
    if b"fmt " not in found:
        return "its 'fmt ' chunk is missing"
    return _fault_of_format(found[b"fmt "]) or "its 'data' chunk is missing"
