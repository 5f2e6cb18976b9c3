"""A patient's account: what is on the card, and every movement with the balance after it."""

from flask import Blueprint, render_template, request

from appliance.hospital.ledger import statement
from appliance.store.money_tables import LedgerAccount
from webui.patient_session import card_holder, my_card

PAGE_LINES = 20

blueprint = Blueprint("patient_account", __name__, url_prefix="/p")


@blueprint.get("/account")
@card_holder
def show() -> str:
    card = my_card()
    if card.account_id is None:
        return render_template("patient_account.html", card=card, balance_fen=0, lines=[], older=None)
    lines = statement.page(card.account_id, _before(), PAGE_LINES + 1)
    older = lines[PAGE_LINES - 1].posting if len(lines) > PAGE_LINES else None
    balance_fen = LedgerAccount.get_by_id(card.account_id).balance_fen
    return render_template("patient_account.html", card=card, balance_fen=balance_fen, lines=lines[:PAGE_LINES], older=older)


def _before() -> int | None:
    asked = request.args.get("before", "")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 18 else None
