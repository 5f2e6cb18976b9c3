"""Sound files of the command line: speech to say, and what was heard. Bytes in, bytes out."""

import wave
from array import array
from functools import cache
from pathlib import Path

from appliance.errors import StartError
from appliance.ivr.prompts import wav
from appliance.ivr.prompts.catalogue import PromptError

ALAW_SILENCE = b"\xd5"
SEGMENT_ENDS = (0x1F, 0x3F, 0x7F, 0xFF, 0x1FF, 0x3FF, 0x7FF, 0xFFF)  # Source: ITU-T G.711, table 1a, of 13 bits


def read_speech(path: Path) -> bytes:
    """A-law samples, 8000 Hz, of a mono WAV file in 16-bit PCM or A-law.

    Raises: StartError APP-044 when it is anything else.
    """
    try:
        with wave.open(str(path), "rb") as file:
            shape = (file.getnchannels(), file.getsampwidth(), file.getframerate())
            if shape != (1, 2, wav.RATE_HZ):
                raise _not_speech(path, f"{shape[0]} channels of {shape[1] * 8} bits at {shape[2]} Hz")
            return encode(array("h", file.readframes(file.getnframes())))
    except (wave.Error, EOFError):
        return _alaw_file(path)
    except OSError as error:
        raise _not_speech(path, error.strerror or str(error)) from error


def _alaw_file(path: Path) -> bytes:
    try:
        return wav.unwrap(path)
    except (PromptError, ValueError) as error:
        raise _not_speech(path, "another kind of file") from error


def _not_speech(path: Path, why: str) -> StartError:
    remedy = f"Make a mono 8 kHz WAV of it: sox {path} -r 8000 -c 1 -b 16 speech.wav"
    return StartError("APP-044", f"{path} cannot be said: {why}", remedy)


def write_heard(path: Path, samples: bytes) -> None:
    """A-law samples as a WAV file. Raises: StartError APP-045."""
    try:
        path.write_bytes(wav.wrap(samples + ALAW_SILENCE * (len(samples) % 2)))
    except OSError as error:
        raise StartError("APP-045", f"cannot write {path}: {error.strerror}", "Name another file with --record") from error


def encode(samples: "array[int]") -> bytes:
    """16-bit samples to A-law."""
    return bytes(map(_alaw, samples))


@cache
def _alaw(sample: int) -> int:
    """Source: ITU-T G.711, table 1a; even bits inverted."""
    sign, level = (0xD5, sample >> 3) if sample >= 0 else (0x55, -(sample >> 3) - 1)
    segment = next(number for number, end in enumerate(SEGMENT_ENDS) if level <= end)
    return sign ^ (segment << 4 | level >> max(1, segment) & 0x0F)
