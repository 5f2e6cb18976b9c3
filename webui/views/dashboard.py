"""The dashboard: lines and calls live. Drawn once whole; then a stream of server-sent events carries its parts as they change."""

from flask import Blueprint, Response, render_template

from appliance.store.alarms import open_alarms
from webui import tiles
from webui.live import LiveView
from webui.page import as_json
from webui.rights import Right, needs
from webui.shared import i_may, shared
from webui.stream import Draw, numbers_in, stream

CALLS_SHOWN = 60  # the newest; a wall of channels shows all

blueprint = Blueprint("dashboard", __name__)


@blueprint.get("/dashboard")
@needs(Right.SEE_LIVE)
def show() -> str:
    return render_template("dashboard.html", **_all_of(shared().hub.view()))


@blueprint.get("/dashboard/today")
@needs(Right.SEE_LIVE)
def today() -> Response:
    """The counts of the chart."""
    return Response(as_json({"by_hour": shared().today.counts().by_hour}), mimetype="application/json")


@blueprint.get("/dashboard/live")
@needs(Right.SEE_LIVE)
def feed() -> Response:
    return stream(drawing(DASHBOARD_PARTS))


def drawing(parts_of: dict[str, tuple[str, ...]]) -> Draw:
    """Draws the parts of a page by the changes they follow from; pages with calls draw single calls and tiles too."""

    def draw(changed: frozenset[str]) -> str:
        names = {part for change in changed for part in parts_of.get(change, ())}
        wall = "calls" in parts_of
        numbers = numbers_in(changed, "channel-") if wall and "channels" not in names else []
        ids = [change[5:] for change in sorted(changed) if change.startswith("call ")] if wall and "calls" not in names else []
        return render_template("live.html", names=names, numbers=numbers, ids=ids, **_all_of(shared().hub.view()))

    return draw


def _all_of(view: LiveView) -> dict[str, object]:
    """What the parts draw from."""
    return {
        "view": view,
        "calls": sorted(view.calls.values(), key=lambda call: call.started_at, reverse=True)[:CALLS_SHOWN],
        "calls_more": max(0, len(view.calls) - CALLS_SHOWN),
        "tiles": tiles.tiles(view),
        "tile": lambda number: tiles.tile(view, number) if number in view.channels else None,
        "counts": tiles.counts(view),
        "today": shared().today.counts(),
        "feed": "dashboard.feed",
        **_alarms(),
    }


def _alarms() -> dict[str, object]:
    """How many last, and how bad the worst is."""
    there = open_alarms() if i_may(Right.SEE_ALARMS) else []
    return {"alarms_open": len(there), "alarms_worst": there[0].severity if there else ""}


DASHBOARD_PARTS: dict[str, tuple[str, ...]] = {
    "everything": ("state", "alarms", "counters", "calls", "spans", "channels"),
    "state": ("state",),
    "calls": ("counters", "calls"),
    "spans": ("spans", "counters"),
    "health": ("alarms", "counters"),
    "history": ("alarms",),
}
HEALTH_PARTS: dict[str, tuple[str, ...]] = {"everything": ("state", "health"), "state": ("state",), "health": ("health",)}
