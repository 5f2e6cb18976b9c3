"""Whether the clock is to be believed before anything is deleted by it. Reads the store; in the thread of the night's work.

It is when it follows a time server, or when it has gone on evenly: the last night that worked, or the last time a person vouched for it, is
not later than now and not long ago. So a clock that jumped, forward or back, deletes nothing until it is set right or somebody says it is.
"""

from datetime import datetime, timedelta

from appliance.store.keeping_tables import RetentionNight

EVENLY = timedelta(hours=50)
AHEAD = timedelta(minutes=10)


def doubt(now: datetime, synchronised: bool) -> str:
    """Why it is not to be believed; empty when it is."""
    if synchronised:
        return ""
    last = RetentionNight.select().where(RetentionNight.state == "done").order_by(RetentionNight.id.desc()).first()
    if last is None:
        return "the clock follows no time server, and nobody has said yet that it is right"
    if last.at > now + AHEAD:
        return f"the clock says {now:%Y-%m-%d %H:%M} UTC, but it was {last.at:%Y-%m-%d %H:%M} already"
    if now - last.at > EVENLY:
        return f"the clock follows no time server, and it was {last.at:%Y-%m-%d %H:%M} UTC when it was right last"
    return ""
