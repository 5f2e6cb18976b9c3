"""Music on hold: what there is, to hear, to upload, to choose. The call agent levels what is uploaded and keeps it."""

import uuid
from pathlib import Path

from flask import Blueprint, Flask, abort, flash, redirect, render_template, request, url_for
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response

from appliance.control.client import ControlClient
from appliance.control.messages import AddMusic, AskMusic, ChooseMusic, MusicEntry, MusicRequest, RemoveMusic
from drivers.errors import CarelineError
from webui import sound
from webui.asking import refused
from webui.errors import WebError
from webui.rights import Right, needs
from webui.shared import audit, me, say, shared

UPLOAD_BYTES_MOST = 64 * 1024 * 1024
KINDS = {".wav": "wav", ".mp3": "mp3", ".ogg": "ogg", ".oga": "ogg", ".flac": "flac"}

blueprint = Blueprint("music", __name__)


def install(app: Flask) -> None:
    """A piece of music is larger than any other form."""

    @app.url_value_preprocessor
    def allow(endpoint: str | None, _: object) -> None:
        if endpoint == "music.upload":
            request.max_content_length = UPLOAD_BYTES_MOST


@blueprint.get("/music")
@needs(Right.MANAGE_MUSIC)
def show() -> str:
    return render_template("music.html", entries=_told(AskMusic(by=me().name)), kinds=",".join(KINDS))


@blueprint.get("/music/sound.wav")
@needs(Right.MANAGE_MUSIC)
def play() -> Response:
    wanted = request.args.get("name", "")
    path = next((entry.path for entry in _told(AskMusic(by=me().name)) if entry.name == wanted), None)
    return sound.heard(Path(path)) if path else abort(404)


@blueprint.post("/music")
@needs(Right.MANAGE_MUSIC)
def upload() -> Response:
    given = request.files.get("file")
    kind = KINDS.get(Path(given.filename or "").suffix.lower()) if given else None
    if given is None or kind is None:
        flash(say("music.no_file"), "danger")
        return _back()
    name = request.form.get("name", "").strip() or Path(given.filename or "").stem
    target = Path(shared().config.paths.data_dir) / "music" / "incoming" / uuid.uuid4().hex
    done = False
    try:
        _save(given, target)
        done = _do(AddMusic(name=name, upload=target.name, kind=kind, by=me().name), "music_added", name)
    finally:
        if not done:
            target.unlink(missing_ok=True)
    return _back()


def _save(given: FileStorage, target: Path) -> None:
    """For the call agent to take. Raises: WebError WEB-013."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        given.save(target)
        target.chmod(0o660)
    except OSError as error:
        raise WebError("WEB-013", f"cannot keep the upload: {error.strerror}", "Check free space and rights of the data folder") from error


@blueprint.post("/music/chosen")
@needs(Right.MANAGE_MUSIC)
def choose() -> Response:
    name = request.form.get("name", "")
    _do(ChooseMusic(name=name, by=me().name), "music_chosen", name or say("music.own"))
    return _back()


@blueprint.post("/music/removed")
@needs(Right.MANAGE_MUSIC)
def remove() -> Response:
    name = request.form.get("name", "")
    _do(RemoveMusic(name=name, by=me().name), "music_removed", name)
    return _back()


def _do(asked: MusicRequest, action: str, subject: str) -> bool:
    """False when it was refused, which the page then says."""
    try:
        with ControlClient(shared().config.paths.control_socket) as client:
            client.music(asked)
    except CarelineError as error:
        refused(error)
        return False
    audit(action, subject)
    flash(say(f"action.{action}", subject=subject))
    return True


def _told(asked: MusicRequest) -> tuple[MusicEntry, ...]:
    """Nothing while the call agent is not there, which the page then says."""
    try:
        with ControlClient(shared().config.paths.control_socket) as client:
            return client.music(asked)
    except CarelineError as error:
        refused(error)
        return ()


def _back() -> Response:
    return redirect(url_for("music.show"), 303)
