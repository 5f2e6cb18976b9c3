"""Scratch cards: batches made, their secrets given out once, sold, voided, what has become of each card.

The secrets of a batch are in the answer to the form that makes it and nowhere else: the store keeps digests, no page shows them again.
"""

import csv
import io
import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from appliance.hospital.ledger import deposits, scratch_cards
from appliance.hospital.ledger.deposits import PrintedSecret
from appliance.hospital.ledger.posting import Cause
from appliance.hospital.registry.form import Form
from appliance.store.models import database
from appliance.store.money_tables import CardSecret, SecretBatch
from appliance.store.transaction import write_transaction
from webui.fields import Field, given, words_of, yuan
from webui.paging import Pages
from webui.rights import Right, needs
from webui.shared import audit, me, say, shared

KEY_MOST = 40
THREADS = 2
SERIAL_DIGITS = 10
FIELDS = (
    Field(name="count", kind="number", required=True, most=4),
    Field(name="value", kind="money", required=True, most=8),
    Field(name="note", most=scratch_cards.NOTE_MOST, wide=True),
)
RANGE = (
    Field(name="first_serial", kind="digits", required=True, most=SERIAL_DIGITS),
    Field(name="last_serial", kind="digits", required=True, most=SERIAL_DIGITS),
)

blueprint = Blueprint("scratch_cards", __name__)


@blueprint.get("/money/scratch-cards")
@needs(Right.SEE_LEDGER)
def show() -> str:
    return _list({}, {"count": "100"})


def _list(faults: Mapping[str, str], values: Mapping[str, str]) -> str:
    pages = Pages.of(SecretBatch.select().order_by(SecretBatch.id.desc()), request.args.get("page"))
    shown = {"pages": pages, "batches": scratch_cards.counted(pages.rows), "fields": FIELDS, "once": secrets.token_urlsafe(16)}
    return render_template("scratch_cards.html", faults=faults, values=values, states=scratch_cards.STATES, **shown)


@blueprint.post("/money/scratch-cards")
@needs(Right.MAKE_SCRATCH_CARDS)
def make() -> AnyResponse:
    """A new batch; the answer has its secrets, as a page to print or as a file."""
    form = Form(given())
    count = form.number("count", 1, scratch_cards.BATCH_MOST, 0)
    value_fen = form.money_fen("value", required=True, most_fen=scratch_cards.VALUE_FEN_MOST)
    note = form.text("note", scratch_cards.NOTE_MOST)
    for name, value in (("count", count), ("value", value_fen)):
        if not value and not any(fault.field == name for fault in form.faults):
            form.fault(name, "required")
    if form.faults:
        return Response(_list({fault.field: words_of(fault) for fault in form.faults}, given()), 422)
    with ThreadPoolExecutor(THREADS) as threads:  # a digest is slow on purpose
        fresh = [deposits.new_secret() for _ in range(count)]
        made = list(zip(fresh, threads.map(deposits.digest_of, fresh), strict=True))
    once_key = f"{me().name} {given().get('once', '')[:KEY_MOST] or secrets.token_urlsafe(16)}"
    with write_transaction(database):
        outcome = scratch_cards.make(made, value_fen, note, once_key, shared().clock.now(), me().name)
        if outcome is not None:
            audit("scratch_cards_made", f"batch {outcome[0].id}", f"{count} x {yuan(value_fen)}")
    if outcome is None:
        flash(say("scratch.made_before"), "danger")
        return redirect(url_for("scratch_cards.show"), 303)
    return _given_out(*outcome)


def _given_out(batch: SecretBatch, printed: list[PrintedSecret]) -> AnyResponse:
    cards = [(card.serial, " ".join(card.secret[at : at + 4] for at in range(0, len(card.secret), 4))) for card in printed]
    if given().get("as") != "file":
        return Response(render_template("scratch_print.html", batch=batch, cards=cards))
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow([say("scratch.serial"), say("scratch.secret"), say("field.value")])
    lines.writerows((serial, secret, yuan(batch.value_fen)) for serial, secret in cards)
    named = {"Content-Disposition": f"attachment; filename=scratch-cards-{batch.first_serial}-{batch.last_serial}.csv"}
    return Response(text.getvalue().encode("utf-8-sig"), mimetype="text/csv", headers=named)


@blueprint.get("/money/scratch-cards/<int:number>")
@needs(Right.SEE_LEDGER)
def one(number: int) -> str:
    return _page(_batch(number), "", {}, {})


def _page(batch: SecretBatch, wrong: str, faults: Mapping[str, str], values: Mapping[str, str]) -> str:
    """`faults` and `values` belong to the form called `wrong`."""
    query = scratch_cards.cards_of(batch)
    state = request.args.get("state", "")
    pages = Pages.of(query.where(CardSecret.state == state) if state in scratch_cards.STATES else query, request.args.get("page"))
    whole = {"first_serial": batch.first_serial, "last_serial": batch.last_serial}
    shown = {"batch": scratch_cards.counted([batch])[0], "pages": pages, "states": scratch_cards.STATES, "state": state, "whole": whole}
    return render_template(
        "scratch_batch.html", fields=RANGE, wrong=wrong, faults=faults, values=values, once=secrets.token_urlsafe(16), **shown
    )


@blueprint.post("/money/scratch-cards/<int:number>/sold")
@needs(Right.TAKE_MONEY)
def sell(number: int) -> AnyResponse:
    """For cash, into the till of whoever sells them."""
    batch = _batch(number)
    first, last, faults = _range(batch)
    if faults:
        return Response(_page(batch, "sold", faults, given()), 422)
    once = f"{me().name} {given().get('once', '')[:KEY_MOST] or secrets.token_urlsafe(16)}"
    with write_transaction(database):
        count = scratch_cards.sell(batch, first, last, once, shared().clock.now(), Cause(by=me().name))
        if count:
            audit("scratch_cards_sold", f"batch {batch.id}", f"{first}-{last}: {count}")
    flash(say("scratch.sold_now", count=count, amount=yuan(count * batch.value_fen)) if count else say("scratch.none_unsold"))
    return _back(batch)


@blueprint.post("/money/scratch-cards/<int:number>/voided")
@needs(Right.MAKE_SCRATCH_CARDS)
def void(number: int) -> AnyResponse:
    batch = _batch(number)
    first, last, faults = _range(batch)
    if faults:
        return Response(_page(batch, "voided", faults, given()), 422)
    with write_transaction(database):
        count = scratch_cards.void(batch, first, last)
        audit("scratch_cards_voided", f"batch {batch.id}", f"{first}-{last}: {count}")
    flash(say("scratch.voided_now", count=count))
    return _back(batch)


def _range(batch: SecretBatch) -> tuple[str, str, dict[str, str]]:
    """The serials of the form, in full, and what is wrong with them: they lie within the batch."""
    form = Form(given())
    first, last = (form.digits(name, 1, SERIAL_DIGITS).zfill(SERIAL_DIGITS) for name in ("first_serial", "last_serial"))
    if not form.faults:
        for name, serial in (("first_serial", first), ("last_serial", last)):
            if not batch.first_serial <= serial <= batch.last_serial:
                form.fault(name, "range", lowest=batch.first_serial, highest=batch.last_serial)
        if not form.faults and last < first:
            form.fault("last_serial", "order")
    return first, last, {fault.field: words_of(fault) for fault in form.faults}


def _batch(number: int) -> SecretBatch:
    return SecretBatch.get_or_none(SecretBatch.id == number) or abort(404)


def _back(batch: SecretBatch) -> AnyResponse:
    return redirect(url_for("scratch_cards.one", number=batch.id), 303)
