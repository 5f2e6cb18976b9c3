"""A flow's draft edited as a graph, place by place: every change is saved at once, checked, and can be undone.

Each change is a form that works without script; with it, only what changed of the page is drawn anew (`X-Part`). Who changes what another
saved meanwhile is told, and nothing is overwritten.
"""

import re
from typing import cast

from flask import Blueprint, Response, abort, current_app, flash, redirect, render_template, request, session, url_for
from flask.sansio.blueprints import BlueprintSetupState
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from appliance.ivr import editing, editing_lists, publishing
from appliance.ivr.editing import Added, Edited, Wrong
from appliance.ivr.flow import Flow
from appliance.ivr.prompts.catalogue import LANGS
from appliance.ivr.reading import write
from appliance.ivr.values import NAME
from appliance.store.flow_tables import FlowVersion
from appliance.store.models import database
from appliance.store.transaction import write_transaction
from drivers.errors import CarelineError
from webui import flow_desk, flow_prompts, flow_wishes, flow_words
from webui.flow_steps import StepsTaken, Whose
from webui.flow_words import Shown
from webui.rights import Right, needs
from webui.shared import i_may, me, say, shared

BODY_BYTES_MOST, TEXT_MOST, SEARCH_MOST = 64 * 1024, 200_000, 60
NOTHING = "nothing"
_COMMENT = re.compile(r"(^|\s)#", re.MULTILINE)

blueprint = Blueprint("flow_editor", __name__)


@blueprint.record
def _install(state: BlueprintSetupState) -> None:
    """Each application keeps its own steps."""
    state.app.extensions["flow_steps"] = StepsTaken()


def _steps() -> StepsTaken:
    return cast(StepsTaken, current_app.extensions["flow_steps"])


# --- a draft to begin with -----------------------------------------------------------------------------------------------


@blueprint.get("/flows-new")
@needs(Right.EDIT_FLOWS)
def ask_new() -> str:
    return render_template("flow_new.html", wrong={}, given={})


@blueprint.post("/flows-new")
@needs(Right.EDIT_FLOWS)
def make_new() -> AnyResponse:
    """A flow that was not there before, empty."""
    given = {name: request.form.get(name, "").strip() for name in ("name", "title_zh", "title_en")}
    if wrong := _wrong_new(given):
        return Response(render_template("flow_new.html", wrong=wrong, given=given), 422)
    titles = {lang: given[f"title_{lang}"] for lang in LANGS if given[f"title_{lang}"]}
    return _begun(given["name"], write(cast(Flow, editing.set_flow(editing.empty(given["name"]), {"title": titles}))))


def _wrong_new(given: dict[str, str]) -> dict[str, str]:
    name, found = given["name"], {}
    if not NAME.fullmatch(name) or len(name) > editing.NAME_MOST:
        found["name"] = flow_desk.wrong_words("name", "no_name")
    elif name in publishing.flow_names():
        found["name"] = flow_desk.wrong_words("name", "twice")
    for lang in LANGS:
        titled = editing.set_flow(editing.empty("new"), {"title": {lang: given[f"title_{lang}"]}})
        if isinstance(titled, Wrong):
            found[f"title_{lang}"] = flow_desk.wrong_words("title", titled.why)
    return found


@blueprint.post("/flows/<flow>/draw/begin")
@needs(Right.EDIT_FLOWS)
def begin(flow: str) -> AnyResponse:
    """A draft of a version that is there, or of nothing."""
    _must_exist(flow)
    wanted = request.form.get("from", "")
    if wanted == NOTHING:
        return _begun(flow, write(editing.empty(flow)))
    if not (wanted.isascii() and wanted.isdigit() and len(wanted) < 7):
        abort(400)
    return _begun(flow, flow_words.open_version(flow, int(wanted)).text)


def _begun(flow: str, text: str) -> AnyResponse:
    try:
        with write_transaction(database):
            publishing.save_draft(flow, text, me(), shared().clock.now())
    except CarelineError:  # somebody began one meanwhile: it is shown
        flash(say("flow_edit.there_already"), "warning")
    return redirect(url_for("flow_editor.show", flow=flow), 303)


# --- the page --------------------------------------------------------------------------------------------------------------


@blueprint.get("/flows/<flow>/draw")
@needs(Right.EDIT_FLOWS)
def show(flow: str) -> str:
    _must_exist(flow)
    draft = _draft(flow)
    if draft is None:
        return render_template("flow_begin.html", flow=flow, live=publishing.live_versions().get(flow), nothing=NOTHING)
    return _page(draft, request.args.get("place", ""))


@blueprint.get("/flows/<flow>/draw/saved")
@needs(Right.EDIT_FLOWS)
def saved(flow: str) -> dict[str, object]:
    """How often the draft was saved, and by whom last: for a page that has it open."""
    draft = _draft(flow)
    return {"saved": draft.saved if draft else 0, "by": draft.author if draft else ""}


@blueprint.post("/flows/<flow>/draw")
@needs(Right.EDIT_FLOWS)
def edit(flow: str) -> AnyResponse:
    """One change. What will not do is told at its field with 422, a draft that another saved meanwhile with 409."""
    draft = _draft(flow)
    if draft is None or request.form.get("saved", "") != str(draft.saved):
        return _conflict(flow, draft)
    shown = flow_words.open_version(flow, draft.version)
    chosen = request.form.get("chosen", request.form.get("place", ""))
    if shown.flow is None:
        return _answered(draft, chosen, 422)
    try:
        with write_transaction(database):
            changed = _changed(shown, draft)
            if isinstance(changed, Wrong):
                return _answered(draft, chosen, 422, changed)
            text, chosen = changed
            _keep(draft, text)
    except CarelineError:
        return _conflict(flow, _draft(flow))
    return _answered(draft, chosen, 200)


def _changed(shown: Shown, draft: FlowVersion) -> tuple[str, str] | Wrong:
    """The draft's new text, and the place that is chosen then."""
    wish, chosen = request.form.get("do", ""), request.form.get("chosen", request.form.get("place", ""))
    if wish in ("undo", "redo"):
        exchanged = _steps().undone if wish == "undo" else _steps().redone
        text = exchanged(_whose(draft), draft.saved, draft.text)
        return Wrong("", "no_step") if text is None else (text, chosen)
    flow = cast(Flow, shown.flow)
    edited = _said_newly(flow) if wish == "say_new" else flow_wishes.change(flow, request.form, shown.flows)
    if edited is None:
        abort(400)
    if isinstance(edited, Wrong):
        return edited
    if isinstance(edited, tuple):
        edited, chosen = edited
    elif wish == "rename":
        chosen = request.form.get("name", "").strip()
    text = draft.text if edited == flow else write(edited)
    return Wrong("", "too_large") if len(text) > TEXT_MOST else (text, chosen)


def _said_newly(flow: Flow) -> Edited | Added:
    """A text that was typed is said: it becomes a prompt."""
    place, field = request.form.get("place", ""), request.form.get("field", "")
    if not i_may(Right.EDIT_PROMPTS):
        return Wrong(field, "no_right")
    probe = editing_lists.say_more(flow, place, field, "probe")
    if isinstance(probe, Wrong):
        return probe
    name = f"{flow.flow}_{place}"
    made = flow_prompts.made_of({lang: request.form.get(f"new_{lang}", "") for lang in LANGS}, name, me(), shared().clock.now())
    return made if isinstance(made, Wrong) else editing_lists.say_more(flow, place, field, made)


def _keep(draft: FlowVersion, text: str) -> None:
    """Raises: FlowError APP-146 when another saved it meanwhile."""
    if text == draft.text:
        return
    wish, place = request.form.get("do", ""), request.form.get("place", "")
    before, count = draft.text, draft.saved
    row = publishing.save_draft(draft.flow, text, me(), shared().clock.now(), note=draft.note, saved=count)
    if wish not in ("undo", "redo"):
        _steps().took(_whose(draft), count, before, f"set {place}" if wish == "set" else "")
    draft.text, draft.saved, draft.author, draft.made_at = row.text, row.saved, row.author, row.made_at


def _answered(draft: FlowVersion, chosen: str, status: int, wrong: Wrong | None = None) -> AnyResponse:
    if status == 200 and not _is_part():
        return redirect(url_for("flow_editor.show", flow=draft.flow, place=chosen or None), 303)
    return Response(_page(draft, chosen, wrong), status)


def _conflict(flow: str, draft: FlowVersion | None) -> AnyResponse:
    """Nothing was saved; what was typed stays in the browser's page, or is shown here."""
    told = {"flow": flow, "by": draft.author if draft else "", "typed": flow_desk.form_of(request.form)}
    return Response(render_template("parts/flow_conflict.html" if _is_part() else "flow_conflict.html", **told), 409)


def _page(draft: FlowVersion, place: str, wrong: Wrong | None = None) -> str:
    shown = flow_words.open_version(draft.flow, draft.version)
    found = {"field": request.args.get("field", ""), "wanted": request.args.get("q", "")[:SEARCH_MOST]}
    told = flow_desk.page_of(shown, place, **found) if shown.flow else {"faults": shown.faults}
    undo, redo = _steps().counts(_whose(draft), draft.saved)
    told |= {"shown": shown, "draft": draft, "undo": undo, "redo": redo, "has_comments": bool(_COMMENT.search(draft.text))}
    told |= {"wrong": wrong, "wrong_words": flow_desk.wrong_words(wrong.field, wrong.why) if wrong else ""}
    typed = flow_desk.form_of(request.form) if wrong else {}
    return render_template("parts/flow_desk.html" if _is_part() else "flow_draw.html", typed=typed, **told)


def _is_part() -> bool:
    return "X-Part" in request.headers


def _whose(draft: FlowVersion) -> Whose:
    return str(session["key"]), str(draft.flow), int(draft.version)


def _draft(flow: str) -> FlowVersion | None:
    row: FlowVersion | None = FlowVersion.get_or_none(FlowVersion.flow == flow, FlowVersion.state == publishing.DRAFT)
    return row


def _must_exist(flow: str) -> None:
    if flow not in publishing.flow_names():
        raise NotFound
