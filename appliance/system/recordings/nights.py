"""When recordings are deleted: once a night, in the small hours, after the nightly backup. Beside the requests of careline-system; what is
heavy is imported when it is needed.
"""

import asyncio
import logging
from datetime import datetime, timedelta, tzinfo

from appliance.system.backup.places import places_of
from appliance.system.box import Box
from drivers.errors import CarelineError

LOOK_S = 120.0
HOURS = range(4, 6)  # local time

log = logging.getLogger("careline.system")


def is_night(now: datetime, zone: tzinfo) -> bool:
    return now.astimezone(zone).hour in HOURS


async def delete_old_recordings(box: Box) -> None:
    """Until cancelled."""
    done: str = ""
    while True:
        await asyncio.sleep(LOOK_S)
        zone = places_of(box).zone
        night = f"{box.clock.now().astimezone(zone):%Y-%m-%d}"
        if night != done and is_night(box.clock.now(), zone):
            await asyncio.to_thread(work, box)
            done = night


def work(box: Box) -> None:
    """One night, unless it has been: a store that cannot be used leaves it for the next one."""
    from peewee import PeeweeException

    try:
        _work(box)
    except (CarelineError, PeeweeException, OSError) as error:
        log.error("REC-012: old recordings are not deleted tonight, the store or the disk cannot be used: %s", error)


def _work(box: Box) -> None:
    from appliance.store.database import connect
    from appliance.store.tables import ALL

    places = places_of(box)
    database = connect(places.store)
    try:
        with database.bind_ctx(ALL):
            _of_night(box, database)
    finally:
        database.close()


def _of_night(box: Box, database: object) -> None:
    from appliance.store import keeping
    from appliance.store.keeping_tables import RetentionNight
    from appliance.system.backup.packing import packed_ever
    from appliance.system.recordings import clock
    from appliance.system.recordings.expiry import Night

    now, places = box.clock.now(), places_of(box)
    wanted = keeping.retention()
    since = now - timedelta(hours=12)
    if not wanted.is_on or RetentionNight.select().where(RetentionNight.by == "", RetentionNight.at.between(since, now)).exists():
        return
    night = Night(database, places.recordings, packed_ever(places), now)
    if why := clock.doubt(now, _is_synchronised(box)):
        night.refuse(why)
    else:
        night.run(wanted)


def _is_synchronised(box: Box) -> bool:
    from appliance.system.services.clock import told_time
    from appliance.system.services.messages import AskTime

    try:
        return told_time(box, AskTime(by="recordings"), lambda percent, step: None).synchronised
    except CarelineError:
        return False
