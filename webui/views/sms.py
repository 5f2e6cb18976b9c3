"""Text messages: how the modem is, what went out and what came of it, what came in, a test message. What is unclear is decided here.

Numbers and texts are whole only for who may see them (unmask): they are patients'.
"""

import json
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from appliance.hospital import masking
from appliance.hospital.registry.form import Form
from appliance.peripherals import wishes
from appliance.store.models import database
from appliance.store.outgoing import OutgoingMessage
from appliance.store.peripheral_tables import PeripheralState, SmsPart, SmsReceived, SmsReceivedPart
from appliance.store.transaction import write_transaction
from webui.fields import given, words_of
from webui.paging import Pages
from webui.rights import Right, needs
from webui.shared import audit, i_may, me, say, shared

STATES = ("waiting", "sent", "delivered", "failed", "unclear")
SILENT = timedelta(minutes=2)
TEXT_MOST = 300
DIGITS = range(3, 21)
UNREAD_SHOWN = 20

blueprint = Blueprint("sms", __name__)


@blueprint.get("/sms")
@needs(Right.MANAGE_PERIPHERALS)
def show() -> str:
    return _page({}, {})


def _page(faults: dict[str, str], values: dict[str, str]) -> str:
    incoming = request.args.get("box") == "in"
    pages = Pages.of(_received() if incoming else _sent(), request.args.get("page"))
    return render_template(
        "sms.html",
        pages=pages,
        incoming=incoming,
        states=STATES,
        asked=request.args,
        modem=standing("sms"),
        whole=i_may(Right.UNMASK),
        phone=_phone,
        parts={} if incoming else _parts(pages),
        unread=SmsReceivedPart.select().where(SmsReceivedPart.error != "").order_by(SmsReceivedPart.id.desc()).limit(UNREAD_SHOWN),
        faults=faults,
        values=values,
    )


def standing(name: str) -> dict[str, Any] | None:
    """How a peripheral was told to be, with its facts; `silent`: not lately. None: it is not switched on."""
    row = PeripheralState.get_or_none(PeripheralState.name == name)
    if row is None:
        return None
    return {"row": row, "facts": json.loads(row.facts), "silent": row.at < shared().clock.now() - SILENT}


def _phone(number: str) -> str:
    return masking.phone(number, masked=not i_may(Right.UNMASK))


def _sent() -> Any:
    query = OutgoingMessage.select().where(OutgoingMessage.channel == "sms").order_by(OutgoingMessage.id.desc())
    wanted = request.args.get("state", "")
    return query.where(OutgoingMessage.state == wanted) if wanted in STATES else query


def _received() -> Any:
    return SmsReceived.select().order_by(SmsReceived.id.desc())


def _parts(pages: Pages) -> dict[int, list[SmsPart]]:
    """Of the messages shown, by message."""
    rows = [row.id for row in pages.rows]
    found: dict[int, list[SmsPart]] = {}
    for part in SmsPart.select(SmsPart, OutgoingMessage).join(OutgoingMessage).where(SmsPart.message.in_(rows)).order_by(SmsPart.number):
        found.setdefault(part.message.id, []).append(part)
    return found


@blueprint.post("/sms/test")
@needs(Right.MANAGE_PERIPHERALS)
def send_test() -> AnyResponse:
    form = Form(given())
    to = shared().normalise(form.text("to", 24, required=True))
    text = form.text("text", TEXT_MOST, required=True)
    if to and not (to.isascii() and to.isdigit() and len(to) in DIGITS):
        form.fault("to", "phone")
    if form.faults:
        return Response(_page({fault.field: words_of(fault) for fault in reversed(form.faults)}, given()), 422)
    with write_transaction(database):
        wishes.send_test(to, text, me().name, shared().clock.now())
        audit("sms_tested", masking.phone(to, masked=True))
    flash(say("sms.test_waits"))
    return redirect(url_for("sms.show"), 303)


@blueprint.post("/sms/<int:number>/again")
@needs(Right.MANAGE_PERIPHERALS)
def send_again(number: int) -> AnyResponse:
    with write_transaction(database):
        done = wishes.send_again(number, shared().clock.now())
        if done:
            audit("sms_again", str(number))
    return _told(done, "sms.waits_again")


@blueprint.post("/sms/<int:number>/leave")
@needs(Right.MANAGE_PERIPHERALS)
def leave(number: int) -> AnyResponse:
    with write_transaction(database):
        done = wishes.leave(number, me().name)
        if done:
            audit("sms_left", str(number))
    return _told(done, "sms.left")


@blueprint.post("/sms/in/<int:number>/read")
@needs(Right.MANAGE_PERIPHERALS)
def have_read(number: int) -> AnyResponse:
    if SmsReceived.get_or_none(SmsReceived.id == number) is None:
        abort(404)
    with write_transaction(database):
        wishes.have_read(number, me().name, shared().clock.now())
    return redirect(url_for("sms.show", box="in"), 303)


def _told(done: bool, key: str) -> AnyResponse:
    flash(say(key) if done else say("sms.otherwise"), "message" if done else "danger")
    return redirect(url_for("sms.show"), 303)
