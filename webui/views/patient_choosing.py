"""A patient chooses a place: department, doctor, day and time. Every step is a link or a button; `instead` goes along when a
booking is moved."""

from itertools import groupby
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from msgspec import Struct
from werkzeug.wrappers import Response as AnyResponse

from appliance.hospital.booking import slots
from appliance.hospital.booking.rules import rules_for
from appliance.hospital.registry.form import date_of
from appliance.store.booking_tables import Clinic, Slot
from appliance.store.hospital_tables import Department, Doctor
from webui.patient_session import card_holder
from webui.shared import shared
from webui.views.patient_visits import own_booking

CLINICS_MOST = 400
ANY_DOCTOR = 0

blueprint = Blueprint("patient_choosing", __name__, url_prefix="/p")


class Choice(Struct, frozen=True):
    """A doctor (None: the department, whoever is there) with free places: `first` and how many clinics' `left` there are."""

    doctor: Doctor | None
    first: Clinic
    left: int


@blueprint.get("/book")
@card_holder
def departments() -> str:
    """Those with free places."""
    there = slots.free_clinics(Clinic.day >= shared().day(), shared().clock.now(), CLINICS_MOST)
    wanted = {clinic.department_id for clinic, _ in there}
    rows = Department.select().where(Department.id.in_(wanted), ~Department.closed).order_by(Department.code)
    return render_template("patient_departments.html", departments=list(rows))


@blueprint.get("/book/<int:department>")
@card_holder
def doctors(department: int) -> AnyResponse | str:
    row = _department(department)
    pairs = sorted(_free(Clinic.department == row.id, row.id), key=lambda pair: (pair[0].doctor_id or 0, pair[0].day, pair[0].starts))
    choices = [_choice(list(of_one)) for _, of_one in groupby(pairs, key=lambda pair: pair[0].doctor_id)]
    if len(choices) == 1 and choices[0].doctor is None:
        return redirect(url_for("patient_choosing.times", department=row.id, doctor=ANY_DOCTOR), 303)
    return render_template("patient_doctors.html", department=row, choices=choices)


def _choice(pairs: list[tuple[Clinic, int]]) -> Choice:
    return Choice(pairs[0][0].doctor, pairs[0][0], sum(left for _, left in pairs))


@blueprint.get("/book/<int:department>/<int:doctor>")
@card_holder
def times(department: int, doctor: int) -> str:
    """The days with free places, and the places of the one chosen."""
    row, now = _department(department), shared().clock.now()
    whose = Clinic.doctor == doctor if doctor else Clinic.doctor.is_null()
    clinics = [clinic for clinic, _ in _free((Clinic.department == row.id) & whose, row.id)]
    days = sorted({clinic.day for clinic in clinics})
    asked = date_of(request.args.get("day", ""))
    day = asked if asked in days else next(iter(days), None)
    places = [(clinic, slots.free_of(clinic.id, now)) for clinic in clinics if clinic.day == day]
    shown: dict[str, Any] = {"department": row, "doctor": _doctor(doctor), "days": days, "day": day, "places": places}
    return render_template("patient_times.html", instead=_instead(), **shown)


def _free(wanted: Any, department: int) -> list[tuple[Clinic, int]]:
    """Clinics with free places within the days that may be booked by now."""
    rules, today, now = rules_for(department), shared().day(), shared().clock.now()
    found = slots.free_clinics(wanted & (Clinic.day >= today), now, CLINICS_MOST)
    open_ones = [pair for pair in found if rules.opens_at(pair[0].day, shared().zone) <= now]
    return [pair for pair in open_ones if (pair[0].day - today).days >= rules.first_day]


def _instead() -> int:
    """The booking that is being moved; 0 when a new one is made."""
    asked = request.args.get("instead", "")
    return own_booking(int(asked)).id if asked.isascii() and asked.isdigit() and len(asked) < 18 else 0


def _department(number: int) -> Department:
    return Department.get_or_none(Department.id == number, ~Department.closed) or abort(404)


def _doctor(number: int) -> Doctor | None:
    return (Doctor.get_or_none(Doctor.id == number, Doctor.listed) or abort(404)) if number else None


def clinic_of(slot_id: int) -> Clinic:
    """Whose place that is. Aborts with 404 where there is none."""
    slot = Slot.get_or_none(Slot.id == slot_id) or abort(404)
    clinic: Clinic = slot.clinic
    return clinic
