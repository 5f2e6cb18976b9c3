"""First-run set-up: whoever can read the server's console makes the first administrator, nobody else."""

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from appliance.store import accounts
from appliance.store.models import Account
from webui import guard, secret
from webui.rights import anyone
from webui.shared import audit, language, say, shared

blueprint = Blueprint("setup", __name__)


@blueprint.get("/setup")
@anyone
def first() -> AnyResponse | str:
    return redirect(url_for("account.sign_in")) if Account.select().exists() else _form({})


@blueprint.post("/setup")
@anyone
def make_first() -> AnyResponse | str:
    if Account.select().exists():
        return redirect(url_for("account.sign_in"), 303)
    if not shared().setup_limit.allows(request.remote_addr or ""):
        abort(429)
    faults = _faults()
    if faults:
        return Response(_form(faults), 422)
    return _make(request.form["name"], request.form["password"])


def _make(name: str, password: str) -> AnyResponse:
    account = accounts.create_first(name, password, language(), shared().clock.now())
    if account is None:
        return redirect(url_for("account.sign_in"), 303)
    secret.forget_setup_code(shared().data_dir)
    audit("first_account", name, account=account)
    guard.start_session(account)
    flash(say("setup.done"))
    return redirect(url_for("dashboard.show"), 303)


def _faults() -> dict[str, str]:
    form = request.form
    right = secret.same_code(form.get("code", ""), secret.setup_code(shared().data_dir))
    found = {
        "code": None if right else "fault.setup_code",
        "name": accounts.name_fault(form.get("name", "")),
        "password": accounts.password_fault(form.get("password", ""), form.get("again", ""), form.get("name", "")),
    }
    return {field: say(key) for field, key in found.items() if key}


def _form(faults: dict[str, str]) -> str:
    return render_template("setup.html", faults=faults, code_file=secret.setup_code_file(shared().data_dir))
