"""Updates of the box: what runs, what is installed and waits, uploads and sticks, restart, the way back, the history. The box service does
all of it; this page asks. While something is under way the page loads itself again.
"""

import re
from pathlib import Path

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance.system.client import SystemClient
from appliance.system.messages import SystemRequest
from appliance.system.update.messages import (
    RESTART_LIMIT_MIN_MOST,
    AskBundles,
    AskUpdate,
    BundleChecked,
    BundlesTold,
    CancelRestart,
    CheckBundle,
    DiscardUpload,
    GoBack,
    InstallUpdate,
    RestartWhenQuiet,
    SettleLeft,
    StayHere,
    UpdateTold,
)
from drivers.errors import CarelineError
from webui import uploads
from webui.asking import refused
from webui.box_asking import do_in_box
from webui.rights import Right, needs
from webui.shared import audit, me, say, shared

AGAIN_S = 3
LIMIT_S = 60.0
SUFFIX = ".raucb"
NAME_MOST = 70
WAITS_MIN = (0, 10, 30, 120, 720)
BUNDLE_MOST = 300

blueprint = Blueprint("update", __name__)


@blueprint.get("/update")
@needs(Right.MANAGE_UPDATES)
def show() -> Response | str:
    try:
        with SystemClient(shared().config.paths.system_socket, "web") as box:
            told = box.ask(AskUpdate(by=me().name), UpdateTold)
            bundles = box.ask(AskBundles(by=me().name), BundlesTold, LIMIT_S) if told.job is None else BundlesTold(bundles=())
    except CarelineError as error:
        refused(error)
        told, bundles = UpdateTold(version=""), BundlesTold(bundles=())
    page = Response(render_template("update.html", told=told, bundles=bundles, checked=None, waits=WAITS_MIN), mimetype="text/html")
    if told.job or told.restart:
        page.headers["Refresh"] = str(AGAIN_S)
    return page


@blueprint.post("/update/upload")
@needs(Right.MANAGE_UPDATES)
def upload() -> Response:
    given = request.files.get("file")
    if given is None or Path(given.filename or "").suffix.lower() != SUFFIX:
        flash(say("update.no_file"), "danger")
        return _back()
    name = re.sub(r"[^A-Za-z0-9._+-]+|^[^A-Za-z0-9]+", "-", Path(given.filename or "").stem)[:NAME_MOST].strip("-._+") or "update"
    uploads.keep(given, name + SUFFIX)
    audit("update_uploaded", name)
    flash(say("action.update_uploaded", subject=name))
    return _back()


@blueprint.post("/update/check")
@needs(Right.MANAGE_UPDATES)
def check() -> Response | str:
    try:
        with SystemClient(shared().config.paths.system_socket, "web") as box:
            told = box.ask(AskUpdate(by=me().name), UpdateTold)
            checked = box.ask(CheckBundle(bundle=_bundle(), by=me().name), BundleChecked, LIMIT_S)
    except CarelineError as error:
        refused(error)
        return _back()
    return render_template("update.html", told=told, bundles=BundlesTold(bundles=()), checked=checked, waits=WAITS_MIN)


@blueprint.post("/update/install")
@needs(Right.MANAGE_UPDATES)
def install() -> Response:
    older = request.form.get("older") == "1"
    return _do(InstallUpdate(bundle=_bundle(), older=older, background=True, by=me().name), "update_begun", _bundle())


@blueprint.post("/update/discard")
@needs(Right.MANAGE_UPDATES)
def discard() -> Response:
    name = request.form.get("name", "")[:BUNDLE_MOST]
    return _do(DiscardUpload(name=name, by=me().name), "update_discarded", name)


@blueprint.post("/update/restart")
@needs(Right.MANAGE_UPDATES)
def restart() -> Response:
    wait = request.form.get("wait", "")
    if not re.fullmatch(r"[0-9]{1,4}", wait, re.ASCII) or int(wait) > RESTART_LIMIT_MIN_MOST:
        abort(400)
    return _do(RestartWhenQuiet(limit_min=int(wait), by=me().name), "update_restart", wait)


@blueprint.post("/update/restart/cancelled")
@needs(Right.MANAGE_UPDATES)
def cancel() -> Response:
    return _do(CancelRestart(by=me().name), "update_restart_cancelled")


@blueprint.post("/update/back")
@needs(Right.MANAGE_UPDATES)
def go_back() -> Response:
    return _do(GoBack(by=me().name), "update_back")


@blueprint.post("/update/stay")
@needs(Right.MANAGE_UPDATES)
def stay() -> Response:
    return _do(StayHere(by=me().name), "update_stay")


@blueprint.post("/update/left")
@needs(Right.MANAGE_UPDATES)
def settle_left() -> Response:
    name = request.form.get("database", "")[:BUNDLE_MOST]
    return _do(SettleLeft(database=name, by=me().name), "update_left", name)


def _bundle() -> str:
    """Of an upload or a stick: a path of the box's own disk is for the console."""
    bundle = request.form.get("bundle", "")
    if not bundle.startswith(("upload:", "stick:")) or len(bundle) > BUNDLE_MOST:
        abort(400)
    return bundle


def _do(asked: SystemRequest, action: str, subject: str = "") -> Response:
    do_in_box(asked, action, subject, LIMIT_S)
    return _back()


def _back() -> Response:
    return redirect(url_for("update.show"), 303)
