"""Opening hours: days, holidays, special days, time zones, and what is no opening time."""

from datetime import UTC, date, datetime

import pytest

from appliance.calendar import Calendar, CalendarConfig, DayState
from drivers.errors import ConfigError

AUTUMN = Calendar(CalendarConfig(holidays=(date(2026, 10, 1), date(2026, 10, 2)), special={date(2026, 10, 10): ("09:00-11:00",)}))


@pytest.mark.parametrize(
    ("utc", "state"),
    [
        ("2026-03-09 00:00", DayState.OPEN),  # Monday 08:00 in Shanghai
        ("2026-03-08 23:59", DayState.CLOSED),
        ("2026-03-09 03:59", DayState.OPEN),
        ("2026-03-09 04:00", DayState.CLOSED),  # noon
        ("2026-03-09 06:00", DayState.OPEN),
        ("2026-03-09 09:30", DayState.CLOSED),
        ("2026-03-14 02:00", DayState.OPEN),  # Saturday morning
        ("2026-03-14 06:00", DayState.CLOSED),
        ("2026-03-15 02:00", DayState.CLOSED),  # Sunday
        ("2026-10-01 02:00", DayState.HOLIDAY),
        ("2026-10-10 01:30", DayState.OPEN),  # a special Saturday
        ("2026-10-10 03:30", DayState.CLOSED),
    ],
)
def test_state(utc: str, state: DayState) -> None:
    assert AUTUMN.state(datetime.fromisoformat(utc).replace(tzinfo=UTC)) is state


def test_special_day_goes_before_holiday() -> None:
    calendar = Calendar(CalendarConfig(holidays=(date(2026, 10, 1),), special={date(2026, 10, 1): ("08:00-09:00",)}))
    assert calendar.state(datetime(2026, 10, 1, 0, 30, tzinfo=UTC)) is DayState.OPEN
    assert calendar.state(datetime(2026, 10, 1, 2, 0, tzinfo=UTC)) is DayState.CLOSED


def test_a_day_may_end_at_midnight() -> None:
    calendar = Calendar(CalendarConfig(week={"monday": ("00:00-24:00",)}))
    assert calendar.state(datetime(2026, 3, 9, 15, 59, tzinfo=UTC)) is DayState.OPEN
    assert calendar.state(datetime(2026, 3, 9, 16, 0, tzinfo=UTC)) is DayState.CLOSED


def test_next_opening_skips_night_and_holidays() -> None:
    opening = AUTUMN.next_opening(datetime(2026, 9, 30, 12, 0, tzinfo=UTC))
    assert opening is not None
    assert opening.isoformat() == "2026-10-03T08:00:00+08:00"


def test_never_open() -> None:
    assert Calendar(CalendarConfig(week={})).next_opening(datetime(2026, 3, 9, tzinfo=UTC)) is None


@pytest.mark.parametrize("text", ["8:00-12:00", "08:00", "08:00-25:00", "08:60-09:00", "12:00-08:00", "a-b", "08:00-08:00", ""])
def test_wrong_period_names_key_and_value(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Calendar(CalendarConfig(week={"monday": (text,)}))
    assert caught.value.code == "CFG-051"
    assert "hospital.calendar.week.monday" in caught.value.what
    assert repr(text) in caught.value.what


def test_overlap_is_refused() -> None:
    with pytest.raises(ConfigError, match="CFG-051"):
        Calendar(CalendarConfig(week={"friday": ("08:00-12:00", "11:00-13:00")}))


def test_unknown_zone() -> None:
    with pytest.raises(ConfigError, match=r"CFG-050.*Mars/Olympus"):
        Calendar(CalendarConfig(time_zone="Mars/Olympus"))
