"""What the patients' pages and the kiosk need of the application: sessions of their own, QR codes, how long is left. Used at the
start, then in request threads."""

from typing import Any

from flask import Flask, request, session
from markupsafe import Markup

from appliance.hospital.slips import qr
from webui import patient_session
from webui.sessions import AreaSessions, area_of


def install(app: Flask) -> None:
    app.session_interface = AreaSessions()
    app.jinja_env.globals["qr"] = lambda text: Markup(qr.svg(text))  # made of squares, whatever the text is
    app.context_processor(_surroundings)


def _surroundings() -> dict[str, Any]:
    """`session_left`: seconds until the log-in is asked for again."""
    area = area_of(request.path)
    return {"session_left": patient_session.seconds_left()} if area == "/p" and "began" in session else {}
