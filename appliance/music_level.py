"""Any music to what the media core plays: mono, 8 kHz, A-law WAV, as loud as -19 LUFS. By sox, in a process of its own.

Loudness is that of ITU-R BS.1770-4 without gating: the mean square behind its two filters (annex 1, tables 1 and 2, at 48 kHz).
"""

import asyncio
import errno
import math
import os
import re
import tempfile
from pathlib import Path

from appliance.errors import MusicError

TARGET_LUFS = -19.0
SILENCE_LUFS = -70.0  # Source: BS.1770-4 annex 1, absolute threshold
HEADROOM_DB = 10.0  # so that the filters clip nothing
LIMIT_S = 120.0
LONGEST_S = 1800.0
SHORTEST_S = 1.0
WITHIN_LIMITS = ("nice", "-n", "19", "prlimit", "--cpu=100", f"--as={1 << 30}", f"--fsize={1 << 29}", "--")  # coreutils, util-linux
NOT_FOUND = 127  # Source: nice(1), exit status
KINDS = {".wav": "wav", ".mp3": "mp3", ".ogg": "ogg", ".oga": "ogg", ".flac": "flac"}
SHELF = ("biquad", "1.53512485958697", "-2.69169618940638", "1.19839281085285", "1.0", "-1.69065929318241", "0.73248077421585")
HIGH_PASS = ("biquad", "1.0", "-2.0", "1.0", "1.0", "-1.99004745483398", "0.99007225036621")
_PREFIX = re.compile(r"^sox \w+ (\w+: )?(.*[`'\"]/.*['\"]:? ?)?")  # up to the path of a file
WORDS_MOST = 120
WAV_HEADER_BYTES = 44
RIFF_BYTES = 8  # "RIFF" and the length of all that follows, but for a byte that makes it even
_RMS = re.compile(r"^RMS lev dB\s+(-?[\d.]+)", re.MULTILINE)
_LENGTH = re.compile(r"^Length s\s+([\d.]+)", re.MULTILINE)


async def levelled(source: Path, target: Path, kind: str = "wav") -> float:
    """Write `target` anew from a file of that kind; its loudness before, in LUFS.

    Raises: MusicError APP-111 a file that cannot be read, APP-112 silence, or longer than 30 minutes, APP-113 no sox, APP-116 no room.
    """
    fresh = target.with_suffix(".new")
    with tempfile.TemporaryDirectory() as name:
        plain = Path(name) / "plain.wav"
        try:
            await _sox("-t", kind, str(source), "-r", "8000", "-c", "1", "-b", "16", str(plain), "trim", "0", str(LONGEST_S + 1))
            _check_whole(plain)
            loudness = await _loudness(plain)
            gain = f"{TARGET_LUFS - loudness:.2f}"  # a limiter would change the loudness; peaks 19 dB above it are clipped
            await _sox(str(plain), "-t", "wav", "-e", "a-law", "-r", "8000", "-c", "1", str(fresh), "gain", gain)
            _check_whole(fresh)
            os.replace(fresh, target)
        except _SoxError as error:
            raise _in_words(str(error), target.stem) from error
        finally:
            fresh.unlink(missing_ok=True)
    return loudness


async def sampled(source: Path, target: Path, kind: str, longest_s: float) -> None:
    """The beginning of a file of that kind as bare 16-bit samples, mono, 8 kHz. `target` is written anew, whole or not at all.

    Raises: MusicError APP-111 a file that cannot be read, APP-113 no sox, APP-116 no room.
    """
    fresh = target.with_suffix(".new")
    with tempfile.TemporaryDirectory() as name:
        plain = Path(name) / "plain.wav"
        try:
            await _sox("-t", kind, str(source), "-r", "8000", "-c", "1", "-b", "16", str(plain), "trim", "0", str(longest_s))
            _check_whole(plain)
            await _sox(str(plain), "-t", "raw", "-e", "signed-integer", "-L", str(fresh))
            if fresh.stat().st_size + WAV_HEADER_BYTES != plain.stat().st_size:
                raise _SoxError(os.strerror(errno.ENOSPC))
            os.replace(fresh, target)
        except _SoxError as error:
            raise _in_words(str(error), source.stem) from error
        finally:
            fresh.unlink(missing_ok=True)


def _check_whole(written: Path) -> None:
    """Trap: sox ends well when the disk took only a part. Raises: _SoxError when the file is not as long as its header says."""
    with written.open("rb") as file:
        told = int.from_bytes(file.read(RIFF_BYTES)[4:], "little") + RIFF_BYTES
    if abs(told - written.stat().st_size) > 1:
        raise _SoxError(os.strerror(errno.ENOSPC))


class _SoxError(Exception):
    """Its own words, with paths of ours."""


def _in_words(said: str, name: str) -> MusicError:
    """What sox found wrong, of the file as the user knows it."""
    if os.strerror(errno.ENOSPC) in said:
        return MusicError("APP-116", f"{name!r} cannot be kept: {os.strerror(errno.ENOSPC)}", "Free space on the disk of the data folder")
    reason = _PREFIX.sub("", (said.strip().splitlines() or [""])[-1])[:WORDS_MOST].strip()
    return MusicError("APP-111", f"{name!r} cannot be read: {reason or 'not what its ending says'}", "Take a WAV, MP3 or OGG file")


async def _loudness(plain: Path) -> float:
    said = await _sox(str(plain), "-n", "gain", f"-{HEADROOM_DB}", "rate", "48000", *SHELF, *HIGH_PASS, "stats")
    rms, length = _RMS.search(said), _LENGTH.search(said)
    seconds = float(length[1]) if length else 0.0
    loudness = -0.691 + HEADROOM_DB + float(rms[1]) if rms else -math.inf
    if loudness < SILENCE_LUFS or not SHORTEST_S <= seconds <= LONGEST_S:
        raise MusicError("APP-112", f"{seconds:.0f} s of music, or silence", "Take a file of 1 s to 30 min with something to hear")
    return loudness


async def _sox(*arguments: str) -> str:
    """What it said. A file from anywhere is read within limits, and calls come first."""
    process = await asyncio.create_subprocess_exec(
        *WITHIN_LIMITS,
        "sox",
        "-V1",
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, said = await asyncio.wait_for(process.communicate(), LIMIT_S)
    except TimeoutError as error:
        process.kill()  # nice and prlimit have become sox
        await process.wait()
        raise MusicError("APP-111", f"the file was not read within {LIMIT_S:.0f} s", "Take a shorter one") from error
    text = said.decode(errors="replace")
    if process.returncode == NOT_FOUND:
        raise MusicError("APP-113", "sox is not installed", "apt-get install sox libsox-fmt-mp3")
    if process.returncode:
        raise _SoxError(text)
    return text
