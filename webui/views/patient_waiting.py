"""A patient waits for a place in a clinic that is full: joins, sees the place in the queue, leaves, takes what was offered."""

import secrets

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response as AnyResponse

from appliance.hospital.booking import slots, waitlist, why_not
from appliance.hospital.booking.channel import Channel
from appliance.hospital.booking.reasons import NotBooked, Reason, refusal
from appliance.store.booking_tables import Clinic, Slot, Waiting
from appliance.store.hospital_tables import Patient
from appliance.store.models import database
from appliance.store.transaction import write_transaction
from webui import family
from webui.patient_session import card_holder
from webui.refusals import to_patient
from webui.shared import say, shared

blueprint = Blueprint("patient_waiting", __name__, url_prefix="/p")


@blueprint.get("/waiting")
@card_holder
def show() -> str:
    rows = [row for patient in family.ids() for row in waitlist.of_patient(patient)]
    return render_template("patient_waiting.html", rows=[(row, waitlist.place_of(row)) for row in rows])


@blueprint.post("/waiting")
@card_holder
def join() -> AnyResponse:
    clinic, visitor, now = _clinic(), family.chosen(), shared().clock.now()
    with write_transaction(database):
        outcome = _objections(clinic, visitor) or waitlist.join(clinic.id, visitor.id, family.phone_of(visitor.id), now)
    if isinstance(outcome, NotBooked):
        return Response(render_template("patient_refused.html", words=to_patient(outcome), others=(), clinic=clinic, instead=0), 409)
    flash(say("my.waiting_joined", place=outcome.number))
    return redirect(url_for("patient_waiting.show"), 303)


def _clinic() -> Clinic:
    asked = request.form.get("clinic", "")
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 18 else 0
    return Clinic.get_or_none(Clinic.id == number) or abort(404)


def _objections(clinic: Clinic, visitor: Patient) -> NotBooked | None:
    """What would keep this visitor from the place even if one became free: better told now than by a message that comes to nothing."""
    now = shared().clock.now()
    if slots.free_count(clinic.id, now) and slots.free_of(clinic.id, now):
        return refusal(Reason.UNKNOWN)  # no page of ours offers to wait where there are places
    slot = Slot.select().where(Slot.clinic == clinic, Slot.at > now).order_by(Slot.number).first()
    if slot is None:
        return refusal(Reason.PAST)
    asked = why_not.Asked(slot=slot.id, channel=Channel.WEB, patient=visitor.id, paying=True)
    objections = why_not.why_not(asked, now, shared().zone)
    return NotBooked(objections) if objections else None


@blueprint.post("/waiting/<int:number>/left")
@card_holder
def leave(number: int) -> AnyResponse:
    row = _mine(number)
    with write_transaction(database):
        waitlist.leave(row.id, shared().clock.now(), shared().zone)
    flash(say("my.waiting_left"))
    return redirect(url_for("patient_waiting.show"), 303)


@blueprint.post("/waiting/<int:number>/taken")
@card_holder
def take(number: int) -> AnyResponse:
    """To the page that confirms the place that is kept; it stays kept until its time is over."""
    row = _mine(number)
    if row.state != waitlist.OFFERED or row.offered_until < shared().clock.now():
        flash(say("my.offer_over"), "danger")
        return redirect(url_for("patient_waiting.show"), 303)
    family.choose(row.patient_id)
    session["choice"] = {"slot": row.offered_slot_id, "once": secrets.token_urlsafe(12), "instead": 0, "visitor": row.patient_id}
    return redirect(url_for("patient_booking.show"), 303)


def _mine(number: int) -> Waiting:
    """Of the family. Aborts with 404 for somebody else's, as for one that is not there."""
    return Waiting.get_or_none(Waiting.id == number, Waiting.patient.in_(family.ids())) or abort(404)
