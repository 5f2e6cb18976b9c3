"""When a nightly backup is due, and which backups are kept: pure functions against hours of every kind."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.system.backup.messages import BackupFile, BackupSettings, History, Outcome
from appliance.system.backup.naming import BY_HAND, NIGHTLY, backup_name, backups_among
from appliance.system.backup.retention import superfluous
from appliance.system.backup.schedule import QUIET_S_MOST, due, next_at, scheduled
from appliance.system.backup.shelf import Stored

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")  # has hours that come twice and hours that never come
AT = "02:30"
DAY_S = 24 * 3600.0
YEAR = datetime(2026, 1, 1), datetime(2027, 1, 1)  # noqa: DTZ001  # hypothesis wants them so


def at(text: str) -> datetime:
    """In Shanghai."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def tried(when: datetime, outcome: Outcome = Outcome.GOOD, kind: str = NIGHTLY) -> History:
    return History(at=when.astimezone(UTC), ended_at=when.astimezone(UTC), target="disk", name="", kind=kind, by="", outcome=outcome)


def is_due(now: datetime, *entries: History, quiet_s: float = 60.0) -> bool:
    return due(now, quiet_s, AT, SHANGHAI, entries)


def test_once_a_night() -> None:
    last = tried(at("2026-11-22T02:30:10"))
    assert not is_due(at("2026-11-23T02:29:59"), last)
    assert is_due(at("2026-11-23T02:30:00"), last)
    assert not is_due(at("2026-11-23T02:31:00"), tried(at("2026-11-23T02:30:05")), last)


def test_a_night_without_power_is_caught_up() -> None:
    assert is_due(at("2026-11-23T09:00:00"), tried(at("2026-11-21T02:30:10")))


def test_one_by_hand_is_none_of_the_nights() -> None:
    assert is_due(at("2026-11-23T02:30:00"), tried(at("2026-11-23T02:00:00"), kind=BY_HAND), tried(at("2026-11-22T02:30:10")))


def test_failed_it_is_tried_again_each_hour_four_times() -> None:
    entries = [tried(at("2026-11-23T02:30:00"), Outcome.FAILED)]
    assert not is_due(at("2026-11-23T03:29:00"), *entries)
    for hour in (3, 4, 5):
        assert is_due(at(f"2026-11-23T0{hour}:31:00"), *entries)
        entries.insert(0, tried(at(f"2026-11-23T0{hour}:31:00"), Outcome.FAILED))
    assert not is_due(at("2026-11-23T12:00:00"), *entries)
    assert is_due(at("2026-11-24T02:30:00"), *entries)


def test_cancelled_it_waits_for_the_next_night() -> None:
    assert not is_due(at("2026-11-23T09:00:00"), tried(at("2026-11-23T02:30:00"), Outcome.CANCELLED))


def test_a_clock_set_back_over_the_hour_makes_no_second_one() -> None:
    last = tried(at("2026-11-23T02:30:05"))
    for now in ("2026-11-23T02:29:00", "2026-11-23T02:30:00", "2026-11-23T02:30:04", "2026-11-23T02:31:00"):
        assert not is_due(at(now), last)


def test_a_clock_that_was_years_ahead_stops_no_backups() -> None:
    last = tried(at("2031-01-01T02:30:00"))
    assert not is_due(at("2026-11-23T02:30:00"), last, quiet_s=3600.0)
    assert is_due(at("2026-11-23T02:30:00"), last, quiet_s=DAY_S)


@given(
    steps=st.lists(st.tuples(st.floats(20, 3 * DAY_S), st.floats(-2 * DAY_S, 2 * DAY_S)), max_size=30),
    zone=st.sampled_from([SHANGHAI, BERLIN]),
)
@settings(max_examples=200, deadline=None)
def test_however_the_clock_jumps_there_is_never_many_nor_none_for_more_than_a_day(steps: list[tuple[float, float]], zone: ZoneInfo) -> None:
    """Time passes, looked at every ten minutes; in between somebody sets the clock."""
    passed_s, offset_s, last_try_s = 0.0, 0.0, 0.0
    begin, entries, made_s = datetime(2026, 10, 24, 1, tzinfo=UTC), list[History](), list[float]()
    for wait_s, jump_s in steps:
        end_s = passed_s + wait_s
        while passed_s < end_s:
            now = begin + timedelta(seconds=passed_s + offset_s)
            if due(now, passed_s - last_try_s, AT, zone, entries):
                entries.insert(0, tried(now))
                made_s.append(passed_s)
                last_try_s = passed_s
            passed_s += 600.0
        offset_s += jump_s
    gaps = [later - earlier for earlier, later in pairwise([*made_s, passed_s])]
    assert all(gap <= QUIET_S_MOST + 600.0 for gap in gaps)
    assert len(made_s) <= 2 + 2 * passed_s / DAY_S + len(steps), "at most one more for each time the clock was set"


@given(moment=st.datetimes(*YEAR, timezones=st.just(UTC)), zone=st.sampled_from([SHANGHAI, BERLIN]))
@settings(max_examples=300, deadline=None)
def test_the_last_and_the_next_time_are_around_now(moment: datetime, zone: ZoneInfo) -> None:
    now = moment
    assert scheduled(now, AT, zone) <= now + timedelta(hours=1)
    assert timedelta(0) < next_at(now, AT, zone) - now <= timedelta(hours=25)


# --- which are kept -----------------------------------------------------------------------------------------------------


def backups(*made: tuple[datetime, str]) -> list[BackupFile]:
    return backups_among([Stored(backup_name("box", when, kind), 1) for when, kind in made], "box")


def kept(found: Sequence[BackupFile], wanted: BackupSettings) -> list[BackupFile]:
    gone = {each.name for each in superfluous(found, wanted, SHANGHAI)}
    return [each for each in found if each.name not in gone]


def test_days_weeks_and_months() -> None:
    nights = [(at("2026-11-23T02:30:00") - timedelta(days=days), NIGHTLY) for days in range(200)]
    left = kept(backups(*nights), BackupSettings(keep_days=7, keep_weeks=4, keep_months=6))
    days = [each.at.astimezone(SHANGHAI).date() for each in left]
    assert [str(day) for day in days[:7]] == [f"2026-11-{day}" for day in range(23, 16, -1)]
    assert [str(day) for day in days[7:]] == [
        "2026-11-15",
        "2026-11-08",
        "2026-10-31",
        "2026-09-30",
        "2026-08-31",
        "2026-07-31",
        "2026-06-30",
    ]


@given(
    made=st.lists(st.tuples(st.integers(0, 400 * 24), st.sampled_from([NIGHTLY, BY_HAND])), max_size=60, unique_by=lambda each: each[0]),
    counts=st.tuples(*[st.integers(0, 10)] * 4),
)
@settings(max_examples=200, deadline=None)
def test_the_newest_is_always_kept_and_thinning_again_changes_nothing(
    made: list[tuple[int, str]], counts: tuple[int, int, int, int]
) -> None:
    wanted = BackupSettings(keep_days=counts[0], keep_weeks=counts[1], keep_months=counts[2], keep_by_hand=counts[3])
    found = backups(*((at("2026-11-23T02:30:00") - timedelta(hours=hours), kind) for hours, kind in made))
    left = kept(found, wanted)
    assert left[:1] == found[:1]
    assert kept(left, wanted) == left
    assert len(left) <= sum(counts) + 1


def test_files_of_others_are_no_backups() -> None:
    names = ("notes.txt", "careline-box-20261123T023000Z-nightly.age.partial", "careline-box-20269923T023000Z-nightly.age", "careline-.age")
    assert backups_among([Stored(name, 1) for name in names]) == []
