"""When the hospital is open. Pure: an aware time in, a state out; days and hours are those of the hospital's time zone."""

from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from drivers.errors import ConfigError

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WORKDAY = ("08:00-12:00", "14:00-17:30")
DEFAULT_WEEK: dict[Weekday, tuple[str, ...]] = {
    "monday": WORKDAY,
    "tuesday": WORKDAY,
    "wednesday": WORKDAY,
    "thursday": WORKDAY,
    "friday": WORKDAY,
    "saturday": ("08:00-12:00",),
    "sunday": (),
}


class DayState(StrEnum):
    """open; closed: outside the hours of a day; holiday: a day without hours by the list of holidays."""

    OPEN = "open"
    CLOSED = "closed"
    HOLIDAY = "holiday"


class CalendarConfig(msgspec.Struct, frozen=True, kw_only=True):
    """`[hospital.calendar]`. Periods as "08:00-12:00" ("24:00" ends a day). `special` overrides single days, for
    instance a working Saturday, and goes before `holidays`."""

    time_zone: str = "Asia/Shanghai"
    week: dict[Weekday, tuple[str, ...]] = msgspec.field(default_factory=DEFAULT_WEEK.copy)
    holidays: tuple[date, ...] = ()
    special: dict[date, tuple[str, ...]] = {}


class Period(msgspec.Struct, frozen=True, order=True):
    """Part of a day, in minutes from midnight; the end is outside."""

    begin_min: int
    end_min: int

    def holds(self, at: time) -> bool:
        return self.begin_min <= at.hour * 60 + at.minute < self.end_min


class Calendar:
    """Opening hours. Raises: ConfigError CFG-050 (time zone), CFG-051 (a period) naming key and value."""

    def __init__(self, config: CalendarConfig) -> None:
        self.zone = _zone(config.time_zone)
        self._week = {day: _periods(f"week.{day}", config.week.get(day, ())) for day in WEEKDAYS}
        self._special = {day: _periods(f"special.{day}", texts) for day, texts in config.special.items()}
        self._holidays = frozenset(config.holidays)

    def local(self, at: datetime) -> datetime:
        """An aware time in the hospital's zone."""
        return at.astimezone(self.zone)

    def periods(self, day: date) -> tuple[Period, ...]:
        """When it is open on that day."""
        if day in self._special:
            return self._special[day]
        return () if day in self._holidays else self._week[WEEKDAYS[day.weekday()]]

    def week(self, day: Weekday) -> tuple[Period, ...]:
        """When it is open on that day of an ordinary week."""
        return self._week[day]

    def state(self, at: datetime) -> DayState:
        """Open, closed or holiday at that aware time."""
        local = self.local(at)
        if any(period.holds(local.time()) for period in self.periods(local.date())):
            return DayState.OPEN
        holiday = local.date() in self._holidays and local.date() not in self._special
        return DayState.HOLIDAY if holiday else DayState.CLOSED

    def next_opening(self, at: datetime) -> datetime | None:
        """The next time it opens after `at` (aware, in the hospital's zone); None when not within a year."""
        local = self.local(at)
        for ahead in range(366):
            day = local.date() + timedelta(days=ahead)
            for period in self.periods(day):
                begin = datetime.combine(day, time(period.begin_min // 60, period.begin_min % 60), self.zone)
                if begin > local:
                    return begin
        return None


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(
            "CFG-050",
            f"hospital.calendar.time_zone = {name!r} is no time zone",
            'Use a name such as "Asia/Shanghai" (package tzdata must be installed)',
        ) from error


def _periods(key: str, texts: tuple[str, ...]) -> tuple[Period, ...]:
    periods = tuple(_period(key, text) for text in texts)
    for before, after in pairwise(periods):
        if after.begin_min < before.end_min:
            raise _wrong(key, "; ".join(texts), "Write the periods of a day in order, without overlap")
    return periods


def _period(key: str, text: str) -> Period:
    begin, _, end = text.partition("-")
    period = Period(_minutes(key, text, begin), _minutes(key, text, end))
    if period.begin_min >= period.end_min:
        raise _wrong(key, text, "A period ends after it begins; split one that passes midnight")
    return period


def _minutes(key: str, text: str, clock: str) -> int:
    hours, _, minutes = clock.partition(":")
    if not (len(hours) == len(minutes) == 2 and hours.isdecimal() and minutes.isdecimal()):
        raise _wrong(key, text, 'Write it as "08:00-12:00"')
    total = int(hours) * 60 + int(minutes)
    if int(minutes) > 59 or total > 24 * 60:
        raise _wrong(key, text, "Hours go from 00:00 to 24:00")
    return total


def _wrong(key: str, text: str, remedy: str) -> ConfigError:
    return ConfigError("CFG-051", f"hospital.calendar.{key} = {text!r} is no opening time", remedy)
