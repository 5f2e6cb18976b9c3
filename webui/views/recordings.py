"""The sound of recorded calls: to hear, to see, and, with a right of its own, to take away."""

from flask import Blueprint, Response, abort

from appliance.hospital.complaints import sight
from appliance.store.models import CallRecord, Recording
from webui import sound
from webui.page import local_time
from webui.rights import Right, needs
from webui.shared import me

blueprint = Blueprint("recordings", __name__)


@blueprint.get("/recordings/<recording_id>/sound.wav")
@needs(Right.LISTEN)
def play(recording_id: str) -> Response:
    recording = _recording(recording_id)
    return sound.played(recording.path, f"call {recording.call}")


@blueprint.get("/recordings/<recording_id>/outline")
@needs(Right.LISTEN)
def outline(recording_id: str) -> Response:
    return sound.outlined(_recording(recording_id).path)


@blueprint.get("/recordings/<recording_id>/download")
@needs(Right.DOWNLOAD)
def download(recording_id: str) -> Response:
    recording = _recording(recording_id)
    record = CallRecord.get_or_none(CallRecord.call_id == recording.call)
    name = sound.file_name("call", local_time(recording.started_at), record.ani if record else None)
    return sound.taken_away(recording.path, f"call {recording.call}", name)


def _recording(recording_id: str) -> Recording:
    """One that whoever asks may hear: nobody hears a complaint about themselves."""
    shown = Recording.call.not_in(sight.hidden_calls(me().id))
    return Recording.get_or_none(Recording.recording_id == recording_id, shown) or abort(404)
