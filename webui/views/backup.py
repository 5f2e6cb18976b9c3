"""Backups: what was made and when, making, checking, restoring and fetching them, the recovery words. The box service does all of it; this
page asks. While a job runs the page loads itself again. Where backups go is set up in backup_places.py.
"""

import re
import uuid
from pathlib import Path

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response as AnyResponse

from appliance.hospital.slips import qr
from appliance.store import accounts
from appliance.system.backup.messages import (
    AskBackups,
    AskBackupSettings,
    AskBackupState,
    AskBackupWords,
    BackupFetched,
    BackupList,
    BackupSettings,
    BackupSettingsTold,
    BackupState,
    BackupWords,
    CancelBackupJob,
    ConfirmRestore,
    FetchBackup,
    MakeBackup,
    NewBackupWords,
    RemoveBackup,
    RestoreBackup,
    RestorePhase,
    RestoreRecordings,
    UndoRestore,
    VerifyBackup,
)
from appliance.system.client import SystemClient
from appliance.system.messages import SystemRequest
from drivers.errors import CarelineError
from webui import uploads
from webui.asking import refused
from webui.box_asking import do_in_box, told_by_box
from webui.rights import Right, needs
from webui.shared import audit, me, say, shared

AGAIN_S = 3
LIMIT_S = 90.0
NAME = re.compile(r"careline-[a-z0-9-]{1,40}-\d{8}T\d{6}Z-(nightly|by-hand)\.age")
UPLOAD = re.compile(r"[0-9a-f]{32}")
TARGET_MOST, WORDS_MOST = 30, 100

blueprint = Blueprint("backup", __name__)


@blueprint.get("/backup")
@needs(Right.MANAGE_BACKUPS)
def show() -> Response:
    state, told, there = _looked(request.args.get("at", ""))
    upload = request.args.get("upload", "")
    page = render_template(
        "backup.html",
        state=state,
        told=told,
        there=there,
        at=request.args.get("at", ""),
        upload=upload if UPLOAD.fullmatch(upload) else "",
    )
    answer = Response(page, mimetype="text/html")
    if state.job and not state.job.ended_at:
        answer.headers["Refresh"] = str(AGAIN_S)
    return answer


def _looked(at: str) -> tuple[BackupState, BackupSettingsTold, BackupList | None]:
    """Without the box service, or a place that is not there, the rest of the page is as it can be."""
    state, told = NOTHING, NO_SETTINGS
    try:
        with SystemClient(shared().config.paths.system_socket, "web") as box:
            state = box.ask(AskBackupState(by=me().name), BackupState)
            told = box.ask(AskBackupSettings(by=me().name), BackupSettingsTold)
            there = box.ask(AskBackups(target=at[:TARGET_MOST], by=me().name), BackupList, LIMIT_S) if at else None
    except CarelineError as error:
        refused(error)
        there = None
    return state, told, there


NOTHING = BackupState(
    request_id=0,
    nightly=False,
    next_at=None,
    last_good_at=None,
    job=None,
    history=(),
    has_words=False,
    words_seen=False,
    restore=RestorePhase.NONE,
)
NO_SETTINGS = BackupSettingsTold(
    request_id=0, settings=BackupSettings(), revision=0, changed_by="", changed_at=None, public_key="", with_password=()
)


# --- jobs ---------------------------------------------------------------------------------------------------------------


@blueprint.post("/backup/make")
@needs(Right.MANAGE_BACKUPS)
def make() -> AnyResponse:
    with_recordings = request.form.get("recordings") == "1"
    return _do(MakeBackup(target=_target(), recordings=with_recordings or None, wait=False, by=me().name), "backup_begun", _target())


@blueprint.post("/backup/verify")
@needs(Right.MANAGE_BACKUPS)
def verify() -> AnyResponse:
    return _do(VerifyBackup(target=_target(), name=_name(), words=_words(), wait=False, by=me().name), "backup_verified", _name())


@blueprint.post("/backup/cancelled")
@needs(Right.MANAGE_BACKUPS)
def cancel() -> AnyResponse:
    return _do(CancelBackupJob(by=me().name), "backup_cancelled")


@blueprint.post("/backup/restore")
@needs(Right.MANAGE_BACKUPS)
def restore() -> AnyResponse:
    if not _is_me():
        return _back()
    upload = request.form.get("upload", "")
    if upload and not UPLOAD.fullmatch(upload):
        abort(400)
    name, target = ("", "") if upload else (_name(), _target())
    asked = RestoreBackup(
        target=target,
        name=name,
        upload=upload,
        words=_words(),
        configuration=request.form.get("configuration") == "1",
        recordings=request.form.get("recordings") == "1",
        wait=False,
        by=me().name,
    )
    return _do(asked, "backup_restored", name or say("backup.uploaded_one"))


@blueprint.post("/backup/recordings")
@needs(Right.MANAGE_BACKUPS)
def recordings() -> AnyResponse:
    return _do(RestoreRecordings(target=_target(), words=_words(), wait=False, by=me().name), "recordings_restored", _target())


@blueprint.post("/backup/confirmed")
@needs(Right.MANAGE_BACKUPS)
def confirm() -> AnyResponse:
    return _do(ConfirmRestore(by=me().name), "restore_confirmed")


@blueprint.post("/backup/undone")
@needs(Right.MANAGE_BACKUPS)
def undo() -> AnyResponse:
    return _do(UndoRestore(by=me().name), "restore_undone") if _is_me() else _back()


@blueprint.post("/backup/removed")
@needs(Right.MANAGE_BACKUPS)
def remove() -> AnyResponse:
    return _do(RemoveBackup(target=_target(), name=_name(), by=me().name), "backup_removed", _name())


@blueprint.post("/backup/download")
@needs(Right.MANAGE_BACKUPS)
def download() -> AnyResponse:
    """It stays sealed: without the words nobody reads it."""
    found = told_by_box(FetchBackup(target=_target(), name=_name(), by=me().name), BackupFetched, LIMIT_S)
    if found is None:
        return _back()
    audit("backup_downloaded", _name())
    return send_file(Path(found.path), mimetype="application/octet-stream", as_attachment=True, download_name=_name())


@blueprint.post("/backup/upload")
@needs(Right.MANAGE_BACKUPS)
def upload() -> AnyResponse:
    given = request.files.get("file")
    if given is None or not given.filename:
        flash(say("backup.no_file"), "danger")
        return _back()
    name = uuid.uuid4().hex
    uploads.keep(given, name)
    audit("backup_uploaded", given.filename[:100])
    return redirect(url_for("backup.show", upload=name, _anchor="uploaded"), 303)


# --- recovery words -----------------------------------------------------------------------------------------------------


@blueprint.post("/backup/words")
@needs(Right.MANAGE_BACKUPS)
def show_words() -> AnyResponse | str:
    """To be printed or written down; never on a page that stays."""
    if not _is_me():
        return _back()
    asked = NewBackupWords(by=me().name) if request.form.get("new") == "1" else AskBackupWords(by=me().name)
    found = told_by_box(asked, BackupWords)
    if found is None:
        return _back()
    audit("backup_words_new" if request.form.get("new") == "1" else "backup_words_shown")
    return render_template("backup_words.html", found=found, qr=qr.svg(found.words))


def _is_me() -> bool:
    """The person's own password, anew; as often as one may try to sign in."""
    if not shared().sign_in_limit.allows(f"own {me().id}"):
        abort(429)
    if accounts.matches(me(), request.form.get("password", "")):
        return True
    flash(say("fault.password_current"), "danger")
    return False


def _target() -> str:
    return request.form.get("target", "")[:TARGET_MOST]


def _name() -> str:
    name = request.form.get("name", "")
    return name if NAME.fullmatch(name) else abort(400)


def _words() -> str:
    return request.form.get("words", "")[:WORDS_MOST]


def _do(asked: SystemRequest, action: str, subject: str = "") -> AnyResponse:
    do_in_box(asked, action, subject, LIMIT_S)
    return _back()


def _back() -> AnyResponse:
    return redirect(url_for("backup.show"), 303)
