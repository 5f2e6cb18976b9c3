"""Caller id made and read without the code under test: our own FSK in numpy (GR-30-CORE, V.23), and `minimodem`.

Samples are numpy int16 at 8000 Hz; levels in dBm0.
"""

import subprocess
import wave
from pathlib import Path

import numpy as np

from tests.media import audio

MARK_SPACE_HZ = {"bell202": (1200, 2200), "v23": (1300, 2100)}
BAUD = 1200


def framed(message: bytes) -> bytes:
    """With its check sum."""
    return message + bytes([-sum(message) % 256])


def _bits(message: bytes, seizure_bits: int, mark_bits: int) -> list[int]:
    bits = [place % 2 for place in range(seizure_bits)] + [1] * mark_bits
    for byte in message:
        bits += [0, *((byte >> place) & 1 for place in range(8)), 1]
    return bits + [1] * 10


def sound(
    message: bytes,
    modem: str = "bell202",
    dbm0: float = -13.5,
    twist_db: float = 0.0,
    baud: float = BAUD,
    detuned: float = 1.0,
    seizure_bits: int = 300,
    mark_bits: int = 180,
) -> audio.Pcm:
    """The message as it is (see `framed`). `twist_db`: how much weaker the space frequency is than the mark's."""
    bits = np.array(_bits(message, seizure_bits, mark_bits))
    at = (np.arange(int(len(bits) * audio.RATE_HZ / baud)) * baud / audio.RATE_HZ).astype(int)
    mark_hz, space_hz = MARK_SPACE_HZ[modem]
    hz = np.where(bits[at] == 1, mark_hz, space_hz) * detuned
    level = np.where(bits[at] == 1, 1.0, 10 ** (-twist_db / 20))
    wave_form = level * np.sin(2 * np.pi * np.cumsum(hz) / audio.RATE_HZ)
    return np.round(audio.rms_of(dbm0) * np.sqrt(2) * wave_form).astype(np.int16)


def mdmf(number: str = "", name: bytes = b"", **fields: bytes) -> bytes:
    """A call set-up message, written by hand: `absent=b"P"`, `no_name=b"P"`, `date=b"11230812"`."""
    parts = [(1, fields.get("date", b"")), (2, number.encode()), (4, fields.get("absent", b"")), (7, name), (8, fields.get("no_name", b""))]
    content = b"".join(bytes([kind, len(value)]) + value for kind, value in parts if value)
    return bytes([0x80, len(content)]) + content


def _write(path: Path, pcm: audio.Pcm, rate_hz: int) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate_hz, len(pcm), "NONE", ""))
        file.writeframes(pcm.astype("<i2").tobytes())


def _read(path: Path) -> audio.Pcm:
    with wave.open(str(path), "rb") as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def minimodem_sound(folder: Path, message: bytes, modem: str, dbm0: float) -> audio.Pcm:
    """The message as minimodem sends it: seizure as bytes of 0x55, mark as its own lead, 8N1."""
    mark_hz, space_hz = MARK_SPACE_HZ[modem]
    path = folder / "sent.wav"
    command = ["minimodem", "--tx", "-R", "8000", "-M", str(mark_hz), "-S", str(space_hz), "-f", str(path), str(BAUD)]
    subprocess.run(command, input=b"\x55" * 30 + b"\xff" * 12 + message, check=True, timeout=30)
    pcm = _read(path).astype(np.float64)
    return np.round(pcm * audio.rms_of(dbm0) / np.sqrt(np.mean(pcm**2))).astype(np.int16)


def minimodem_bytes(folder: Path, pcm: audio.Pcm, modem: str) -> bytes:
    """What minimodem makes of it."""
    mark_hz, space_hz = MARK_SPACE_HZ[modem]
    path = folder / "heard.wav"
    _write(path, np.repeat(pcm, 6), 48000)  # held samples: images lie above 4 kHz and do not matter
    command = ["minimodem", "--rx", "-q", "-R", "48000", "-M", str(mark_hz), "-S", str(space_hz), "-f", str(path), str(BAUD)]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=30).stdout
