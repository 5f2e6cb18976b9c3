"""Setting the lines up: the cards as they are found, each port's use, spans, trunk groups; checked, tried for a minute, kept or undone."""

from typing import Any

import msgspec
from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from appliance.control.client import APPLY_LIMIT_S, ControlClient
from appliance.control.messages import SettleLineSetup
from drivers.errors import CarelineError
from drivers.protocol import SetupTold
from webui import line_form
from webui.line_form import Setup
from webui.page import meaning, remedy
from webui.rights import Right, needs
from webui.shared import audit, me, say, shared

blueprint = Blueprint("line_setup", __name__)


@blueprint.get("/lines/setup")
@needs(Right.SET_UP_LINES)
def show() -> str:
    with _agent() as client:
        told = client.ask_setup(me().name)
    return _form(told, line_form.read(told))


@blueprint.post("/lines/setup/edit")
@needs(Right.SET_UP_LINES)
def edit() -> str:
    """The form again, with what was being checked."""
    setup = _sent_setup()
    with _agent() as client:
        return _form(client.ask_setup(me().name), setup)


@blueprint.post("/lines/setup/check")
@needs(Right.SET_UP_LINES)
def check() -> AnyResponse | str:
    with _agent() as client:
        told = client.ask_setup(me().name)
        setup = line_form.from_form(told, request.form)
        try:
            checked = client.try_setup(line_form.as_json(setup), False, me().name)
        except CarelineError as error:
            return Response(_form(told, setup, error), 422)
    text = line_form.as_json(setup).decode()
    return render_template("line_setup_check.html", view=shared().hub.view(), checked=checked, diff=checked.diff.splitlines(), setup=text)


@blueprint.post("/lines/setup/apply")
@needs(Right.SET_UP_LINES)
def apply() -> AnyResponse | str:
    setup = _sent_setup()
    with _agent() as client:
        try:
            client.try_setup(line_form.as_json(setup), True, me().name)
        except CarelineError as error:
            return Response(_form(client.ask_setup(me().name), setup, error), 422)
    audit("lines_set_up", me().name)
    flash(say("setup_lines.applied"))
    return redirect(url_for("lines.show"), 303)


@blueprint.post("/lines/setup/settle")
@needs(Right.SET_UP_LINES)
def settle() -> AnyResponse:
    keep = request.form.get("keep") == "1"
    try:
        with _agent() as client:
            client.request(SettleLineSetup(keep=keep, by=me().name), APPLY_LIMIT_S)
    except CarelineError as error:
        words = {"meaning": meaning(error.code, error.what), "remedy": remedy(error.code, error.remedy)}
        flash(say("action.failed", code=error.code, what=error.what, **words), "danger")
    else:
        audit("lines_set_up_kept" if keep else "lines_set_up_undone", me().name)
        flash(say("setup_lines.kept" if keep else "setup_lines.undone"))
    return redirect(url_for("lines.show"), 303)


def _agent() -> ControlClient:
    """Raises: ControlError, shown as a page of its own."""
    return ControlClient(shared().config.paths.control_socket)


def _sent_setup() -> Setup:
    try:
        return line_form.parsed(request.form.get("setup", ""))
    except msgspec.MsgspecError:
        abort(400)


def _form(told: SetupTold, setup: Setup, error: CarelineError | None = None) -> str:
    return render_template("line_setup.html", view=shared().hub.view(), told=told, setup=setup, error=error, **_tools())


def _tools() -> dict[str, Any]:
    """What the template works the form out with."""
    return {
        "use_of": line_form.use_of,
        "signalling_of": line_form.signalling_of,
        "table_of": line_form.table_of,
        "fields_of": line_form.fields_of,
        "groups_shown": line_form.groups_shown,
        "port_choices": line_form.port_choices,
        "slot_of": line_form.signalling_slot,
        "plan_of": line_form.plan_of,
    }
