"""Audios that were asked for and are not there yet: the box's own voice speaks a text, or a person does by telephone, with a code.

Plain functions inside a transaction of the caller (web, call agent, `careline voice`). One order of a prompt and language at a time: a new
one takes the place of the one that waits.
"""

import secrets
from datetime import datetime, timedelta
from typing import Any, cast

from appliance.ivr.prompts import versions
from appliance.ivr.prompts.catalogue import Lang
from appliance.ivr.prompts.kept import KeptAudio
from appliance.store.models import Account, Audit
from appliance.store.voice_tables import PromptOrder
from drivers.errors import CarelineError

BY_VOICE, BY_TELEPHONE = "voice", "telephone"
WAITING, DONE, FAILED, OVER = "waiting", "done", "failed", "over"
CODE_DIGITS = 8
CODE_LASTS = timedelta(minutes=15)
CODES_AT_ONCE = 50
"""Of 10⁸ codes so many are good at most: whoever keys at random, a thousand times, finds one with 0.05 %."""


def speak(prompt: str, lang: Lang, text: str, by: Account, now: datetime) -> PromptOrder:
    """The box's own voice is to speak this text."""
    return _order(prompt, lang, BY_VOICE, text, by, now)


def record(prompt: str, lang: Lang, text: str, by: Account, now: datetime) -> PromptOrder | None:
    """A person is to speak it by telephone, within CODE_LASTS. None: too many are waited for."""
    waiting = [row.code for row in _waiting(BY_TELEPHONE) if row.expires_at > now]
    if len(waiting) >= CODES_AT_ONCE:
        return None
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
    while code in waiting:
        code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
    order = _order(prompt, lang, BY_TELEPHONE, text, by, now)
    order.code, order.expires_at = code, now + CODE_LASTS
    order.save()
    return order


def by_code(code: str, now: datetime) -> PromptOrder | None:
    """Whom that code belongs to; None for one that is wrong, used up, taken back or too old."""
    row: PromptOrder | None = PromptOrder.get_or_none(PromptOrder.code == code, PromptOrder.state == WAITING)
    return row if code and row and row.expires_at > now else None


def first_to_speak() -> PromptOrder | None:
    """The order of the voice that waits longest."""
    row: PromptOrder | None = _waiting(BY_VOICE).order_by(PromptOrder.id).first()
    return row


def newest(prompt: str, lang: Lang) -> PromptOrder | None:
    """What was asked for last."""
    mine = (PromptOrder.prompt == prompt) & (PromptOrder.language == lang)
    row: PromptOrder | None = PromptOrder.select().where(mine).order_by(PromptOrder.id.desc()).first()
    return row


def waiting_for_voice() -> int:
    return int(_waiting(BY_VOICE).count())


def last_failure() -> PromptOrder | None:
    row: PromptOrder | None = PromptOrder.select().where(PromptOrder.state == FAILED).order_by(PromptOrder.id.desc()).first()
    return row


def done(order_id: int, audio: KeptAudio, source: str, now: datetime, note: str = "") -> int | None:
    """The audio that was asked for is there, as a version nobody hears yet; its number. None: nobody waits for it any more, and the audio
    is to be discarded."""
    row = PromptOrder.get_or_none(PromptOrder.id == order_id, PromptOrder.state == WAITING)
    if row is None:
        return None
    row.version = versions.add(row.prompt, cast(Lang, row.language), audio, row.text, source, row.asked_by, now, note=note)
    row.state, row.code = DONE, ""
    row.save()
    return int(row.version)


def failed(order_id: int, error: CarelineError) -> None:
    fields = {"state": FAILED, "code": "", "error_code": error.code, "error": error.what, "remedy": error.remedy}
    PromptOrder.update(**fields).where(PromptOrder.id == order_id, PromptOrder.state == WAITING).execute()


def take_back(prompt: str, lang: Lang) -> None:
    """Whatever is waited for is waited for no more."""
    mine = (PromptOrder.prompt == prompt) & (PromptOrder.language == lang) & (PromptOrder.state == WAITING)
    PromptOrder.update(state=OVER, code="").where(mine).execute()


def is_open(order: PromptOrder, now: datetime) -> bool:
    return order.state == WAITING and (order.expires_at is None or order.expires_at > now)


def _order(prompt: str, lang: Lang, kind: str, text: str, by: Account, now: datetime) -> PromptOrder:
    take_back(prompt, lang)
    Audit.create(at=now, account=by, action="order_prompt", subject=f"{prompt} {lang}", detail=kind)
    return PromptOrder.create(prompt=prompt, language=lang, kind=kind, text=text, asked_by=by.name, asked_at=now)


def _waiting(kind: str) -> Any:
    return PromptOrder.select().where((PromptOrder.kind == kind) & (PromptOrder.state == WAITING))
