"""One channel, and what a technician may do with it or with a call: asked of the call agent, written down, said in words."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance.control.client import ControlClient
from appliance.control.messages import HangUpCall, LineTarget, Request, SetLinesBlocked
from appliance.store.models import CallRecord
from drivers.errors import CarelineError
from webui import tiles
from webui.page import meaning, remedy
from webui.rights import Right, needs
from webui.shared import audit, me, say, shared

RECENT_CALLS = 10

blueprint = Blueprint("channels", __name__)


@blueprint.get("/channels/<int:number>")
@needs(Right.SEE_LIVE)
def show(number: int) -> str:
    view = shared().hub.view()
    if number not in view.channels:
        abort(404)
    recent = CallRecord.select().where(CallRecord.channel == number).order_by(CallRecord.started_at.desc()).limit(RECENT_CALLS)
    return render_template("channel.html", one=tiles.tile(view, number), view=view, recent=list(recent))


@blueprint.post("/channels/<int:number>/blocked")
@needs(Right.BLOCK_CHANNELS)
def set_blocked(number: int) -> Response:
    blocked = request.form.get("blocked") == "1"
    action = "channel_blocked" if blocked else "channel_unblocked"
    _ask(SetLinesBlocked(target=LineTarget(channel=number), blocked=blocked, by=me().name), action, str(number))
    return redirect(url_for("channels.show", number=number), 303)


@blueprint.post("/calls/<call_id>/hang-up")
@needs(Right.HANG_UP)
def hang_up(call_id: str) -> Response:
    _ask(HangUpCall(call_id=call_id, by=me().name), "call_hung_up", call_id)
    return redirect(url_for("calls.story", call_id=call_id), 303)


def _ask(request_: Request, action: str, subject: str) -> None:
    """Ask the call agent; say how it went."""
    try:
        with ControlClient(shared().config.paths.control_socket) as client:
            client.request(request_)
    except CarelineError as error:
        words = {"meaning": meaning(error.code, error.what), "remedy": remedy(error.code, error.remedy)}
        flash(say("action.failed", code=error.code, what=error.what, **words), "danger")
        return
    audit(action, subject)
    flash(say(f"action.{action}", subject=subject))
