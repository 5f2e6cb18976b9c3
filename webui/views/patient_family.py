"""A patient's family: for whom a visit is booked. Relatives are put on record at the hospital's desk, where papers can be looked at."""

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from appliance.hospital.booking import booking
from webui import family
from webui.patient_session import card_holder, my_card
from webui.shared import shared

blueprint = Blueprint("patient_family", __name__, url_prefix="/p")


@blueprint.get("/family")
@card_holder
def show() -> str:
    coming = [row.patient_id for row in booking.of_patients(family.ids(), shared().day())]
    shown = {"patient": my_card().patient, "relatives": family.relatives(), "chosen": family.chosen()}
    return render_template("patient_family.html", visits=coming.count, **shown)


@blueprint.post("/family")
@card_holder
def choose() -> AnyResponse:
    asked = request.form.get("visitor", "")
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 18 else 0
    if not family.choose(number):
        abort(404)
    return redirect(url_for("patient_choosing.departments"), 303)
