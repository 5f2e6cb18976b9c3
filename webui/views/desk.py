"""The registration desk: a department's places of a day, and one of them booked for anybody, by name or card, free or paid from a card.

A booking's form has a key of its own: sent twice it books once. The card's password is asked of its holder and kept nowhere.
"""

import secrets
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from msgspec import Struct
from werkzeug.wrappers import Response as AnyResponse

from appliance.hospital import masking, record
from appliance.hospital.booking import booking, offers
from appliance.hospital.booking.booking import Booked, Payment, Visitor
from appliance.hospital.booking.channel import Channel
from appliance.hospital.booking.reasons import NotBooked
from appliance.hospital.booking.rules import rules_for
from appliance.hospital.dispatch import sources
from appliance.hospital.registry import card_password, departments, patient_search
from appliance.hospital.registry.card_password import Password
from appliance.hospital.registry.characters import joined, narrow
from appliance.hospital.registry.field_fault import Refused
from appliance.hospital.registry.form import Form, date_of
from appliance.hospital.registry.telephone import is_number
from appliance.store.booking_tables import Booking, Clinic, Slot
from appliance.store.hospital_tables import Card, Department, Patient
from appliance.store.models import database
from appliance.store.transaction import write_transaction
from webui.fields import Field, faults_of, given
from webui.refusals import to_staff
from webui.rights import Right, needs
from webui.shared import audit, me, say, shared

KEY_MOST = 40
FIELDS = (Field(name="visitor"), Field(name="phone", kind="tel", most=24), Field(name="holder", most=24))
"""Who comes: by name, or by card or patient number."""

blueprint = Blueprint("desk", __name__)


class Comer(Struct, frozen=True):
    """For whom a place is booked. `patient` None: known by name only."""

    name: str
    phone: str
    patient: Patient | None


@blueprint.get("/desk")
@needs(Right.BOOK)
def show() -> str:
    return _desk(request.args, {}, {name: request.args.get(name, "") for name in ("visitor", "phone", "holder")})


def _desk(asked: Mapping[str, str], faults: Mapping[str, str], values: Mapping[str, str]) -> str:
    everywhere = departments.offered()
    department = _chosen(everywhere, asked.get("department", ""))
    first = rules_for(department.id if department else None).first_day
    day = date_of(asked.get("day", "")) or shared().day() + timedelta(days=first)
    moved = booking.by_code(asked.get("move", "")) if asked.get("move") else None
    shown: dict[str, Any] = {"clinics": _clinics(department, day), "departments": everywhere, "department": department, "moved": moved}
    shown |= {"day": day, "before": day - timedelta(days=1), "after": day + timedelta(days=1), "once": secrets.token_urlsafe(16)}
    return render_template("desk.html", fields=FIELDS, faults=faults, values=values, **shown)


def _chosen(everywhere: list[Department], code: str) -> Department | None:
    return next((one for one in everywhere if one.code == code), everywhere[0] if everywhere else None)


def _clinics(department: Department | None, day: date) -> list[tuple[Clinic, list[tuple[Slot, Booking | None]]]]:
    """Each clinic of the day with its places, and who has them."""
    if department is None:
        return []
    wanted = (Clinic.department == department) & (Clinic.day == day)
    taken = Booking.select().join(Slot, on=Booking.slot_of).join(Clinic).where(wanted)
    of_slot = {row.slot_of_id: row for row in taken}
    clinics = Clinic.select().where(wanted).order_by(Clinic.starts, Clinic.id)
    return [(clinic, [(slot, of_slot.get(slot.id)) for slot in _slots(clinic)]) for clinic in clinics]


def _slots(clinic: Clinic) -> list[Slot]:
    return list(Slot.select().where(Slot.clinic == clinic).order_by(Slot.number))


@blueprint.post("/desk")
@needs(Right.BOOK)
def book() -> AnyResponse:
    form = given()
    comer = _comer(form)
    slot = _slot(form.get("slot", ""))
    if isinstance(comer, Refused):
        return Response(_desk(form, faults_of(comer), form), 422)
    if slot is None:
        return Response(_desk(form, {"": say("desk.no_slot")}, form), 422)
    if form.get("sure") != "1" and (_alike(slot, comer) or slot.clinic.fee_fen):
        return Response(_confirm(slot, comer, form, ""))
    return _book(slot, comer, form)


def _comer(form: Mapping[str, str]) -> Comer | Refused:
    checked = Form(form)
    holder = joined(checked.text("holder", 24))
    patient = _holder(holder) if holder else None
    if holder and patient is None:
        checked.fault("holder", "unknown", value=holder[:16])
    name = checked.text("visitor", 64, required=patient is None and not holder)
    phone = shared().normalise(checked.text("phone", 24))
    if phone and not is_number(phone):
        checked.fault("phone", "phone")
    return checked.refusal or Comer(patient.name if patient else name, phone, patient)


def _holder(number: str) -> Patient | None:
    """Whom a card or a patient's number names."""
    found = next((each for each in (patient_search.by_card(number), patient_search.by_number(number)) if each.ids), None)
    if found is None:
        return None
    audit(record.AUDIT_ACTION, record.subject(found.ids[0]), "desk")
    return Patient.get_by_id(found.ids[0])


def _slot(text: str) -> Slot | None:
    return Slot.get_or_none(Slot.id == int(text)) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _alike(slot: Slot, comer: Comer) -> list[Booking]:
    return offers.duplicates(slot.id, comer.name, comer.phone, comer.patient.id if comer.patient else None)


def _confirm(slot: Slot, comer: Comer, form: Mapping[str, str], fault: str) -> str:
    cards = Card.select().where(Card.patient == comer.patient, Card.state == "active") if comer.patient else []
    held = [(card, masking.card(card.number, masked=True), card.account.balance_fen if card.account else 0) for card in cards]
    shown = {"slot": slot, "comer": comer, "form": form, "fault": fault, "alike": _alike(slot, comer), "cards": held}
    return render_template("desk_confirm.html", unpaid=Channel.AGENT in rules_for(slot.clinic.department_id).unpaid_channels, **shown)


def _book(slot: Slot, comer: Comer, form: Mapping[str, str]) -> AnyResponse:
    payment = _payment(slot, comer, form)
    if isinstance(payment, str):
        return Response(_confirm(slot, comer, form, payment), 422)
    now, zone = shared().clock.now(), shared().zone
    patient = comer.patient.id if comer.patient else None
    visitor = Visitor(name=comer.name, channel=Channel.AGENT, patient=patient, phone=comer.phone, by=me().name)
    with write_transaction(database):
        outcome = booking.book(slot.id, visitor, f"desk {form.get('once', '')[:KEY_MOST]}", now, zone, payment)
        if isinstance(outcome, Booked):
            sources.booking(Booking.get_by_id(outcome.booking), now)
            audit("booking_made", outcome.code, "paid" if outcome.paid_fen else "")
    if isinstance(outcome, NotBooked):
        return Response(_desk(form, {"": to_staff(outcome.objections)}, form), 422)
    flash(say("desk.booked", name=comer.name, code=outcome.code))
    return redirect(url_for("bookings.one", code=outcome.code), 303)


def _payment(slot: Slot, comer: Comer, form: Mapping[str, str]) -> Payment | str | None:
    """From which card; what is wrong with the card or its password; None: not paid now."""
    if not slot.clinic.fee_fen or form.get("pay") != "card":
        return None
    card = Card.get_or_none(Card.id == _number(form.get("card", "")), Card.patient == comer.patient) if comer.patient else None
    if card is None:
        return say("desk.no_card")
    check = card_password.begin(card.number)
    right = card_password.is_right(check, narrow(form.get("password", "")[: card_password.KEYED_MOST + 1]))
    with write_transaction(database):
        outcome = card_password.finish(check, right, shared().clock.now())
    if outcome.result is Password.RIGHT:
        return Payment(card.id, _number(form.get("price", "")))
    return say(f"password.{outcome.result.value}", left=outcome.left)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0
