"""Server-sent events: what changed in the live view, drawn as fragments that take the place of elements by their id.

One request thread per browser that watches; it ends with the session, or when the hub stops.
"""

import time
from collections.abc import Callable, Iterator

from flask import Response, abort, stream_with_context

from appliance.store.models import Account, database
from webui.shared import me, shared
from webui.store import connection

LOOK_S = 15.0
AT_LEAST_BETWEEN_S = 0.25
OTHER_THREADS = 16

Draw = Callable[[frozenset[str]], str]
"""HTML for the parts that changed (see live.Watcher), empty for none that this page shows."""


def stream(draw: Draw, look_s: float = LOOK_S) -> Response:
    """`draw` is asked at every change, and after `look_s` without one. Answers 503 when as many browsers watch as threads allow."""
    if shared().hub.watchers >= shared().config.web.threads - OTHER_THREADS:
        abort(503)
    database.close()
    answer = Response(stream_with_context(_fragments(draw, look_s)), mimetype="text/event-stream")
    answer.headers["X-Accel-Buffering"] = "no"
    return answer


def _fragments(draw: Draw, look_s: float) -> Iterator[str]:
    number, key = me().id, me().session_key
    with shared().hub.watch() as watcher:
        while shared().hub.running:
            changed = watcher.wait(look_s)
            with connection():
                if not _still_signed_in(number, key):
                    return
                yield _event(draw(changed).strip())
            time.sleep(AT_LEAST_BETWEEN_S)


def _still_signed_in(number: int, key: str) -> bool:
    account = Account.get_or_none(Account.id == number)
    return account is not None and not account.disabled and bool(account.session_key == key)


def _event(html: str) -> str:
    """One server-sent event, or a comment that keeps the connection open when nothing changed."""
    return "event: live\n" + "".join(f"data: {line}\n" for line in html.splitlines()) + "\n" if html else ": here\n\n"


def numbers_in(changed: frozenset[str], prefix: str) -> list[int]:
    """Of "channel-7" and the like, rising."""
    return sorted(int(change.removeprefix(prefix)) for change in changed if change.startswith(prefix))
