"""The waitlists: who waits for a place in which clinic, in which order; put on it, offered a place, taken off it."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, url_for
from peewee import fn
from werkzeug.wrappers import Response as AnyResponse

from appliance.hospital import masking, record
from appliance.hospital.booking import slots, waitlist
from appliance.hospital.booking.reasons import NotBooked
from appliance.hospital.registry import patient_search, patients
from appliance.hospital.registry.form import Form
from appliance.hospital.registry.telephone import is_number
from appliance.store.booking_tables import Clinic, Waiting
from appliance.store.hospital_tables import Patient
from appliance.store.models import database
from appliance.store.transaction import write_transaction
from webui.fields import Field, given, words_of
from webui.refusals import to_staff
from webui.rights import Right, needs
from webui.shared import audit, i_may, say, shared

SHOWN_MOST = 200
FIELDS = (Field(name="holder", required=True, most=24), Field(name="phone", kind="tel", most=24))

blueprint = Blueprint("waiting", __name__)


@blueprint.get("/waitlist")
@needs(Right.BOOK)
def show() -> str:
    """Clinics for which somebody waits."""
    count = fn.COUNT(Waiting.id)
    there = Waiting.select(Waiting.clinic, count).where(Waiting.state.in_((waitlist.WAITING, waitlist.OFFERED))).group_by(Waiting.clinic)
    pairs: Any = there.limit(SHOWN_MOST).tuples()
    counts: dict[int, int] = dict(pairs)
    clinics = list(Clinic.select().where(Clinic.id.in_(list(counts))).order_by(Clinic.day, Clinic.starts, Clinic.id))
    return render_template("waitlists.html", clinics=clinics, counts=counts)


@blueprint.get("/waitlist/<int:number>")
@needs(Right.BOOK)
def one(number: int) -> str:
    return _page(_clinic(number), {}, {})


def _page(clinic: Clinic, faults: Mapping[str, str], values: Mapping[str, str]) -> str:
    rows = waitlist.of_clinic(clinic.id)
    masked = not i_may(Right.UNMASK)
    phones = {row.id: masking.phone(row.phone, masked=masked) for row in rows}
    free = slots.free_of(clinic.id, shared().clock.now())
    return render_template(
        "waitlist.html", clinic=clinic, rows=rows, phones=phones, free=len(free), fields=FIELDS, faults=faults, values=values
    )


@blueprint.post("/waitlist/<int:number>")
@needs(Right.BOOK)
def join(number: int) -> AnyResponse:
    clinic, now = _clinic(number), shared().clock.now()
    form = Form(given())
    patient = _holder(form, "".join(form.text("holder", 24, required=True).split()))
    phone = shared().normalise(form.text("phone", 24))
    if phone and not is_number(phone):
        form.fault("phone", "phone")
    if form.faults or patient is None:
        return Response(_page(clinic, {fault.field: words_of(fault) for fault in reversed(form.faults)}, given()), 422)
    with write_transaction(database):
        outcome = waitlist.join(clinic.id, patient.id, phone or next(iter(patients.phones_of(patient.id)), ""), now)
        if not isinstance(outcome, NotBooked):
            audit("waiting_joined", record.subject(patient.id), f"clinic {clinic.id}")
    if isinstance(outcome, NotBooked):
        return Response(_page(clinic, {"": to_staff(outcome.objections)}, given()), 422)
    flash(say("waiting.joined", name=patient.name, place=outcome.number))
    return _back(clinic.id)


def _holder(form: Form, number: str) -> Patient | None:
    """Whom a card or a patient's number names."""
    found = next((each for each in (patient_search.by_card(number), patient_search.by_number(number)) if each.ids), None)
    if found is None:
        if number and not form.faults:
            form.fault("holder", "unknown", value=number[:16])
        return None
    return Patient.get_by_id(found.ids[0])


@blueprint.post("/waitlist/<int:number>/<int:place>/offered")
@needs(Right.BOOK)
def offer(number: int, place: int) -> AnyResponse:
    row = _waiting(number, place)
    with write_transaction(database):
        outcome = waitlist.offer(row.id, shared().clock.now(), shared().zone)
        if isinstance(outcome, Waiting):
            audit("waiting_offered", record.subject(row.patient_id), f"clinic {number}")
    if isinstance(outcome, NotBooked):
        flash(to_staff(outcome.objections), "danger")
    else:
        flash(say("waiting.offered", name=row.patient.name, until=f"{shared().local(outcome.offered_until):%H:%M}"))
    return _back(number)


@blueprint.post("/waitlist/<int:number>/<int:place>/removed")
@needs(Right.BOOK)
def remove(number: int, place: int) -> AnyResponse:
    row = _waiting(number, place)
    with write_transaction(database):
        if waitlist.leave(row.id, shared().clock.now(), shared().zone):
            audit("waiting_removed", record.subject(row.patient_id), f"clinic {number}")
    flash(say("waiting.removed", name=row.patient.name))
    return _back(number)


def _clinic(number: int) -> Clinic:
    return Clinic.get_or_none(Clinic.id == number) or abort(404)


def _waiting(clinic: int, number: int) -> Waiting:
    return Waiting.get_or_none(Waiting.id == number, Waiting.clinic == clinic) or abort(404)


def _back(clinic: int) -> AnyResponse:
    return redirect(url_for("waiting.one", number=clinic), 303)
