"""The way in: the first page, and a sign of life for the watchdog and `careline doctor`."""

from flask import Blueprint, redirect, url_for
from werkzeug.wrappers import Response

from webui.landing import landing
from webui.rights import anyone, signed_in
from webui.shared import me

blueprint = Blueprint("start", __name__)


@blueprint.get("/")
@signed_in
def home() -> Response:
    return redirect(landing(me().role))


@blueprint.get("/alive")
@anyone
def alive() -> tuple[str, dict[str, str]]:
    return "careline-web\n", {"Content-Type": "text/plain"}


@blueprint.get("/favicon.ico")
@anyone
def favicon() -> Response:
    return redirect(url_for("static", filename="img/favicon.svg"))
