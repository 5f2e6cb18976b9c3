"""Prompts that are open in the media core, the last used kept; silence of any length is a prompt too. Line server's event loop only."""

import os
from collections import OrderedDict
from pathlib import Path

from drivers.errors import MediaError
from drivers.media import Clip as EngineClip
from drivers.media import Engine
from drivers.protocol import Clip

SILENCE_MAX_MS = 600_000
_CLIPS_KEPT = 256


class ClipShelf:
    """Opened clips, the last used kept; a file that has changed is opened again. Silence is written below `folder`."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self._engine = engine
        self._folder = folder
        self._open: OrderedDict[tuple[str, int, int], EngineClip] = OrderedDict()

    def get(self, clip: Clip) -> EngineClip:
        """Raises: MediaError, naming the file."""
        path = clip.path or str(self._silence(clip.silence_ms))
        key = self._key(path)
        if key not in self._open:
            self._open[key] = self._engine.clips.open(path)
            if len(self._open) > _CLIPS_KEPT:
                self._engine.clips.close(self._open.popitem(last=False)[1])
        self._open.move_to_end(key)
        return self._open[key]

    def close(self) -> None:
        while self._open:
            self._engine.clips.close(self._open.popitem()[1])

    def _key(self, path: str) -> tuple[str, int, int]:
        try:
            found = os.stat(path)
        except (OSError, ValueError) as error:
            raise MediaError("LIN-037", f"cannot read the prompt {path!r}: {error}", "Check the prompts folder and its rights") from error
        return path, found.st_mtime_ns, found.st_size

    def _silence(self, ms: int) -> Path:
        """An A-law file of that length. Source: WAVE, RIFF chunks fmt (tag 6), fact, data."""
        if not 1 <= ms <= SILENCE_MAX_MS:
            raise MediaError("LIN-042", f"{ms} ms of silence", f"Ask for 1 to {SILENCE_MAX_MS} ms")
        path = self._folder / f"silence-{ms}.wav"
        if not path.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            fresh = path.with_suffix(".new")
            fresh.write_bytes(_alaw_silence(8 * ms))
            fresh.replace(path)
        return path


def _alaw_silence(samples: int) -> bytes:
    def number(value: int, size: int) -> bytes:
        return value.to_bytes(size, "little")

    fmt = number(6, 2) + number(1, 2) + number(8000, 4) + number(8000, 4) + number(1, 2) + number(8, 2) + number(0, 2)
    chunks = b"fmt " + number(len(fmt), 4) + fmt + b"fact" + number(4, 4) + number(samples, 4)
    body = b"WAVE" + chunks + b"data" + number(samples, 4) + b"\xd5" * samples + b"\0" * (samples % 2)
    return b"RIFF" + number(len(body), 4) + body
