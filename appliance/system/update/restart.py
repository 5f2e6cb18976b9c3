"""Restarting the box: at once, or when nobody speaks, at the latest after a limit. The wish is kept in the state, so that it lasts.

`watch` runs in careline-system's event loop, beside requests.
"""

import asyncio
import logging
import subprocess
from datetime import timedelta

import msgspec

from appliance.control.client import ControlClient
from appliance.control.messages import LiveSnapshot, SetClosing
from appliance.system.box import Box
from appliance.system.errors import BoxError
from appliance.system.update import bundles, install, state
from appliance.system.update.messages import Event, Restart, RestartWhenQuiet
from appliance.system.update.places import Places, places_of
from drivers.errors import CarelineError

LOOK_EVERY_S = 2.0
CLOSING = timedelta(minutes=2)  # before the limit: who calls or talks is told that the box goes down
LIMIT_S = 30.0

log = logging.getLogger("careline.system")


def ask(box: Box, places: Places, asked: RestartWhenQuiet) -> None:
    """Raises: BoxError SYS-076 while an update is being installed, SYS-083."""
    if state.is_installing(places):
        raise BoxError("SYS-076", "an update is being installed", "Restart when that is done")
    now = box.clock.now()
    wish = Restart(by=asked.by, at=now, until=now + timedelta(minutes=asked.limit_min))
    state.change(places, lambda was: msgspec.structs.replace(was, restart=wish))
    state.note(places, Event.RESTART_ASKED, now, by=asked.by)
    if not asked.limit_min:
        do(box, places, wish)


def cancel(box: Box, places: Places, by: str) -> None:
    if (wish := state.read(places).restart) is not None:
        if wish.closing:
            _tell_callers(box, False)
        state.change(places, lambda was: msgspec.structs.replace(was, restart=None))
        state.note(places, Event.RESTART_CANCELLED, box.clock.now(), by=by)


def do(box: Box, places: Places, wish: Restart) -> None:
    """Raises: BoxError SYS-083."""
    state.change(places, lambda was: msgspec.structs.replace(was, restart=None))
    state.note(places, Event.RESTARTED, box.clock.now(), by=wish.by)
    try:
        subprocess.run(places.restart, check=True, capture_output=True, timeout=LIMIT_S, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.SubprocessError) as error:
        raise BoxError("SYS-083", f"the box cannot be restarted ({error})", "Restart it by its power button") from error


def _tell_callers(box: Box, closing: bool) -> None:
    """The restart comes, or not, whether they can be told or not."""
    try:
        with ControlClient(box.config.paths.control_socket, "system") as client:
            client.request(SetClosing(closing=closing, by="update"))
    except CarelineError as error:
        log.warning("callers are not told of the restart: %s", error)


def calls(box: Box) -> int | None:
    """How many there are; None when the call agent cannot be asked."""
    try:
        with ControlClient(box.config.paths.control_socket, "system") as client:
            first = next(client.subscribe())
    except (CarelineError, StopIteration):
        return None
    return len(first.calls) if isinstance(first, LiveSnapshot) else None


async def watch(box: Box) -> None:
    """Until cancelled: what a start must put in order, then the restart that waits."""
    places = places_of(box)
    await asyncio.to_thread(_begin, box, places)
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        if state.read(places).restart is not None:
            await asyncio.to_thread(_restart_if_due, box, places)


def _begin(box: Box, places: Places) -> None:
    try:
        bundles.clean(places)
        install.interrupted(places, box)
    except CarelineError as error:
        log.error("%s", error)


def _restart_if_due(box: Box, places: Places) -> None:
    wish = state.read(places).restart
    if wish is None or state.is_installing(places):
        return
    left = wish.until - box.clock.now()
    if left > timedelta(0) and calls(box) != 0:
        if left < CLOSING and not wish.closing:
            state.change(places, lambda was: msgspec.structs.replace(was, restart=msgspec.structs.replace(wish, closing=True)))
            _tell_callers(box, True)
        return
    try:
        do(box, places, wish)
    except CarelineError as error:
        log.error("%s", error)
