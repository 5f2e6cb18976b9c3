"""How long a complaint may take and who gets it when it took longer: `[hospital.complaints]`. Pure."""

from datetime import UTC, date, datetime, time, timedelta

import msgspec

from appliance.calendar import Calendar

DAYS_AHEAD_MOST = 366
DAY_MIN = 24 * 60


class Rung(msgspec.Struct, frozen=True, array_like=True):
    """Who owns an overdue complaint next, an account of that role, and for how many working days."""

    role: str
    days: int


class ComplaintRules(msgspec.Struct, frozen=True, kw_only=True):
    """`days`: working days until it is due, `owner_role`: who owns it at first. `ladder`: one rung each time it is overdue; after the last
    it stays overdue."""

    days: int = 5
    owner_role: str = "supervisor"
    ladder: tuple[Rung, ...] = (Rung("supervisor", 2), Rung("administrator", 2))


def due_after(now: datetime, days: int, calendar: Calendar) -> datetime:
    """The end of the hospital's hours on the working day that many after today, in UTC. A calendar without working days counts all."""
    day = calendar.local(now).date()
    for _ in range(days):
        day = _next_working_day(day, calendar)
    periods = calendar.periods(day)
    end_min = periods[-1].end_min if periods else DAY_MIN
    return (datetime.combine(day, time(0), calendar.zone) + timedelta(minutes=end_min)).astimezone(UTC)


def _next_working_day(day: date, calendar: Calendar) -> date:
    ahead = (day + timedelta(days=days) for days in range(1, DAYS_AHEAD_MOST))
    return next((each for each in ahead if calendar.periods(each)), day + timedelta(days=1))
