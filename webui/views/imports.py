"""Files of the hospital's data: uploaded, tried without saving, and what the trial showed applied by a second step.

Between the two the file lies in the data folder, for whoever uploaded it, a day at most. A file is read outside of any transaction.
"""

import re
import secrets
import time
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from appliance.hospital.imports import trial
from appliance.hospital.imports.kinds import KINDS
from appliance.hospital.imports.reading import FILE_BYTES_MOST
from appliance.hospital.imports.row import FileRefused
from appliance.hospital.imports.subjects import Setting
from appliance.hospital.imports.trial import Trial
from appliance.store.models import database
from appliance.store.transaction import read_transaction, write_transaction
from webui.errors import WebError
from webui.fields import given, words_of
from webui.rights import Right, needs
from webui.shared import audit, i_may, language, me, say, shared

KEPT_S = 24 * 3600
PATIENTS = frozenset({"patients", "cards"})
"""Kinds for which one must be allowed to change patients, too."""
KEY = re.compile(r"[0-9a-f]{32}")

blueprint = Blueprint("imports", __name__)


def install(app: Flask) -> None:
    """A file is larger than any other form."""

    @app.url_value_preprocessor
    def allow(endpoint: str | None, _: object) -> None:
        if endpoint == "imports.try_file":
            request.max_content_length = FILE_BYTES_MOST


@blueprint.get("/hospital/import")
@needs(Right.EDIT_HOSPITAL)
def show() -> str:
    return _page(request.args.get("kind", ""), {}, None, "")


def _page(kind: str, faults: dict[str, str], tried: Trial | None, key: str) -> str:
    kinds = [name for name in KINDS if name not in PATIENTS or i_may(Right.EDIT_PATIENTS)]
    columns = {name: [titles[language() == "en"] for titles in KINDS[name].columns.values()] for name in kinds}
    shown = {"kinds": kinds, "columns": columns, "kind": kind, "faults": faults, "tried": tried, "key": key, "words_of": words_of}
    return render_template("import.html", **shown)


@blueprint.post("/hospital/import")
@needs(Right.EDIT_HOSPITAL)
def try_file() -> AnyResponse:
    kind, file = _kind(request.form.get("kind", "")), request.files.get("file")
    if file is None or not file.filename:
        return Response(_page(kind, {"file": say("money.no_file")}, None, ""), 422)
    content = file.stream.read(FILE_BYTES_MOST + 1)
    read = trial.read_file(kind, content, _setting())
    if isinstance(read, FileRefused):
        return Response(_page(kind, {"file": read.text("en" if language() == "en" else "zh")}, None, ""), 422)
    with read_transaction(database):
        tried = trial.compare(read)
    key = "" if tried.fault_count else _keep(content)
    return Response(_page(kind, {}, tried, key), 422 if tried.fault_count else 200)


@blueprint.post("/hospital/import/applied")
@needs(Right.EDIT_HOSPITAL)
def apply() -> AnyResponse:
    form = given()
    kind, path = _kind(form.get("kind", "")), _path(form.get("key", ""))
    if not path.is_file():
        flash(say("imports.gone"), "danger")
        return redirect(url_for("imports.show", kind=kind), 303)
    setting = _setting()
    read = trial.read_file(kind, path.read_bytes(), setting)
    if isinstance(read, FileRefused):
        abort(400)
    with write_transaction(database):
        saved = trial.save(read, setting)
        if saved.saved:
            audit("file_imported", kind, f"{saved.new} new, {saved.changed} changed")
    if not saved.saved:  # the store has changed since the trial
        return Response(_page(kind, {}, saved, ""), 422)
    path.unlink(missing_ok=True)
    flash(say("imports.saved", new=saved.new, changed=saved.changed))
    if saved.held:
        flash(say("prices.file_waiting", count=saved.held))
    return redirect(url_for("imports.show", kind=kind), 303)


def _setting() -> Setting:
    four_eyes = shared().config.hospital.four_eyes
    return Setting(now=shared().clock.now(), zone=shared().zone, by=me().name, normalise=shared().normalise, four_eyes=four_eyes)


def _kind(name: str) -> str:
    if name not in KINDS:
        abort(400)
    if name in PATIENTS and not i_may(Right.EDIT_PATIENTS):
        abort(403)
    return name


def _folder() -> Path:
    return shared().data_dir / "imports"


def _path(key: str) -> Path:
    """Of a file this account uploaded."""
    return _folder() / f"{me().id}-{key}" if KEY.fullmatch(key) else abort(400)


def _keep(content: bytes) -> str:
    """For the second step. Raises: WebError WEB-013."""
    key = secrets.token_hex(16)
    try:
        _folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        _forget_old()
        path = _path(key)
        path.touch(mode=0o600)
        path.write_bytes(content)
    except OSError as error:
        raise WebError("WEB-013", f"cannot keep the upload: {error.strerror}", "Check free space and rights of the data folder") from error
    return key


def _forget_old() -> None:
    for old in _folder().iterdir():
        if old.stat().st_mtime < time.time() - KEPT_S:
            old.unlink(missing_ok=True)
