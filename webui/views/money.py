"""The money desk: cards found, money taken for them and paid back, their statements, corrections by two persons.

Each cashier has a till of their own, under the account's name. A form that moves money has a key: sent twice it moves it once.
"""

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from appliance.hospital import masking, record
from appliance.hospital.ledger import corrections, deposits, statement
from appliance.hospital.ledger.accounts import BANK, FEES, SUSPENSE, Kind, account_of, cash_desk
from appliance.hospital.ledger.corrections import Decision, NotAsked
from appliance.hospital.ledger.deposits import NotTopped
from appliance.hospital.ledger.posting import Cause, Movement, NotPosted, transfer
from appliance.hospital.registry import patient_search
from appliance.hospital.registry.form import Form, date_of
from appliance.store.hospital_tables import Card
from appliance.store.models import database
from appliance.store.money_tables import Correction, LedgerAccount
from appliance.store.transaction import write_transaction
from webui.fields import Field, given, words_of, yuan
from webui.rights import Right, needs
from webui.shared import audit, i_may, me, say, shared

KEY_MOST = 40
DECIDED_SHOWN = 30
AGAINST: Mapping[str, Callable[[], LedgerAccount]] = {
    "fees": lambda: account_of(Kind.FEES, FEES),
    "cash": lambda: cash_desk(me().name),
    "bank": lambda: account_of(Kind.BANK, BANK),
    "suspense": lambda: account_of(Kind.SUSPENSE, SUSPENSE),
}
"""Where the other half of a correction may go."""
AMOUNT = (Field(name="amount", kind="money", required=True, most=12, wide=True),)
CORRECTION = (
    Field(name="change", kind="choice", choices=("more", "less")),
    Field(name="amount", kind="money", required=True, most=12),
    Field(name="against", kind="choice", choices=tuple(AGAINST)),
    Field(name="reason", kind="area", required=True, most=corrections.REASON_MOST),
)

blueprint = Blueprint("money", __name__)


@blueprint.get("/money")
@needs(Right.SEE_LEDGER)
def show() -> AnyResponse | str:
    text = request.args.get("q", "").strip()[:64]
    found = patient_search.find(text, shared().normalise)
    if text:
        sought = masking.mask(text) if any(letter.isdigit() for letter in text) else text
        audit("patients_searched", sought, f"{found.by} {len(found.ids)}")
    cards = list(Card.select().where(Card.patient.in_(found.ids), Card.account.is_null(False)).order_by(Card.patient, Card.id.desc()))
    if len(cards) == 1:
        return redirect(url_for("money.card", number=cards[0].id), 303)
    asked = len(corrections.open_ones())
    shown = {"cards": [(card, _number(card)) for card in cards], "asked": asked, "till_fen": _till_fen()}
    return render_template("money.html", text=text, **shown)


def _till_fen() -> int:
    """What should lie in this person's till: cash that was taken stands below zero in the books."""
    row = LedgerAccount.get_or_none(LedgerAccount.code == f"cash {me().name}")
    return 0 if row is None else -row.balance_fen


@blueprint.get("/money/cards/<int:number>")
@needs(Right.SEE_LEDGER)
def card(number: int) -> str:
    row = _card(number)
    audit(record.AUDIT_ACTION, record.subject(row.patient_id), "account")
    return _page(row, "", {}, {})


def _page(row: Card, form: str, faults: Mapping[str, str], values: Mapping[str, str]) -> str:
    """The card's account; `faults` and `values` belong to the form of that name."""
    begins, ends = _moment(request.args.get("since", ""), 0), _moment(request.args.get("until", ""), 1)
    assert row.account_id is not None
    shown = {"statement": statement.whole(row.account_id, begins, ends), "once": secrets.token_urlsafe(16), "asked": request.args}
    forms = {"amount_fields": AMOUNT, "correction_fields": CORRECTION, "wrong": form, "faults": faults, "values": values}
    return render_template("money_card.html", card=row, number=_number(row), **shown, **forms)


def _moment(text: str, days: int) -> datetime | None:
    """The beginning of a day, or of the one so many days after it."""
    day = date_of(text)
    return datetime(day.year, day.month, day.day, tzinfo=shared().zone) + timedelta(days=days) if day else None


@blueprint.post("/money/cards/<int:number>/top-up")
@needs(Right.TAKE_MONEY)
def top_up(number: int) -> AnyResponse:
    row, now = _card(number), shared().clock.now()
    amount_fen, faults = _amount()
    if faults:
        return Response(_page(row, "top_up", faults, given()), 422)
    with write_transaction(database):
        outcome = deposits.at_desk(row.id, me().name, amount_fen, _key(), now, Cause(by=me().name))
        if not isinstance(outcome, NotTopped):
            audit("money_taken", record.subject(row.patient_id), yuan(amount_fen))
    if isinstance(outcome, NotTopped):
        return Response(_page(row, "top_up", {"amount": say(f"not_topped.{outcome.value}")}, given()), 422)
    flash(say("money.taken", amount=yuan(outcome.amount_fen), balance=yuan(outcome.balance_fen)))
    return _back(row)


@blueprint.post("/money/cards/<int:number>/refund")
@needs(Right.REFUND)
def refund(number: int) -> AnyResponse:
    """Cash out of the till for what is on the card."""
    row, now = _card(number), shared().clock.now()
    amount_fen, faults = _amount()
    if faults:
        return Response(_page(row, "refund", faults, given()), 422)
    assert row.account is not None
    with write_transaction(database):
        cause = Cause(by=me().name)
        outcome = transfer(Movement.REFUND, row.account, cash_desk(me().name), amount_fen, f"cash back {_key()}", now, cause)
        if not isinstance(outcome, NotPosted):
            audit("money_returned", record.subject(row.patient_id), yuan(amount_fen))
    if isinstance(outcome, NotPosted):
        return Response(_page(row, "refund", {"amount": say("money.not_so_much")}, given()), 422)
    flash(say("money.returned", amount=yuan(amount_fen)))
    return _back(row)


def _amount() -> tuple[int, dict[str, str]]:
    """What was typed, above zero, and what is wrong with it."""
    form = Form(given())
    amount_fen = form.money_fen("amount", required=True)
    if not form.faults and amount_fen == 0:
        form.fault("amount", "money")
    return amount_fen, {fault.field: words_of(fault) for fault in form.faults}


@blueprint.post("/money/cards/<int:number>/correction")
@needs(Right.CORRECT)
def correct(number: int) -> AnyResponse:
    row, form = _card(number), given()
    amount_fen, faults = _amount()
    checked = Form(form)
    reason = checked.text("reason", corrections.REASON_MOST, required=True, lines=True)
    faults |= {fault.field: words_of(fault) for fault in checked.faults}
    if form.get("change") not in ("more", "less") or form.get("against") not in AGAINST:
        abort(400)
    if faults:
        return Response(_page(row, "correction", faults, form), 422)
    assert row.account is not None
    with write_transaction(database):
        signed_fen = amount_fen if form["change"] == "more" else -amount_fen
        outcome = corrections.ask(row.account, AGAINST[form["against"]](), signed_fen, reason, me().name, shared().clock.now())
        if not isinstance(outcome, NotAsked):
            audit("correction_asked", record.subject(row.patient_id), yuan(signed_fen))
    flash(say("money.correction_asked"))
    return redirect(url_for("money.asked"), 303)


@blueprint.get("/money/corrections")
@needs(Right.SEE_LEDGER)
def asked() -> str:
    decided = Correction.select().where(Correction.state != "asked").order_by(Correction.id.desc()).limit(DECIDED_SHOWN)
    return render_template("corrections.html", open_ones=corrections.open_ones(), decided=list(decided), masked_code=_masked_code)


def _masked_code(code: str) -> str:
    """What an account is called; of a card no more than this person may see."""
    kind, _, rest = code.partition(" ")
    if kind == "card":
        rest = masking.card(rest, masked=not i_may(Right.UNMASK))
    return f"{say(f'against.{kind}')} {rest}".strip()


@blueprint.post("/money/corrections/<int:number>/approved")
@needs(Right.APPROVE_CORRECTION)
def approve(number: int) -> AnyResponse:
    return _decide(number, corrections.approve)


@blueprint.post("/money/corrections/<int:number>/refused")
@needs(Right.APPROVE_CORRECTION)
def refuse(number: int) -> AnyResponse:
    return _decide(number, corrections.refuse)


def _decide(number: int, decide: Callable[[int, str, datetime], Decision]) -> AnyResponse:
    with write_transaction(database):
        outcome = decide(number, me().name, shared().clock.now())
        done = outcome in (Decision.APPROVED, Decision.REFUSED)
        if done:
            audit(f"correction_{outcome.value}", f"correction {number}")
    flash(say(f"decision.{outcome.value}"), "success" if done else "danger")
    return redirect(url_for("money.asked"), 303)


def _key() -> str:
    return f"{me().name} {given().get('once', '')[:KEY_MOST] or secrets.token_urlsafe(16)}"


def _card(number: int) -> Card:
    return Card.get_or_none(Card.id == number, Card.account.is_null(False)) or abort(404)


def _number(row: Any) -> str:
    return masking.card(row.number, masked=not i_may(Right.UNMASK))


def _back(row: Card) -> AnyResponse:
    return redirect(url_for("money.card", number=row.id), 303)
