"""Error pages: what happened, where, what to do next, in the reader's language; a fragment for htmx, a line of text for scripts."""

import contextlib
import logging
import shutil

from flask import Flask, g, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from appliance.store.database import FAULTS, fault_of, first_of
from appliance.store.place import place_of
from appliance.store.reserve import RESERVE_BYTES, lacks_room
from drivers.errors import CarelineError
from webui.errors import WebError
from webui.page import meaning, remedy
from webui.sessions import area_of
from webui.shared import say, shared

KNOWN = (400, 401, 403, 404, 405, 413, 429, 503)
TOO_LONG = 413
TOO_LONG_KINDS = {
    "music.upload": "413_music",
    "prompt_audio.upload": "413_prompt",
    "update.upload": "413_update",
    **dict.fromkeys(("backup.upload", "setup_restore.take"), "413_backup"),
    "cards.upload": "413_cards",
}
AWAY = ("STO-007", "STO-008", "STO-009")
SWALLOWED_BYTES_MOST = 1 << 30
SWALLOWED_S = 60.0

log = logging.getLogger("careline.web")


def install(app: Flask) -> None:
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(CarelineError, _faulty)
    for fault in FAULTS:
        app.register_error_handler(fault, _store_faulty)
    app.register_error_handler(Exception, _broken)


def _refused(error: HTTPException) -> Response | tuple[str, int]:
    status = error.code or 500
    if isinstance(error.response, Response):
        return error.response
    kind = "csrf" if error.description == "csrf" else str(status if status in KNOWN else 500)
    if status == TOO_LONG:
        _swallow()
        kind = TOO_LONG_KINDS.get(request.endpoint or "", kind)
    return _page(status, f"WEB-{status}", say(f"http.what_{kind}"), say(f"http.remedy_{kind}"))


def _swallow() -> None:
    """What is still to come of a request that is too long: a browser reads no answer before it has sent all."""
    clock, stream = shared().clock, request.environ["wsgi.input"]
    until_s, left = clock.monotonic_s() + SWALLOWED_S, min(request.content_length or 0, SWALLOWED_BYTES_MOST)
    with contextlib.suppress(OSError):  # it has gone, or is too slow
        while left > 0 and clock.monotonic_s() < until_s and (got := stream.read(min(left, 1 << 18))):
            left -= len(got)


def _faulty(error: CarelineError) -> tuple[str, int]:
    log.warning("%s", error)
    return _page(503, error.code, meaning(error.code, error.what), remedy(error.code, error.remedy), error.what)


def _store_faulty(error: Exception) -> tuple[str, int]:
    """The store is locked for long, full or damaged: nothing was changed. Where its server is concerns nobody who only looks at pages."""
    fault = fault_of(place_of(shared().config.paths), error)
    if fault.code in AWAY:
        log.warning("%s", fault)
        return _page(503, fault.code, meaning(fault.code, ""), remedy(fault.code, ""))
    why = f"the store cannot be used: {first_of(error)}"
    if lacks_room(error) and _is_disk_full():
        return _faulty(WebError("WEB-014", why, "Free space on the disk, then do it again; the reserve is for the records of calls"))
    return _faulty(WebError("WEB-011", why, "Try again; see disk space and the log of careline-calls"))


def _is_disk_full() -> bool:
    """SQLite has words for a full disk that may mean others too."""
    with contextlib.suppress(OSError):
        return shutil.disk_usage(shared().data_dir).free < RESERVE_BYTES
    return False


def _broken(error: Exception) -> tuple[str, int]:
    log.exception("WEB-500: %s %s failed", request.method, request.path, exc_info=error)
    return _page(500, "WEB-500", say("http.what_500"), say("http.remedy_500"))


def _page(status: int, code: str, what: str, to_do: str, detail: str = "") -> tuple[str, int]:
    g.setdefault("language", "zh")
    g.setdefault("account", None)
    if "text/html" not in request.accept_mimetypes.values() and "HX-Request" not in request.headers:
        return f"{code}: {what} {to_do}\n", status
    at = shared().clock.now()
    area = area_of(request.path)
    shape = "parts/fault.html" if "HX-Request" in request.headers else "patient_fault.html" if area else "fault.html"
    told = {"status": status, "code": code, "what": what, "to_do": to_do, "detail": detail, "at": at}
    return render_template(shape, at_kiosk=area == "/kiosk", **told), status
