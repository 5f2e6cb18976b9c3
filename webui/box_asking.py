"""Asking the box service for something on behalf of a person: done, written down in the audit log, said in words. In request threads."""

from typing import TypeVar

from flask import flash

from appliance.system.client import QUIET_LIMIT_S, SystemClient
from appliance.system.messages import SystemRequest
from drivers.errors import CarelineError
from drivers.protocol import Message
from webui.asking import refused
from webui.shared import audit, say, shared

M = TypeVar("M", bound=Message)


def told_by_box(wanted: SystemRequest, kind: type[M], limit_s: float = QUIET_LIMIT_S) -> M | None:
    """None when it was refused, which the page then says."""
    try:
        with SystemClient(shared().config.paths.system_socket, "web") as box:
            return box.ask(wanted, kind, limit_s)
    except CarelineError as error:
        refused(error)
        return None


def done_by_box(wanted: SystemRequest, limit_s: float = QUIET_LIMIT_S) -> bool:
    """False when it was refused, which the page then says."""
    try:
        with SystemClient(shared().config.paths.system_socket, "web") as box:
            box.do(wanted, limit_s)
    except CarelineError as error:
        refused(error)
        return False
    return True


def do_in_box(wanted: SystemRequest, action: str, subject: str = "", limit_s: float = QUIET_LIMIT_S) -> bool:
    """`done_by_box`, and that is told. `action`: key of the groups `audit` and `action` of the texts."""
    if not done_by_box(wanted, limit_s):
        return False
    audit(action, subject)
    flash(say(f"action.{action}", subject=subject))
    return True
