"""Voice messages that callers left: to hear, to mark as heard, and, with a right of its own, to take away."""

from typing import Any

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from appliance.hospital.complaints import sight
from appliance.store import keeping
from appliance.store.models import VoiceMessage, database
from appliance.store.transaction import write_transaction
from webui import sound
from webui.page import local_time
from webui.paging import Pages
from webui.rights import Right, needs
from webui.shared import audit, me, shared

blueprint = Blueprint("messages", __name__)


@blueprint.get("/messages")
@needs(Right.SEE_CALLS)
def show() -> str:
    only_new = request.args.get("only") == "new"
    query = VoiceMessage.select().where(_shown()).order_by(VoiceMessage.left_at.desc())
    query = query.where(VoiceMessage.heard_at.is_null()) if only_new else query
    return render_template("messages.html", pages=Pages.of(query, request.args.get("page")), only_new=only_new)


@blueprint.get("/messages/<int:number>")
@needs(Right.SEE_CALLS)
def one(number: int) -> str:
    message = _message(number)
    deleted = next((each for each in keeping.deleted_of(message.call) if each.path == message.path), None)
    return render_template("message.html", message=message, deleted=deleted)


@blueprint.get("/messages/<int:number>/sound.wav")
@needs(Right.LISTEN)
def play(number: int) -> Response:
    message = _message(number)
    return sound.played(message.path, f"message {message.reference}")


@blueprint.get("/messages/<int:number>/outline")
@needs(Right.LISTEN)
def outline(number: int) -> Response:
    return sound.outlined(_message(number).path)


@blueprint.get("/messages/<int:number>/download")
@needs(Right.DOWNLOAD)
def download(number: int) -> Response:
    message = _message(number)
    name = sound.file_name(f"message {message.reference}", local_time(message.left_at), message.ani)
    return sound.taken_away(message.path, f"message {message.reference}", name)


@blueprint.post("/messages/<int:number>/heard")
@needs(Right.LISTEN)
def set_heard(number: int) -> AnyResponse:
    message = _message(number)
    heard = request.form.get("heard") == "1"
    message.heard_at = shared().clock.now() if heard else None
    message.heard_by = me().name if heard else None
    with write_transaction(database):
        message.save(only=[VoiceMessage.heard_at, VoiceMessage.heard_by])
        audit("message_heard" if heard else "message_unheard", message.reference)
    return redirect(url_for("messages.one", number=number), 303)


def _message(number: int) -> VoiceMessage:
    return VoiceMessage.get_or_none(VoiceMessage.id == number, _shown()) or abort(404)


def _shown() -> Any:
    """Nobody hears what was said in a call in which somebody complained about them."""
    return VoiceMessage.call.not_in(sight.hidden_calls(me().id))
