"""Which backups are kept: the newest of each of so many days, weeks and months, so many made by hand, and always the newest.
Pure."""

from collections.abc import Hashable, Iterable, Sequence
from datetime import datetime, tzinfo

from appliance.system.backup.messages import BackupFile, BackupSettings
from appliance.system.backup.naming import BY_HAND, NIGHTLY


def superfluous(backups: Sequence[BackupFile], settings: BackupSettings, zone: tzinfo) -> list[BackupFile]:
    """Of one box at one target; days are those of `zone`. What was made "in the future" (a clock went wrong) counts as what it says."""
    newest_first = sorted(backups, key=lambda each: (each.at, each.name), reverse=True)
    nightly = [each for each in newest_first if each.kind == NIGHTLY]
    local = {each.name: each.at.astimezone(zone) for each in nightly}
    kept = {each.name for each in newest_first[:1]}
    for count, period in (
        (settings.keep_days, _day),
        (settings.keep_weeks, _week),
        (settings.keep_months, _month),
    ):
        kept |= _first_of_each(((period(local[each.name]), each.name) for each in nightly), count)
    kept |= {each.name for each in [each for each in newest_first if each.kind == BY_HAND][: settings.keep_by_hand]}
    return [each for each in newest_first if each.name not in kept]


def _first_of_each(found: Iterable[tuple[Hashable, str]], count: int) -> set[str]:
    first: dict[Hashable, str] = {}
    for period, name in found:
        first.setdefault(period, name)
    return set(list(first.values())[:count])


def _day(at: datetime) -> Hashable:
    return at.date()


def _week(at: datetime) -> Hashable:
    return at.isocalendar()[:2]


def _month(at: datetime) -> Hashable:
    return at.year, at.month
