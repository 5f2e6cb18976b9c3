"""How backups are: asked by pages and health again and again, so that nothing heavy is imported for it."""

from appliance.system.backup import history, messages, words
from appliance.system.backup.known import desk, history_of, next_at, settings_of
from appliance.system.backup.messages import RestorePhase
from appliance.system.backup.places import places_of
from appliance.system.backup.swap import Phase, journal_of
from appliance.system.box import Box, Tell

SHOWN = 50
PHASES = {Phase.UNCONFIRMED: RestorePhase.UNCONFIRMED}


def state(box: Box, request: messages.AskBackupState, tell: Tell) -> messages.BackupState:
    places, tried, known = places_of(box), history_of(box), settings_of(box)
    kept, journal = words.known(places.words), journal_of(places)
    return messages.BackupState(
        request_id=request.request_id,
        nightly=known.nightly,
        next_at=next_at(box, known),
        last_good_at=history.last_good(tried),
        job=desk(box).job,
        history=tried[:SHOWN],
        has_words=kept is not None,
        words_seen=kept is not None and kept.seen,
        restore=PHASES.get(journal.phase, RestorePhase.SWAPPING) if journal else RestorePhase.NONE,
        restored_from=journal.name if journal else "",
        restored_at=journal.at if journal else None,
    )
