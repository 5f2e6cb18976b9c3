"""Answers that carry sound: byte ranges for the player, an outline for its picture, a copy to take away. Runs in request threads."""

import hashlib
from pathlib import Path

from flask import Response, request

from webui import wave
from webui.errors import WebError
from webui.page import as_json
from webui.shared import audit, me, shared

OUTLINE_COLUMNS = 1200


def kept_wave(relative: str) -> wave.Wave:
    """The WAV file of the recordings folder. Raises: WebError WEB-007, also for a path that leads out of that folder."""
    folder = shared().config.paths.recordings_dir.resolve()
    path = (folder / relative).resolve()
    if not path.is_relative_to(folder):
        raise WebError("WEB-007", f"`{relative}` is not in the recordings folder", "The record is damaged; tell the makers")
    return wave.open_wave(path)


def played(relative: str, subject: str) -> Response:
    """The sound as 16-bit WAV, whole or the range asked for; one line of audit per person and ten minutes."""
    sound = kept_wave(relative)
    if shared().listened.first(f"{me().id} {subject}"):
        audit("listened", subject)
    return _ranged(sound)


def heard(path: Path) -> Response:
    """The sound of a file that belongs to no call, whole or the range asked for. Raises: WebError."""
    return _ranged(wave.open_wave(path))


def taken_away(relative: str, subject: str, name: str) -> Response:
    """The whole sound as a file to keep."""
    sound = kept_wave(relative)
    audit("downloaded", subject)
    answer = Response(wave.pcm_range(sound, 0, sound.pcm_bytes), mimetype="audio/wav")
    answer.headers["Content-Length"] = str(sound.pcm_bytes)
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer


def outlined(relative: str) -> Response:
    return _outline(kept_wave(relative))


def outline_of(path: Path) -> Response:
    """Of a file that belongs to no call. Raises: WebError."""
    return _outline(wave.open_wave(path))


def _outline(sound: wave.Wave) -> Response:
    sides = [list(side) for side in wave.outline(sound, OUTLINE_COLUMNS)]
    return Response(as_json({"duration_ms": sound.duration_ms, "sides": sides}), mimetype="application/json")


def file_name(subject: str, at: str, number: str | None) -> str:
    """ "careline 2026-03-08 10-00-05 13800138000.wav", with nothing in it that a file system minds."""
    parts = ["careline", subject, at.replace(":", "-"), number or ""]
    return "".join(letter for letter in " ".join(filter(None, parts)) if letter.isalnum() or letter in " -_") + ".wav"


def _ranged(sound: wave.Wave) -> Response:
    total = sound.pcm_bytes
    tag = hashlib.sha256(f"{sound.path.name} {total} {sound.changed_ns}".encode()).hexdigest()[:16]
    span = _asked_range(total, tag)
    if span is None:
        return Response("", 416, {"Content-Range": f"bytes */{total}"})
    start, stop, status = span
    answer = Response(wave.pcm_range(sound, start, stop), status, mimetype="audio/wav")
    answer.headers.update({"Accept-Ranges": "bytes", "Content-Length": str(stop - start), "ETag": f'"{tag}"'})
    if status == 206:
        answer.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{total}"
    return answer


def _asked_range(total: int, tag: str) -> tuple[int, int, int] | None:
    """(start, stop, status); None when the range lies outside. More than one range at once: the whole (RFC 9110 14.2 allows it)."""
    asked = request.range
    stale = request.if_range.etag is not None and request.if_range.etag != tag
    if asked is None or asked.units != "bytes" or len(asked.ranges) != 1 or stale:
        return 0, total, 200
    span = asked.range_for_length(total)
    return None if span is None else (span[0], span[1], 206)
