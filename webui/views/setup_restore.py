"""A box that nobody has set up yet is restored from a backup instead: by whoever can read the set-up code on the server's console.

The code is typed first and noted in the session, so that nobody else fills the disk with uploads. With the restored accounts this page is
gone.
"""

import uuid

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response as AnyResponse

from appliance.store.models import Account
from appliance.system.backup.messages import AskBackupState, BackupState, RestoreBackup
from appliance.system.client import SystemClient
from drivers.errors import CarelineError
from webui import secret, uploads
from webui.asking import refused
from webui.rights import anyone
from webui.shared import say, shared

AGAIN_S = 3
WORDS_MOST = 100
BY = "setup"

blueprint = Blueprint("setup_restore", __name__)


@blueprint.get("/setup/restore")
@anyone
def show() -> AnyResponse:
    if Account.select().exists():
        return redirect(url_for("account.sign_in"))
    state = _state() if uploads.may_set_up() else None
    page = render_template("setup_restore.html", state=state, knows=uploads.may_set_up(), code_file=_code_file(), faults={})
    answer = Response(page, mimetype="text/html")
    if state and state.job and not state.job.ended_at:
        answer.headers["Refresh"] = str(AGAIN_S)
    return answer


@blueprint.post("/setup/restore")
@anyone
def check_code() -> AnyResponse:
    if Account.select().exists():
        return redirect(url_for("account.sign_in"), 303)
    if not shared().setup_limit.allows(request.remote_addr or ""):
        abort(429)
    if not secret.same_code(request.form.get("code", ""), secret.setup_code(shared().data_dir)):
        faults = {"code": say("fault.setup_code")}
        return Response(render_template("setup_restore.html", state=None, knows=False, code_file=_code_file(), faults=faults), 422)
    session[uploads.SET_UP] = True
    return _back()


@blueprint.post("/setup/restore/file")
@anyone
def take() -> AnyResponse:
    if Account.select().exists() or not uploads.may_set_up():
        return redirect(url_for("account.sign_in"), 303)
    given = request.files.get("file")
    if given is None or not given.filename:
        flash(say("backup.no_file"), "danger")
        return _back()
    name = uuid.uuid4().hex
    uploads.keep(given, name)
    asked = RestoreBackup(upload=name, words=request.form.get("words", "")[:WORDS_MOST], wait=False, by=BY)
    try:
        with SystemClient(shared().config.paths.system_socket, "web") as box:
            box.do(asked)
    except CarelineError as error:
        uploads.discard(name)
        refused(error)
    return _back()


def _state() -> BackupState | None:
    try:
        with SystemClient(shared().config.paths.system_socket, "web") as box:
            return box.ask(AskBackupState(by=BY), BackupState)
    except CarelineError as error:
        refused(error)
        return None


def _code_file() -> str:
    return str(secret.setup_code_file(shared().data_dir))


def _back() -> AnyResponse:
    return redirect(url_for("setup_restore.show"), 303)
