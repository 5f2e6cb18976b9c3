"""How long recordings are kept, which must be, what each night did; and the hold on those of one call. Every change with its author."""

import msgspec
from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance.store import keeping
from appliance.store.keeping import KINDS, KeepingError, Retention
from appliance.store.keeping_tables import DeletedRecording, LegalHold, RetentionNight
from appliance.store.models import CallRecord
from webui.asking import refused
from webui.rights import Right, needs
from webui.shared import audit, me, say, shared
from webui.views.calls import shown_calls

NIGHTS_SHOWN, DELETED_SHOWN, HOLDS_SHOWN = 14, 50, 200
DAYS_LONGEST = 5
ALLOWED = f"Allowed are 0 (never) and {keeping.LEAST_DAYS} to {keeping.MOST_DAYS}"

blueprint = Blueprint("retention", __name__)


@blueprint.get("/recordings/keeping")
@needs(Right.MANAGE_KEEPING)
def show() -> str:
    nights = list(RetentionNight.select().order_by(RetentionNight.id.desc()).limit(NIGHTS_SHOWN))
    return render_template(
        "keeping.html",
        now_kept=keeping.retention(),
        kinds=KINDS,
        least=keeping.LEAST_DAYS,
        most=keeping.MOST_DAYS,
        versions=keeping.versions(),
        nights=nights,
        in_doubt=bool(nights) and nights[0].state == "refused",
        deleted=list(DeletedRecording.select().order_by(DeletedRecording.deleted_at.desc()).limit(DELETED_SHOWN)),
        holds=list(LegalHold.select().where(LegalHold.ended_at.is_null()).order_by(LegalHold.id.desc()).limit(HOLDS_SHOWN)),
    )


@blueprint.post("/recordings/keeping")
@needs(Right.MANAGE_KEEPING)
def save() -> Response:
    try:
        days = {kind: _days(request.form.get(kind, "")) for kind in KINDS}
        wanted = msgspec.convert({**days, "only_saved": request.form.get("only_saved") == "yes"}, Retention)
        done = keeping.set_retention(wanted, me().name, shared().clock.now())
    except KeepingError as error:
        refused(error)
        return _back()
    except msgspec.ValidationError as error:
        refused(KeepingError("REC-001", str(error), ALLOWED))
        return _back()
    if done:
        audit("keeping_changed", "", msgspec.json.encode(wanted).decode())
    flash(say("keeping.saved"))
    return _back()


@blueprint.post("/recordings/keeping/undo")
@needs(Right.MANAGE_KEEPING)
def undo() -> Response:
    if keeping.undo_retention(me().name, shared().clock.now()):
        audit("keeping_changed", "", msgspec.json.encode(keeping.retention()).decode())
        flash(say("keeping.saved"))
    return _back()


@blueprint.post("/recordings/keeping/clock")
@needs(Right.MANAGE_KEEPING)
def vouch() -> Response:
    """A person says that the clock is right, after a night that would not believe it."""
    now = shared().clock.now()
    keeping.vouch(me().name, now)
    audit("clock_vouched", "", now.isoformat())
    flash(say("keeping.vouched"))
    return _back()


@blueprint.post("/calls/<call_id>/hold")
@needs(Right.HOLD_RECORDINGS)
def hold(call_id: str) -> Response:
    _may_see(call_id)
    try:
        keeping.hold(call_id, request.form.get("reason", ""), me().name, shared().clock.now())
    except KeepingError as error:
        refused(error)
    else:
        audit("recordings_held", f"call {call_id}", request.form.get("reason", "").strip()[: keeping.REASON_MOST])
        flash(say("keeping.held_now"))
    return redirect(url_for("calls.story", call_id=call_id), 303)


@blueprint.post("/calls/<call_id>/hold/<int:number>/end")
@needs(Right.HOLD_RECORDINGS)
def end(call_id: str, number: int) -> Response:
    _may_see(call_id)
    if number not in [row.id for row in keeping.holds_of(call_id)]:
        abort(404)
    try:
        keeping.end_hold(number, request.form.get("reason", ""), me().name, shared().clock.now())
    except KeepingError as error:
        refused(error)
    else:
        audit("recordings_released", f"call {call_id}", request.form.get("reason", "").strip()[: keeping.REASON_MOST])
        flash(say("keeping.ended_now"))
    return redirect(url_for("calls.story", call_id=call_id), 303)


def _may_see(call_id: str) -> None:
    """As the page of the call: nobody learns of a complaint about themselves."""
    if not CallRecord.select().where(CallRecord.call_id == call_id, shown_calls()).exists():
        abort(404)


def _days(text: str) -> int:
    text = text.strip()
    if not (text.isascii() and text.isdigit() and len(text) <= DAYS_LONGEST):
        raise KeepingError("REC-001", f"{text[:20]!r} is no number of days", ALLOWED)
    return int(text)


def _back() -> Response:
    return redirect(url_for("retention.show"), 303)
