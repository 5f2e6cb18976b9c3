"""Which texts the box's own voice is to speak as wholes, and what has become of each (table SpokenText).

A caller hears the rendering of a text as soon as it is there and phrases and syllables before (appliance/ivr/speech/text.py), so nothing
here is waited for. What is in use is found in the hospital's own tables: whoever writes a text there need not know of this.
Inside the caller's transaction.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
from peewee import chunked, fn

from appliance.ivr.prompts.catalogue import LANGS, Lang
from appliance.ivr.prompts.library import text_id
from appliance.store.hospital_tables import Department, Doctor, Drug, Notice, StaffMember
from appliance.store.voice_tables import SpokenText

WANTED, MADE, FAILED, NO_VOICE, RECORDED = "wanted", "made", "failed", "no_voice", "recorded"
KEPT = timedelta(days=1)  # a text nobody has any more: calls under way may still say it
_SEEN_ANEW = timedelta(hours=1)
_ROWS = 100
# What callers may be read, the most asked for first: table, its columns without the language.
_SOURCES: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (Notice, ("title", "text")),
    (Department, ("name", "place")),
    (StaffMember, ("name",)),
    (Doctor, ("title", "profile")),
    (Drug, ("name", "use", "caution")),
)


class Wanted(msgspec.Struct, frozen=True):
    """A text to be spoken."""

    key: str
    text: str
    lang: Lang


def texts_in_use() -> Iterator[tuple[Lang, str]]:
    """Every text that callers may be read, in the order in which they are to be spoken."""
    for table, columns in _SOURCES:
        for lang in LANGS:
            for text in _texts_of(table, [f"{column}_{lang}" for column in columns]):
                if text.strip():
                    yield lang, text


def _texts_of(table: Any, columns: list[str]) -> Iterator[str]:
    for row in table.select(*(getattr(table, column) for column in columns)).order_by(table.id).tuples().iterator():
        yield from row


def sweep(now: datetime, voices: Mapping[Lang, str]) -> None:
    """Bring the table up to date: texts that are new are wanted, so are those that another voice, or none, had. `voices`: what speaks
    now; empty: nothing does."""
    used = {text_id(text, lang): (lang, text) for lang, text in texts_in_use()}
    known = {key: (state, voice, used_at) for key, state, voice, used_at in _states()}
    new = [_row(key, lang, text, now) for key, (lang, text) in used.items() if key not in known]
    for rows in chunked(new, _ROWS):
        SpokenText.insert_many(rows).execute()
    seen = [key for key in used if key in known and known[key][2] < now - _SEEN_ANEW]
    _update(seen, used_at=now)
    again = [key for key, (lang, _) in used.items() if key in known and _outdated(known[key][0], known[key][1], voices.get(lang))]
    _update(again, state=WANTED, wanted_at=now, error="")


def _states() -> Iterator[tuple[str, str, str, datetime]]:
    rows: Any = SpokenText.select(SpokenText.key, SpokenText.state, SpokenText.voice, SpokenText.used_at).tuples()
    yield from rows


def _outdated(state: str, voice: str, speaks: str | None) -> bool:
    return speaks is not None and (state == NO_VOICE or (state == MADE and voice != speaks))


def _row(key: str, lang: Lang, text: str, now: datetime) -> dict[str, Any]:
    return {"key": key, "language": lang, "text": text.strip(), "state": WANTED, "wanted_at": now, "used_at": now}


def _update(keys: list[str], **values: Any) -> None:
    for some in chunked(keys, _ROWS):
        SpokenText.update(**values).where(SpokenText.key.in_(list(some))).execute()


def want(text: str, lang: Lang, now: datetime) -> None:
    """A text is to be spoken that stands in none of the hospital's tables, or once more after it failed. Done twice it is done once."""
    key = text_id(text, lang)
    there = SpokenText.get_or_none(SpokenText.key == key)
    if there is None:
        SpokenText.create(**_row(key, lang, text, now))
    elif there.state == FAILED:
        _update([key], state=WANTED, wanted_at=now, used_at=now, error="")


def state_of(text: str, lang: Lang) -> SpokenText | None:
    """What has become of a text, for the page that shows it; None: it was not seen yet."""
    found: SpokenText | None = SpokenText.get_or_none(SpokenText.key == text_id(text, lang))
    return found


def counts() -> dict[str, int]:
    """How many texts are in each state."""
    rows: Any = SpokenText.select(SpokenText.state, fn.COUNT(SpokenText.id)).group_by(SpokenText.state).tuples()
    return dict(rows)


def total_ms() -> int:
    """How long all renderings play together."""
    return SpokenText.select(fn.SUM(SpokenText.duration_ms)).scalar() or 0


def first_wanted() -> Wanted | None:
    """The text to be spoken next: the one that waits longest."""
    row = SpokenText.select().where(SpokenText.state == WANTED).order_by(SpokenText.wanted_at, SpokenText.id).first()
    return row and Wanted(row.key, row.text, row.language)


def made(key: str, path: str, duration_ms: int, voice: str, now: datetime) -> None:
    _update([key], state=MADE, path=path, duration_ms=duration_ms, voice=voice, made_at=now, error="")


def failed(key: str, error: str) -> None:
    """It could not be spoken: only this one. It is tried again when it is wanted again, or changed."""
    _update([key], state=FAILED, error=error[:255])


def no_voice(error: str) -> None:
    """Nothing can be spoken here: everything that waits, waits for a voice."""
    SpokenText.update(state=NO_VOICE, error=error[:255]).where(SpokenText.state == WANTED).execute()


def recorded(text: str, lang: Lang, path: str, duration_ms: int, now: datetime) -> None:
    """A person has spoken this text, or uploaded it; the file lies where the rendering would."""
    want(text, lang, now)
    _update([text_id(text, lang)], state=RECORDED, path=path, duration_ms=duration_ms, voice="", made_at=now, error="")


def forget_unused(now: datetime) -> list[str]:
    """Take out what nobody has used for a day, but for recordings; gives the paths (below the data folder) of its files."""
    old = SpokenText.select(SpokenText.id, SpokenText.path).where((SpokenText.used_at < now - KEPT) & (SpokenText.state != RECORDED))
    found: Any = old.tuples()
    rows = list(found)
    for some in chunked([row_id for row_id, _ in rows], _ROWS):
        SpokenText.delete().where(SpokenText.id.in_(list(some))).execute()
    return [path for _, path in rows if path]
