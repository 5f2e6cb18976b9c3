"""The patients' own pages: in with card and password, out, the language, a new password. They work without script."""

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response as AnyResponse

from appliance.hospital import record
from appliance.hospital.booking import slots
from appliance.hospital.registry import card_password
from appliance.hospital.registry.card_password import Password
from appliance.store.models import database
from appliance.store.transaction import write_transaction
from webui import card_entry, patient_session
from webui.fields import words_of
from webui.patient_session import card_holder, my_card
from webui.rights import anyone
from webui.shared import audit, say, shared
from webui.wording import language_for

YEAR_S = 365 * 24 * 3600

blueprint = Blueprint("patient_entry", __name__, url_prefix="/p")


@blueprint.get("")
@anyone
def show() -> AnyResponse | str:
    if patient_session.open_card():
        return redirect(url_for("patient_visits.show"), 303)
    return render_template("patient_entry.html", refused="", number="")


@blueprint.post("")
@anyone
def enter() -> AnyResponse:
    if not shared().sign_in_limit.allows(f"card {request.remote_addr}"):
        abort(429)
    number = card_entry.number_of(request.form.get("card_number", ""))
    outcome = card_entry.check(number, request.form.get("password", ""))
    if outcome.result is not Password.RIGHT or outcome.card_id is None:
        return Response(render_template("patient_entry.html", refused=card_entry.refusal_words(outcome), number=number), 422)
    patient_session.begin(outcome.card_id)
    audit("patient_signed_in", record.subject(outcome.patient_id or 0), request.remote_addr or "")
    return redirect(url_for("patient_visits.show"), 303)


@blueprint.post("/out")
@anyone
def leave() -> AnyResponse:
    if "id" in session:
        slots.release(patient_session.holder_name())
    patient_session.end()
    return redirect(url_for("patient_entry.show"), 303)


@blueprint.post("/language")
@anyone
def choose_language() -> AnyResponse:
    """Back to the page that was asked from, if that can be asked for again."""
    response = redirect(_back(), 303)
    keep_language(response, language_for(request.form.get("language")) or abort(400))
    return response


def keep_language(response: AnyResponse, chosen: str) -> None:
    """As the staff's pages keep it."""
    secure = shared().config.web.https
    response.set_cookie("language", chosen, max_age=YEAR_S, samesite="Strict", httponly=True, secure=secure)


def _back() -> str:
    wanted = request.form.get("next", "")
    return wanted if wanted.startswith("/p/") and "\\" not in wanted else url_for("patient_entry.show")


@blueprint.get("/password")
@card_holder
def password() -> str:
    return _password_page({})


@blueprint.post("/password")
@card_holder
def change_password() -> AnyResponse:
    """The present password first; wrong ones count, so a page left open is no way around the lock."""
    if not shared().sign_in_limit.allows(f"card {request.remote_addr}"):
        abort(429)
    card, new = my_card(), request.form.get("password", "")
    fault = card_password.fault_of(new, request.form.get("again", ""), card)
    if fault:
        return Response(_password_page({"password": words_of(fault)}), 422)
    outcome = card_entry.check(card.number, request.form.get("current", ""))
    if outcome.result is not Password.RIGHT:
        return Response(_password_page({"current": card_entry.refusal_words(outcome)}), 422)
    hashed = card_password.hashed(new)
    with write_transaction(database):
        card_password.set_password(card.id, hashed)
        audit("card_password_set", record.subject(card.patient_id), say("my.by_patient"))
    patient_session.begin(card.id)
    flash(say("my.password_changed"))
    return redirect(url_for("patient_account.show"), 303)


def _password_page(faults: dict[str, str]) -> str:
    return render_template("patient_password.html", faults=faults)
