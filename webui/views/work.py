"""Work items: what arrives at the desk somebody sits at, taken and done there; and the desks, and what nobody could take.

The page of a desk asks for its items every few seconds: that is how the box knows that somebody is there.
"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response as AnyResponse

from appliance.hospital.dispatch import desks, items
from appliance.hospital.dispatch.items import Kind, Outcome
from appliance.hospital.dispatch.limits import DispatchLimits
from appliance.hospital.dispatch.offering import is_there
from appliance.hospital.dispatch.printing import wake
from appliance.hospital.registry.field_fault import Refused
from appliance.store.case_tables import Desk, WorkItem
from appliance.store.models import database
from appliance.store.transaction import write_transaction
from webui.fields import Field, faults_of, flag, given
from webui.rights import Right, needs
from webui.shared import audit, me, say, shared

UNDELIVERED_MOST = 100
FIELDS = (
    Field(name="name", most=32, required=True),
    Field(name="kinds", kind="many", choices=tuple(Kind), wide=True),
    Field(name="department", kind="digits", most=8),
    Field(name="printer", kind="flag"),
    Field(name="address", most=128),
    Field(name="columns", kind="choice", choices=tuple(desks.COLUMNS), labels=desks.COLUMNS),
    Field(name="closed", kind="flag"),
)

blueprint = Blueprint("work", __name__)


@blueprint.get("/work")
@needs(Right.TAKE_WORK)
def show() -> str:
    desk = _mine()
    if desk is None:
        free = [(row, is_there(row, _limits(), shared().clock.now())) for row in desks.all_desks() if not row.closed and not row.printer]
        return render_template("work_choose.html", desks=free)
    _beat(desk)
    return render_template("work.html", desk=desk, **_shown(desk))


@blueprint.get("/work/items")
@needs(Right.TAKE_WORK)
def poll() -> AnyResponse | str:
    """The list alone; the page asks for it again and again, and keeps what it has (204) while nothing changed."""
    desk = _mine() or abort(404)
    _beat(desk)
    shown = _shown(desk)
    return Response(status=204) if request.args.get("seen") == shown["seen"] else render_template("parts/work_items.html", **shown)


def _shown(desk: Desk) -> dict[str, Any]:
    rows = items.of_desk(desk.id)
    return {"items": rows, "seen": " ".join(f"{row.id}{row.state[0]}" for row in rows) or "none"}


def _beat(desk: Desk) -> None:
    with write_transaction(database):
        desks.beat(desk.id, shared().clock.now())


@blueprint.post("/work")
@needs(Right.TAKE_WORK)
def sit_down() -> AnyResponse:
    wanted = given().get("desk", "")
    found = wanted.isascii() and wanted.isdigit() and len(wanted) < 16 and _open_desk(int(wanted))
    if not found:
        abort(400)
    session["desk"] = found.id
    audit("desk_taken", found.name)
    return redirect(url_for("work.show"), 303)


@blueprint.post("/work/left")
@needs(Right.TAKE_WORK)
def leave() -> AnyResponse:
    desk = _mine()
    session.pop("desk", None)
    if desk is not None:
        with write_transaction(database):
            desks.leave(desk.id)
            audit("desk_left", desk.name)
    return redirect(url_for("work.show"), 303)


@blueprint.post("/work/items/<int:number>/<any(take, done, back):step>")
@needs(Right.TAKE_WORK)
def act(number: int, step: str) -> AnyResponse:
    desk, now = _mine(), shared().clock.now()
    if desk is None:
        return redirect(url_for("work.show"), 303)
    with write_transaction(database):
        if step == "back":
            outcome = items.give_back(number, desk.id, me().name, now)
        else:
            outcome = (items.take if step == "take" else items.done)(number, desk.id, me().name, now)
    if outcome is Outcome.GONE:
        flash(say("work.gone"), "danger")
    return redirect(url_for("work.show"), 303)


@blueprint.get("/work/desks")
@needs(Right.MANAGE_DESKS)
def all_desks() -> str:
    now = shared().clock.now()
    rows = [(row, is_there(row, _limits(), now), len(items.of_desk(row.id))) for row in desks.all_desks()]
    dead = list(items.dead_letters().limit(UNDELIVERED_MOST))
    return render_template("desks.html", rows=rows, dead=dead, waiting=items.waiting()[:UNDELIVERED_MOST])


@blueprint.post("/work/undelivered/<int:number>/resent")
@needs(Right.MANAGE_DESKS)
def resend(number: int) -> AnyResponse:
    if WorkItem.get_or_none(WorkItem.id == number) is None:
        abort(404)
    with write_transaction(database):
        outcome = items.resend(number, me().name, shared().clock.now())
        audit("work_resent", f"item {number}")
    flash(say("work.resent" if outcome is Outcome.DONE else "work.gone"), "success" if outcome is Outcome.DONE else "danger")
    return redirect(url_for("work.all_desks"), 303)


@blueprint.get("/work/desks/new")
@needs(Right.MANAGE_DESKS)
def new() -> str:
    return _form(None, {"kinds": " ".join(Kind), "printer": "no", "closed": "no", "columns": "48"}, {})


@blueprint.post("/work/desks/new")
@needs(Right.MANAGE_DESKS)
def make() -> AnyResponse:
    return _save(None)


@blueprint.get("/work/desks/<int:number>")
@needs(Right.MANAGE_DESKS)
def edit(number: int) -> str:
    row = _desk(number)
    values = {"name": row.name, "kinds": row.kinds, "department": row.department.code if row.department else "", "address": row.address}
    return _form(row, values | {"printer": flag(row.printer), "closed": flag(row.closed), "columns": str(row.columns)}, {})


@blueprint.post("/work/desks/<int:number>")
@needs(Right.MANAGE_DESKS)
def change(number: int) -> AnyResponse:
    return _save(_desk(number))


def _save(row: Desk | None) -> AnyResponse:
    with write_transaction(database):
        entry = desks.read(given())
        outcome = entry if isinstance(entry, Refused) else desks.save(entry, row.id if row else None)
        if not isinstance(outcome, Refused):
            audit("desk_changed", outcome.name)
    if isinstance(outcome, Refused):
        return Response(_form(row, given(), faults_of(outcome)), 422)
    if outcome.printer:
        wake(shared().data_dir)
    flash(say("hospital.saved"))
    return redirect(url_for("work.all_desks"), 303)


def _form(row: Desk | None, values: Mapping[str, str], faults: Mapping[str, str]) -> str:
    return render_template("desk_form.html", row=row, fields=FIELDS, values=values, faults=faults)


def _mine() -> Desk | None:
    """The desk this session sits at."""
    number = session.get("desk")
    return _open_desk(number) if isinstance(number, int) else None


def _open_desk(number: int) -> Desk | None:
    return Desk.get_or_none(Desk.id == number, ~Desk.closed, ~Desk.printer)


def _desk(number: int) -> Desk:
    return Desk.get_or_none(Desk.id == number) or abort(404)


def _limits() -> DispatchLimits:
    return shared().config.hospital.dispatch
