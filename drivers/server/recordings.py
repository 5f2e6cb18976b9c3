"""Recordings of legs: where they may lie, continuing them, what became of them. Event loop only; the media core writes."""

import logging
import os
from pathlib import Path

import msgspec

from drivers.errors import LineError, MediaError
from drivers.protocol import RecordingDone, RecordingGap, RecordingState, Sides, StartRecording
from drivers.server.lines import Lines

log = logging.getLogger("careline.lines")

SAMPLES_PER_S = 8000
HEADER_BYTES = 58  # of a file the media core writes: RIFF, fmt, fact, data
GAP_MAX_SAMPLES = 3600 * SAMPLES_PER_S


class Recordings:
    """Recordings that run, by the engine's id; those of `_ending` were told to stop, and a slow disk has not let them yet."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._folder = lines.paths.recordings_dir
        self._running: dict[int, tuple[str, str]] = {}
        self._ending: set[int] = set()

    def start(self, command: StartRecording) -> None:
        """Begin, or go on with a file that exists. One that runs already is left alone. Raises: LineError LIN-030/031/036, MediaError."""
        if self._engine_id(command.leg, command.recording_id) is not None:
            return
        path = self._checked(command.path)
        state = RecordingState(command.recording_id, str(path), command.sides, self._lines.clock.now())
        self._begin(command.leg, state, path)

    def resume(self, leg: str, state: RecordingState) -> None:
        """Go on after a restart, the time in between as silence. Raises: LineError, MediaError."""
        self._begin(leg, state, self._checked(state.path))

    def settle(self, leg: str) -> None:
        """Recordings that no process writes any more: note their length as it is on disk."""
        for state in self._lines.book.state(leg).recordings:
            if not state.stopped:
                samples = _samples_in(Path(state.path), state.sides)
                self._lines.book.put_recording(leg, msgspec.structs.replace(state, samples=samples, stopped=True))

    def stop(self, leg: str, recording_id: str) -> None:
        """Harmless when it does not run. Raises: LineError LIN-030, MediaError."""
        self._lines.book.state(leg)
        engine_id = self._engine_id(leg, recording_id)
        if engine_id is not None:
            self._end(engine_id)

    def stop_all(self, leg: str) -> None:
        """The call is over. Never raises: its release must be told, whatever becomes of the files."""
        for engine_id, (owner, _) in tuple(self._running.items()):
            if owner == leg:
                try:
                    self._end(engine_id)
                except MediaError as error:
                    log.error("%s leg %s: %s. %s", error.code, leg, error.what, error.remedy)

    def done(self, engine_id: int, samples: int, errno: int) -> None:
        """The engine has closed the file."""
        if engine_id not in self._running:
            return
        leg, recording_id = self._running.pop(engine_id)
        self._ending.discard(engine_id)
        state = self._state(leg, recording_id)
        if state is None:
            return
        state = msgspec.structs.replace(state, samples=samples, stopped=True)
        self._lines.book.put_recording(leg, state)
        error = os.strerror(errno) if errno else ""
        if error:
            log.error("LIN-038 recording %s of leg %s: %s. Check the recordings folder and its free space", state.path, leg, error)
        self._lines.outbox.emit(
            RecordingDone(
                leg=leg, recording_id=recording_id, path=state.path, samples=samples, lost_samples=state.lost_samples, error=error
            )
        )
        self._lines.leg_quieter(leg)

    def gap(self, engine_id: int, samples: int, errno: int) -> None:
        """The disk was too slow or full; the samples lost are silence in the file."""
        if engine_id not in self._running:
            return
        leg, recording_id = self._running[engine_id]
        reason = os.strerror(errno) if errno else "the disk was too slow"
        lost = f"has lost {samples} samples" if samples else "cannot be written just now"
        log.error("LIN-065 recording of leg %s %s: %s. Check the recordings folder and its free space", leg, lost, reason)
        state = self._state(leg, recording_id)
        if state is not None:
            self._lines.book.put_recording(leg, msgspec.structs.replace(state, lost_samples=state.lost_samples + samples))
        self._lines.outbox.emit(RecordingGap(leg=leg, recording_id=recording_id, lost_samples=samples, reason=reason))

    def _end(self, engine_id: int) -> None:
        """Ask once: the engine no longer knows a recording by its id while it waits for the disk to close it. Raises: MediaError."""
        if engine_id not in self._ending:
            self._lines.media.engine.record_stop(engine_id)
            self._ending.add(engine_id)

    def _begin(self, leg: str, state: RecordingState, path: Path) -> None:
        port = self._lines.port_of(leg)
        gap_samples = self._gap_samples(leg, state, path)
        self._make_folder(path.parent)
        engine_id = self._lines.media.next_id()
        port.record(engine_id, path, state.sides is Sides.BOTH, gap_samples)
        self._running[engine_id] = (leg, state.recording_id)
        began = self._lines.book.get(leg).recording_began.get(state.recording_id, self._lines.clock.monotonic_s())
        self._lines.book.put_recording(leg, state, began)

    def _gap_samples(self, leg: str, state: RecordingState, path: Path) -> int:
        """How much silence belongs between what is in the file and now."""
        if not path.exists():
            return 0
        began_s = self._lines.book.get(leg).recording_began.get(state.recording_id)
        if began_s is None:
            missing_s = self._lines.clock.now().timestamp() - path.stat().st_mtime
        else:
            missing_s = self._lines.clock.monotonic_s() - began_s - _samples_in(path, state.sides) / SAMPLES_PER_S
        return max(0, min(GAP_MAX_SAMPLES, round(missing_s * SAMPLES_PER_S)))

    def _checked(self, path: str) -> Path:
        """Raises: LineError LIN-036 for a path outside the recordings folder."""
        folder = self._folder.resolve()
        try:
            resolved = (folder / path).resolve()
        except (OSError, ValueError, RuntimeError):
            resolved = folder
        if resolved == folder or not resolved.is_relative_to(folder):
            raise LineError("LIN-036", f"{path!r} is not below the recordings folder {folder}", "Record below [paths] data_dir/recordings")
        return resolved

    def _make_folder(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise MediaError("LIN-038", f"cannot make {folder}: {error.strerror}", "Check who owns the recordings folder") from error

    def _engine_id(self, leg: str, recording_id: str) -> int | None:
        return next((engine_id for engine_id, of in self._running.items() if of == (leg, recording_id)), None)

    def _state(self, leg: str, recording_id: str) -> RecordingState | None:
        return self._lines.book.recording(leg, recording_id) if leg in self._lines.book else None


def _samples_in(path: Path, sides: Sides) -> int:
    """Length of a recording by the size of its file, 0 when there is none."""
    try:
        size = path.stat().st_size
    except OSError:
        return 0
    return max(0, size - HEADER_BYTES) // (2 if sides is Sides.BOTH else 1)
