"""Cards of patients: issued, replaced, frozen, unlocked, their password set. A password is never shown, logged or kept in a form."""

from flask import Blueprint, Response, abort, flash, redirect, url_for
from werkzeug.wrappers import Response as AnyResponse

from appliance.hospital import masking, record
from appliance.hospital.registry import card_password, cards
from appliance.hospital.registry.cards import CardStep
from appliance.hospital.registry.field_fault import Refused
from appliance.store.hospital_tables import Card, Patient
from appliance.store.models import database
from appliance.store.transaction import write_transaction
from webui.fields import faults_of, given, words_of
from webui.rights import Right, needs
from webui.shared import audit, me, say, shared
from webui.views.patients import record_page

blueprint = Blueprint("patient_cards", __name__)


@blueprint.post("/patients/<int:number>/cards")
@needs(Right.EDIT_PATIENTS)
def issue(number: int) -> AnyResponse:
    patient = Patient.get_or_none(Patient.id == number) or abort(404)
    with write_transaction(database):
        asked = cards.read_number(given(), "card_number")
        outcome = asked if isinstance(asked, Refused) else cards.issue(patient.id, shared().clock.now(), me().name, asked)
        return _issued(patient.id, outcome, "card_issued", "card_number")


@blueprint.post("/cards/<int:number>/replaced")
@needs(Right.EDIT_PATIENTS)
def replace(number: int) -> AnyResponse:
    card = _card(number)
    with write_transaction(database):
        asked = cards.read_number(given(), f"replace-{number}")
        outcome = asked if isinstance(asked, Refused) else cards.replace(card.id, shared().clock.now(), me().name, asked)
        return _issued(card.patient_id, outcome, "card_replaced", f"replace-{number}")


def _issued(patient_id: int, outcome: Card | Refused, action: str, field: str) -> AnyResponse:
    if isinstance(outcome, Refused):
        faults = faults_of(outcome)
        return Response(record_page(patient_id, {field: next(iter(faults.values()))}, given()), 422)
    audit(action, record.subject(patient_id), masking.card(outcome.number, masked=True))
    flash(say("patients.card_issued", number=outcome.number))
    return _back(patient_id)


@blueprint.post("/cards/<int:number>/release/<any(unlock, thaw, find):step>")
@needs(Right.RELEASE_CARDS)
def release(number: int, step: str) -> AnyResponse:
    return _step(_card(number), CardStep(step))


@blueprint.post("/cards/<int:number>/stop/<any(freeze, lose):step>")
@needs(Right.EDIT_PATIENTS)
def stop(number: int, step: str) -> AnyResponse:
    return _step(_card(number), CardStep(step))


def _step(card: Card, step: CardStep) -> AnyResponse:
    with write_transaction(database):
        done = cards.step(card.id, step, shared().clock.now(), me().name)
        if done:
            audit(f"card_{step}", record.subject(card.patient_id), masking.card(card.number, masked=True))
    flash(say(f"card_step.{step}_done") if done else say("patients.card_not_so"), "success" if done else "danger")
    return _back(card.patient_id)


@blueprint.post("/cards/<int:number>/password")
@needs(Right.EDIT_PATIENTS)
def set_password(number: int) -> AnyResponse:
    """Of any card that is not closed; a locked one stays locked."""
    card, form = _card(number), given()
    fault = card_password.fault_of(form.get("password", ""), form.get("again", ""), card)
    if fault:
        return Response(record_page(card.patient_id, {f"password-{number}": words_of(fault)}, {}), 422)
    hashed = card_password.hashed(form["password"])
    with write_transaction(database):
        card_password.set_password(card.id, hashed)
        audit("card_password_set", record.subject(card.patient_id), masking.card(card.number, masked=True))
    flash(say("patients.password_set"))
    return _back(card.patient_id)


def _card(number: int) -> Card:
    return Card.get_or_none(Card.id == number) or abort(404)


def _back(patient_id: int) -> AnyResponse:
    return redirect(url_for("patients.one", number=patient_id), 303)
