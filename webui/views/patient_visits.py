"""The bookings of a patient and the family: those to come and the latest before them, one of them with its slip, cancelled."""

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response as AnyResponse

from appliance.hospital.booking import booking, changes, waitlist
from appliance.hospital.booking.reasons import NotBooked, Objection
from appliance.hospital.ledger.posting import Cause
from appliance.store.booking_tables import Booking
from appliance.store.models import database
from appliance.store.transaction import write_transaction
from webui import family
from webui.fields import yuan
from webui.patient_session import card_holder, my_card
from webui.refusals import objection_to_patient, to_patient
from webui.shared import language, say, shared
from webui.slip_page import slip_of

PAST_MOST = 10
BY = "web"

blueprint = Blueprint("patient_visits", __name__, url_prefix="/p")


@blueprint.get("/bookings")
@card_holder
def show() -> str:
    everybody = family.ids()
    coming = booking.of_patients(everybody, shared().day())
    seen = [row.id for row in coming]
    past = Booking.select().where(Booking.patient.in_(everybody), Booking.id.not_in(seen)).order_by(Booking.id.desc()).limit(PAST_MOST)
    waiting = sum(len(waitlist.of_patient(patient)) for patient in everybody)
    return render_template("patient_visits.html", patient=my_card().patient, coming=coming, past=list(past), waiting=waiting)


@blueprint.get("/bookings/<int:number>")
@card_holder
def one(number: int) -> str:
    row, now = booking_of_family(number), shared().clock.now()
    return render_template("patient_visit.html", row=row, slip=slip_of(row, now, language(), 0), open=row.state == "booked")


@blueprint.get("/bookings/<int:number>/cancel")
@card_holder
def ask_cancel(number: int) -> AnyResponse | str:
    row, now = booking_of_family(number), shared().clock.now()
    if reason := changes.why_not_cancel(row.id, now, shared().zone, my_card().patient_id):
        return _not_now(row, objection_to_patient(Objection(reason)))
    refund_fen = changes.refund_when_cancelled(row, now, shared().zone)
    return render_template("patient_cancel.html", row=row, refund_fen=refund_fen)


@blueprint.post("/bookings/<int:number>/cancel")
@card_holder
def cancel(number: int) -> AnyResponse:
    row, now = booking_of_family(number), shared().clock.now()
    with write_transaction(database):
        outcome = changes.cancel(row.id, now, shared().zone, Cause(by=BY), my_card().patient_id)
    if isinstance(outcome, NotBooked):
        return _not_now(row, to_patient(outcome))
    flash(say("my.cancelled_refunded", amount=yuan(outcome.refunded_fen)) if outcome.refunded_fen else say("my.cancelled"))
    return redirect(url_for("patient_visits.show"), 303)


def _not_now(row: Booking, words: str) -> AnyResponse:
    flash(words, "danger")
    return redirect(url_for("patient_visits.one", number=row.id), 303)


def booking_of_family(number: int) -> Booking:
    """Aborts with 404 for one that is somebody else's, as for one that is not there."""
    return Booking.get_or_none(Booking.id == number, Booking.patient.in_(family.ids())) or abort(404)
