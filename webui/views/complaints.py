"""Complaints: filed, listed, one with its steps, what is done about it. To those whom one is about it is not there."""

import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from appliance.calendar import Calendar
from appliance.hospital import masking
from appliance.hospital.complaints import filing, form, handling, looking, sight
from appliance.hospital.complaints.handling import Contact, Handled
from appliance.hospital.complaints.looking import Which
from appliance.hospital.registry.field_fault import Refused
from appliance.store.models import Account, database
from appliance.store.transaction import write_transaction
from webui import sound
from webui.fields import Field, faults_of, given
from webui.paging import Pages
from webui.rights import Right, may, needs
from webui.shared import audit, i_may, me, say, shared

KEY_MOST = 40
FIELDS = (
    Field(name="department", kind="digits", most=8),
    Field(name="staff", kind="digits", most=8),
    Field(name="patient", kind="digits", most=16),
    Field(name="phone", kind="tel", most=24),
    Field(name="text", kind="area", most=form.TEXT_MOST, required=True),
)
Act = Callable[[str, Mapping[str, str], datetime], Handled]

blueprint = Blueprint("complaints", __name__)


@blueprint.get("/complaints")
@needs(Right.SEE_COMPLAINTS)
def show() -> str:
    asked = request.args.get("which", "")
    which = Which(asked) if asked in set(Which) else Which.NOT_CLOSED
    text, now = request.args.get("q", "").strip()[:64], shared().clock.now()
    pages = Pages.of(looking.listed(me(), now, which, text), request.args.get("page"))
    return render_template("complaints.html", pages=pages, which=which, every=list(Which), text=text, counts=looking.counts(now, me()))


@blueprint.get("/complaints/new")
@needs(Right.FILE_COMPLAINTS)
def new() -> str:
    return _form({"patient": request.args.get("patient", "")}, {})


def _form(values: Mapping[str, str], faults: Mapping[str, str]) -> str:
    once = values.get("once") or secrets.token_urlsafe(16)
    return render_template("complaint_form.html", fields=FIELDS, values=values, faults=faults, once=once)


@blueprint.post("/complaints/new")
@needs(Right.FILE_COMPLAINTS)
def make() -> AnyResponse:
    filled, hospital = given(), shared().config.hospital
    once_key = f"web {me().id} {filled.get('once', '')[:KEY_MOST] or secrets.token_urlsafe(16)}"
    with write_transaction(database):
        read = form.read(filled, shared().normalise, once_key=once_key, channel="agent", by=me().name)
        if not isinstance(read, Refused):
            made = filing.file(read, hospital.complaints, Calendar(hospital.calendar), shared().clock.now())
            audit("complaint_filed", made.number)
    if isinstance(read, Refused):
        return Response(_form(filled, faults_of(read)), 422)
    flash(say("complaints.filed", number=made.number))
    seen = i_may(Right.SEE_COMPLAINTS) and sight.sees(me().id, made.id)
    return redirect(url_for("complaints.one", number=made.number) if seen else url_for("complaints.new"), 303)


@blueprint.get("/complaints/<number>")
@needs(Right.SEE_COMPLAINTS)
def one(number: str) -> str:
    page = _page(number, "", "", {})
    audit("complaint_opened", number)
    return page


def _page(number: str, wrong: str, fault: str, values: Mapping[str, str]) -> str:
    """The case; `fault` belongs to the form of the step `wrong`. Aborts with 404 for what this person may not see."""
    complaint, steps = looking.opened(number, me()) or abort(404)
    owners = [row for row in Account.select().where(~Account.disabled).order_by(Account.name) if _may_own(row, complaint.id)]
    phone = masking.phone(complaint.phone, masked=not i_may(Right.UNMASK))
    shown = {"complaint": complaint, "steps": steps, "owners": owners, "phone": phone, "once": secrets.token_urlsafe(16)}
    forms = {"wrong": wrong, "fault": fault, "values": values, "contacts": (Contact.REACHED, Contact.NOT_REACHED)}
    return render_template("complaint.html", overdue=complaint.due_at < shared().clock.now(), **shown, **forms)


def _may_own(account: Account, complaint_id: int) -> bool:
    return may(account.role, Right.HANDLE_COMPLAINTS) and sight.sees(account.id, complaint_id)


@blueprint.post("/complaints/<number>/<step>")
@needs(Right.HANDLE_COMPLAINTS)
def act(number: str, step: str) -> AnyResponse:
    done, filled = STEPS.get(step) or abort(404), given()
    with write_transaction(database):
        outcome = done(number, filled, shared().clock.now())
        if outcome is Handled.DONE:
            audit(f"complaint_{step}", number)
    if outcome is Handled.UNKNOWN:
        abort(404)
    if outcome is not Handled.DONE:
        return Response(_page(number, step, say(f"handled.{outcome.value}"), filled), 422)
    flash(say("complaints.done"))
    if looking.opened(number, me()) is None:
        return redirect(url_for("complaints.show"), 303)
    return redirect(url_for("complaints.one", number=number), 303)


def _contact(number: str, filled: Mapping[str, str], now: datetime) -> Handled:
    result = Contact.REACHED if filled.get("result") == Contact.REACHED else Contact.NOT_REACHED
    return handling.contact(number, me(), result, filled.get("text", ""), now)


def _send(number: str, filled: Mapping[str, str], now: datetime) -> Handled:
    key = f"complaint {number} {filled.get('once', '')[:KEY_MOST] or secrets.token_urlsafe(16)}"
    return handling.send_outcome(number, me(), filled.get("text", ""), key, now)


def _due(number: str, filled: Mapping[str, str], now: datetime) -> Handled:
    try:
        due_at = datetime.fromisoformat(filled.get("due_at", "")).replace(tzinfo=shared().zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return Handled.PAST
    return handling.set_due(number, me(), due_at, filled.get("text", ""), now)


def _reopen(number: str, filled: Mapping[str, str], now: datetime) -> Handled:
    hospital = shared().config.hospital
    return handling.reopen(number, me(), filled.get("text", ""), hospital.complaints, Calendar(hospital.calendar), now)


STEPS: Mapping[str, Act] = {
    "note": lambda number, filled, now: handling.note(number, me(), filled.get("text", ""), now),
    "contact": _contact,
    "sent": _send,
    "about": lambda number, filled, now: handling.say_whom(
        number, me(), filled.get("department", "").strip(), filled.get("staff", "").strip(), now
    ),
    "owner": lambda number, filled, now: handling.assign(number, me(), filled.get("owner", ""), now),
    "due": _due,
    "closed": lambda number, filled, now: handling.close(number, me(), filled.get("text", ""), now),
    "reopened": _reopen,
}


@blueprint.get("/complaints/<number>/sound.wav")
@needs(Right.LISTEN)
def play(number: str) -> Response:
    path = looking.recording_of(number, me()) or abort(404)
    return sound.played(path, f"complaint {number}")
