"""The rules of registration: those of the hospital, of a department; tried out on somebody before they are saved."""

from collections.abc import Mapping

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from msgspec import Struct
from werkzeug.wrappers import Response as AnyResponse

from appliance.hospital import record
from appliance.hospital.booking import rules
from appliance.hospital.booking.channel import Channel
from appliance.hospital.booking.rules import NUMBERS, Rules
from appliance.hospital.booking.why_not import Asked, why_not
from appliance.hospital.registry import departments, patient_search
from appliance.hospital.registry.field_fault import Refused
from appliance.hospital.registry.form import date_of
from appliance.store.booking_tables import Clinic, Slot
from appliance.store.hospital_tables import Department, Patient
from appliance.store.models import database
from appliance.store.transaction import write_transaction
from webui.fields import Field, faults_of, given
from webui.refusals import objection_to_staff
from webui.rights import Right, needs
from webui.shared import audit, i_may, me, say, shared

CHANNELS = tuple(channel.value for channel in Channel)
FIELDS = (
    *(Field(name=name, kind="number", most=4) for name in ("first_day", "last_day")),
    Field(name="release", kind="time"),
    *(Field(name=name, kind="number", most=4) for name in ("closes_min", "cancel_days")),
    Field(name="cancel_time", kind="time"),
    Field(name="late_cancel", kind="choice", choices=("refuse", "keep_fee", "refund")),
    Field(name="no_show_refund", kind="flag"),
    Field(name="once_per", kind="choice", choices=("doctor", "department", "any")),
    Field(name="sex", kind="choice", choices=("", "m", "f")),
    *(Field(name=name, kind="number", most=4) for name in NUMBERS if name not in ("first_day", "last_day", "closes_min", "cancel_days")),
    Field(name="channels", kind="many", choices=CHANNELS, wide=True),
    Field(name="unpaid_channels", kind="many", choices=CHANNELS, wide=True),
)
CLINICS_MOST = 20

blueprint = Blueprint("rules", __name__)


class Tried(Struct, frozen=True):
    """What the rules say of a clinic of the day: nothing, it may be booked."""

    clinic: Clinic
    objections: tuple[str, ...]


@blueprint.get("/rules")
@needs(Right.EDIT_RULES)
def show() -> str:
    department = departments.by_code(request.args.get("department", ""))
    values = rules.form_of(rules.rules_for(department.id if department else None))
    return _page(department, values, {}, None)


@blueprint.post("/rules")
@needs(Right.EDIT_RULES)
def save_or_try() -> AnyResponse:
    form = given()
    form = form | {name: form.get(name, "") for name in ("channels", "unpaid_channels")}
    department = departments.by_code(form.get("of", ""))
    read = rules.read(form)
    if isinstance(read, Refused):
        return Response(_page(department, form, faults_of(read), None), 422)
    if form.get("do") == "try":
        return _try(department, form, read)
    with write_transaction(database):
        rules.save(read, department.id if department else None, me().name, shared().clock.now())
        audit("rules_changed", department.code if department else "")
    flash(say("hospital.saved"))
    return redirect(url_for("rules.show", department=department.code if department else None), 303)


def _try(department: Department | None, form: Mapping[str, str], read: Rules) -> AnyResponse:
    day = date_of(form.get("try_day", ""))
    holder = "".join(form.get("try_holder", "").split())[:24] if i_may(Right.SEE_PATIENTS) else ""
    patient = _patient(holder) if holder else None
    faults = {} if day else {"try_day": say("rules.no_day")}
    if holder and patient is None:
        faults["try_holder"] = say("rules.nobody")
    if day is None or faults:
        return Response(_page(department, form, faults, None), 422)
    wanted = Clinic.select().where(Clinic.day == day).order_by(Clinic.starts, Clinic.id).limit(CLINICS_MOST)
    clinics = wanted.where(Clinic.department == department) if department else wanted
    tried = [_tried(clinic, patient, form, read) for clinic in clinics]
    return Response(_page(department, form, {}, tried))


def _tried(clinic: Clinic, patient: Patient | None, form: Mapping[str, str], read: Rules) -> Tried:
    """Asked of the clinic's first place."""
    slot = Slot.select().where(Slot.clinic == clinic).order_by(Slot.number).first()
    channel = Channel(form["try_channel"]) if form.get("try_channel") in CHANNELS else Channel.IVR
    asked = Asked(slot=slot.id, channel=channel, patient=patient.id if patient else None, paying=not clinic.free_of_charge)
    return Tried(clinic, tuple(objection_to_staff(each) for each in why_not(asked, shared().clock.now(), shared().zone, read)))


def _patient(number: str) -> Patient | None:
    found = next((each for each in (patient_search.by_card(number), patient_search.by_number(number)) if each.ids), None)
    if found is None:
        return None
    audit(record.AUDIT_ACTION, record.subject(found.ids[0]), "rules")
    return Patient.get_by_id(found.ids[0])


def _page(department: Department | None, values: Mapping[str, str], faults: Mapping[str, str], tried: list[Tried] | None) -> str:
    shown = {"departments": departments.offered(), "department": department, "channels": CHANNELS, "tried": tried}
    return render_template("rules.html", fields=FIELDS, values=values, faults=faults, **shown)
