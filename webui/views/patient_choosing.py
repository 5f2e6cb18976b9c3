"""A patient chooses a place: department, doctor, day and time. Every step is a link or a button; `instead` goes along when a
booking is moved."""

from itertools import groupby
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from msgspec import Struct
from werkzeug.wrappers import Response as AnyResponse

from appliance.hospital.booking import slots
from appliance.hospital.booking.rules import Rules, rules_for
from appliance.hospital.registry.form import date_of
from appliance.store.booking_tables import Clinic, Slot
from appliance.store.hospital_tables import Department, Doctor, Patient
from webui import family
from webui.patient_session import card_holder, my_card
from webui.shared import shared
from webui.views.patient_visits import booking_of_family

CLINICS_MOST = 400
ANY_DOCTOR = 0

blueprint = Blueprint("patient_choosing", __name__, url_prefix="/p")


class Choice(Struct, frozen=True):
    """A doctor (None: the department, whoever is there): the `first` clinic, and how many places are `left`; 0: one can wait for one."""

    doctor: Doctor | None
    first: Clinic
    left: int


@blueprint.get("/book")
@card_holder
def departments() -> str:
    """Those with free places, and those with a waitlist."""
    coming, now = Clinic.day >= shared().day(), shared().clock.now()
    wanted = {clinic.department_id for clinic, _ in slots.free_clinics(coming, now, CLINICS_MOST)}
    wanted |= {clinic.department_id for clinic in slots.full_clinics(coming, now, CLINICS_MOST)}
    rows = Department.select().where(Department.id.in_(wanted), ~Department.closed).order_by(Department.code)
    return render_template("patient_departments.html", departments=list(rows), visitor=_somebody_else())


@blueprint.get("/book/<int:department>")
@card_holder
def doctors(department: int) -> AnyResponse | str:
    row = _department(department)
    mine = Clinic.department == row.id
    there = [*_free(mine, row.id), *((clinic, 0) for clinic in _full(mine, row.id))]
    pairs = sorted(there, key=lambda pair: (pair[0].doctor_id or 0, not pair[1], pair[0].day, pair[0].starts))
    choices = [_choice(list(of_one)) for _, of_one in groupby(pairs, key=lambda pair: pair[0].doctor_id)]
    if len(choices) == 1 and choices[0].doctor is None:
        return redirect(url_for("patient_choosing.times", department=row.id, doctor=ANY_DOCTOR), 303)
    return render_template("patient_doctors.html", department=row, choices=choices, visitor=_somebody_else())


def _choice(pairs: list[tuple[Clinic, int]]) -> Choice:
    return Choice(pairs[0][0].doctor, pairs[0][0], sum(left for _, left in pairs))


@blueprint.get("/book/<int:department>/<int:doctor>")
@card_holder
def times(department: int, doctor: int) -> str:
    """The days with free places, and the places of the one chosen."""
    row, now = _department(department), shared().clock.now()
    whose = Clinic.doctor == doctor if doctor else Clinic.doctor.is_null()
    mine = (Clinic.department == row.id) & whose
    clinics = [clinic for clinic, _ in _free(mine, row.id)]
    days = sorted({clinic.day for clinic in clinics})
    asked = date_of(request.args.get("day", ""))
    day = asked if asked in days else next(iter(days), None)
    places = [(clinic, slots.free_of(clinic.id, now)) for clinic in clinics if clinic.day == day]
    shown: dict[str, Any] = {"department": row, "doctor": _doctor(doctor), "days": days, "day": day, "places": places}
    instead = _instead()
    full = [] if instead else _full(mine, row.id)
    return render_template("patient_times.html", instead=instead, full=full, visitor=_somebody_else(), **shown)


def _free(wanted: Any, department: int) -> list[tuple[Clinic, int]]:
    """Clinics with free places within the days that may be booked by now."""
    found = slots.free_clinics(wanted & (Clinic.day >= shared().day()), shared().clock.now(), CLINICS_MOST)
    rules = rules_for(department)
    return [pair for pair in found if _is_open(pair[0], rules)]


def _full(wanted: Any, department: int) -> list[Clinic]:
    """Those without a free place, within the same days."""
    found = slots.full_clinics(wanted & (Clinic.day >= shared().day()), shared().clock.now(), CLINICS_MOST)
    rules = rules_for(department)
    return [clinic for clinic in found if _is_open(clinic, rules)]


def _is_open(clinic: Clinic, rules: Rules) -> bool:
    return rules.opens_at(clinic.day, shared().zone) <= shared().clock.now() and (clinic.day - shared().day()).days >= rules.first_day


def _somebody_else() -> Patient | None:
    """Of the family, when the visit is not the card holder's own."""
    visitor = family.chosen()
    return None if visitor.id == my_card().patient_id else visitor


def _instead() -> int:
    """The booking that is being moved; 0 when a new one is made."""
    asked = request.args.get("instead", "")
    return booking_of_family(int(asked)).id if asked.isascii() and asked.isdigit() and len(asked) < 18 else 0


def _department(number: int) -> Department:
    return Department.get_or_none(Department.id == number, ~Department.closed) or abort(404)


def _doctor(number: int) -> Doctor | None:
    return (Doctor.get_or_none(Doctor.id == number, Doctor.listed) or abort(404)) if number else None


def clinic_of(slot_id: int) -> Clinic:
    """Whose place that is. Aborts with 404 where there is none."""
    slot = Slot.get_or_none(Slot.id == slot_id) or abort(404)
    clinic: Clinic = slot.clinic
    return clinic
