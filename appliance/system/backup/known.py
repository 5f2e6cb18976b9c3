"""What is known of a box's backups without making one: settings, history, the job. Light: no ciphers are imported."""

from datetime import UTC, datetime

from appliance.system.backup import history, schedule
from appliance.system.backup.files import kept_json
from appliance.system.backup.jobs import Desk, desk_of
from appliance.system.backup.messages import BackupSettings, History
from appliance.system.backup.places import places_of
from appliance.system.backup.settings import load
from appliance.system.box import Box


def settings_of(box: Box) -> BackupSettings:
    """Raises: BoxError SYS-125."""
    return load(places_of(box).settings).settings


def history_of(box: Box) -> tuple[History, ...]:
    """Newest first. Raises: BoxError."""
    return history.read(places_of(box).history)


def desk(box: Box) -> Desk:
    return desk_of(places_of(box).data, box.clock)


def tell_health(box: Box) -> None:
    """What the health service reads."""
    settings, places = settings_of(box), places_of(box)
    brief = history.brief(history_of(box), settings.nightly, next_at(box, settings))
    kept_json(places.state, brief)


def next_at(box: Box, settings: BackupSettings) -> datetime | None:
    """None while none is wanted."""
    found = schedule.next_at(box.clock.now(), settings.at, places_of(box).zone) if settings.nightly else None
    return found.astimezone(UTC) if found else None
