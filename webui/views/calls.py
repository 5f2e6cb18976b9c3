"""The list of calls with its search, and the story of one call: not of those in which somebody complained about whoever looks."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, abort, render_template, request

from appliance.hospital.complaints import sight
from appliance.store import keeping
from appliance.store.models import CallEvent, CallRecord, Recording, VoiceMessage
from webui.paging import Pages
from webui.rights import Right, needs
from webui.shared import me, shared
from webui.story import tell
from webui.today import OUTCOMES

SELF = "self"
"""Calls of the box to itself: listed when their group is asked for."""

blueprint = Blueprint("calls", __name__)


@blueprint.get("/calls")
@needs(Right.SEE_CALLS)
def show() -> str:
    groups = [row.group for row in CallRecord.select(CallRecord.group).distinct().order_by(CallRecord.group)]
    pages = Pages.of(_found(), request.args.get("page"))
    shape = "parts/call_rows.html" if request.headers.get("HX-Target") == "found" else "calls.html"
    return render_template(shape, pages=pages, groups=groups, outcomes=OUTCOMES, asked=request.args)


@blueprint.get("/calls/<call_id>")
@needs(Right.SEE_CALLS)
def story(call_id: str) -> str:
    record = CallRecord.get_or_none(CallRecord.call_id == call_id, shown_calls()) or abort(404)
    recording = Recording.select().where(Recording.call == call_id).order_by(Recording.started_at).first()
    message = VoiceMessage.get_or_none(VoiceMessage.call == call_id)
    events = CallEvent.select().where(CallEvent.call == call_id).order_by(CallEvent.seq)
    steps = tell(list(events), record.started_at, recording.started_at if recording else None)
    live = shared().hub.view().calls.get(call_id)
    kept = {"holds": keeping.holds_of(call_id), "deleted": {each.path: each for each in keeping.deleted_of(call_id)}}
    return render_template("call.html", record=record, recording=recording, message=message, steps=steps, live=live, **kept)


def shown_calls() -> Any:
    """Those that whoever asks may see."""
    return CallRecord.call_id.not_in(sight.hidden_calls(me().id))


def _found() -> Any:
    """The calls that match the questions of the form, newest first."""
    args = request.args
    query = CallRecord.select().where(shown_calls()).order_by(CallRecord.started_at.desc())
    number = "".join(letter for letter in args.get("number", "") if letter.isalnum() or letter in "*#+")
    if number:
        query = query.where(CallRecord.ani.contains(number) | CallRecord.dnis.contains(number))
    if since := _moment(args.get("since", "")):
        query = query.where(CallRecord.started_at >= since)
    if until := _moment(args.get("until", "")):
        query = query.where(CallRecord.started_at < until)
    if outcome := args.get("outcome", ""):
        query = query.where(_has_outcome(outcome))
    if group := args.get("group", ""):
        return query.where(CallRecord.group == group)
    return query.where(CallRecord.direction != SELF)


def _has_outcome(outcome: str) -> Any:
    return CallRecord.ended_at.is_null() if outcome == "going_on" else (CallRecord.outcome == outcome) & CallRecord.ended_at.is_null(False)


def _moment(typed: str) -> datetime | None:
    """A date and time of the hospital's zone as the browser's own field gives it; None for nothing usable."""
    try:
        return datetime.fromisoformat(typed).replace(tzinfo=shared().zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
