"""What the hospital has put over the packaged prompts: for each, the audio in use and what was in use before it, all looked at.

Read in a thread (it reads every file once), asked in the call agent's event loop. Never changed: a new one takes its place.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from appliance.ivr.prompts import kept
from appliance.ivr.prompts.catalogue import Lang, PromptError

Key = tuple[str, Lang]


class UsedVersion(msgspec.Struct, frozen=True):
    """A version that is or was in use, as the store has it. `path`: below the data folder."""

    prompt: str
    lang: Lang
    number: int
    text: str
    path: str
    sha256: str
    duration_ms: int


class Clip(msgspec.Struct, frozen=True):
    """A file that was whole when it was looked at. `seen`: size and time of change then."""

    path: Path
    number: int
    duration_ms: int
    seen: tuple[int, int]

    def is_there(self) -> bool:
        """Still as it was. Asked before each playing: 2 µs."""
        return _seen(self.path) == self.seen


class Overlay(msgspec.Struct, frozen=True):
    """`texts`: of the version in use, by prompt and language. `clips`: what can be played, the one in use first. `faults`: of files in use
    that are missing or damaged."""

    texts: Mapping[Key, str] = {}
    clips: Mapping[Key, tuple[Clip, ...]] = {}
    faults: tuple[PromptError, ...] = ()

    def known_clips(self) -> dict[Path, Clip]:
        return {clip.path: clip for clips in self.clips.values() for clip in clips}


def look_at(own: Path, used: Mapping[Key, Iterable[UsedVersion]], before: Overlay | None = None) -> Overlay:
    """`used`: by prompt and language, the version in use first. What has not changed since `before` is not read again."""
    known = before.known_clips() if before else {}
    texts: dict[Key, str] = {}
    clips: dict[Key, tuple[Clip, ...]] = {}
    faults: list[PromptError] = []
    for key, versions in used.items():
        found: list[Clip] = []
        for place, version in enumerate(versions):
            if place == 0:
                texts[key] = version.text
            try:
                found.append(_clip(own, version, known))
            except PromptError as error:
                if place == 0:
                    faults.append(broken(version.prompt, version.lang, version.number, error.what))
        clips[key] = tuple(found)
    return Overlay(texts, clips, tuple(faults))


def broken(prompt: str, lang: Lang, number: int, why: str) -> PromptError:
    """The fault of an audio in use that cannot be played."""
    what = f"version {number} of prompt {prompt!r} in {lang} cannot be played: {why}"
    return PromptError("APP-192", what, "Callers hear the one before it; put another version in use on the page of prompts")


def _clip(own: Path, version: UsedVersion, known: Mapping[Path, Clip]) -> Clip:
    path = own / version.path
    there = known.get(path)
    if there and there.is_there():
        return there
    seen = _seen(path)
    alaw = kept.whole(own, version.path, version.sha256)
    return Clip(path, version.number, len(alaw) // 8, seen)


def _seen(path: Path) -> tuple[int, int]:
    """(0, 0) for one that is not there."""
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns
