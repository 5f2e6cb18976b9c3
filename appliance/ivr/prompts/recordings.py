"""What the line server recorded of one party, as A-law samples. Any thread; reads one file."""

import struct
from pathlib import Path

from appliance.ivr.prompts.catalogue import PromptError

_ALAW, _MONO, _RATE_HZ = 6, 1, 8000


def alaw_of(path: Path) -> bytes:
    """Raises: PromptError APP-063 when it cannot be read, APP-064 when it is not 8 kHz mono A-law."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PromptError("APP-063", f"the recording {path} cannot be read ({error.strerror})", "Record it again") from error
    chunks = dict(_chunks(content))
    form = chunks.get(b"fmt ", b"")
    if len(form) < 16 or struct.unpack_from("<HHI", form) != (_ALAW, _MONO, _RATE_HZ):
        raise PromptError("APP-064", f"the recording {path} is not 8 kHz mono A-law", "Record it again")
    return chunks.get(b"data", b"")


def _chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    """Of a RIFF file, as far as it goes (Microsoft/IBM, Multimedia Programming Interface)."""
    found, at = [], 12
    while content[:4] == b"RIFF" and at + 8 <= len(content):
        name, length = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        found.append((name, content[at + 8 : at + 8 + length]))
        at += 8 + length + length % 2
    return found
