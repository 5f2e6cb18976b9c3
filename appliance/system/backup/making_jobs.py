"""Backups as jobs: what the nightly one and the one asked for have in common, and what is written down of each."""

from concurrent.futures import Future
from datetime import UTC

from appliance.system.backup import history, words
from appliance.system.backup.known import desk, settings_of, tell_health
from appliance.system.backup.making import Made, Wanted, make
from appliance.system.backup.messages import BackupSettings, History, JobKind, Outcome
from appliance.system.backup.naming import BY_HAND, NIGHTLY
from appliance.system.backup.places import Places, places_of
from appliance.system.backup.settings import target_of
from appliance.system.backup.work import Tell, Work
from appliance.system.box import Box
from drivers.errors import CarelineError

NIGHTLY_BY = "nightly"


def make_nightly(box: Box, target: str) -> None:
    """Until it is over. Raises: CarelineError, also written down."""
    start(box, target, NIGHTLY, NIGHTLY_BY, None, None).result()


def start(box: Box, target: str, kind: str, by: str, recordings: bool | None, tell: Tell | None) -> "Future[Made]":
    """Raises: BoxError SYS-100, SYS-103."""
    places, settings = places_of(box), settings_of(box)
    wanted = Wanted(
        target=target_of(settings, target),
        kind=kind,
        by=by,
        at=box.clock.now().astimezone(UTC).replace(microsecond=0),
        recordings=settings.recordings if recordings is None else recordings,
        words=words.kept(places.words, box.clock).words,
    )
    return desk(box).start(JobKind.BACKUP, target, "", by, lambda work: _make(box, places, settings, wanted, work), tell)


def _make(box: Box, places: Places, settings: BackupSettings, wanted: Wanted, work: Work) -> Made:
    try:
        made = make(places, settings, wanted, work)
    except CarelineError as error:
        outcome = Outcome.CANCELLED if error.code == "SYS-117" else Outcome.FAILED
        _write_down(box, places, wanted, outcome=outcome, code=error.code, what=error.what, remedy=error.remedy)
        raise
    except BaseException:
        _write_down(box, places, wanted, outcome=Outcome.FAILED, code="SYS-004", what="an internal fault", remedy="See the log")
        raise
    _write_down(box, places, wanted, outcome=Outcome.GOOD, name=made.name, size=made.size)
    return made


def _write_down(
    box: Box,
    places: Places,
    wanted: Wanted,
    *,
    outcome: Outcome,
    name: str = "",
    size: int = 0,
    code: str = "",
    what: str = "",
    remedy: str = "",
) -> None:
    entry = History(
        at=wanted.at,
        ended_at=box.clock.now().astimezone(UTC),
        target=wanted.target.name,
        name=name,
        kind=wanted.kind,
        by=wanted.by,
        outcome=outcome,
        size=size,
        code=code,
        what=what,
        remedy=remedy,
    )
    history.add(places.history, entry)
    tell_health(box)


def by_hand(box: Box, target: str, by: str, recordings: bool | None, tell: Tell | None) -> "Future[Made]":
    """Raises: BoxError SYS-100, SYS-103."""
    return start(box, target, BY_HAND, by, recordings, tell)
