"""Telephony cards: which there are, how far each is, what exactly it lacks; their firmware files, checked before one is kept or sent.

The box service asks and loads; nothing here touches a card.
"""

import uuid
from pathlib import Path
from typing import TypeVar

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response

from appliance.system.cards.messages import (
    INCOMING,
    AddFirmware,
    AskCards,
    CardsFound,
    CardsLoaded,
    FirmwareAdded,
    LoadCards,
    RemoveFirmware,
)
from drivers.protocol import CardLoaded, CardStage, CardsTold, Message
from webui.asking import refused
from webui.box_asking import do_in_box, told_by_box
from webui.errors import WebError
from webui.rights import Right, needs
from webui.shared import audit, me, say, shared

UPLOAD_BYTES_MOST = 16 * 1024 * 1024
NAME_MOST = 60
STAGES = {"usb": tuple(CardStage), "pci": (CardStage.FOUND, CardStage.DRIVER, CardStage.SPANS)}
NOBODY_FOUND = CardsTold(cards=(), files=())

M = TypeVar("M", bound=Message)
blueprint = Blueprint("cards", __name__)


def install(app: Flask) -> None:
    """A firmware file is larger than any other form."""

    @app.url_value_preprocessor
    def allow(endpoint: str | None, _: object) -> None:
        if endpoint == "cards.upload":
            request.max_content_length = UPLOAD_BYTES_MOST


@blueprint.get("/cards")
@needs(Right.MANAGE_CARDS)
def show() -> str:
    found = told_by_box(AskCards(by=me().name), CardsFound)
    told = found.told if found else NOBODY_FOUND
    return render_template("cards.html", told=told, there=found is not None, stages=STAGES)


@blueprint.post("/cards/load")
@needs(Right.MANAGE_CARDS)
def load() -> Response:
    port = request.form.get("port", "")[:NAME_MOST]
    done = told_by_box(LoadCards(port=port, by=me().name), CardsLoaded)
    if done is not None:
        audit("cards_loaded", port or say("cards.all"), "; ".join(_line(each) for each in done.loaded))
        for each in done.loaded:
            _tell(each)
        if not done.loaded:
            flash(say("cards.nothing_to_load"))
    return _back()


@blueprint.post("/cards/file")
@needs(Right.MANAGE_CARDS)
def upload() -> Response:
    given = request.files.get("file")
    if given is None or not given.filename:
        flash(say("cards.no_file"), "danger")
        return _back()
    name = request.form.get("name", "").strip()[:NAME_MOST] or Path(given.filename.replace("\\", "/")).name[:NAME_MOST]
    path = shared().data_dir / INCOMING / uuid.uuid4().hex
    try:
        _save(given, path)
        added = told_by_box(AddFirmware(path=str(path), name=name, by=me().name), FirmwareAdded)
    finally:
        path.unlink(missing_ok=True)
    if added is not None:
        audit("firmware_added", added.file.name, f"sha256 {added.file.sha256}")
        flash(say("action.firmware_added", subject=added.file.name))
    return _back()


@blueprint.post("/cards/file/removed")
@needs(Right.MANAGE_CARDS)
def remove() -> Response:
    name = request.form.get("name", "")[:NAME_MOST]
    do_in_box(RemoveFirmware(name=name, by=me().name), "firmware_removed", name)
    return _back()


def _save(given: FileStorage, target: Path) -> None:
    """For the box service to take. Raises: WebError WEB-013."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        given.save(target)
        target.chmod(0o660)
    except OSError as error:
        raise WebError("WEB-013", f"cannot keep the upload: {error.strerror}", "Check free space and rights of the data folder") from error


def _tell(each: CardLoaded) -> None:
    if each.fault is not None:
        refused(WebError(each.fault.code, each.fault.what, each.fault.remedy))
    else:
        flash(say("cards.is_now", where=each.where, name=each.name, stage=say(f"card_stage.{each.after}")))


def _line(each: CardLoaded) -> str:
    return f"{each.where}: {each.before} - {each.after}" + (f" {each.fault.code}" if each.fault else "")


def _back() -> Response:
    return redirect(url_for("cards.show"), 303)
