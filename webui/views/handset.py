"""A telephone in the browser, for the virtual card: the page, and the web socket that carries its audio and keys.

One request thread per telephone reads the browser; a thread `handset` of its own reads the line server. Both end when either side goes.
"""

import contextlib
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
from flask import Blueprint, render_template
from flask_sock import Sock
from simple_websocket import ConnectionClosed, Server

from appliance.control.handset import Handset, Reply, dial_message
from appliance.store.models import database
from drivers.errors import CarelineError
from drivers.protocol import HandsetAudio, HandsetDial, HandsetKeysSent, HandsetState
from webui.errors import WebError
from webui.page import meaning, remedy
from webui.retelling import retell
from webui.rights import Right, needs
from webui.shared import audit, language, say, shared

FIRST_NUMBER = "01088886666"  # the number of the virtual card when the configuration names none
FIRST_MESSAGE_S = 10.0
QUIET_LIMIT_S = 4 * 3600.0  # a set on the hook tells nothing for hours
FAULTS = ("LIN-075", "LIN-077", "LIN-078", "LIN-079", "LIN-080", "LIN-081", "WEB-008")
SET_SIGNALLING = ("fxoks", "fxols")

blueprint = Blueprint("handset", __name__)


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What the browser asks for as JSON text; binary messages are A-law audio. `do`: dial, set (be the set on `channel`), keys,
    pick_up, flash, hang_up."""

    do: str
    number: str = ""
    caller: str = ""
    channel: int = 0
    keys: str = ""


@blueprint.get("/handset")
@needs(Right.USE_HANDSET)
def show() -> str:
    numbers = _numbers()
    sets = [channel for channel in shared().hub.view().channels.values() if channel.signalling in SET_SIGNALLING]
    there = shared().config.paths.handset_socket.exists()
    faults = {code: f"{meaning(code, '')}{say('list.stop')}{remedy(code, '')}" for code in FAULTS}
    return render_template("handset.html", there=there, faults=faults, numbers=numbers, number=numbers[0], sets=sets)


def add_socket(sock: Sock) -> None:
    sock.route("/handset/line", endpoint="handset_line")(_line)


@needs(Right.USE_HANDSET)
def _line(browser: Server) -> None:
    try:
        wish = _wish(browser.receive(timeout=FIRST_MESSAGE_S))
        audit("handset_used", wish.number or f"channel {wish.channel}")
        database.close()
        with Handset(shared().config.paths.handset_socket, _dial(wish)) as telephone:
            _join(browser, telephone)
    except CarelineError as error:
        _tell_fault(browser, error)


def _join(browser: Server, telephone: Handset) -> None:
    relay = threading.Thread(
        target=_relay, args=(telephone, browser, partial(retell, shared().wording, language())), name="handset", daemon=True
    )
    relay.start()
    try:
        while True:
            _pass_on(browser.receive(), telephone)
    except ConnectionClosed:
        telephone.hang_up()
    finally:
        telephone.close()
        relay.join(5.0)


def _pass_on(message: str | bytes, telephone: Handset) -> None:
    """From the browser to the line server."""
    if isinstance(message, bytes):
        telephone.send_audio(message)
        return
    wish = _wish(message)
    if wish.do == "keys":
        telephone.press(wish.keys)
    elif wish.do == "pick_up":
        telephone.pick_up()
    elif wish.do == "flash":
        telephone.flash()
    elif wish.do == "hang_up":
        telephone.hang_up()


def _relay(telephone: Handset, browser: Server, told: Callable[[str], str]) -> None:
    """From the line server to the browser, in the reader's words; closing the browser's socket ends the other direction."""
    try:
        for message in telephone.messages(QUIET_LIMIT_S):
            browser.send(_for_browser(message, told))
        browser.send(_json({"state": "gone"}))
    except CarelineError as error:
        _tell_fault(browser, error)
    except (ConnectionClosed, OSError):
        return
    finally:
        with contextlib.suppress(ConnectionClosed, OSError):
            browser.close()


def _for_browser(message: Reply, told: Callable[[str], str]) -> str | bytes:
    match message:
        case HandsetAudio(samples=samples):
            return samples
        case HandsetState(state=state, detail=detail):
            return _json({"state": state, "detail": told(detail)})
        case HandsetKeysSent():
            return _json({"keys_sent": True})
        case _:
            return _json({"spoken": True})


def _wish(message: str | bytes | None) -> Wish:
    """Raises: WebError for what is no wish of the handset page."""
    try:
        return msgspec.json.decode(message or b"", type=Wish)
    except msgspec.DecodeError as error:
        raise WebError("WEB-008", f"the browser sent something else than a wish ({error})", "Reload the page") from error


def _dial(wish: Wish) -> HandsetDial:
    if wish.do == "set":
        return dial_message(channel=wish.channel, stream=True)
    return dial_message(number=wish.number, caller=wish.caller, stream=True)


def _tell_fault(browser: Server, error: CarelineError) -> None:
    """Code and the fault's own words; the page has the words of its language for the codes it knows."""
    with contextlib.suppress(ConnectionClosed, OSError):
        browser.send(_json({"fault": error.code, "what": error.what, "remedy": error.remedy}))


def _json(value: dict[str, Any]) -> str:
    return msgspec.json.encode(value).decode()


def _numbers() -> list[str]:
    """The numbers of the box that the virtual exchange knows."""
    listed = shared().config.lines.get("virtual", {}).get("numbers", [])
    return [str(one["number"]) for one in listed if isinstance(one, dict) and "number" in one] or [FIRST_NUMBER]
