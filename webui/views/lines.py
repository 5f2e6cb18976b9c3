"""The page *Lines*: spans with alarms and errors, every channel with state and counters, what happened to them and who did what. Live."""

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance.control.messages import LineTarget, ResetLineCounters, SetLinesBlocked
from appliance.store.models import Alarm, LineAction
from webui import tiles
from webui.asking import NUMBER_LONGEST, ask, asked_to_block
from webui.live import LiveView
from webui.rights import Right, needs
from webui.shared import me, shared
from webui.stream import numbers_in, stream

HISTORY = 30

blueprint = Blueprint("lines", __name__)


@blueprint.get("/lines")
@needs(Right.SEE_LIVE)
def show() -> str:
    return render_template("lines.html", **_all_of(shared().hub.view()))


@blueprint.get("/lines/live")
@needs(Right.SEE_LIVE)
def feed() -> Response:
    return stream(_draw)


@blueprint.post("/lines/blocked")
@needs(Right.BLOCK_CHANNELS)
def set_blocked() -> Response:
    target = _target()
    blocked, at_once = asked_to_block()
    action = ("lines_blocked_at_once" if at_once else "lines_blocked") if blocked else "lines_unblocked"
    ask(SetLinesBlocked(target=target, blocked=blocked, at_once=at_once, by=me().name), action, _subject(target))
    return redirect(url_for("lines.show"), 303)


@blueprint.post("/lines/counters")
@needs(Right.TEST_LINES)
def reset_counters() -> Response:
    target = _target()
    ask(ResetLineCounters(target=target, by=me().name), "line_counters_reset", _subject(target))
    return redirect(url_for("lines.show"), 303)


def _target() -> LineTarget:
    """A span or a trunk group, as the form says."""
    span, group = request.form.get("span", ""), request.form.get("group", "")
    if span.isdecimal() and len(span) <= NUMBER_LONGEST and int(span):
        return LineTarget(span=int(span))
    return LineTarget(group=group) if group else abort(400)


def _subject(target: LineTarget) -> str:
    return str(target.span or target.group)


def _draw(changed: frozenset[str]) -> str:
    view = shared().hub.view()
    names = {part for change in changed for part in PARTS.get(change, ())}
    channels = numbers_in(changed, "channel-")
    if channels:
        names |= {"groups"}
    numbers = [] if "channels" in names else [number for number in channels if number in view.channels]
    return render_template("lines_live.html", names=names, numbers=numbers, **_all_of(view))


def _all_of(view: LiveView) -> dict[str, object]:
    """What the parts draw from."""
    every = tiles.tiles(view)
    return {
        "view": view,
        "tiles": every,
        "tile": lambda number: tiles.tile(view, number),
        "groups": [(group, tiles.counts_of(one for one in every if one.channel.group == group.name)) for group in view.groups.values()],
        "alarms": _alarms,
        "actions": lambda: list(LineAction.select().order_by(LineAction.id.desc()).limit(HISTORY)),
        "feed": "lines.feed",
    }


def _alarms() -> list[Alarm]:
    of_lines = Alarm.select().where(Alarm.subject != "box")
    return list(of_lines.order_by(Alarm.ended_at.is_null().desc(), Alarm.id.desc()).limit(HISTORY))


PARTS: dict[str, tuple[str, ...]] = {
    "everything": ("state", "faults", "spans", "groups", "channels", "history"),
    "state": ("state",),
    "spans": ("spans",),
    "history": ("history",),
    "health": ("state", "faults"),
}
