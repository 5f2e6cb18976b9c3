"""The nightly backup: looks every LOOK_S whether one is due, and makes it. Runs beside the requests of the box service; what is heavy is
imported when it is needed.
"""

import asyncio
import contextlib
import logging

from appliance.system.backup import history
from appliance.system.backup.jobs import desk_of
from appliance.system.backup.places import places_of
from appliance.system.backup.schedule import due
from appliance.system.backup.settings import load
from appliance.system.box import Box
from drivers.errors import CarelineError

LOOK_S = 20.0

log = logging.getLogger("careline.system")


async def nightly(box: Box) -> None:
    """First whatever a restoring left undone, then what is due, until cancelled; then the job that runs is cancelled, too."""
    quiet_since = dict[str, float]()
    start_s = box.clock.monotonic_s()
    try:
        await asyncio.to_thread(_finish, box)
        while True:
            await asyncio.to_thread(_look, box, quiet_since, start_s)
            await asyncio.sleep(LOOK_S)
    finally:
        with contextlib.suppress(CarelineError):
            desk_of(places_of(box).data, box.clock).cancel()


def _finish(box: Box) -> None:
    try:
        places = places_of(box)
        if not places.restore.exists():
            return
        from appliance.system.backup.restoring import finish

        done = finish(places)
    except CarelineError as error:
        log.critical("%s", error)
        return
    if done:
        log.warning("%s", done)


def _look(box: Box, quiet_since: dict[str, float], start_s: float) -> None:
    try:
        places = places_of(box)
        settings = load(places.settings).settings
        if not settings.nightly:
            return
        for target in settings.nightly_to:
            quiet_s = box.clock.monotonic_s() - quiet_since.get(target, start_s)
            tried = [entry for entry in history.read(places.history) if entry.target == target]
            if due(box.clock.now(), quiet_s, settings.at, places.zone, tried):
                quiet_since[target] = box.clock.monotonic_s()
                from appliance.system.backup.making_jobs import make_nightly

                make_nightly(box, target)
    except CarelineError as error:
        log.warning("the nightly backup: %s", error)
