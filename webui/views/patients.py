"""Patients: looking for them, the record with all there is of one, making and changing them. Every look is written into the audit."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from msgspec import structs
from werkzeug.wrappers import Response as AnyResponse

from appliance.hospital import masking, record
from appliance.hospital.complaints import looking, sight
from appliance.hospital.record_sections import SECTIONS, Page, Viewer
from appliance.hospital.registry import patient_search, patients
from appliance.hospital.registry.cards import STEPS, CardStep
from appliance.hospital.registry.field_fault import Refused, refused
from appliance.hospital.registry.form import date_of
from appliance.store.hospital_tables import Patient
from appliance.store.models import CallRecord, database
from appliance.store.transaction import write_transaction
from webui.fields import Field, faults_of, given
from webui.rights import Right, needs
from webui.shared import audit, i_may, me, say, shared

SOUGHT_MOST = 64
FIELDS = (
    Field(name="name", required=True),
    Field(name="number", kind="digits", most=16),
    Field(name="id_number", most=24),
    Field(name="birth_date", kind="date"),
    Field(name="sex", kind="choice", choices=("", "m", "f")),
    Field(name="language", kind="choice", choices=("zh", "en")),
    Field(name="phones", most=200, wide=True),
    Field(name="note", kind="area", most=1000),
)
MASKED = ("id_number", "phones")
"""Fields of the form that only whoever sees whole numbers may change."""
RELEASING = frozenset({CardStep.UNLOCK, CardStep.THAW, CardStep.FIND})

blueprint = Blueprint("patients", __name__)


@blueprint.get("/patients")
@needs(Right.SEE_PATIENTS)
def show() -> AnyResponse | str:
    text = request.args.get("q", "").strip()[:SOUGHT_MOST]
    found = patient_search.find(text, shared().normalise, date_of(request.args.get("born", "")))
    if text:
        audit("patients_searched", _named_in_audit(text), f"{found.by} {len(found.ids)}")
    if len(found.ids) == 1 and request.args.get("list") != "1":
        return redirect(url_for("patients.one", number=found.ids[0]), 303)
    rows = [(row, _id_number(row), _phones(row.id)) for row in found.rows()]
    return render_template("patients.html", rows=rows, found=found, text=text, born=request.args.get("born", ""))


def _named_in_audit(text: str) -> str:
    """What was typed; of a number, no more than may be shown to anybody."""
    return masking.mask(text) if any(letter.isdigit() for letter in text) else text


def _id_number(row: Patient) -> str:
    return masking.identity_number(row.id_number, masked=not i_may(Right.UNMASK))


def _phones(patient_id: int) -> str:
    masked = not i_may(Right.UNMASK)
    return ", ".join(masking.phone(number, masked=masked) for number in patients.phones_of(patient_id))


@blueprint.get("/patients/<int:number>")
@needs(Right.SEE_PATIENTS)
def one(number: int) -> str:
    page = record_page(number, {}, {})
    audit(record.AUDIT_ACTION, record.subject(number), "unmasked" if i_may(Right.UNMASK) else "")
    return page


def record_page(patient_id: int, faults: Mapping[str, str], values: Mapping[str, str]) -> str:
    """The record; `faults` and `values` of one of its small forms by field. Aborts with 404 for nobody."""
    viewer = Viewer(account_id=me().id, unmask=i_may(Right.UNMASK))
    opened = record.open_record(patient_id, viewer) or abort(404)
    section, cursor = request.args.get("section", ""), request.args.get("after", "")
    pages: dict[str, Page[Any]] = dict(opened.sections)
    if section in SECTIONS:
        pages[section] = SECTIONS[section](patient_id, viewer, cursor, 20)
    pages["complaints"] = Page(tuple(looking.of_patient(patient_id, me())) if i_may(Right.SEE_COMPLAINTS) else ())
    pages["calls"] = _without_hidden(pages["calls"])
    steps = {card.card_id: _steps(card.state) for card in opened.cards}
    shown = {
        "record": opened,
        "pages": pages,
        "steps": steps,
        "faults": faults,
        "values": values,
        "looks": record.looked_by(patient_id, 10),
    }
    return render_template("patient.html", **shown)


def _without_hidden(page: Page[Any]) -> Page[Any]:
    """The calls in which something was said that is kept from this person have no path and no recordings here."""
    ids = [line.id for line in page.lines]
    hidden = CallRecord.select(CallRecord.call_id).where(CallRecord.call_id.in_(ids), CallRecord.call_id.in_(sight.hidden_calls(me().id)))
    kept = {row.call_id for row in hidden}
    lines = [structs.replace(line, path="", recordings=()) if line.id in kept else line for line in page.lines]
    return Page(tuple(lines), page.next)


def _steps(state: str) -> list[CardStep]:
    """What may be done to a card in that state by this person."""
    there = [step for step, (before, _) in STEPS.items() if state in before and step is not CardStep.CLOSE]
    return [step for step in there if i_may(Right.RELEASE_CARDS if step in RELEASING else Right.EDIT_PATIENTS)]


@blueprint.get("/patients/new")
@needs(Right.EDIT_PATIENTS)
def new() -> str:
    return _form(None, {"language": "zh", "name": request.args.get("name", ""), "phones": request.args.get("phone", "")}, {})


@blueprint.post("/patients/new")
@needs(Right.EDIT_PATIENTS)
def make() -> AnyResponse:
    return _save(None, given())


@blueprint.get("/patients/<int:number>/edit")
@needs(Right.EDIT_PATIENTS)
def edit(number: int) -> str:
    row = _patient(number)
    audit(record.AUDIT_ACTION, record.subject(number), "edit")
    return _form(row, _values(row), {})


@blueprint.post("/patients/<int:number>/edit")
@needs(Right.EDIT_PATIENTS)
def change(number: int) -> AnyResponse:
    row = _patient(number)
    kept = {} if i_may(Right.UNMASK) else {name: _values(row)[name] for name in MASKED}
    return _save(row, given() | kept)


def _save(row: Patient | None, filled: dict[str, str]) -> AnyResponse:
    outcome: Patient | Refused
    with write_transaction(database):
        read = patients.read(filled, shared().normalise, shared().day())
        outcome = read if isinstance(read, Refused) else patients.save(read, shared().clock.now(), row.id if row else None)
        if isinstance(outcome, Patient):
            audit("patient_changed" if row else "patient_made", record.subject(outcome.id))
    if isinstance(outcome, Refused):
        return Response(_form(row, filled, faults_of(outcome)), 422)
    flash(say("patients.saved", name=outcome.name))
    return redirect(url_for("patients.one", number=outcome.id), 303)


def _form(row: Patient | None, values: Mapping[str, str], faults: Mapping[str, str]) -> str:
    """Without the right to see whole numbers, those of a patient who is there already are not in the form."""
    hidden = MASKED if row is not None and not i_may(Right.UNMASK) else ()
    fields = [field for field in FIELDS if field.name not in hidden]
    general = {"": " ".join(faults[name] for name in hidden)} if any(name in faults for name in hidden) else {}
    return render_template("patient_form.html", patient=row, fields=fields, values=values, faults={**faults, **general})


def _values(row: Patient) -> dict[str, str]:
    entry = patients.entry_of(row)
    texts = {"birth_date": _day(entry.birth_date), "id_number": entry.id_number or "", "phones": " ".join(entry.phones)}
    return {name: str(getattr(entry, name)) for name in ("name", "number", "sex", "language", "note")} | texts


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


@blueprint.post("/patients/<int:number>/family")
@needs(Right.EDIT_PATIENTS)
def add_relative(number: int) -> AnyResponse:
    row, form = _patient(number), given()
    relative = Patient.get_or_none(Patient.number == form.get("relative", "").strip())
    relation = form.get("relation", "").strip()[:32]
    with write_transaction(database):
        outcome = (
            patients.add_relative(row.id, relative.id, relation)
            if relative
            else refused("relative", "unknown", value=form.get("relative", "")[:16])
        )
        if not isinstance(outcome, Refused):
            audit("family_changed", record.subject(row.id), record.subject(outcome.relative_id))
    if isinstance(outcome, Refused):
        return Response(record_page(row.id, faults_of(outcome), form), 422)
    flash(say("patients.family_added"))
    return redirect(url_for("patients.one", number=row.id), 303)


@blueprint.post("/patients/<int:number>/family/<int:relative>/removed")
@needs(Right.EDIT_PATIENTS)
def remove_relative(number: int, relative: int) -> AnyResponse:
    with write_transaction(database):
        patients.remove_relative(_patient(number).id, relative)
        audit("family_changed", record.subject(number), record.subject(relative))
    flash(say("patients.family_removed"))
    return redirect(url_for("patients.one", number=number), 303)


def _patient(number: int) -> Patient:
    return Patient.get_or_none(Patient.id == number) or abort(404)
