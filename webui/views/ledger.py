"""Files from the bank, transfers nobody knows the card of, and the sheet of a day."""

from datetime import date

from flask import Blueprint, Flask, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from appliance.hospital.imports.reading import FILE_BYTES_MOST
from appliance.hospital.imports.row import FileRefused
from appliance.hospital.ledger import bank_file, closing
from appliance.hospital.ledger.bank_file import TakenBefore
from appliance.hospital.ledger.closing import ClosedBefore
from appliance.hospital.ledger.posting import Cause
from appliance.hospital.registry.form import date_of
from appliance.store.hospital_tables import Card
from appliance.store.models import database
from appliance.store.money_tables import BankFile, DailyClosing
from appliance.store.transaction import write_transaction
from webui.card_entry import number_of
from webui.fields import given, words_of
from webui.rights import Right, needs
from webui.shared import audit, language, me, say, shared

SHOWN = 20

blueprint = Blueprint("ledger", __name__)


def install(app: Flask) -> None:
    """A file from the bank is larger than any other form."""

    @app.url_value_preprocessor
    def allow(endpoint: str | None, _: object) -> None:
        if endpoint == "ledger.take_bank":
            request.max_content_length = FILE_BYTES_MOST


@blueprint.get("/money/bank")
@needs(Right.TAKE_MONEY)
def bank() -> str:
    return _bank({}, None)


def _bank(faults: dict[str, str], taken: bank_file.FileTaken | None) -> str:
    files = list(BankFile.select().order_by(BankFile.id.desc()).limit(SHOWN))
    shown = {"files": files, "waiting": bank_file.suspense(), "columns": bank_file.COLUMNS}
    return render_template("bank.html", faults=faults, taken=taken, words_of=words_of, **shown)


@blueprint.post("/money/bank")
@needs(Right.TAKE_MONEY)
def take_bank() -> AnyResponse:
    file = request.files.get("file")
    if file is None or not file.filename:
        return Response(_bank({"file": say("money.no_file")}, None), 422)
    read = bank_file.read_file(file.filename[:120], file.stream.read(FILE_BYTES_MOST + 1))
    if isinstance(read, FileRefused):
        return Response(_bank({"file": read.text("en" if language() == "en" else "zh")}, None), 422)
    with write_transaction(database):
        taken = bank_file.take(read, shared().clock.now(), Cause(by=me().name))
        if not isinstance(taken, TakenBefore):
            audit("bank_file_taken", read.name, str(len(taken.results)))
    if isinstance(taken, TakenBefore):
        at = shared().local(taken.at).strftime("%Y-%m-%d %H:%M")
        return Response(_bank({"file": say("money.taken_before", at=at, by=taken.by)}, None), 422)
    return Response(_bank({}, taken))


@blueprint.post("/money/bank/<int:number>/assigned")
@needs(Right.TAKE_MONEY)
def assign(number: int) -> AnyResponse:
    sought = number_of(given().get("card", ""))
    card = Card.get_or_none(Card.number == sought)
    with write_transaction(database):
        account = bank_file.assign(number, card.id, shared().clock.now(), Cause(by=me().name)) if card else None
        if account is not None:
            audit("bank_line_assigned", f"line {number}", account.code)
    if account is None:
        return Response(_bank({f"card-{number}": say("money.not_assigned")}, None), 422)
    flash(say("money.assigned"))
    return redirect(url_for("ledger.bank"), 303)


@blueprint.get("/money/closing")
@needs(Right.SEE_LEDGER)
def sheet() -> str:
    day = date_of(request.args.get("day", "")) or shared().day()
    return _sheet(day)


def _sheet(day: date) -> str:
    kept = closing.kept(day)
    last = DailyClosing.select().order_by(DailyClosing.day.desc()).first()
    row = DailyClosing.get_or_none(DailyClosing.day == day)
    may_close = kept is None and day <= shared().day() and (last is None or last.day < day)
    shown = kept or (closing.sheet(day) if may_close else None)
    return render_template("closing.html", day=day, sheet=shown, kept=kept is not None, row=row, may_close=may_close)


@blueprint.post("/money/closing")
@needs(Right.CLOSE_DAY)
def close() -> AnyResponse:
    day = date_of(given().get("day", ""))
    if day is None or day > shared().day():
        flash(say("money.day_wrong"), "danger")
        return redirect(url_for("ledger.sheet"), 303)
    with write_transaction(database):
        outcome = closing.close(day, shared().clock.now(), me().name)
        if not isinstance(outcome, ClosedBefore):
            audit("day_closed", day.isoformat(), "balanced" if outcome.balances else "NOT balanced")
    if isinstance(outcome, ClosedBefore):
        flash(say("money.closed_before", day=outcome.day), "danger")
    else:
        flash(say("money.day_closed", day=day))
    return redirect(url_for("ledger.sheet", day=day), 303)
