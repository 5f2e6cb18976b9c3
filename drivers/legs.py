"""The book of legs: all that the line server knows of calls, kept on disk so that a next process can go on.

Each leg is one small file in `folder` (memory-backed, below run_dir), replaced atomically whenever the leg has changed, and before any
message about the change leaves the process (`flush`). Line server's event loop only.
"""

import asyncio
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from drivers.errors import LineError
from drivers.protocol import LegPhase, LegState, RecordingState

log = logging.getLogger("careline.lines")

_LEG_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_SUFFIX = ".leg"


class AudioSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the call agent set on the leg's audio and a next process must set again."""

    mute_rx: bool = False
    mute_tx: bool = False
    rx_db: float = 0.0
    tx_db: float = 0.0
    silence_ms: int = 0
    tones: tuple[str, ...] = ()
    tap: str = ""
    tone: str = ""
    mixed: bool = False  # joined in the media core whatever the card can do


class KeptLeg(msgspec.Struct, frozen=True, kw_only=True):
    """One leg as it is kept. `recording_began`: recording id to monotonic seconds of its first sample, for the length of a gap."""

    state: LegState
    audio: AudioSettings = AudioSettings()
    recording_began: dict[str, float] = {}
    next_seq: int = 1


class LegBook:
    """Legs by name. A released leg stays until it is forgotten."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._legs: dict[str, KeptLeg] = {}
        self._dirty: set[str] = set()
        self._flush_due = False

    def __iter__(self) -> Iterator[KeptLeg]:
        return iter(tuple(self._legs.values()))

    def __contains__(self, leg: str) -> bool:
        return leg in self._legs

    def get(self, leg: str) -> KeptLeg:
        """Raises: LineError LIN-030."""
        try:
            return self._legs[leg]
        except KeyError:
            raise LineError("LIN-030", f"there is no leg {leg!r}", "Ask for the snapshot; the leg was forgotten or never was") from None

    def state(self, leg: str) -> LegState:
        """Raises: LineError LIN-030."""
        return self.get(leg).state

    def states(self) -> tuple[LegState, ...]:
        return tuple(kept.state for kept in self._legs.values())

    def add(self, state: LegState) -> None:
        """Raises: LineError LIN-032 for a name that is taken or cannot be one."""
        if state.leg in self._legs or not _LEG_NAME.fullmatch(state.leg):
            raise LineError("LIN-032", f"leg name {state.leg!r} is taken or malformed", "Use a fresh name of letters, digits, . _ -")
        self._put(KeptLeg(state=state))

    def update(self, leg: str, **changes: Any) -> LegState:
        """Change fields of the LegState. Raises: LineError LIN-030."""
        kept = self.get(leg)
        return self._put(msgspec.structs.replace(kept, state=msgspec.structs.replace(kept.state, **changes))).state

    def update_audio(self, leg: str, **changes: Any) -> None:
        kept = self.get(leg)
        self._put(msgspec.structs.replace(kept, audio=msgspec.structs.replace(kept.audio, **changes)))

    def next_seq(self, leg: str) -> int:
        """Number of the leg's next digit."""
        kept = self.get(leg)
        self._put(msgspec.structs.replace(kept, next_seq=kept.next_seq + 1))
        return kept.next_seq

    def put_recording(self, leg: str, recording: RecordingState, began_s: float | None = None) -> None:
        """Add or replace one recording; `began_s` is kept when it is given."""
        kept = self.get(leg)
        others = tuple(each for each in kept.state.recordings if each.recording_id != recording.recording_id)
        began = kept.recording_began if began_s is None else {**kept.recording_began, recording.recording_id: began_s}
        state = msgspec.structs.replace(kept.state, recordings=(*others, recording))
        self._put(msgspec.structs.replace(kept, state=state, recording_began=began))

    def recording(self, leg: str, recording_id: str) -> RecordingState | None:
        found = (each for each in self.state(leg).recordings if each.recording_id == recording_id)
        return next(found, None) if leg in self._legs else None

    def forget(self, leg: str) -> None:
        """Raises: LineError LIN-030, LIN-041 when the leg is not released."""
        if self.state(leg).phase is not LegPhase.RELEASED:
            raise LineError("LIN-041", f"leg {leg} is still up", "Release it first")
        del self._legs[leg]
        self._mark(leg)

    # --- disk ------------------------------------------------------------------------------------------------------

    def load(self) -> None:
        """What an earlier process left; a file that cannot be read is logged, moved aside, and its leg lost."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(self._folder.glob(f"*{_SUFFIX}")):
            try:
                kept = msgspec.msgpack.decode(path.read_bytes(), type=KeptLeg)
            except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
                log.error("LIN-057 state of leg %s cannot be read: %s. Its channel is freed", path.stem, error)
                path.replace(path.with_suffix(".broken"))
                continue
            self._legs[kept.state.leg] = kept

    def flush(self) -> None:
        """Write what has changed; all if the folder was deleted. A full disk is logged and costs only the safety of a restart."""
        self._flush_due = False
        gone = False
        while self._dirty:
            leg = self._dirty.pop()
            try:
                if gone:
                    self._folder.mkdir(parents=True, exist_ok=True)
                self._write(leg)
            except OSError as error:
                if not gone and isinstance(error, FileNotFoundError):
                    gone = True
                    self._dirty |= self._legs.keys()
                else:
                    log.error("LIN-058 cannot keep leg %s in %s: %s. Free space there", leg, self._folder, error)

    def _write(self, leg: str) -> None:
        path = f"{self._folder}/{leg}{_SUFFIX}"  # done for every event: a Path would cost as much as the writing
        kept = self._legs.get(leg)
        if kept is None:
            Path(path).unlink(missing_ok=True)
            return
        fresh = f"{path}.new"
        _write_whole(fresh, msgspec.msgpack.encode(kept))
        os.replace(fresh, path)

    def _put(self, kept: KeptLeg) -> KeptLeg:
        self._legs[kept.state.leg] = kept
        self._mark(kept.state.leg)
        return kept

    def _mark(self, leg: str) -> None:
        self._dirty.add(leg)
        if not self._flush_due:
            self._flush_due = True
            asyncio.get_running_loop().call_soon(self.flush)


def _write_whole(path: str, content: bytes) -> None:
    """Without a file object, which asks the system four things more. Raises: OSError; a full disk may take a part, which replaces none."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        while content:
            content = content[os.write(descriptor, content) :]
    finally:
        os.close(descriptor)
