"""Asking the call agent for something on behalf of a person: done, written down in the audit log, said in words. In request threads."""

from flask import abort, flash, request, url_for

from appliance.control.client import ControlClient
from appliance.control.messages import Request
from drivers.errors import CarelineError
from webui.page import meaning, remedy, told
from webui.shared import audit, say, shared

NUMBER_LONGEST = 4
"""Digits of a span, a channel or seconds in a form; more are no request, and more than a message can hold."""


def ask(asked: Request, action: str, subject: str, detail: str = "") -> bool:
    """`action`: key of the groups `audit` and `action` of the texts. False when it was refused, which the page then says."""
    try:
        with ControlClient(shared().config.paths.control_socket) as client:
            client.request(asked)
    except CarelineError as error:
        refused(error)
        return False
    audit(action, subject, detail)
    flash(say(f"action.{action}", subject=subject))
    return True


def asked_to_block() -> tuple[bool, bool]:
    """Whether the form blocks or unblocks (aborts with 400 when it says neither), and whether calls that are there are to end."""
    wanted = request.form.get("blocked")
    if wanted not in ("0", "1"):
        abort(400)
    return wanted == "1", request.form.get("at_once") == "1"


def refused(error: CarelineError) -> None:
    """Say what was wrong and what to do."""
    words = {"meaning": meaning(error.code, error.what), "remedy": remedy(error.code, error.remedy)}
    flash(say("action.failed", code=error.code, what=told(error.what), **words), "danger")


def where_the_form_stood(otherwise: str) -> str:
    """One of our own pages, by name."""
    return url_for("lines.show") if request.form.get("from") == "lines" else otherwise
