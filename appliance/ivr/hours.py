"""Opening hours as clips, from the calendar. Pure.

The week a new box comes with has a prompt of its own, spoken as a person would; any other week is put together day by day.
"""

import datetime
from collections.abc import Iterable

from appliance.calendar import DEFAULT_WEEK, WEEKDAYS, Calendar, CalendarConfig, Period, Weekday
from appliance.ivr.prompts.catalogue import Lang
from appliance.ivr.speech import say_time

WHOLE_PROMPT = "opening_hours"
TO = "to"


def opening_hours(config: CalendarConfig, lang: Lang) -> tuple[str, ...]:
    """Monday to Friday, the hours; Saturday, the hours. Days of the same hours are said together."""
    if config.week == DEFAULT_WEEK:
        return (WHOLE_PROMPT,)
    calendar = Calendar(config)
    clips: list[str] = []
    for first, last, periods in _runs(calendar):
        clips += _days(first, last)
        clips += [clip for period in periods for clip in _period(period, lang)]
    return tuple(clips) or (WHOLE_PROMPT,)


def _runs(calendar: Calendar) -> list[tuple[Weekday, Weekday, tuple[Period, ...]]]:
    """Neighbouring days of the same hours; days without hours are left out."""
    runs: list[tuple[Weekday, Weekday, tuple[Period, ...]]] = []
    for place, day in enumerate(WEEKDAYS):
        periods = calendar.week(day)
        if runs and place and runs[-1][1] == WEEKDAYS[place - 1] and runs[-1][2] == periods:
            runs[-1] = (runs[-1][0], day, periods)
        elif periods:
            runs.append((day, day, periods))
    return runs


def _days(first: Weekday, last: Weekday) -> Iterable[str]:
    if first == last:
        return (_weekday(first),)
    return _weekday(first), TO, _weekday(last)


def _weekday(day: Weekday) -> str:
    return f"weekday_{WEEKDAYS.index(day) + 1}"


def _period(period: Period, lang: Lang) -> tuple[str, ...]:
    return *say_time(_time(period.begin_min), lang), TO, *say_time(_time(period.end_min), lang)


def _time(minutes: int) -> datetime.time:
    return datetime.time(minutes // 60 % 24, minutes % 60)
