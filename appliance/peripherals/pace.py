"""When the next part of a message may go: so many a minute, so many a day, and by night only what is urgent. Pure."""

from datetime import datetime, time
from enum import Enum

from appliance.peripherals.config import SmsConfig


class Held(Enum):
    """Why nothing may go now. QUIET holds what is not urgent."""

    NO = "no"
    QUIET = "quiet"
    MINUTE = "minute"
    DAY = "day"


def held(config: SmsConfig, local_now: datetime, in_the_minute: int, today: int) -> Held:
    """`in_the_minute`, `today`: parts sent in the last 60 s, and since the hospital's midnight."""
    if today >= config.per_day:
        return Held.DAY
    if in_the_minute >= config.per_minute:
        return Held.MINUTE
    return Held.QUIET if is_quiet(config.quiet_hours, local_now.time()) else Held.NO


def is_quiet(hours: tuple[time, time] | None, at: time) -> bool:
    """Hours may go over midnight; the same time twice is the whole day."""
    if hours is None:
        return False
    begins, ends = hours
    return begins <= at < ends if begins < ends else at >= begins or at < ends
