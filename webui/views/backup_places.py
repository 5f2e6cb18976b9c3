"""Where backups go, when, and how many are kept: the settings of the box service, changed with who changed them."""

import re
from collections.abc import Callable

import msgspec
from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance.system.backup.messages import (
    AskBackupSettings,
    AskHostKey,
    AskUsbDisks,
    BackupSettings,
    BackupSettingsTold,
    EjectDisk,
    HostKey,
    ProbeTarget,
    SetBackupSettings,
    SetTargetPassword,
    Target,
    TargetKind,
    TargetProbed,
    UndoBackupSettings,
    UsbDisks,
)
from appliance.system.client import SystemClient
from appliance.system.messages import SystemRequest
from drivers.errors import CarelineError
from webui.asking import refused
from webui.box_asking import do_in_box, told_by_box
from webui.page import size
from webui.rights import Right, needs
from webui.shared import audit, me, say, shared

LIMIT_S = 90.0
NUMBER = re.compile(r"[0-9]{1,5}", re.ASCII)
KEPT = ("keep_days", "keep_weeks", "keep_months", "keep_by_hand")
TEXTS = ("name", "path", "label", "source", "file_system", "options", "host", "user", "host_key")
TEXT_MOST = 2000

blueprint = Blueprint("backup_places", __name__)


@blueprint.get("/backup/places")
@needs(Right.MANAGE_BACKUPS)
def show() -> str:
    return _page(Target(name="", kind=TargetKind.USB), None)


def _page(target: Target, key: HostKey | None) -> str:
    """`target`: what the form for a new place has in it."""
    told, disks = NO_SETTINGS, UsbDisks(request_id=0, disks=())
    try:
        with SystemClient(shared().config.paths.system_socket, "web") as box:
            told = box.ask(AskBackupSettings(by=me().name), BackupSettingsTold)
            disks = box.ask(AskUsbDisks(by=me().name), UsbDisks, LIMIT_S)
    except CarelineError as error:
        refused(error)
    kinds = [kind.value for kind in TargetKind]
    return render_template("backup_places.html", told=told, disks=disks.disks, target=target, key=key, kinds=kinds, kept=KEPT)


NO_SETTINGS = BackupSettingsTold(
    request_id=0, settings=BackupSettings(), revision=0, changed_by="", changed_at=None, public_key="", with_password=()
)


@blueprint.post("/backup/settings")
@needs(Right.MANAGE_BACKUPS)
def change() -> Response:
    form = request.form
    changes = {
        "nightly": form.get("nightly") == "1",
        "at": form.get("at", ""),
        "nightly_to": tuple(form.getlist("nightly_to"))[:20],
        "recordings": form.get("recordings") == "1",
        "keys": form.get("keys") == "1",
        **{field: _number(form.get(field, "")) for field in KEPT},
    }
    return _change(lambda now: msgspec.structs.replace(now, **changes), "backup_set_up", "")


@blueprint.post("/backup/settings/undone")
@needs(Right.MANAGE_BACKUPS)
def undo() -> Response:
    return _do(UndoBackupSettings(by=me().name), "backup_settings_undone")


@blueprint.post("/backup/places/added")
@needs(Right.MANAGE_BACKUPS)
def add() -> Response | str:
    """An SFTP machine's host key is shown first, for a person to compare; the second time it comes with the form."""
    target = _asked()
    if target.kind is TargetKind.SFTP and not target.host_key:
        return _page(target, _host_key(target))

    def with_it(now: BackupSettings) -> BackupSettings:
        others = (each for each in now.targets if each.name != target.name)
        return msgspec.structs.replace(now, targets=(*others, target))

    return _change(with_it, "backup_place_added", target.name)


def _host_key(target: Target) -> HostKey | None:
    return told_by_box(AskHostKey(host=target.host, port=target.port, by=me().name), HostKey)


@blueprint.post("/backup/places/removed")
@needs(Right.MANAGE_BACKUPS)
def remove() -> Response:
    name = _name()

    def without(now: BackupSettings) -> BackupSettings:
        left = tuple(each for each in now.targets if each.name != name)
        nightly_to = tuple(each for each in now.nightly_to if each != name)
        return msgspec.structs.replace(now, targets=left, nightly_to=nightly_to, nightly=now.nightly and bool(nightly_to))

    return _change(without, "backup_place_removed", name)


@blueprint.post("/backup/places/password")
@needs(Right.MANAGE_BACKUPS)
def set_password() -> Response:
    password = request.form.get("password", "")[:TEXT_MOST]
    return _do(SetTargetPassword(target=_name(), password=password, by=me().name), "backup_password_set", _name())


@blueprint.post("/backup/places/tried")
@needs(Right.MANAGE_BACKUPS)
def probe() -> Response:
    found = told_by_box(ProbeTarget(target=_name(), by=me().name), TargetProbed, LIMIT_S)
    if found is not None:
        flash(say("backup.place_well", name=_name(), free=size(found.free) if found.free is not None else "?"))
    return _back()


@blueprint.post("/backup/disks/let-go")
@needs(Right.MANAGE_BACKUPS)
def eject() -> Response:
    device = request.form.get("device", "")
    return (
        _do(EjectDisk(device=device, by=me().name), "disk_let_go", device) if re.fullmatch(r"/dev/[a-z0-9]{1,20}", device) else abort(400)
    )


def _asked() -> Target:
    form = request.form
    kind = form.get("kind", "")
    if kind not in [each.value for each in TargetKind]:
        abort(400)
    texts = {field: form.get(field, "").strip()[:TEXT_MOST] for field in TEXTS}
    return Target(kind=TargetKind(kind), port=_number(form.get("port", "") or "22"), **texts)


def _number(text: str) -> int:
    return int(text) if NUMBER.fullmatch(text) else -1


def _name() -> str:
    return request.form.get("name", "")[:40]


def _change(how: Callable[[BackupSettings], BackupSettings], action: str, subject: str) -> Response:
    """Of the settings as the page had them: its revision comes with the form."""
    revision = _number(request.form.get("revision", ""))
    try:
        with SystemClient(shared().config.paths.system_socket, "web") as box:
            told = box.ask(AskBackupSettings(by=me().name), BackupSettingsTold)
            box.ask(SetBackupSettings(settings=how(told.settings), revision=revision, by=me().name), BackupSettingsTold)
    except CarelineError as error:
        refused(error)
        return _back()
    audit(action, subject)
    flash(say(f"action.{action}", subject=subject))
    return _back()


def _do(asked: SystemRequest, action: str, subject: str = "") -> Response:
    do_in_box(asked, action, subject, LIMIT_S)
    return _back()


def _back() -> Response:
    return redirect(url_for("backup_places.show"), 303)
