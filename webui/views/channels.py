"""One channel, and what a technician may do with it or with a call: asked of the call agent, written down, said in words."""

import uuid

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance.control.messages import EndLineTest, HangUpCall, LineTarget, ResetLineCounters, RunLineTest, SetLinesBlocked
from appliance.hospital.complaints import sight
from appliance.store.models import CallRecord
from drivers.protocol import CALLING_TESTS, LINE_TESTS, LineTestKind, LineTestPhase
from webui import tiles
from webui.asking import NUMBER_LONGEST, ask, asked_to_block, where_the_form_stood
from webui.live import LiveView
from webui.rights import Right, needs
from webui.shared import me, shared
from webui.stream import stream

RECENT_CALLS = 10
TEST_LIMIT_S = (1, 600)

blueprint = Blueprint("channels", __name__)


@blueprint.get("/channels/<int:number>")
@needs(Right.SEE_LIVE)
def show(number: int) -> str:
    view = shared().hub.view()
    if number not in view.channels:
        abort(404)
    shown = CallRecord.call_id.not_in(sight.hidden_calls(me().id))
    recent = CallRecord.select().where(CallRecord.channel == number, shown).order_by(CallRecord.started_at.desc()).limit(RECENT_CALLS)
    return render_template("channel.html", recent=list(recent), **_parts(view, number))


@blueprint.get("/channels/<int:number>/live")
@needs(Right.SEE_LIVE)
def feed(number: int) -> Response:
    mine = {"everything", f"channel-{number}", f"test-{number}", "state"}
    shown = _is_tested(shared().hub.view(), number)

    def draw(changed: frozenset[str]) -> str:
        """The form is left alone, somebody may be at it, unless a test begins or ends."""
        nonlocal shown
        view = shared().hub.view()
        if number not in view.channels or not changed & mine:
            return ""
        before, shown = shown, _is_tested(view, number)
        return render_template("channel_live.html", form=shown is not before, **_parts(view, number))

    return stream(draw)


@blueprint.post("/channels/<int:number>/blocked")
@needs(Right.BLOCK_CHANNELS)
def set_blocked(number: int) -> Response:
    blocked, at_once = asked_to_block()
    action = ("channel_blocked_at_once" if at_once else "channel_blocked") if blocked else "channel_unblocked"
    asked = SetLinesBlocked(target=LineTarget(channel=number), blocked=blocked, at_once=at_once, by=me().name)
    ask(asked, action, str(number))
    return redirect(where_the_form_stood(url_for("channels.show", number=number)), 303)


@blueprint.post("/channels/<int:number>/counters")
@needs(Right.TEST_LINES)
def reset_counters(number: int) -> Response:
    ask(ResetLineCounters(target=LineTarget(channel=number), by=me().name), "channel_counters_reset", str(number))
    return redirect(url_for("channels.show", number=number), 303)


@blueprint.post("/channels/<int:number>/test")
@needs(Right.TEST_LINES)
def run_test(number: int) -> Response:
    kind, seconds = request.form.get("kind", ""), request.form.get("seconds", "")
    if not seconds.isdecimal() or len(seconds) > NUMBER_LONGEST:
        abort(400)
    if kind not in list(LineTestKind) or not TEST_LIMIT_S[0] <= int(seconds) <= TEST_LIMIT_S[1]:
        abort(400)
    asked = RunLineTest(test_id=uuid.uuid4().hex[:12], channel=number, kind=LineTestKind(kind), limit_ms=1000 * int(seconds), by=me().name)
    ask(asked, "line_test_started", str(number), kind)
    return redirect(url_for("channels.show", number=number), 303)


@blueprint.post("/channels/<int:number>/test/end")
@needs(Right.TEST_LINES)
def end_test(number: int) -> Response:
    ask(EndLineTest(channel=number, by=me().name), "line_test_ended", str(number))
    return redirect(url_for("channels.show", number=number), 303)


@blueprint.post("/calls/<call_id>/hang-up")
@needs(Right.HANG_UP)
def hang_up(call_id: str) -> Response:
    ask(HangUpCall(call_id=call_id, by=me().name), "call_hung_up", call_id)
    return redirect(url_for("calls.story", call_id=call_id), 303)


def _is_tested(view: LiveView, number: int) -> bool:
    test = view.tests.get(number)
    return test is not None and test.phase is LineTestPhase.RUNNING


def _parts(view: LiveView, number: int) -> dict[str, object]:
    """What the parts of the page draw from."""
    one = tiles.tile(view, number)
    kinds = [kind for kind, signallings in LINE_TESTS.items() if one.channel.signalling in signallings and kind not in CALLING_TESTS]
    return {"one": one, "view": view, "test": view.tests.get(number), "kinds": kinds, "limits_s": TEST_LIMIT_S}
