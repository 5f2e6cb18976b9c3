"""A patient books the place that was chosen, or moves a booking to it: kept for a while, confirmed (by the password where it costs
money), done once however often the form is sent."""

import re
import secrets

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, session, url_for
from msgspec import Struct
from werkzeug.wrappers import Response as AnyResponse

from appliance.hospital.booking import booking, changes, offers, slots, waitlist, why_not
from appliance.hospital.booking.booking import Booked, Payment, Visitor
from appliance.hospital.booking.channel import Channel
from appliance.hospital.booking.offers import Offer, Wanted
from appliance.hospital.booking.reasons import NotBooked, Reason
from appliance.hospital.registry.card_password import Password
from appliance.store.booking_tables import Clinic, Slot
from appliance.store.hospital_tables import Patient
from appliance.store.models import database
from appliance.store.transaction import write_transaction
from webui import card_entry, family, patient_session
from webui.fields import yuan
from webui.patient_session import card_holder, my_card
from webui.refusals import to_patient
from webui.shared import say, shared
from webui.views.patient_choosing import clinic_of
from webui.views.patient_visits import BY, booking_of_family

ONCE = re.compile(r"[A-Za-z0-9_-]{8,32}")

blueprint = Blueprint("patient_booking", __name__, url_prefix="/p")


class Confirmed(Struct, frozen=True):
    """What a patient sent: the place, the key of this one booking, the price that stood there, the booking that is moved (0: none), for
    whom of the family it is."""

    slot: int
    once: str
    price_fen: int
    instead: int
    visitor: int

    @property
    def once_key(self) -> str:
        """Nobody's key but this patient's."""
        return f"web {my_card().patient_id} {self.once}"


@blueprint.post("/book/place")
@card_holder
def keep() -> AnyResponse:
    """The place is kept while the patient makes up their mind; an earlier one of this session is free again."""
    slot, instead, now = _number("slot"), _number("instead"), shared().clock.now()
    clinic, visitor = clinic_of(slot), booking_of_family(instead).patient_id if instead else family.chosen().id
    asked = why_not.Asked(slot=slot, channel=Channel.WEB, patient=visitor, paying=not clinic.free_of_charge, instead_of=instead)
    with write_transaction(database):
        slots.release(patient_session.holder_name())
        objections = why_not.why_not(asked, now, shared().zone)
        outcome = NotBooked(objections) if objections else slots.hold(slot, patient_session.holder_name(), now)
    if isinstance(outcome, NotBooked):
        return _refused(outcome, clinic, instead, visitor)
    session["choice"] = {"slot": slot, "once": secrets.token_urlsafe(12), "instead": instead, "visitor": visitor}
    return redirect(url_for("patient_booking.show"), 303)


@blueprint.get("/book/confirm")
@card_holder
def show() -> AnyResponse | str:
    choice = session.get("choice")
    if not isinstance(choice, dict):
        return redirect(url_for("patient_choosing.departments"), 303)
    fee_fen = clinic_of(choice["slot"]).fee_fen
    return _page(Confirmed(choice["slot"], choice["once"], fee_fen, choice["instead"], choice["visitor"]), "")


def _page(wanted: Confirmed, fault: str) -> str:
    moved = booking_of_family(wanted.instead) if wanted.instead else None
    slot = Slot.get_by_id(wanted.slot)
    holders = (patient_session.holder_name(), *waitlist.holders_of(slot.clinic_id, wanted.visitor))
    account = my_card().account
    shown = {"wanted": wanted, "slot": slot, "moved": moved, "fault": fault, "until": slot.held_until if slot.held_by in holders else None}
    shown |= {"visitor": None if wanted.visitor == my_card().patient_id else family.member(wanted.visitor)}
    return render_template("patient_confirm.html", balance_fen=account.balance_fen if account else 0, **shown)


@blueprint.post("/book/confirm")
@card_holder
def confirm() -> AnyResponse:
    wanted = _confirmed()
    clinic = clinic_of(wanted.slot)
    if clinic.fee_fen and not wanted.instead:
        outcome = card_entry.check(my_card().number, request.form.get("password", ""))
        if outcome.result is not Password.RIGHT:
            return Response(_page(wanted, card_entry.refusal_words(outcome)), 422)
    with write_transaction(database):
        done = _move(wanted) if wanted.instead else _book(wanted, clinic)
    if isinstance(done, NotBooked):
        return _refused(done, clinic, wanted.instead, wanted.visitor)
    session.pop("choice", None)
    flash(_done_words(done, moved=bool(wanted.instead)))
    return redirect(url_for("patient_visits.one", number=done.booking), 303)


def _confirmed() -> Confirmed:
    """Aborts with 400 for what no page of ours sends."""
    once = request.form.get("once", "")
    if not ONCE.fullmatch(once):
        abort(400)
    wanted = Confirmed(_number("slot"), once, _number("price_fen"), _number("instead"), _number("visitor"))
    if not wanted.instead and family.member(wanted.visitor) is None:
        abort(404)
    return wanted


def _number(field: str) -> int:
    text = request.form.get(field, "")
    if not (text.isascii() and text.isdigit() and len(text) < 18):
        abort(400)
    return int(text)


def _book(wanted: Confirmed, clinic: Clinic) -> Booked | NotBooked:
    payment = Payment(my_card().id, wanted.price_fen) if clinic.fee_fen else None
    return booking.book(wanted.slot, _visitor(wanted.visitor), wanted.once_key, shared().clock.now(), shared().zone, payment)


def _move(wanted: Confirmed) -> Booked | NotBooked:
    old, now = booking_of_family(wanted.instead), shared().clock.now()
    return changes.move(old.id, wanted.slot, _visitor(my_card().patient_id), wanted.once_key, now, shared().zone, my_card().patient_id)


def _visitor(patient_id: int) -> Visitor:
    name, phone = Patient.get_by_id(patient_id).name, family.phone_of(patient_id)
    return Visitor(name=name, channel=Channel.WEB, patient=patient_id, phone=phone, by=BY, holder=patient_session.holder_name())


def _done_words(done: Booked, *, moved: bool) -> str:
    if moved:
        return say("my.moved", code=done.code)
    paid = say("my.paid", amount=yuan(done.paid_fen), balance=yuan(done.balance_fen or 0)) if done.paid_fen else ""
    return say("my.booked", code=done.code) + paid


def _refused(refused: NotBooked, clinic: Clinic, instead: int, visitor: int | None) -> AnyResponse:
    """Why not, and what is next."""
    words = say("my.price_changed") if refused.first.reason is Reason.PRICE_CHANGED else to_patient(refused)
    wanted = Wanted(department=clinic.department_id, doctor=clinic.doctor_id)
    found = offers.best(wanted, Channel.WEB, visitor, shared().clock.now(), shared().zone)
    others: tuple[Offer, ...] = () if isinstance(found, NotBooked) else found
    return Response(render_template("patient_refused.html", words=words, others=others, clinic=clinic, instead=instead), 409)
