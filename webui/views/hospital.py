"""What the hospital is: departments, doctors, drugs, notices, VIPs; listed, looked for, made, changed."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from appliance.hospital import prices
from appliance.hospital.registry import notices, vip
from appliance.hospital.registry.field_fault import Refused
from appliance.store.hospital_tables import Notice, Vip
from appliance.store.models import database
from appliance.store.transaction import write_transaction
from webui.fields import faults_of, given
from webui.paging import Pages
from webui.rights import Right, needs
from webui.shared import audit, say, shared
from webui.subjects import SUBJECTS, Subject

SOUGHT_MOST = 64
_PRICES = {"doctors": prices.DOCTOR, "drugs": prices.DRUG}

blueprint = Blueprint("hospital", __name__)


@blueprint.get("/hospital")
@needs(Right.EDIT_HOSPITAL)
def home() -> AnyResponse:
    return _back(next(iter(SUBJECTS)))


@blueprint.get("/hospital/<subject>")
@needs(Right.EDIT_HOSPITAL)
def show(subject: str) -> str:
    one = _subject(subject)
    text = request.args.get("q", "").strip()[:SOUGHT_MOST]
    pages = Pages.of(one.found(text), request.args.get("page"))
    rows = [(row, one.values(row)) for row in pages.rows]
    return render_template("hospital.html", subject=one, subjects=SUBJECTS, pages=pages, rows=rows, text=text)


@blueprint.get("/hospital/<subject>/new")
@needs(Right.EDIT_HOSPITAL)
def new(subject: str) -> str:
    one = _subject(subject)
    return _form(one, None, {**one.fresh, "patient": request.args.get("patient", "")}, {})


@blueprint.post("/hospital/<subject>/new")
@needs(Right.EDIT_HOSPITAL)
def make(subject: str) -> AnyResponse:
    return _save(_subject(subject), None)


@blueprint.get("/hospital/<subject>/<int:number>")
@needs(Right.EDIT_HOSPITAL)
def edit(subject: str, number: int) -> str:
    one = _subject(subject)
    row = _row(one, number)
    return _form(one, row, one.values(row), {})


@blueprint.post("/hospital/<subject>/<int:number>")
@needs(Right.EDIT_HOSPITAL)
def change(subject: str, number: int) -> AnyResponse:
    one = _subject(subject)
    return _save(one, _row(one, number))


def _save(one: Subject, row: Any) -> AnyResponse:
    form = given()
    with write_transaction(database):
        entry = one.read(form)
        outcome = entry if isinstance(entry, Refused) else one.save(entry, row.id if row else None)
        if not isinstance(outcome, Refused):
            audit("hospital_changed" if row else "hospital_made", f"{one.name} {outcome.id}")
    if isinstance(outcome, Refused):
        return Response(_form(one, row, form, faults_of(outcome)), 422)
    flash(say("prices.saved_waiting" if _waits(one, outcome) else "hospital.saved"))
    return _back(one.name)


def _waits(one: Subject, row: Any) -> bool:
    """Whether a price of it waits for a second person."""
    return any(prices.waits(what, row.id) for what in _PRICES.get(one.name, ()))


@blueprint.post("/hospital/notices/<int:number>/open")
@needs(Right.EDIT_HOSPITAL)
def set_open(number: int) -> AnyResponse:
    """The next caller's menu has it, or is without it."""
    row = Notice.get_or_none(Notice.id == number) or abort(404)
    is_open = given().get("open") == "yes"
    with write_transaction(database):
        notices.set_open(row.id, is_open=is_open)
        audit("notice_opened" if is_open else "notice_closed", f"notices {row.id}")
    flash(say("hospital.opened" if is_open else "hospital.closed"))
    return _back("notices")


@blueprint.post("/hospital/vips/<int:number>/removed")
@needs(Right.EDIT_HOSPITAL)
def remove_vip(number: int) -> AnyResponse:
    row = Vip.get_or_none(Vip.id == number) or abort(404)
    with write_transaction(database):
        vip.remove(row.id)
        audit("vip_removed", f"patient {row.patient_id}")
    flash(say("hospital.removed"))
    return _back("vips")


def _form(one: Subject, row: Any, values: Mapping[str, str], faults: Mapping[str, str]) -> str:
    own = {field.name for field in one.fields}
    stray = " ".join(text for name, text in faults.items() if name not in own)
    shown = {**faults, "": stray} if stray else dict(faults)
    wanted = [waits for what in _PRICES.get(one.name, ()) if row is not None and (waits := prices.waits(what, row.id))]
    return render_template("hospital_form.html", subject=one, row=row, values=values, faults=shown, now_open=_is_heard(row), wanted=wanted)


def _is_heard(row: Any) -> bool:
    """Whether callers can hear a notice just now."""
    now = shared().clock.now()
    return isinstance(row, Notice) and row.open and row.starts_at <= now and (row.ends_at is None or now < row.ends_at)


def _subject(name: str) -> Subject:
    return SUBJECTS.get(name) or abort(404)


def _row(one: Subject, number: int) -> Any:
    return one.table.get_or_none(one.table.id == number) or abort(404)


def _back(subject: str) -> AnyResponse:
    return redirect(url_for("hospital.show", subject=subject), 303)
