"""When the nightly backup is due: after its time of day, once a day, also when the box was off then; not twice because a clock was set.
Pure."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta, tzinfo

from appliance.system.backup.messages import History, Outcome
from appliance.system.backup.naming import NIGHTLY

DAY_S = 24 * 3600.0
TRIES = 4
AGAIN = timedelta(hours=1)
SLACK = timedelta(hours=1)
QUIET_S_MOST = 26 * 3600.0  # the longest night between two, that of the hour that comes twice, is 25 h


def due(now: datetime, quiet_s: float, at: str, zone: tzinfo, tried: Sequence[History]) -> bool:
    """now: aware. quiet_s: seconds that passed, by a clock that never steps, since the last try that this program knows of, or its start.
    tried: of one target, newest first."""
    nightly = [entry for entry in tried if entry.kind == NIGHTLY]
    if not nightly:
        return True
    last, since = nightly[0], scheduled(now, at, zone)
    if quiet_s >= QUIET_S_MOST:  # whatever the clock says
        return True
    if last.at > now + SLACK:  # the clock was wrong then, or is now: only what passed by itself counts
        return quiet_s >= DAY_S
    if last.at < since:
        return True
    failed = [entry for entry in nightly if entry.at >= since]
    is_over = last.outcome is not Outcome.FAILED or len(failed) >= TRIES
    return not is_over and now - last.at >= AGAIN


def scheduled(now: datetime, at: str, zone: tzinfo) -> datetime:
    """The last time it was to be made, not after `now`."""
    local = now.astimezone(zone)
    moment = datetime.combine(local.date(), time.fromisoformat(at), zone)
    return moment if moment <= local else datetime.combine(local.date() - timedelta(days=1), time.fromisoformat(at), zone)


def next_at(now: datetime, at: str, zone: tzinfo) -> datetime:
    """When it is to be made next."""
    local = scheduled(now, at, zone).astimezone(zone)
    return datetime.combine(local.date() + timedelta(days=1), time.fromisoformat(at), zone)
