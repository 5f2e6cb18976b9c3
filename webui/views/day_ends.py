"""The ends of days: which have run, who did not come, what went back to whom."""

from datetime import date

from flask import Blueprint, abort, render_template, request
from peewee import JOIN, ModelSelect

from appliance.hospital.registry.form import date_of
from appliance.store.booking_tables import Booking, Clinic, DayEnd, Slot
from appliance.store.hospital_tables import Department
from appliance.store.money_tables import LedgerTransaction
from webui.paging import Pages
from webui.rights import Right, needs
from webui.shared import audit

blueprint = Blueprint("day_ends", __name__)


@blueprint.get("/money/day-ends")
@needs(Right.SEE_LEDGER)
def show() -> str:
    return render_template("day_ends.html", pages=Pages.of(DayEnd.select().order_by(DayEnd.day.desc()), request.args.get("page")))


@blueprint.get("/money/day-ends/<day>")
@needs(Right.SEE_LEDGER)
def one(day: str) -> str:
    wanted = date_of(day) or abort(404)
    run = DayEnd.get_or_none(DayEnd.day == wanted) or abort(404)
    pages = Pages.of(_absent(wanted), request.args.get("page"))
    audit("day_end_opened", wanted.isoformat())
    return render_template("day_end.html", run=run, pages=pages)


def _absent(day: date) -> "ModelSelect[Booking]":
    """Bookings of the day whose visitor did not come, with the transaction that gave the fee back."""
    query = Booking.select(Booking, Slot, Clinic, Department, LedgerTransaction).join(Slot, on=Booking.slot).join(Clinic).join(Department)
    query = query.switch(Booking).join(LedgerTransaction, JOIN.LEFT_OUTER, on=Booking.refund)
    return query.where(Booking.day == day, Booking.state == "no_show").order_by(Slot.at, Booking.id)
