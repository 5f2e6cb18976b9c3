"""Dates and times of day as clips. Pure: "today" is given, never asked of a clock."""

import datetime

from appliance.ivr.prompts.catalogue import Lang
from appliance.ivr.speech.numbers import Clips, say_number

_YEARS_WHOLE = range(2020, 2046)
_NEAR_DAYS = {-1: "yesterday", 0: "today", 1: "tomorrow"}
# The first hour of each part of the day, as Mandarin announcements divide it.
_PERIODS = ((18, "evening"), (13, "afternoon"), (12, "noon"), (8, "morning"), (5, "early_morning"), (0, "before_dawn"))


def say_date(date: datetime.date, lang: Lang, *, year: bool = True, weekday: bool = False) -> Clips:
    """二零二六年三月八号 星期日; "Sunday March eighth twenty twenty-six"."""
    year_clips = say_year(date.year, lang) if year else ()
    day_clips: Clips = (f"weekday_{date.isoweekday()}",) if weekday else ()
    if lang == "zh":
        return (*year_clips, f"month_{date.month}", f"day_{date.day}", *day_clips)
    return (*day_clips, f"month_{date.month}", f"ordinal_{date.day}", *year_clips)


def say_day(date: datetime.date, today: datetime.date, lang: Lang) -> Clips:
    """今天, 明天 or 昨天, else the date, with its year only where that differs from today's."""
    near = _NEAR_DAYS.get((date - today).days)
    return (near,) if near else say_date(date, lang, year=date.year != today.year)


def say_year(year: int, lang: Lang) -> Clips:
    """二零二六年, 一九五八年; "nineteen fifty-eight", "two thousand and five". Raises: ValueError outside 1000 to 9999."""
    if not 1000 <= year <= 9999:
        raise ValueError(f"year {year} cannot be said")
    if year in _YEARS_WHOLE:
        return (f"year_{year}",)
    if lang == "zh":
        return (*(f"num_{digit}" for digit in str(year)), "unit_year")
    return _english_year(year)


def say_time(time: datetime.time, lang: Lang) -> Clips:
    """下午两点半; "two thirty p.m.". Seconds are not said."""
    return _mandarin_time(time) if lang == "zh" else _english_time(time)


def _english_year(year: int) -> Clips:
    century, rest = divmod(year, 100)
    if year % 1000 < 10:
        return say_number(year, "en")
    if rest == 0:
        return (f"num_{century}", "unit_hundred")
    return (f"num_{century}", _english_minute(rest))


def _mandarin_time(time: datetime.time) -> Clips:
    period = next(name for first_hour, name in _PERIODS if time.hour >= first_hour)
    hour = time.hour - 12 if time.hour > 12 else time.hour
    return (f"period_{period}", f"hour_{hour}", *_mandarin_minute(time.minute))


def _mandarin_minute(minute: int) -> Clips:
    """Half and the first quarter have their words; 三刻 is little used, so 45 is 四十五分."""
    if minute == 0:
        return ()
    return ({15: "quarter", 30: "half"}.get(minute, f"minute_{minute}"),)


def _english_time(time: datetime.time) -> Clips:
    if time.minute == 0 and time.hour % 12 == 0:
        return ("num_12", "noon" if time.hour else "midnight")
    minute: Clips = (_english_minute(time.minute),) if time.minute else ()
    return (f"num_{(time.hour - 1) % 12 + 1}", *minute, "am" if time.hour < 12 else "pm")


def _english_minute(minute: int) -> str:
    """ "Oh five" for 1 to 9, of an hour or of a century."""
    return f"minute_{minute}" if minute < 10 else f"num_{minute}"
