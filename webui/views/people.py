"""Accounts, for administrators; and the log of who did what."""

from collections.abc import Callable

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from peewee import JOIN, IntegrityError
from werkzeug.wrappers import Response as AnyResponse

from appliance.store import accounts
from appliance.store.models import Account, Audit, database
from appliance.store.transaction import write_transaction
from webui.paging import Pages
from webui.rights import RIGHTS, ROLES, Right, needs
from webui.shared import audit, language, say, shared

blueprint = Blueprint("people", __name__)


@blueprint.get("/accounts")
@needs(Right.MANAGE_ACCOUNTS)
def show() -> str:
    return _list({})


@blueprint.post("/accounts")
@needs(Right.MANAGE_ACCOUNTS)
def create() -> AnyResponse | str:
    form = request.form
    name, role = form.get("name", ""), form.get("role", "")
    faults = _new_faults(name, role)
    if faults:
        return Response(_list(faults), 422)
    password_hash = accounts.hashed(form["password"])
    try:
        with write_transaction(database):
            accounts.create(name, password_hash, role, language(), shared().clock.now())
            audit("account_created", name, role)
    except IntegrityError:
        return Response(_list({"name": say("fault.name_taken")}), 422)
    flash(say("people.created", name=name))
    return redirect(url_for("people.show"), 303)


@blueprint.post("/accounts/<int:number>/role")
@needs(Right.MANAGE_ACCOUNTS)
def change_role(number: int) -> AnyResponse:
    role = request.form.get("role", "")
    if role not in ROLES:
        abort(400)

    def change(account: Account) -> None:
        account.role = role
        accounts.end_sessions(account, Account.role)

    return _change(number, "role_changed", change, role, weakens=role != "administrator")


@blueprint.post("/accounts/<int:number>/disabled")
@needs(Right.MANAGE_ACCOUNTS)
def disable(number: int) -> AnyResponse:
    disabled = request.form.get("disabled") == "1"

    def change(account: Account) -> None:
        account.disabled = disabled
        accounts.end_sessions(account, Account.disabled)

    return _change(number, "account_disabled" if disabled else "account_enabled", change, weakens=disabled)


@blueprint.post("/accounts/<int:number>/unlock")
@needs(Right.MANAGE_ACCOUNTS)
def unlock(number: int) -> AnyResponse:
    return _change(number, "account_unlocked", accounts.unlock)


@blueprint.post("/accounts/<int:number>/password")
@needs(Right.MANAGE_ACCOUNTS)
def reset_password(number: int) -> AnyResponse | str:
    account = _account(number)
    password = request.form.get("password", "")
    fault = accounts.password_fault(password, password, account.name)
    if fault:
        return Response(_list({f"password-{number}": say(fault)}), 422)
    password_hash = accounts.hashed(password)
    return _change(number, "password_reset", lambda changed: accounts.set_password(changed, password_hash))


@blueprint.get("/audit")
@needs(Right.SEE_AUDIT)
def audit_log() -> str:
    action = request.args.get("action", "")
    lines = Audit.select(Audit, Account).join(Account, JOIN.LEFT_OUTER).order_by(Audit.id.desc())
    lines = lines.where(Audit.action == action) if action else lines
    actions = [row.action for row in Audit.select(Audit.action).distinct().order_by(Audit.action)]
    return render_template("audit.html", pages=Pages.of(lines, request.args.get("page")), actions=actions, action=action)


def _change(number: int, action: str, change: Callable[[Account], object], detail: str = "", weakens: bool = False) -> AnyResponse:
    """Do it, write it down, say so; the last administrator stays one."""
    account = _account(number)
    if weakens and accounts.is_last_administrator(account):
        flash(say("fault.last_administrator"), "danger")
    else:
        with write_transaction(database):
            change(account)
            audit(action, account.name, detail)
        flash(say("people.changed", name=account.name))
    return redirect(url_for("people.show"), 303)


def _account(number: int) -> Account:
    return Account.get_or_none(Account.id == number) or abort(404)


def _new_faults(name: str, role: str) -> dict[str, str]:
    password = request.form.get("password", "")
    found = {
        "name": accounts.name_fault(name),
        "password": accounts.password_fault(password, password, name),
        "role": None if role in ROLES else "fault.role",
    }
    return {field: say(key) for field, key in found.items() if key}


def _list(faults: dict[str, str]) -> str:
    now = shared().clock.now()
    everyone = list(Account.select().order_by(Account.name))
    locked = {account.id for account in everyone if accounts.is_locked(account, now)}
    table = {"roles": ROLES, "rights": RIGHTS, "all_rights": tuple(Right)}
    return render_template("people.html", everyone=everyone, locked=locked, faults=faults, **table)
