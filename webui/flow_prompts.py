"""Prompts as flows use them: which there are, what they say in each language, where they are used, new ones made of a text. In request
threads, within the request's connection.

A new text is a prompt from then on; its sound is asked of the box's voice, and until it is there and in use the checker lets no flow with
it be published. Sounds are recorded, uploaded and put in use on the pages of the prompts.
"""

import functools
from collections.abc import Iterator, Mapping
from datetime import datetime

import msgspec
from flask import g

from appliance.hospital.registry.field_fault import Refused
from appliance.ivr import publishing
from appliance.ivr.editing import Wrong
from appliance.ivr.flow import Flow, FlowSet
from appliance.ivr.nodes import field_that_says
from appliance.ivr.prompts import orders, versions
from appliance.ivr.prompts.catalogue import LANGS, LETTER, PHRASE, SYLLABLE, WORD, Lang
from appliance.ivr.prompts.library import PromptLibrary
from appliance.store.flow_tables import FlowVersion
from appliance.store.models import Account
from drivers.errors import CarelineError

FOUND_MOST, NAME_MOST, TEXT_MOST = 20, 40, 500
_BANK = (PHRASE, WORD, SYLLABLE, LETTER)

Texts = dict[Lang, str]


class Used(msgspec.Struct, frozen=True):
    """A place that says a prompt. `version`: 0 is the program's own. `is_live`: callers hear it there; else it is a draft."""

    flow: str
    version: int
    place: str
    field: str
    is_live: bool


@functools.cache
def packaged() -> PromptLibrary:
    """The prompts of the package."""
    return PromptLibrary()


class Prompts:
    """The package's prompts and the hospital's own, as they are when it is made."""

    def __init__(self) -> None:
        self._texts = versions.texts()
        self._used = {key: number for key, number in versions.in_use().items() if number != versions.PACKAGED}

    def ids(self, lang: Lang) -> frozenset[str]:
        """Those that can be heard."""
        return packaged().ids(lang) | {prompt for prompt, own in self._used if own == lang}

    def sounds(self, prompt: str) -> dict[Lang, int]:
        """The version that callers hear, by language; 0 is the package's. Without those in which there is none."""
        return {lang: self._used.get((prompt, lang), versions.PACKAGED) for lang in LANGS if prompt in self.ids(lang)}

    def is_known(self, prompt: str) -> bool:
        """There may be no sound of it yet."""
        return any((prompt, lang) in self._texts or prompt in packaged().ids(lang) for lang in LANGS)

    def text(self, prompt: str, lang: Lang) -> str:
        """What it says, or is to say. Raises: PromptError APP-062."""
        own = self._texts.get((prompt, lang))
        return packaged().text(prompt, lang) if own is None else own

    def texts(self, prompt: str) -> Texts:
        """In each language it has one in."""
        found: Texts = {}
        for lang in LANGS:
            try:
                found[lang] = self.text(prompt, lang)
            except CarelineError:
                continue
        return found

    def find(self, wanted: str) -> list[tuple[str, Texts]]:
        """Whose id or text has these words in it, the hospital's own first."""
        words = wanted.lower().split()
        own = dict.fromkeys(prompt for prompt, _ in self._texts)
        every = [*own, *(prompt for prompt in _spoken_ids() if prompt not in own)]
        found = ((prompt, self.texts(prompt)) for prompt in every)
        matching = (one for one in found if all(word in f"{one[0]} {' '.join(one[1].values())}".lower() for word in words))
        return [one for one, _ in zip(matching, range(FOUND_MOST), strict=False)]

    def same(self, texts: Mapping[Lang, str]) -> str | None:
        """A prompt that says exactly this in both languages."""
        own = dict.fromkeys(prompt for prompt, _ in self._texts)
        return next((prompt for prompt in (*own, *_spoken_ids()) if self.texts(prompt) == texts), None)


@functools.cache
def _spoken_ids() -> tuple[str, ...]:
    """The package's, without the bank that free text is put together from."""
    return tuple(sorted(prompt for prompt in packaged().ids("zh") | packaged().ids("en") if not prompt.startswith(_BANK)))


def here() -> Prompts:
    """Those of this request."""
    if "flow_prompts" not in g:
        g.flow_prompts = Prompts()
    found: Prompts = g.flow_prompts
    return found


# --- new ones ----------------------------------------------------------------------------------------------------------


def made_of(texts: Mapping[Lang, str], name: str, by: Account, now: datetime) -> str | Wrong:
    """The id of a prompt that says this: one that is there already, or a new one whose sound the box's voice is asked for. Within the
    caller's transaction."""
    prompts = Prompts()
    said = {lang: " ".join(texts.get(lang, "").split()) for lang in LANGS}
    for lang, text in said.items():
        if not text or len(text) > TEXT_MOST:
            return Wrong(f"new_{lang}", "too_long" if text else "no_text")
    if there := prompts.same(said):
        return there
    given = {"id": _free_name(prompts, name), **{f"text_{lang}": text for lang, text in said.items()}}
    made = versions.new_prompt(given, (), by, now)
    if isinstance(made, Refused):
        fault = made.faults[0]
        return Wrong(f"new_{fault.field.rpartition('_')[2]}", fault.code)
    for lang, text in said.items():
        orders.speak(made, lang, text, by, now)
    return made


def _free_name(prompts: Prompts, name: str) -> str:
    """Of the flow and the place, where an id may begin like that."""
    wished = (name[:NAME_MOST], f"flow_{name}"[:NAME_MOST], "flow_text")
    short = next(one for one in wished if versions.fault_of_id(one) is None)
    return next(free for number in range(1, 10_000) if not prompts.is_known(free := f"{short}_{number}"))


# --- where they are used ---------------------------------------------------------------------------------------------------


def uses() -> dict[str, list[Used]]:
    """By prompt, every place that says it: of the flows that are live, and of the drafts."""
    live = publishing.live_versions()
    texts = publishing.texts_of_edition(publishing.newest_edition()) or {}
    flows, _ = publishing.build(texts, 0)
    found: dict[str, list[Used]] = {}
    for prompt, used in [*_within(flows, live, is_live=True), *_in_drafts()]:
        found.setdefault(prompt, []).append(used)
    return found


def _in_drafts() -> Iterator[tuple[str, Used]]:
    for row in FlowVersion.select().where(FlowVersion.state == publishing.DRAFT):
        flows, unread = publishing.build({row.flow: (row.version, row.text)}, 0)
        if row.flow in flows.flows and not unread:
            only: dict[str, Flow] = {row.flow: flows.flows[row.flow]}
            yield from _within(FlowSet(only), {row.flow: row.version}, is_live=False)


def _within(flows: FlowSet, numbers: Mapping[str, int], is_live: bool) -> Iterator[tuple[str, Used]]:
    for flow in flows.flows.values():
        for place, node in flow.places.items():
            for said in dict.fromkeys(node.says()):
                if not said.startswith("{"):
                    yield said, Used(flow.flow, numbers.get(flow.flow, 0), place, field_that_says(node, said), is_live)
