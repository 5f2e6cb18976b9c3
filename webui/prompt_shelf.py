"""The prompts as pages show them: a row for the list, a sheet for the page of one. In request threads, within the request's connection."""

import functools
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import msgspec

from appliance.ivr import publishing
from appliance.ivr.flow import FlowSet
from appliance.ivr.nodes import Menu, SubFlow
from appliance.ivr.prompts import fixed, orders, shape, versions, wav
from appliance.ivr.prompts.catalogue import LANGS, LETTER, PHRASE, SYLLABLE, WORD, Lang, PromptError, Texts, read_texts
from appliance.ivr.prompts.overlay import Key
from appliance.store.voice_tables import PromptOrder, PromptVersion
from webui import flow_prompts
from webui.shared import shared

KINDS = ("texts", "values", "bank")
STATES = ("own", "old", "missing", "draft", "waiting")
STUDIO = "studio"
_BANK = (PHRASE, WORD, SYLLABLE, LETTER)


class Row(msgspec.Struct, frozen=True):
    """A prompt in the list. `texts`: what it is to say; `states`: by language, of STATES."""

    prompt: str
    is_own: bool
    texts: dict[Lang, str]
    states: dict[Lang, tuple[str, ...]]


class Sheet(msgspec.Struct, frozen=True):
    """A prompt in one language. `text`: what it is to say; `packaged`: what the package's own says, None when there is none; `used`: number
    in use (0: the package's own, or none); `order`: what was asked for last and is not seen to yet; `shown`: the version that is looked
    at, 0 the package's own, None when there is no audio at all."""

    lang: Lang
    text: str
    packaged: str | None
    used: int
    versions: list[PromptVersion]
    order: PromptOrder | None
    is_waiting: bool
    shown: int | None

    @property
    def row(self) -> PromptVersion | None:
        """The version that is looked at; None for the package's own."""
        return next((row for row in self.versions if row.number == self.shown), None)

    def text_of(self, number: int) -> str | None:
        """What that audio says."""
        return self.packaged if number == versions.PACKAGED else next((row.text for row in self.versions if row.number == number), None)

    def is_old(self, number: int) -> bool:
        """That audio says something else than what is to be said."""
        return self.text_of(number) not in (self.text, None)

    @property
    def has_audio(self) -> bool:
        """Callers hear something."""
        return self.used != versions.PACKAGED or self.packaged is not None


@functools.cache
def texts() -> Texts:
    """The prompts of the package as they were written."""
    return read_texts()


def is_level(lufs: float | None) -> bool:
    return lufs is not None and abs(lufs - shape.TARGET_LUFS) <= shape.TOLERANCE_LU


def own_ms(prompt: str, lang: Lang) -> int:
    """How long the package's own takes."""
    return flow_prompts.packaged().duration_ms(prompt, lang)


def prompt_subjects(prompt: str) -> list[str]:
    """Where the program says it by itself."""
    return fixed.subjects_of(prompt, texts())


@functools.lru_cache(4096)
def own_lufs(prompt: str, lang: Lang) -> float | None:
    """How loud the package's own is."""
    try:
        return shape.loudness(wav.unwrap(flow_prompts.packaged().path(prompt, lang))).lufs
    except PromptError:
        return None


# --- the list ----------------------------------------------------------------------------------------------------------


class Shelf:
    """All prompts, as they are when it is made."""

    def __init__(self, now: datetime) -> None:
        self._own = versions.texts()
        self._used = versions.in_use()
        self._newest: dict[Key, int] = {}
        self._says: dict[tuple[str, str, int], str] = {}
        self._waiting = _waiting(now)
        rows: Any = PromptVersion.select(PromptVersion.prompt, PromptVersion.language, PromptVersion.number, PromptVersion.text).tuples()
        for prompt, language, number, text in rows.order_by(PromptVersion.number):
            self._newest[prompt, language] = number
            self._says[prompt, language, number] = text

    def rows(self, kind: str) -> Iterator[Row]:
        """The hospital's own first."""
        packaged = _ids(kind)
        own = (
            sorted({prompt for prompt, _ in self._own if prompt not in flow_prompts.packaged().packaged_ids()}) if kind == KINDS[0] else []
        )
        for prompt in (*own, *packaged):
            yield Row(
                prompt,
                prompt in own,
                {lang: self._text(prompt, lang) for lang in LANGS},
                {lang: tuple(self._states(prompt, lang)) for lang in LANGS},
            )

    def _text(self, prompt: str, lang: Lang) -> str:
        return self._own.get((prompt, lang)) or flow_prompts.packaged().packaged_text(prompt, lang) or ""

    def _states(self, prompt: str, lang: Lang) -> Iterator[str]:
        packaged, used = flow_prompts.packaged().packaged_text(prompt, lang), self._used.get((prompt, lang), versions.PACKAGED)
        heard = self._says.get((prompt, lang, used)) if used else packaged
        if used:
            yield "own"
        if heard is None and (self._own.get((prompt, lang)) or self._newest.get((prompt, lang))):
            yield "missing"
        elif heard is not None and heard != self._text(prompt, lang):
            yield "old"
        if self._newest.get((prompt, lang), 0) > used:
            yield "draft"
        if (prompt, lang) in self._waiting:
            yield "waiting"

    def ready(self) -> list[tuple[str, Lang, int]]:
        """The hospital's own prompts that nobody hears yet, with the newest audio of what they are to say."""
        missing = [(row.prompt, lang) for row in self.rows(KINDS[0]) for lang in LANGS if "missing" in row.states[lang]]
        found = ((prompt, lang, self._newest.get((prompt, lang), 0)) for prompt, lang in missing)
        return [each for each in found if each[2] and self._says[each] == self._text(each[0], each[1])]


def _waiting(now: datetime) -> frozenset[tuple[str, str]]:
    rows = PromptOrder.select().where(PromptOrder.state == orders.WAITING)
    return frozenset((row.prompt, row.language) for row in rows if orders.is_open(row, now))


@functools.cache
def _ids(kind: str) -> tuple[str, ...]:
    """Of the package, in the order in which they were written."""
    written = texts()
    if kind == "values":
        return (*written.clips, *written.tones)
    return tuple(written.bank) if kind == "bank" else tuple(written.prompts)


def matching(wanted: str) -> Callable[[Row], bool]:
    """Whose id or texts have all these words."""
    words = wanted.lower().split()
    return lambda row: all(word in f"{row.prompt} {' '.join(row.texts.values())}".lower() for word in words)


# --- one prompt --------------------------------------------------------------------------------------------------------


def exists(prompt: str) -> bool:
    return prompt in flow_prompts.packaged().packaged_ids() or any((prompt, lang) in versions.texts() for lang in LANGS)


def languages_of(prompt: str) -> tuple[Lang, ...]:
    """Both, but for pieces that exist in one: syllables, letters."""
    if not fixed.is_piece(prompt, texts()):
        return LANGS
    return tuple(lang for lang in LANGS if flow_prompts.packaged().packaged_text(prompt, lang) is not None) or LANGS


def sheet(prompt: str, lang: Lang, asked: int | None, now: datetime) -> Sheet:
    """`asked`: the version to look at; else the newest that is not in use yet, else the one in use."""
    rows = versions.versions(prompt, lang)
    packaged = flow_prompts.packaged().packaged_text(prompt, lang)
    used = versions.used_version(prompt, lang)
    there = {row.number for row in rows} | ({versions.PACKAGED} if packaged is not None else set())
    newest = max(there, default=None)
    order = orders.newest(prompt, lang)
    return Sheet(
        lang=lang,
        text=versions.texts().get((prompt, lang)) or packaged or "",
        packaged=packaged,
        used=used,
        versions=rows,
        order=order,
        is_waiting=order is not None and orders.is_open(order, now),
        shown=asked if asked in there else newest,
    )


def sheets(prompt: str, asked: dict[Lang, int | None]) -> list[Sheet]:
    now = shared().clock.now()
    return [sheet(prompt, lang, asked.get(lang), now) for lang in languages_of(prompt)]


def studio_keys() -> str:
    """The keys that lead from the hotline's menu to the place where prompts are recorded; empty when no live flow leads there."""
    flows, _ = publishing.build(publishing.texts_of_edition(publishing.newest_edition()) or {}, 0)
    return _key_to(flows)


def _key_to(flows: FlowSet) -> str:
    for flow in flows.flows.values():
        doors = {name for name, node in flow.places.items() if isinstance(node, SubFlow) and node.flow == STUDIO}
        for node in flow.places.values():
            if isinstance(node, Menu):
                found = [key for key, name in node.keys.items() if node.exits.get(name) in doors]
                if found:
                    return found[0]
    return ""
