"""The kiosk in the hall: card and password, or the number of a booking, and the registration slip comes out; who gets it has arrived.

Nothing of a patient is in an address, or stays behind: a minute without a touch, and it is at its start again. A wrong password counts on
the card and never stops the kiosk.
"""

import logging
from datetime import datetime, timedelta

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response as AnyResponse

from appliance.hospital import record
from appliance.hospital.booking import booking, changes
from appliance.hospital.booking.changes import Arrival, State
from appliance.hospital.registry.card_password import Password
from appliance.hospital.registry.characters import joined
from appliance.hospital.slips import escpos, wire
from appliance.hospital.slips.wire import Printed
from appliance.store.booking_tables import Booking, Slot
from appliance.store.hospital_tables import Patient
from appliance.store.models import database
from appliance.store.transaction import write_transaction
from webui import card_entry, kiosk_device
from webui.rights import anyone
from webui.settings import KioskSettings
from webui.shared import audit, language, say, shared
from webui.slip_page import slip_of
from webui.views.patient_entry import keep_language
from webui.wording import language_for

IDLE_S = 60
STAYS_S = 5 * 60  # the longest a patient is known to the kiosk, whatever the page does
CODE_MOST = 12
CODE_WRITTEN_MOST = 32  # in groups
SHOWN = (State.BOOKED.value, State.ARRIVED.value)
WITH_DEVICE_ONLY = ("kiosk.set_up", "kiosk.begin")

log = logging.getLogger("careline.web")
blueprint = Blueprint("kiosk", __name__, url_prefix="/kiosk")


@blueprint.before_request
def _kiosks_only() -> None:
    if request.endpoint not in WITH_DEVICE_ONLY and kiosk_device.this_kiosk() is None:
        abort(403)


@blueprint.get("/set-up")
@anyone
def set_up() -> str:
    return render_template("kiosk_set_up.html", refused=False, kiosk=kiosk_device.this_kiosk())


@blueprint.post("/set-up")
@anyone
def begin() -> AnyResponse:
    """Makes a kiosk of this browser, for whoever knows the secret that an administrator wrote into careline.toml."""
    if not shared().setup_limit.allows(f"kiosk {request.remote_addr}"):
        abort(429)
    kiosk = kiosk_device.of_secret(request.form.get("secret", ""))
    if kiosk is None:
        return Response(render_template("kiosk_set_up.html", refused=True, kiosk=None), 422)
    audit("kiosk_set_up", kiosk.name, request.remote_addr or "")
    response = redirect(url_for("kiosk.show"), 303)
    kiosk_device.mark(response, kiosk)
    return response


@blueprint.get("")
@anyone
def show() -> AnyResponse:
    """The start: whoever was here is forgotten."""
    session.clear()
    response = Response(render_template("kiosk_start.html"))
    kiosk_device.mark(response, _kiosk())
    return response


@blueprint.get("/leave")
@anyone
def leave() -> AnyResponse:
    """To the start, in the hospital's own language for whoever comes next."""
    response = redirect(url_for("kiosk.show"), 303)
    response.delete_cookie("language", samesite="Strict", httponly=True, secure=shared().config.web.https)
    return response


@blueprint.post("/language")
@anyone
def choose_language() -> AnyResponse:
    response = redirect(url_for("kiosk.show"), 303)
    keep_language(response, language_for(request.form.get("language")) or abort(400))
    return response


@blueprint.get("/<any(card, code):kind>")
@anyone
def ask(kind: str) -> str:
    return render_template("kiosk_ask.html", kind=kind, refused="", limit_s=IDLE_S)


@blueprint.post("/card")
@anyone
def enter_card() -> AnyResponse:
    outcome = card_entry.check(request.form.get("card_number", ""), request.form.get("password", ""))
    if outcome.result is not Password.RIGHT:
        return _ask_again("card", card_entry.refusal_words(outcome))
    return _known({"patient": outcome.patient_id})


@blueprint.post("/code")
@anyone
def enter_code() -> AnyResponse:
    """The number that was spoken, or its QR code before the reader. So many tries a minute that nobody finds one by trying."""
    if not shared().sign_in_limit.allows(f"code {_kiosk().name}"):
        return _ask_again("code", say("kiosk.too_often"))
    row = booking.by_code(joined(request.form.get("code", "")[:CODE_WRITTEN_MOST])[:CODE_MOST])
    if row is None or row.state not in SHOWN or row.day < shared().day():
        return _ask_again("code", say("kiosk.no_such_code"))
    return _known({"booking": row.id})


def _ask_again(kind: str, words: str) -> AnyResponse:
    return Response(render_template("kiosk_ask.html", kind=kind, refused=words, limit_s=IDLE_S), 422)


def _known(who: dict[str, int | None]) -> AnyResponse:
    session.clear()
    session.update(who, seen=shared().clock.now().timestamp())
    return redirect(url_for("kiosk.bookings"), 303)


@blueprint.get("/bookings")
@anyone
def bookings() -> AnyResponse | str:
    if not _is_known():
        return redirect(url_for("kiosk.show"), 303)
    rows, today = _bookings(), shared().day()
    patient = Patient.get_or_none(Patient.id == session.get("patient"))
    if patient is not None:
        audit("kiosk_opened", record.subject(patient.id), _kiosk().name)
    return render_template("kiosk_bookings.html", rows=rows, today=today, patient=patient, limit_s=IDLE_S)


def _is_known() -> bool:
    since = shared().clock.now() - timedelta(seconds=STAYS_S)
    return ("patient" in session or "booking" in session) and float(session["seen"]) >= since.timestamp()


def _bookings() -> list[Booking]:
    """What whoever stands here may have slips of: today's and those to come."""
    whose = Booking.id == session["booking"] if "booking" in session else Booking.patient == session["patient"]
    ahead = Booking.state.in_(SHOWN) & (Booking.day >= shared().day())
    return list(Booking.select(Booking, Slot).join(Slot, on=Booking.slot).where(whose, ahead).order_by(Slot.at))


@blueprint.post("/slip")
@anyone
def print_slip() -> AnyResponse:
    """The patient is here, and gets the slip: once for one touch, however often it is sent; once more is a copy."""
    if not _is_known():
        return redirect(url_for("kiosk.show"), 303)
    row = next((row for row in _bookings() if str(row.id) == request.form.get("booking", "")), None) or abort(404)
    printed, now = _count(request.form.get("printed", "")), shared().clock.now()
    session.update(slip=[row.id, min(printed, row.printed)], fresh=True)  # of two touches the browser shows what came of the second
    if printed == row.printed and _begin_printing(row, now):
        _on_paper(row, _kiosk(), now)
    return redirect(url_for("kiosk.slip"), 303)


def _count(text: str) -> int:
    """Aborts with 400 for what is no number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else abort(400)


def _begin_printing(row: Booking, now: datetime) -> bool:
    """Counts it before it is printed: of two touches at once, one prints."""
    with write_transaction(database):
        raised = Booking.update(printed=Booking.printed + 1).where(Booking.id == row.id, Booking.printed == row.printed).execute()
        arrival = changes.arrive(row.id, now, shared().zone) if raised else None
        if arrival is Arrival.ARRIVED:
            audit("booking_arrived", f"booking {row.code}", _kiosk().name)
    return bool(raised)


def _on_paper(row: Booking, kiosk: KioskSettings, now: datetime) -> None:
    """By the kiosk's printer, if it has one; what surely did not come out is not counted."""
    if not kiosk.printer:
        return
    slip = slip_of(row, now, language(), row.printed)
    printing = wire.print_slip(kiosk.printer, escpos.render(slip, kiosk.columns))
    if printing.printed is Printed.YES:
        return
    log.warning("kiosk %s: %s", kiosk.name, printing.fault)
    flash(say("kiosk.paper_not" if printing.printed is Printed.NO else "kiosk.paper_unsure"), "danger")
    if printing.printed is Printed.NO:
        Booking.update(printed=Booking.printed - 1).where(Booking.id == row.id, Booking.printed > 0).execute()


@blueprint.get("/slip")
@anyone
def slip() -> AnyResponse | str:
    if not _is_known() or "slip" not in session:
        return redirect(url_for("kiosk.show"), 303)
    number, before = session["slip"]
    row = Booking.get_by_id(number)
    shown = slip_of(row, shared().clock.now(), language(), before)
    prints = bool(session.pop("fresh", False)) and not _kiosk().printer
    return render_template("kiosk_slip.html", slip=shown, here=row.state == State.ARRIVED, prints=prints, limit_s=IDLE_S)


def _kiosk() -> KioskSettings:
    return kiosk_device.this_kiosk() or abort(403)
