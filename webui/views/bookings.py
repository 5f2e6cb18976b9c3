"""Bookings that are there: the list of a day, one of them, arrived, moved, cancelled."""

import secrets
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from peewee import JOIN
from werkzeug.wrappers import Response as AnyResponse

from appliance.hospital import masking
from appliance.hospital.booking import booking, changes
from appliance.hospital.booking.booking import Booked, Visitor
from appliance.hospital.booking.changes import Arrival, Cancelled, State
from appliance.hospital.booking.channel import Channel
from appliance.hospital.ledger.posting import Cause
from appliance.hospital.registry import departments
from appliance.hospital.registry.form import date_of
from appliance.store.booking_tables import Booking, Clinic, Slot
from appliance.store.hospital_tables import Department, Doctor, StaffMember
from appliance.store.models import database
from appliance.store.transaction import write_transaction
from webui.fields import given, yuan
from webui.paging import Pages
from webui.refusals import reason_to_staff, to_staff
from webui.rights import Right, needs
from webui.shared import audit, i_may, me, say, shared

SOUGHT_MOST = 64

blueprint = Blueprint("bookings", __name__)


@blueprint.get("/bookings")
@needs(Right.BOOK)
def show() -> str:
    day = date_of(request.args.get("day", "")) or shared().day()
    pages = Pages.of(_found(request.args, day), request.args.get("page"))
    return render_template("bookings.html", pages=pages, day=day, departments=departments.offered(), states=list(State), asked=request.args)


def _found(args: Mapping[str, str], day: Any) -> Any:
    """By booking number or name anywhere; else those of the day, its departments, its states."""
    query = Booking.select(Booking, Slot, Clinic, Department, Doctor, StaffMember).join(Slot, on=Booking.slot).join(Clinic)
    query = query.join(Department).switch(Clinic).join(Doctor, JOIN.LEFT_OUTER).join(StaffMember, JOIN.LEFT_OUTER)
    text = args.get("q", "").strip()[:SOUGHT_MOST]
    if text:
        return query.where((Booking.code == text) | (Booking.name == text)).order_by(Booking.day.desc(), Slot.at)
    query = query.where(Booking.day == day)
    if code := args.get("department", ""):
        query = query.where(Department.code == code)
    state = args.get("state", "")
    query = query.where(Booking.state == state) if state else query.where(Booking.state.not_in((State.CANCELLED, State.MOVED)))
    return query.order_by(Slot.at, Booking.id)


@blueprint.get("/bookings/<code>")
@needs(Right.BOOK)
def one(code: str) -> str:
    row = _booking(code)
    now, zone = shared().clock.now(), shared().zone
    audit("booking_opened", row.code)
    shown = {"why_not": changes.why_not_cancel(row.id, now, zone), "refund_fen": changes.refund_when_cancelled(row, now, zone)}
    phone = masking.phone(row.phone, masked=not i_may(Right.UNMASK))
    today = row.day == shared().day()
    return render_template("booking.html", booking=row, phone=phone, today=today, reason_words=reason_to_staff, **shown)


@blueprint.post("/bookings/<code>/arrived")
@needs(Right.BOOK)
def arrive(code: str) -> AnyResponse:
    row = _booking(code)
    with write_transaction(database):
        outcome = changes.arrive(row.id, shared().clock.now(), shared().zone)
        if outcome is Arrival.ARRIVED:
            audit("booking_arrived", row.code)
    flash(say(f"arrival.{outcome.value}", name=row.name), "success" if outcome in (Arrival.ARRIVED, Arrival.AGAIN) else "danger")
    if given().get("from") == "list":
        return redirect(url_for("bookings.show", day=row.day, department=given().get("department") or None), 303)
    return redirect(url_for("bookings.one", code=code), 303)


@blueprint.post("/bookings/<code>/cancelled")
@needs(Right.BOOK)
def cancel(code: str) -> AnyResponse:
    row = _booking(code)
    with write_transaction(database):
        outcome = changes.cancel(row.id, shared().clock.now(), shared().zone, Cause(by=me().name))
        if isinstance(outcome, Cancelled) and not outcome.again:
            audit("booking_cancelled", row.code, yuan(outcome.refunded_fen))
    if isinstance(outcome, Cancelled):
        flash(say("bookings.cancelled", amount=yuan(outcome.refunded_fen)))
    else:
        flash(to_staff(outcome.objections), "danger")
    return redirect(url_for("bookings.one", code=code), 303)


@blueprint.post("/bookings/<code>/moved")
@needs(Right.BOOK)
def move(code: str) -> AnyResponse:
    row, form = _booking(code), given()
    slot = form.get("slot", "")
    if not (slot.isascii() and slot.isdigit() and len(slot) < 16 and Slot.get_or_none(Slot.id == int(slot))):
        abort(400)
    once_key = f"desk {form.get('once', secrets.token_urlsafe(16))[:40]}"
    visitor = Visitor(name=row.name, channel=Channel.AGENT, by=me().name)
    with write_transaction(database):
        outcome = changes.move(row.id, int(slot), visitor, once_key, shared().clock.now(), shared().zone)
        if isinstance(outcome, Booked):
            audit("booking_moved", row.code, outcome.code)
    if isinstance(outcome, Booked):
        flash(say("bookings.moved", code=outcome.code))
        return redirect(url_for("bookings.one", code=outcome.code), 303)
    flash(to_staff(outcome.objections), "danger")
    return redirect(url_for("bookings.one", code=code), 303)


def _booking(code: str) -> Booking:
    return booking.by_code(code) or abort(404)
