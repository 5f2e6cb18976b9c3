"""Signing in and out, and what a person may change about themselves."""

from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, flash, g, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response as AnyResponse

from appliance.store import accounts
from appliance.store.models import Account, database
from appliance.store.transaction import write_transaction
from webui import failed_logins, guard
from webui.landing import landing
from webui.rights import Right, anyone, may, signed_in
from webui.shared import audit, me, say, shared
from webui.wording import language_for

YEAR_S = 365 * 24 * 3600

blueprint = Blueprint("account", __name__)


@blueprint.get("/sign-in")
@anyone
def sign_in() -> AnyResponse | str:
    return redirect(landing(g.account.role)) if g.account else render_template("sign_in.html", refused=False)


@blueprint.post("/sign-in")
@anyone
def check_sign_in() -> AnyResponse | str:
    if not shared().sign_in_limit.allows(request.remote_addr or ""):
        failed_logins.tell(shared().config.paths.system_socket, request.remote_addr or "")
        abort(429)
    name = request.form.get("name", "").strip()
    account = accounts.sign_in(name, request.form.get("password", ""), shared().clock.now(), shared().config.web)
    if account is None:
        audit("sign_in_refused", name[: accounts.NAME_MOST], request.remote_addr or "")
        failed_logins.tell(shared().config.paths.system_socket, request.remote_addr or "")
        return Response(render_template("sign_in.html", refused=True), 401)
    guard.start_session(account)
    audit("signed_in", account.name, request.remote_addr or "", account)
    return redirect(_next_page() or landing(account.role), 303)


@blueprint.post("/sign-out")
@signed_in
def sign_out() -> AnyResponse:
    """Ends this account's sessions everywhere, so that a copied cookie is worth nothing afterwards."""
    audit("signed_out", me().name)
    accounts.end_sessions(me())
    session.clear()
    return redirect(url_for("account.sign_in"), 303)


@blueprint.post("/language")
@anyone
def choose_language() -> AnyResponse:
    chosen = language_for(request.form.get("language")) or abort(400)
    if g.account:
        session.pop("language", None)
        g.account.language = chosen
        g.account.save(only=[Account.language])
    else:
        session["language"] = chosen  # by whoever signs in next: for that session, the account keeps its own
    response = redirect(_next_page() or url_for("start.home"), 303)
    secure = shared().config.web.https
    response.set_cookie("language", chosen, max_age=YEAR_S, samesite="Strict", httponly=True, secure=secure)
    return response


@blueprint.get("/me")
@signed_in
def show() -> str:
    return _own_page({})


@blueprint.post("/me/password")
@signed_in
def change_password() -> AnyResponse | str:
    if not shared().sign_in_limit.allows(f"own {me().id}"):
        abort(429)
    faults = _password_faults()
    if faults:
        return Response(_own_page(faults), 422)
    password_hash = accounts.hashed(request.form["password"])
    with write_transaction(database):
        accounts.set_password(me(), password_hash)
        audit("password_changed", me().name)
    guard.start_session(me())
    flash(say("me.password_changed"))
    return redirect(url_for("account.show"), 303)


def _password_faults() -> dict[str, str]:
    form = request.form
    found = {
        "current": None if accounts.matches(me(), form.get("current", "")) else "fault.password_current",
        "password": accounts.password_fault(form.get("password", ""), form.get("again", ""), me().name),
    }
    return {field: say(key) for field, key in found.items() if key}


def _own_page(faults: dict[str, str]) -> str:
    return render_template("me.html", faults=faults, rights=[right for right in Right if may(me().role, right)])


def _next_page() -> str | None:
    """Where the form says to go, if that is a page of ours; never another site."""
    wanted = request.form.get("next", "")
    parts = urlsplit(wanted)
    ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and not parts.netloc and not parts.scheme
    return wanted if ours else None
