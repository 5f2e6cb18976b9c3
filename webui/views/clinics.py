"""Clinics: which doctor sees patients when; one made at a time or by a timetable of weeks, stopped, its places taken out of the sale."""

from collections.abc import Mapping
from datetime import date, timedelta

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from appliance.calendar import WEEKDAYS, Weekday
from appliance.hospital import prices
from appliance.hospital.booking import changes, clinics, slots
from appliance.hospital.booking.clinics import ClinicEntry, Half
from appliance.hospital.ledger.posting import Cause
from appliance.hospital.registry import departments
from appliance.hospital.registry.field_fault import Refused
from appliance.hospital.registry.form import Form, date_of
from appliance.store.booking_tables import Booking, Clinic, Slot
from appliance.store.hospital_tables import Department
from appliance.store.models import database
from appliance.store.transaction import write_transaction
from webui.fields import Field, faults_of, given, words_of
from webui.paging import Pages
from webui.rights import Right, needs
from webui.shared import audit, me, say, shared

DAYS_MOST = 120
DAYS_SHOWN = 7
FIELDS = (
    Field(name="doctor", kind="digits", most=8),
    Field(name="department", kind="digits", most=8),
    Field(name="day", kind="date", required=True),
    Field(name="until", kind="date"),
    Field(name="weekdays", kind="many", choices=tuple(WEEKDAYS), wide=True),
    Field(name="starts", kind="time", required=True),
    Field(name="ends", kind="time", required=True),
    Field(name="minutes", kind="number", most=3),
    Field(name="places", kind="number", most=3),
    Field(name="fee", kind="money", most=12),
)

blueprint = Blueprint("clinics", __name__)


@blueprint.get("/clinics")
@needs(Right.EDIT_HOSPITAL)
def show() -> str:
    first = date_of(request.args.get("day", "")) or shared().day()
    code = request.args.get("department", "")
    query = Clinic.select(Clinic, Department).join(Department)
    query = query.where(Clinic.day >= first, Clinic.day < first + timedelta(days=DAYS_SHOWN)).order_by(Clinic.day, Clinic.starts, Clinic.id)
    pages = Pages.of(query.where(Department.code == code) if code else query, request.args.get("page"))
    counts = _counts([row.id for row in pages.rows])
    shown = {"departments": departments.offered(), "asked": request.args, "days": DAYS_SHOWN}
    return render_template("clinics.html", pages=pages, counts=counts, first=first, **shown)


def _counts(ids: list[int]) -> dict[int, tuple[int, int]]:
    """By clinic: how many places are booked, of how many."""
    counts = dict.fromkeys(ids, (0, 0))
    for slot in Slot.select(Slot.clinic, Slot.state).where(Slot.clinic.in_(ids)):
        taken, every = counts[slot.clinic_id]
        counts[slot.clinic_id] = (taken + (slot.state == slots.BOOKED), every + 1)
    return counts


@blueprint.get("/clinics/new")
@needs(Right.EDIT_HOSPITAL)
def new() -> str:
    return _form({"minutes": "10", "day": shared().day().isoformat(), "doctor": request.args.get("doctor", "")}, {})


def _form(values: Mapping[str, str], faults: Mapping[str, str]) -> str:
    return render_template("clinic_form.html", fields=FIELDS, values=values, faults=faults)


@blueprint.post("/clinics/new")
@needs(Right.EDIT_HOSPITAL)
def make() -> AnyResponse:
    """All the clinics of the timetable, or none."""
    form = given()
    with write_transaction(database) as transaction:
        entry = clinics.read(form)
        last, weekdays, faults = _timetable(form)
        faults |= faults_of(entry) if isinstance(entry, Refused) else {}
        made, waits = 0, False
        if isinstance(entry, ClinicEntry) and not faults:
            before = prices.last_clinic()
            made, faults = _make(entry, last, weekdays)
            waits = not faults and _ask_for_fees(before)
        if faults:
            transaction.rollback()
        else:
            audit("clinics_made", f"{entry.day} {entry.starts}" if isinstance(entry, ClinicEntry) else "", str(made))
    if faults:
        return Response(_form(form, faults), 422)
    flash(say("clinics.made_waiting" if waits else "clinics.made", count=made))
    return redirect(url_for("clinics.show", day=form["day"]), 303)


def _ask_for_fees(after_id: int) -> bool:
    """A fee that is not the doctor's takes two persons; whether there was one."""
    held = prices.hold_clinics(after_id) if shared().config.hospital.four_eyes.registration_fees else []
    return prices.ask(held, prices.FORM, me().name, shared().clock.now()) is not None


def _timetable(form: Mapping[str, str]) -> tuple[date | None, list[Weekday], dict[str, str]]:
    """To which day it is repeated (None: it is not), on which days of the week, and what is wrong with that."""
    checked = Form(form)
    first, last = checked.day("day"), checked.day("until")
    if first and last and not first <= last <= first + timedelta(days=DAYS_MOST):
        checked.fault("until", "order" if last < first else "range", lowest=0, highest=DAYS_MOST)
    weekdays = [day for day in WEEKDAYS if day in form.get("weekdays", "").split()]
    return last, weekdays, {fault.field: words_of(fault) for fault in checked.faults if fault.field == "until"}


def _make(entry: ClinicEntry, last: date | None, weekdays: list[Weekday]) -> tuple[int, dict[str, str]]:
    entries = [entry]
    if last is not None:
        halves = [Half(weekday=day, starts=entry.starts, ends=entry.ends) for day in weekdays or WEEKDAYS]
        entries = clinics.by_timetable(halves, entry.day, last, entry)
    made, refusals = clinics.make_many(entries, shared().zone)
    if refusals:
        return made, faults_of(refusals[0][1])
    return made, {} if made else {"weekdays": say("clinics.no_days")}


@blueprint.get("/clinics/<int:number>")
@needs(Right.EDIT_HOSPITAL)
def one(number: int) -> str:
    clinic = _clinic(number)
    taken = {row.slot_of_id: row for row in Booking.select().join(Slot, on=Booking.slot_of).where(Slot.clinic == clinic)}
    places = [(slot, taken.get(slot.id)) for slot in Slot.select().where(Slot.clinic == clinic).order_by(Slot.number)]
    return render_template("clinic.html", clinic=clinic, places=places, price_waits=prices.waits("clinic", number))


@blueprint.post("/clinics/<int:number>/stopped")
@needs(Right.EDIT_HOSPITAL)
def stop(number: int) -> AnyResponse:
    clinic = _clinic(number)
    with write_transaction(database):
        told = changes.stop_clinic(clinic.id, shared().clock.now(), shared().zone, Cause(by=me().name))
        if told is not None:
            audit("clinic_stopped", f"{clinic.day} {clinic.starts}", str(told))
    flash(say("clinics.stopped_now", count=told or 0))
    return redirect(url_for("clinics.one", number=number), 303)


@blueprint.post("/clinics/<int:number>/places/<int:place>")
@needs(Right.EDIT_HOSPITAL)
def set_blocked(number: int, place: int) -> AnyResponse:
    slot = Slot.get_or_none(Slot.id == place, Slot.clinic == _clinic(number)) or abort(404)
    blocked = given().get("blocked") == "yes"
    with write_transaction(database):
        done = not prices.waits("clinic", number) and slots.set_blocked(slot.id, shared().clock.now(), blocked=blocked)
        audit("place_changed", f"clinic {number}", f"{slot.number} {given().get('blocked', '')[:3]}")
    if not done:
        flash(say("clinics.place_not_so"), "danger")
    return redirect(url_for("clinics.one", number=number), 303)


def _clinic(number: int) -> Clinic:
    return Clinic.get_or_none(Clinic.id == number) or abort(404)
