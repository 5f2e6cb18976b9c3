"""Prompt files: RIFF/WAVE, format tag 6 (A-law), mono, 8000 Hz, 8 bits. Bytes in, bytes out; touches one file at a time.

Header of 58 bytes: a format other than PCM has an 18-byte `fmt ` chunk and a `fact` chunk with the number of samples
(Microsoft/IBM, Multimedia Programming Interface, "WAVE form"; RFC 2361 for the tag). Any thread.
"""

import struct
from pathlib import Path

from appliance.ivr.prompts.catalogue import PromptError

ALAW = 6
RATE_HZ = 8000
HEADER_BYTES = 58
_HEADER = struct.Struct("<4sI4s 4sIHHIIHHH 4sII 4sI")


def wrap(alaw: bytes) -> bytes:
    """A whole WAV file around A-law samples; the count must be even, since RIFF would pad an odd chunk."""
    if len(alaw) % 2:
        raise ValueError("an A-law clip needs an even number of samples")
    # fmt: off
    header = _HEADER.pack(
        b"RIFF", HEADER_BYTES - 8 + len(alaw), b"WAVE",
        b"fmt ", 18, ALAW, 1, RATE_HZ, RATE_HZ, 1, 8, 0,
        b"fact", 4, len(alaw),
        b"data", len(alaw),
    )
    # fmt: on
    return header + alaw


def unwrap(path: Path) -> bytes:
    """The A-law samples of a prompt file.

    Raises: PromptError APP-063 (cannot be read) or APP-064 (not such a file, or cut short).
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error
    if len(content) % 2 or content != wrap(content[HEADER_BYTES:]):
        raise PromptError(
            "APP-064",
            f"prompt file {path} is damaged or not 8 kHz mono A-law WAV",
            "Reinstall the package, or delete the file and run `make prompts`.",
        )
    return content[HEADER_BYTES:]


def duration_ms(path: Path) -> int:
    """How long a prompt file plays, by its size. Raises: PromptError APP-063."""
    try:
        return (path.stat().st_size - HEADER_BYTES) * 1000 // RATE_HZ
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> PromptError:
    return PromptError(
        "APP-063",
        f"prompt file {path} cannot be read ({error.strerror})",
        "Check that it exists and that the call agent's user may read it; reinstall the package, or run `make prompts`.",
    )
