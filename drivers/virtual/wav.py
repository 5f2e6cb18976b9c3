"""G.711 audio as a WAV file that never touches a disk. Pure but for one anonymous memory file."""

import contextlib
import os
import struct
from collections.abc import Iterator

from drivers.media import Law

WAVE_FORMAT = {Law.ALAW: 6, Law.ULAW: 7}  # Source: RFC 2361, WAVE_FORMAT_ALAW and WAVE_FORMAT_MULAW
RATE_HZ = 8000


def wav_file(samples: bytes, law: Law) -> bytes:
    """A mono 8 kHz WAV file with these samples, one byte each."""
    layout = struct.pack("<HHIIHHH", WAVE_FORMAT[law], 1, RATE_HZ, RATE_HZ, 1, 8, 0)
    body = b"WAVE" + _chunk(b"fmt ", layout) + _chunk(b"fact", struct.pack("<I", len(samples))) + _chunk(b"data", samples)
    return struct.pack("<4sI", b"RIFF", len(body)) + body


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack("<4sI", name, len(body)) + body + b"\0" * (len(body) % 2)


@contextlib.contextmanager
def in_memory(content: bytes) -> Iterator[str]:
    """A path that this process can open, and map, while inside. Source: memfd_create(2)."""
    fd = os.memfd_create("handset", os.MFD_CLOEXEC)
    try:
        os.write(fd, content)
        yield f"/proc/self/fd/{fd}"
    finally:
        os.close(fd)
