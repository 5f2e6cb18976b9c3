"""Audio of the hospital's prompts on disk: a file for each version below the data folder, written once and never changed.

    prompts/zh, prompts/en    versions           prompts/incoming   uploads on their way
    prompts/takes             what was just spoken by telephone and is not kept yet

Any process of the box, any thread. A file is there whole or not at all: it is written beside, brought to disk, and renamed.
"""

import contextlib
import hashlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import msgspec

from appliance.ivr.prompts import shape, wav
from appliance.ivr.prompts.catalogue import LANGS, Lang, PromptError

FOLDER = "prompts"
TAKES, INCOMING = "takes", "incoming"
TAKE = "take-"  # how the ids of takes begin, and no prompt's: it has no "-". Flows say them like prompts
LEFT_BEHIND_S = 3600.0  # after that, what nobody names is nobody's any more
_NEW = ".new"


class KeptAudio(msgspec.Struct, frozen=True):
    """A file that is whole. `path`: below the data folder."""

    path: str
    sha256: str
    duration_ms: int
    loudness_lufs: float | None


def keep(own: Path, prompt: str, lang: Lang, alaw: bytes) -> KeptAudio:
    """Write it under a name nobody had. What no version names after an hour is swept.

    Raises: PromptError APP-194 when the disk does not take it, APP-195 when it is too long or too short.
    """
    _check_length(alaw)
    relative = Path(FOLDER) / lang / f"{prompt}-{secrets.token_hex(6)}.wav"
    content = wav.wrap(alaw)
    _write(own / relative, content)
    return KeptAudio(str(relative), hashlib.sha256(content).hexdigest(), len(alaw) // shape.SAMPLES_PER_MS, shape.loudness(alaw).lufs)


@contextlib.contextmanager
def keeping(own: Path, prompt: str, lang: Lang, alaw: bytes) -> Iterator[KeptAudio]:
    """As `keep`; the block is the transaction that names it. When that is undone, the file is gone again."""
    audio = keep(own, prompt, lang, alaw)
    try:
        yield audio
    except BaseException:
        discard(own, audio.path)
        raise


def take_file(own: Path, take: str) -> Path:
    """Where a take lies; a take is one part of a path."""
    return own / FOLDER / TAKES / f"{Path(take).name}.wav"


def keep_take(own: Path, take: str, alaw: bytes) -> None:
    """The same take kept again is the same file. Raises: PromptError APP-194."""
    _write(take_file(own, take), wav.wrap(alaw))


def discard(own: Path, relative: str) -> None:
    """A file nobody names any more; one that cannot be removed is swept later."""
    with contextlib.suppress(OSError):
        (own / relative).unlink()


def sweep(own: Path, named: frozenset[str], now_s: float) -> list[Path]:
    """Remove what a process that died left behind: halves, takes and uploads of an hour ago, audio no version names (`named`, paths below
    the data folder). `now_s`: seconds since 1970. Gives what was removed."""
    folders = [own / FOLDER / name for name in (*LANGS, TAKES, INCOMING)]
    old = [path for folder in folders if folder.is_dir() for path in sorted(folder.iterdir()) if _is_old(path, now_s)]
    gone = [path for path in old if path.suffix == _NEW or str(path.relative_to(own)) not in named]
    for path in gone:
        with contextlib.suppress(OSError):
            path.unlink()
    return gone


def whole(own: Path, relative: str, sha256: str) -> bytes:
    """The file's A-law samples. Raises: PromptError APP-063, APP-064 when it is not what was kept."""
    path = own / relative
    alaw = wav.unwrap(path)
    if hashlib.sha256(wav.wrap(alaw)).hexdigest() != sha256:
        raise PromptError("APP-064", f"prompt file {path} was changed", "Put another version in use on the page of prompts")
    return alaw


def _check_length(alaw: bytes) -> None:
    length_ms = len(alaw) // shape.SAMPLES_PER_MS
    if not shape.SHORTEST_MS <= length_ms <= shape.LONGEST_MS:
        remedy = f"Allowed are {shape.SHORTEST_MS} ms to {shape.LONGEST_MS // 1000} s"
        raise PromptError("APP-195", f"the audio has {length_ms} ms", remedy)


def _write(path: Path, content: bytes) -> None:
    fresh = path.with_name(f"{path.name}{_NEW}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _to_disk(fresh, content)
        fresh.replace(path)
        _settle(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise PromptError("APP-194", f"the audio cannot be kept ({error.strerror})", "Free space on the disk of the data folder") from error


def _to_disk(path: Path, content: bytes) -> None:
    """Raises: OSError. The line server, another user of our group, reads it."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o660)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _settle(folder: Path) -> None:
    """So that the name is there after a power cut too. Source: fsync(2)."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_old(path: Path, now_s: float) -> bool:
    try:
        return now_s - path.stat().st_mtime > LEFT_BEHIND_S
    except OSError:
        return False
