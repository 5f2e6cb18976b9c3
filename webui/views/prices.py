"""Prices that wait for a second person: what each request changes, approved or refused. The way of corrections of accounts."""

from collections.abc import Mapping

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from appliance.hospital import prices
from appliance.hospital.prices import Decision
from appliance.hospital.registry.form import Form
from appliance.store.models import database
from appliance.store.money_tables import PriceLine, PriceRequest
from appliance.store.transaction import write_transaction
from webui.fields import Field, given, words_of
from webui.paging import Pages
from webui.rights import Right, needs
from webui.shared import audit, me, say, shared

DECIDED_SHOWN = 30
LINES_SHOWN = 5
REFUSAL = (Field(name="reason", required=True, most=prices.WHY_MOST, wide=True),)

blueprint = Blueprint("prices", __name__)


@blueprint.get("/prices")
@needs(Right.SEE_PRICES)
def show() -> str:
    decided = PriceRequest.select().where(PriceRequest.state != "asked").order_by(PriceRequest.id.desc()).limit(DECIDED_SHOWN)
    rows = [(row, _lines(row, LINES_SHOWN), _count(row)) for row in prices.waiting()]
    return render_template("prices.html", waiting=rows, decided=[(row, _count(row)) for row in decided])


def _lines(row: PriceRequest, most: int) -> list[PriceLine]:
    return list(PriceLine.select().where(PriceLine.request == row).order_by(PriceLine.id).limit(most))


def _count(row: PriceRequest) -> int:
    return int(PriceLine.select().where(PriceLine.request == row).count())


@blueprint.get("/prices/<int:number>")
@needs(Right.SEE_PRICES)
def one(number: int) -> str:
    return _page(_request(number), {}, {})


def _page(row: PriceRequest, faults: Mapping[str, str], values: Mapping[str, str]) -> str:
    pages = Pages.of(PriceLine.select().where(PriceLine.request == row).order_by(PriceLine.id), request.args.get("page"))
    return render_template("price_request.html", row=row, pages=pages, fields=REFUSAL, faults=faults, values=values)


@blueprint.post("/prices/<int:number>/approved")
@needs(Right.APPROVE_PRICES)
def approve(number: int) -> AnyResponse:
    row = _request(number)
    with write_transaction(database):
        outcome = prices.approve(row.id, me().name, shared().clock.now())
        if outcome is Decision.APPROVED:
            audit("prices_approved", f"prices {row.id}", row.asked_by)
    return _told(outcome, number)


@blueprint.post("/prices/<int:number>/refused")
@needs(Right.APPROVE_PRICES)
def refuse(number: int) -> AnyResponse:
    row, form = _request(number), Form(given())
    why = form.text("reason", prices.WHY_MOST, required=True)
    if form.faults:
        return Response(_page(row, {fault.field: words_of(fault) for fault in form.faults}, given()), 422)
    with write_transaction(database):
        outcome = prices.refuse(row.id, me().name, shared().clock.now(), why)
        if outcome is Decision.REFUSED:
            audit("prices_refused", f"prices {row.id}", why)
    return _told(outcome, number)


def _told(outcome: Decision, number: int) -> AnyResponse:
    flash(say(f"price_decision.{outcome.value}"), "success" if outcome in (Decision.APPROVED, Decision.REFUSED) else "danger")
    return redirect(url_for("prices.one", number=number), 303)


def _request(number: int) -> PriceRequest:
    return PriceRequest.get_or_none(PriceRequest.id == number) or abort(404)
