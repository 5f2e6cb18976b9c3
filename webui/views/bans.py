"""Patients who may not book for a while: why, until when; made by hand, lifted with a reason. Every step is in the audit."""

from collections.abc import Mapping

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from appliance.hospital import record
from appliance.hospital.booking import bans
from appliance.hospital.registry.form import Form
from appliance.store.booking_tables import Ban
from appliance.store.hospital_tables import Patient
from appliance.store.models import database
from appliance.store.transaction import write_transaction
from webui.fields import Field, given, words_of
from webui.paging import Pages
from webui.rights import Right, needs
from webui.shared import audit, me, say, shared

DAYS_MOST = 3_650
WHY_MOST = 200
FIELDS = (Field(name="days", kind="number", required=True, most=4), Field(name="reason", required=True, most=WHY_MOST, wide=True))
LIFTING = (Field(name="reason", required=True, most=WHY_MOST, wide=True),)

blueprint = Blueprint("bans", __name__)


@blueprint.get("/bans")
@needs(Right.SEE_PATIENTS)
def show() -> str:
    """Those that hold today; with `all` those of the past too."""
    everything = request.args.get("all") == "1"
    query = Ban.select(Ban, Patient).join(Patient).order_by(Ban.ends.desc(), Ban.id.desc())
    pages = Pages.of(query if everything else query.where(bans.holds(shared().day())), request.args.get("page"))
    audit("bans_seen", "", str(pages.total))
    return render_template("bans.html", pages=pages, everything=everything, today=shared().day())


@blueprint.get("/patients/<int:number>/bans")
@needs(Right.SEE_PATIENTS)
def of_patient(number: int) -> str:
    patient = _patient(number)
    audit(record.AUDIT_ACTION, record.subject(patient.id), "bans")
    return _page(patient, "", {}, {})


def _page(patient: Patient, wrong: str, faults: Mapping[str, str], values: Mapping[str, str]) -> str:
    """`faults` and `values` belong to the form called `wrong`: "ban", or "lift-" and the ban's number."""
    rows = bans.of_patient(patient.id)
    shown = {"rows": rows, "today": shared().day(), "fields": FIELDS, "lifting": LIFTING}
    return render_template("patient_bans.html", patient=patient, wrong=wrong, faults=faults, values=values, **shown)


@blueprint.post("/patients/<int:number>/bans")
@needs(Right.MANAGE_BANS)
def make(number: int) -> AnyResponse:
    patient, form = _patient(number), Form(given())
    days = form.number("days", 1, DAYS_MOST, 0)
    if not days and not form.faults:
        form.fault("days", "required")
    why = form.text("reason", WHY_MOST, required=True)
    if form.faults:
        return Response(_page(patient, "ban", {fault.field: words_of(fault) for fault in form.faults}, given()), 422)
    with write_transaction(database):
        made = bans.ban(patient.id, shared().day(), days, by=me().name, note=why)
        audit("patient_banned", record.subject(patient.id), f"{made.ends}: {why}")
    flash(say("bans.made", day=made.ends))
    return _back(patient.id)


@blueprint.post("/bans/<int:number>/lifted")
@needs(Right.MANAGE_BANS)
def lift(number: int) -> AnyResponse:
    ban = Ban.get_or_none(Ban.id == number) or abort(404)
    form = Form(given())
    why = form.text("reason", WHY_MOST, required=True)
    if form.faults:
        faults = {fault.field: words_of(fault) for fault in form.faults}
        return Response(_page(_patient(ban.patient_id), f"lift-{number}", faults, given()), 422)
    with write_transaction(database):
        done = bans.lift(ban.id, me().name, why)
        if done:
            audit("ban_lifted", record.subject(ban.patient_id), why)
    flash(say("bans.lifted_now") if done else say("bans.lifted_before"), "success" if done else "danger")
    return _back(ban.patient_id)


def _patient(number: int) -> Patient:
    return Patient.get_or_none(Patient.id == number) or abort(404)


def _back(patient_id: int) -> AnyResponse:
    return redirect(url_for("bans.of_patient", number=patient_id), 303)
