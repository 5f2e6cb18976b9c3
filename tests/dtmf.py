"""Keys as another decoder than ours hears them: multimon-ng. Runs it as a program of its own; needs nothing of the box."""

import shutil
import subprocess

import numpy as np

from tests.media import audio

MULTIMON_HZ = 22050
_NAMES = str.maketrans("EF", "*#")


def keys_in(codes: bytes) -> str:
    """Keys in A-law samples of 8000 Hz. multimon-ng wants 22050 Hz, 16 bit."""
    pcm = audio.from_alaw(codes)
    places = np.arange(0, len(pcm) - 1, audio.RATE_HZ / MULTIMON_HZ)
    raw = np.interp(places, np.arange(len(pcm)), pcm).astype(np.int16).tobytes()
    program = shutil.which("multimon-ng")
    assert program, "multimon-ng is missing: apt-get install multimon-ng"
    run = subprocess.run([program, "-q", "-a", "DTMF", "-t", "raw", "-"], input=raw, capture_output=True, timeout=60, check=True)
    lines = run.stdout.decode().splitlines()
    return "".join(line.split()[-1] for line in lines if line.startswith("DTMF:")).translate(_NAMES)
