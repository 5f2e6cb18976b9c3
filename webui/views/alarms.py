"""Alarms of the box: those that last, those that were, who sees to them; and a call of the box to itself. Pushed as they come and go, also
when the call agent is the one that is dead: the store is looked at.
"""

from collections.abc import Callable
from pathlib import Path

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from appliance.control.client import ControlClient
from appliance.control.messages import RunSelfCall, SelfCallEnd, SelfCallTold
from appliance.store import alarms
from appliance.store.alarm_rules import BY_NAME
from appliance.store.alarms import AlarmError
from appliance.store.models import Alarm
from drivers.errors import CarelineError
from webui.asking import refused
from webui.rights import Right, needs
from webui.shared import audit, language, me, say, shared
from webui.stream import stream

LOOK_EVERY_S = 2.0
HISTORY = 50

blueprint = Blueprint("alarms", __name__)


@blueprint.get("/alarms")
@needs(Right.SEE_ALARMS)
def show() -> str:
    before = request.args.get("before", "")
    past = alarms.history(HISTORY, int(before) if before.isdecimal() and len(before) < 16 else 0)
    return render_template("alarms.html", past=past, more=len(past) == HISTORY, **drawn())


@blueprint.get("/alarms/live")
@needs(Right.SEE_ALARMS)
def feed() -> Response:
    return stream(_news(), LOOK_EVERY_S)


def _news() -> Callable[[frozenset[str]], str]:
    """Draws the list when something of alarms is new in the store, whoever says that something is."""
    last = ""

    def draw(_: frozenset[str]) -> str:
        nonlocal last
        before, last = last, f"{alarms.mark()} {alarms.is_watched(Path(shared().config.paths.run_dir))}"
        return "" if last == before else render_template("parts/alarm_list.html", swap=True, **drawn())

    return draw


def drawn() -> dict[str, object]:
    """What the list draws from."""
    watched = alarms.is_watched(Path(shared().config.paths.run_dir))
    return {"open": alarms.open_alarms(), "watched": watched, "said": said, "remedy_of": remedy_of}


def said(alarm: Alarm) -> str:
    """The rule in the reader's language; of a rule that this program does not know, its name."""
    rule = BY_NAME.get(alarm.rule)
    return getattr(rule, language()) if rule else alarm.rule


def remedy_of(alarm: Alarm) -> str:
    """What to do."""
    rule = BY_NAME.get(alarm.rule)
    return getattr(rule, f"do_{language()}") if rule else ""


@blueprint.post("/alarms/<int:number>/acknowledge")
@needs(Right.ACKNOWLEDGE_ALARMS)
def acknowledge(number: int) -> AnyResponse:
    try:
        done = alarms.acknowledge(number, me().name, shared().clock.now())
    except AlarmError as error:
        refused(error)
        return _back()
    if done:
        audit("alarm_acknowledged", str(number))
        flash(say("alarms.acknowledged_now", number=number))
    else:
        flash(say("alarms.acknowledged_before"))
    return _back()


@blueprint.post("/alarms/self-call")
@needs(Right.ACKNOWLEDGE_ALARMS)
def call_itself() -> AnyResponse:
    try:
        with ControlClient(shared().config.paths.control_socket) as client:
            told = client.run_self_call(RunSelfCall(by=me().name))
    except CarelineError as error:
        refused(error)
        return _back()
    audit("self_call", told.end.value)
    flash(_outcome(told), "success" if told.end is SelfCallEnd.HEARD else "danger")
    return _back()


def _outcome(told: SelfCallTold) -> str:
    if told.end is SelfCallEnd.HEARD and told.answered_ms is not None and told.heard_ms is not None:
        return say("alarms.self_call_heard", answered=f"{told.answered_ms / 1000:.1f}", heard=f"{told.heard_ms / 1000:.1f}")
    return say(f"self_call_end.{told.end.value}")


def _back() -> AnyResponse:
    return redirect(url_for("alarms.show"), 303)
