"""How the box's own voice is: whether it runs, what waits for it, what went wrong last. Read by pages; in the caller's transaction."""

from datetime import datetime
from pathlib import Path

import msgspec

from appliance.hospital import voicing
from appliance.ivr.prompts import orders
from appliance.store.voice_tables import SpokenText
from appliance.voice.engine import missing
from appliance.voice.lock import holder_of


class LastFailure(msgspec.Struct, frozen=True):
    """`what` and `remedy` in the words of the fault; `code` empty where none was kept."""

    text: str
    code: str
    what: str
    remedy: str
    at: datetime


class VoiceState(msgspec.Struct, frozen=True):
    """`lacking`: what this machine lacks to speak, empty when nothing. `prompts`, `texts`: how many wait; `made`, `failed`: of texts."""

    is_running: bool
    lacking: str
    prompts: int
    texts: int
    made: int
    failed: int
    last_failure: LastFailure | None


def state_of(data_dir: Path) -> VoiceState:
    counts = voicing.counts()
    return VoiceState(
        is_running=holder_of(data_dir) is not None,
        lacking=missing(),
        prompts=orders.waiting_for_voice(),
        texts=counts.get(voicing.WANTED, 0) + counts.get(voicing.NO_VOICE, 0),
        made=counts.get(voicing.MADE, 0),
        failed=counts.get(voicing.FAILED, 0),
        last_failure=_last_failure(),
    )


def _last_failure() -> LastFailure | None:
    """Of prompts and texts, the later one."""
    found = []
    if order := orders.last_failure():
        found.append(LastFailure(order.text, order.error_code, order.error, order.remedy, order.asked_at))
    text = SpokenText.select().where(SpokenText.state == voicing.FAILED).order_by(SpokenText.wanted_at.desc()).first()
    if text:
        found.append(LastFailure(text.text, "", text.error, "", text.wanted_at))
    return max(found, key=lambda failure: failure.at, default=None)
