"""The dashboard: lines and calls live. Drawn once whole; then a stream of server-sent events carries its parts as they change."""

import time
from collections.abc import Iterator

from flask import Blueprint, Response, abort, render_template, stream_with_context

from appliance.store.models import Account, database
from webui import tiles
from webui.live import LiveView
from webui.page import as_json
from webui.rights import Right, needs
from webui.shared import me, shared
from webui.store import connection

LOOK_S = 15.0
AT_LEAST_BETWEEN_S = 0.25
OTHER_THREADS = 16
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
    return stream(DASHBOARD_PARTS)


def stream(parts_of: dict[str, tuple[str, ...]]) -> Response:
    """A stream of fragments, each naming the element it takes the place of. Answers 503 when as many browsers watch as threads allow."""
    if shared().hub.watchers >= shared().config.web.threads - OTHER_THREADS:
        abort(503)
    database.close()
    answer = Response(stream_with_context(_fragments(parts_of)), mimetype="text/event-stream")
    answer.headers["X-Accel-Buffering"] = "no"
    return answer


def _fragments(parts_of: dict[str, tuple[str, ...]]) -> Iterator[str]:
    number, key = me().id, me().session_key
    with shared().hub.watch() as watcher:
        while shared().hub.running:
            changed = watcher.wait(LOOK_S)
            with connection():
                if not _still_signed_in(number, key):
                    return
                yield _event(parts_of, changed)
            time.sleep(AT_LEAST_BETWEEN_S)


def _still_signed_in(number: int, key: str) -> bool:
    account = Account.get_or_none(Account.id == number)
    return account is not None and not account.disabled and bool(account.session_key == key)


def _event(parts_of: dict[str, tuple[str, ...]], changed: frozenset[str]) -> str:
    """One server-sent event, or a comment that keeps the connection open when nothing changed."""
    view = shared().hub.view()
    names = {part for change in changed for part in parts_of.get(change, ())}
    numbers = () if "channels" in names else sorted(int(change[8:]) for change in changed if change.startswith("channel-"))
    wall = "calls" in parts_of
    ids = [change[5:] for change in sorted(changed) if change.startswith("call ")] if wall and "calls" not in names else []
    html = render_template("live.html", names=names, numbers=numbers if wall else (), ids=ids, **_all_of(view)).strip()
    return "event: live\n" + "".join(f"data: {line}\n" for line in html.splitlines()) + "\n" if html else ": here\n\n"


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
    }


DASHBOARD_PARTS: dict[str, tuple[str, ...]] = {
    "everything": ("state", "counters", "calls", "spans", "channels"),
    "state": ("state",),
    "calls": ("counters", "calls"),
    "spans": ("spans", "counters"),
    "health": ("counters",),
}
HEALTH_PARTS: dict[str, tuple[str, ...]] = {"everything": ("state", "health"), "state": ("state",), "health": ("health",)}
