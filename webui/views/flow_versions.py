"""Drafts of flows, edited as text; versions published, what was live before taken back. All of it is in the audit.

A draft may have faults, which its page lists; what has any is not published. The call agent is told afterwards: new calls walk what is live
now, and calls that run finish on what they began with.
"""

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from appliance.control.client import ControlClient
from appliance.ivr import publishing
from appliance.ivr.fault import FlowFault
from appliance.ivr.publishing import Published, Refused
from appliance.store.flow_tables import FlowVersion
from appliance.store.models import database
from appliance.store.transaction import write_transaction
from drivers.errors import CarelineError
from webui import flow_prompts, flow_words
from webui.asking import refused
from webui.rights import Right, needs
from webui.shared import me, say, shared

BODY_BYTES_MOST = 2 * 1024 * 1024
TEXT_MOST = 200_000
NOTE_MOST = 200
SAVED_DIGITS_MOST = 9

blueprint = Blueprint("flow_versions", __name__)


@blueprint.url_value_preprocessor
def _allow(endpoint: str | None, _: object) -> None:
    """A flow's text is larger than other forms: each Han character comes as nine."""
    if endpoint == "flow_versions.save":
        request.max_content_length = request.max_form_memory_size = BODY_BYTES_MOST


@blueprint.get("/flows/<flow>/edit")
@needs(Right.EDIT_FLOWS)
def edit(flow: str) -> str:
    """The draft, or else the text of the version that `from` names, or of the one that is live."""
    draft = _draft(flow)
    if draft:
        return _page(flow, draft.text, draft.note, str(draft.saved), draft.version)
    wanted = request.args.get("from", type=int)
    if wanted is None:
        wanted = publishing.live_versions().get(flow, 0)
    return _page(flow, flow_words.open_version(flow, wanted).text, "", "", None)


@blueprint.post("/flows/<flow>/edit")
@needs(Right.EDIT_FLOWS)
def save(flow: str) -> AnyResponse:
    if flow not in publishing.flow_names():
        raise NotFound
    text, note = request.form.get("text"), request.form.get("note", "").strip()
    saved = request.form.get("saved", "")
    if text is None or (saved and not (saved.isascii() and saved.isdigit() and len(saved) <= SAVED_DIGITS_MOST)):
        abort(400)
    text = text.replace("\r\n", "\n")
    if wrong := _wrong(text, note):
        return Response(_page(flow, text[:TEXT_MOST], note[:NOTE_MOST], saved, None, wrong), 422)
    try:
        with write_transaction(database):
            draft = publishing.save_draft(flow, text, me(), shared().clock.now(), note=note, saved=int(saved) if saved else None)
    except CarelineError as error:
        refused(error)
        return Response(_page(flow, text, note, saved, None), 409)
    flash(say("flows.saved", version=draft.version))
    return redirect(url_for("flow_versions.edit", flow=flow), 303)


def _wrong(text: str, note: str) -> dict[str, str]:
    found = {}
    if len(text) > TEXT_MOST:
        found["text"] = say("flows.too_long", most=TEXT_MOST)
    elif "\0" in text or not text.strip():
        found["text"] = say("flows.no_text")
    if len(note) > NOTE_MOST or "\0" in note:
        found["note"] = say("flows.too_long", most=NOTE_MOST)
    return found


def _draft(flow: str) -> FlowVersion | None:
    row: FlowVersion | None = FlowVersion.get_or_none(FlowVersion.flow == flow, FlowVersion.state == publishing.DRAFT)
    return row


def _page(flow: str, text: str, note: str, saved: str, version: int | None, wrong: dict[str, str] | None = None) -> str:
    faults = [] if wrong else flow_words.faults_in(flow, text)
    values = {"text": text, "note": note, "saved": saved, "version": version}
    return render_template("flow_edit.html", flow=flow, faults=faults, wrong=wrong or {}, most=NOTE_MOST, **values)


@blueprint.post("/flows/<flow>/discard")
@needs(Right.EDIT_FLOWS)
def discard(flow: str) -> AnyResponse:
    with write_transaction(database):
        gone = publishing.discard_draft(flow, me(), shared().clock.now())
    if gone:
        flash(say("flows.discarded"))
    return redirect(url_for("flows.show"), 303)


@blueprint.post("/flows/<flow>/<int:version>/publish")
@needs(Right.PUBLISH_FLOWS)
def publish(flow: str, version: int) -> AnyResponse:
    shown = flow_words.open_version(flow, version)
    note = _why() or (shown.row.note if shown.row else "")
    if shown.row and request.form.get("saved", str(shown.row.saved)) != str(shown.row.saved):
        flash(say("flow_edit.changed_meanwhile", name=shown.row.author), "danger")
        return redirect(url_for("flows.version", flow=flow, version=version), 303)
    with write_transaction(database):
        outcome = publishing.publish({flow: version}, me(), shared().clock.now(), flow_prompts.here().ids, note=note)
    return _settled(outcome, flow)


@blueprint.post("/flow-editions/<int:number>/roll-back")
@needs(Right.PUBLISH_FLOWS)
def roll_back(number: int) -> AnyResponse:
    if publishing.texts_of_edition(number) is None:
        raise NotFound
    with write_transaction(database):
        outcome = publishing.roll_back(number, me(), shared().clock.now(), flow_prompts.here().ids, note=_why())
    return _settled(outcome, "")


def _why() -> str:
    """The note of whoever publishes; 400 for one that no page of ours sends."""
    note = request.form.get("note", "").strip()
    if len(note) > NOTE_MOST or "\0" in note:
        abort(400)
    return note


def _settled(outcome: Published | Refused, flow: str) -> AnyResponse:
    if isinstance(outcome, Refused):
        return Response(_refusal(flow, outcome.faults), 422)
    flash(say("flows.published", edition=outcome.edition))
    _tell_call_agent()
    return redirect(url_for("flows.one", flow=flow) if flow else url_for("flows.show"), 303)


def _refusal(flow: str, faults: tuple[FlowFault, ...]) -> str:
    return render_template("flow_refused.html", flow=flow, faults=faults)


def _tell_call_agent() -> None:
    """One that is not there takes up what is live when it starts."""
    try:
        with ControlClient(shared().config.paths.control_socket) as client:
            client.use_flows(me().name)
    except CarelineError as error:
        refused(error)
