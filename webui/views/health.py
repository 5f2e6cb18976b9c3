"""How the box is: every check with its code and remedy, the disk, the media core's punctuality. Pushed like the dashboard."""

from flask import Blueprint, Response, render_template

from webui.rights import Right, needs
from webui.shared import shared
from webui.stream import stream
from webui.views.dashboard import HEALTH_PARTS, drawing

blueprint = Blueprint("health", __name__)


@blueprint.get("/health")
@needs(Right.SEE_HEALTH)
def show() -> str:
    return render_template("health.html", view=shared().hub.view())


@blueprint.get("/health/live")
@needs(Right.SEE_HEALTH)
def feed() -> Response:
    return stream(drawing(HEALTH_PARTS))
