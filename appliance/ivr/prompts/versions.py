"""Versions of prompts: what each is to say, its audios, which of them callers hear. Plain functions inside a transaction of the caller.

A prompt is the package's, or the hospital's own as soon as it has a text. Whoever puts a version in use asks the call agent afterwards to
take it up (control message UsePrompts): the next playing has it. Every change is in the audit; audios are kept by kept.py before the row.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, cast

from peewee import fn

from appliance.hospital.registry.field_fault import FieldFault, Refused, refused
from appliance.hospital.registry.form import Form
from appliance.ivr.prompts.catalogue import LANGS, RESERVED, Lang, PromptError
from appliance.ivr.prompts.kept import KeptAudio
from appliance.ivr.prompts.overlay import Key, UsedVersion
from appliance.store.models import Account, Audit
from appliance.store.voice_tables import PromptText, PromptUse, PromptVersion

PACKAGED = 0
TELEPHONE, UPLOAD, VOICE, EDIT = "telephone", "upload", "voice", "edit"
TEXT_CHARS_MOST, NOTE_CHARS_MOST = 1000, 200
_NAME = re.compile(r"[a-z][a-z0-9_]{1,47}")


# --- what there is -----------------------------------------------------------------------------------------------------


def texts() -> dict[Key, str]:
    """What the hospital wrote, by prompt and language."""
    rows: Any = PromptText.select(PromptText.prompt, PromptText.language, PromptText.text).tuples()
    return {(prompt, language): text for prompt, language, text in rows}


def in_use() -> dict[Key, int]:
    """The version that callers hear, by prompt and language; what is not here was never changed."""
    newest = PromptUse.select(fn.MAX(PromptUse.id)).group_by(PromptUse.prompt, PromptUse.language)
    rows: Any = PromptUse.select(PromptUse.prompt, PromptUse.language, PromptUse.version).where(PromptUse.id.in_(newest)).tuples()
    return {(prompt, language): version for prompt, language, version in rows}


def used_version(prompt: str, lang: Lang) -> int:
    """0: the package's own, or none at all."""
    row = PromptUse.select().where(_of(PromptUse, prompt, lang)).order_by(PromptUse.id.desc()).first()
    return int(row.version) if row else PACKAGED


def used_versions() -> dict[Key, tuple[UsedVersion, ...]]:
    """For the library: of each prompt that has a version in use, that one and those before it, back to the package's own."""
    versions = {(row.prompt, row.language, row.number): _used(row) for row in PromptVersion.select()}
    found: dict[Key, tuple[UsedVersion, ...]] = {}
    for key, numbers in _uses().items():
        there = [versions[*key, number] for number in numbers if (*key, number) in versions]
        if there:
            found[key] = tuple(there)
    return found


def _uses() -> dict[Key, list[int]]:
    """Numbers by prompt and language, the one in use first, each once, up to the package's own."""
    rows: Any = PromptUse.select(PromptUse.prompt, PromptUse.language, PromptUse.version).order_by(PromptUse.id.desc()).tuples()
    found: dict[Key, list[int]] = {}
    for prompt, language, version in rows:
        numbers = found.setdefault((prompt, language), [])
        if version not in numbers and PACKAGED not in numbers:
            numbers.append(version)
    return found


def _used(row: PromptVersion) -> UsedVersion:
    return UsedVersion(row.prompt, cast(Lang, row.language), row.number, row.text, row.path, row.sha256, row.duration_ms)


def newest_use() -> int:
    """Grows with every change of what is in use; 0 when nothing was ever changed."""
    return int(PromptUse.select(fn.MAX(PromptUse.id)).scalar() or 0)


def versions(prompt: str, lang: Lang) -> list[PromptVersion]:
    """The newest first; the package's own is not among them."""
    return list(PromptVersion.select().where(_of(PromptVersion, prompt, lang)).order_by(PromptVersion.number.desc()))


def version(prompt: str, lang: Lang, number: int) -> PromptVersion:
    """Raises: PromptError APP-193 when there is no such version."""
    row: PromptVersion | None = PromptVersion.get_or_none(_of(PromptVersion, prompt, lang), PromptVersion.number == number)
    if row is None:
        raise PromptError("APP-193", f"there is no version {number} of prompt {prompt} in {lang}", "Look at the list of versions")
    return row


def paths() -> frozenset[str]:
    """Of all audios, below the data folder."""
    rows: Any = PromptVersion.select(PromptVersion.path).tuples()
    return frozenset(path for (path,) in rows)


# --- texts -------------------------------------------------------------------------------------------------------------


def fault_of_id(prompt: str) -> FieldFault | None:
    """Why a prompt of the hospital's own cannot be called so, as far as the id alone tells."""
    if not _NAME.fullmatch(prompt):
        return FieldFault("id", "name" if prompt else "required")
    beginning = next((one for one in RESERVED if prompt.startswith(one)), "")
    return FieldFault("id", "reserved", {"value": beginning}) if beginning else None


def new_prompt(given: Mapping[str, str], packaged: Iterable[str], by: Account, now: datetime) -> str | Refused:
    """A prompt of the hospital's own with its texts (fields id, text_zh, text_en); its id."""
    form = Form(given)
    prompt = given.get("id", "").strip()
    written = {lang: form.text(f"text_{lang}", TEXT_CHARS_MOST, required=True) for lang in LANGS}
    if fault := fault_of_id(prompt):
        return Refused((fault,))
    if prompt in packaged or PromptText.get_or_none(PromptText.prompt == prompt):
        return refused("id", "duplicate", value=prompt)
    if form.refusal:
        return form.refusal
    for lang, text in written.items():
        PromptText.create(prompt=prompt, language=lang, text=text, author=by.name, written_at=now)
    _audit(by, now, "new_prompt", prompt, "")
    return prompt


def write_text(prompt: str, lang: Lang, given: str, before: str, by: Account, now: datetime) -> str | Refused:
    """What it is to say from now on; an audio that says something else is old. `before`: what it was to say. The text as it is kept."""
    form = Form({"text": given})
    text = form.text("text", TEXT_CHARS_MOST, required=True)
    if form.refusal:
        return form.refusal
    if text != before:
        PromptText.delete().where(_of(PromptText, prompt, lang)).execute()
        PromptText.create(prompt=prompt, language=lang, text=text, author=by.name, written_at=now)
        _audit(by, now, "write_prompt", f"{prompt} {lang}", text[:NOTE_CHARS_MOST])
    return text


# --- audios ------------------------------------------------------------------------------------------------------------


def add(
    prompt: str,
    lang: Lang,
    audio: KeptAudio,
    text: str,
    source: str,
    author: str,
    now: datetime,
    *,
    note: str = "",
    made_from: int | None = None,
) -> int:
    """A version of that audio, which nobody hears yet; its number."""
    highest = PromptVersion.select(fn.MAX(PromptVersion.number)).where(_of(PromptVersion, prompt, lang)).scalar() or PACKAGED
    PromptVersion.create(
        prompt=prompt,
        language=lang,
        number=highest + 1,
        text=text,
        source=source,
        made_from=made_from,
        author=author,
        made_at=now,
        note=note[:NOTE_CHARS_MOST],
        path=audio.path,
        sha256=audio.sha256,
        duration_ms=audio.duration_ms,
        loudness_lufs=audio.loudness_lufs,
    )
    by = Account.get_or_none(Account.name == author)
    Audit.create(at=now, account=by, action="add_prompt", subject=f"{prompt} {lang}", detail=source)
    return int(highest + 1)


def put_in_use(prompt: str, lang: Lang, number: int, by: Account, now: datetime) -> None:
    """Callers hear it from the next playing on. 0: the package's own again. Raises: PromptError APP-193."""
    if number != PACKAGED:
        version(prompt, lang, number)
    PromptUse.create(prompt=prompt, language=lang, version=number, used_at=now, by=by.name)
    _audit(by, now, "use_prompt", f"{prompt} {lang}", f"version {number}" if number else "as delivered")


def remove(prompt: str, lang: Lang, number: int, by: Account, now: datetime) -> str | None:
    """Throw a version away that was never in use; the path of its file, for the caller to remove. None: it was in use and stays.

    Raises: PromptError APP-193.
    """
    row = version(prompt, lang, number)
    if PromptUse.get_or_none(_of(PromptUse, prompt, lang), PromptUse.version == number):
        return None
    path = str(row.path)
    row.delete_instance()
    _audit(by, now, "remove_prompt", f"{prompt} {lang}", f"version {number}")
    return path


def _of(table: Any, prompt: str, lang: Lang) -> Any:
    return (table.prompt == prompt) & (table.language == lang)


def _audit(by: Account, now: datetime, action: str, subject: str, detail: str) -> None:
    Audit.create(at=now, account=by, action=action, subject=subject, detail=detail)
