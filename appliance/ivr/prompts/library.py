"""Where the call agent finds its prompts: id and language to the file the line server plays.

Reads the manifest once, and each file once, at its first use, to see that it is whole. Used in the call agent's event loop: the
largest file of the package is about 150 kB. Changes nothing on disk.

Beside the package there may be a folder of the box's own: renderings of whole texts that staff wrote, `speech/<lang>/<text id>.wav`,
which come and go while the call agent runs (appliance/voice makes them). What the hospital has put over the package's prompts, and its own
prompts, are an `Overlay` that is changed whole by `use`; a file of it that goes missing gives way to the one before it, and is told.
"""

import hashlib
import logging
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from appliance.ivr.prompts import kept, wav
from appliance.ivr.prompts.catalogue import HERE, LANGS, LETTER, SYLLABLE, TEXT, WORD, Lang, PromptError, Rendering, read_manifest
from appliance.ivr.prompts.overlay import Clip, Overlay, broken

log = logging.getLogger("careline.prompts")

SPEECH = "speech"
# Clips of free text that exist in one language and are heard in the other too: Mandarin names in an English call, CT in a Mandarin one.
_SHARED: dict[str, Lang] = {SYLLABLE: "zh", LETTER: "en", WORD: "en"}


def text_id(text: str, lang: Lang) -> str:
    """The id of the rendering of a whole text, the same for the same text, whatever blanks are around it."""
    return TEXT + hashlib.sha256(f"{lang}\0{text.strip()}".encode()).hexdigest()[:32]


def text_file(own: Path, key: str, lang: Lang) -> Path:
    """Where that rendering lies in the box's own folder, once it is made."""
    return own / SPEECH / lang / f"{key}.wav"


class PromptLibrary:
    """The rendered prompts under `root` (manifest.json, zh/, en/), and whole texts under `own`, the box's data folder, if it has one.

    Raises: PromptError APP-061 without a good manifest.
    """

    def __init__(self, root: Path = HERE, own: Path | None = None) -> None:
        self._root = root.resolve()
        self._own = own.resolve() if own else None
        self._entries = read_manifest(self._root / "manifest.json").by_id()
        self._whole: dict[tuple[str, Lang], Path] = {}
        self._overlay = Overlay()
        self._lost: PromptError | None = None

    @property
    def overlay(self) -> Overlay:
        """What the hospital put over the package."""
        return self._overlay

    @property
    def fault(self) -> PromptError | None:
        """Why callers hear another version than the one in use, as far as that is known."""
        return next(iter(self._overlay.faults), self._lost)

    def use(self, overlay: Overlay) -> None:
        """From the next playing on."""
        self._overlay, self._lost = overlay, None

    def ids(self, lang: Lang) -> frozenset[str]:
        """The ids that exist in a language: those of the package, and the hospital's own that are in use."""
        packaged = (key for key, entry in self._entries.items() if entry.rendering(_heard_in(key, lang)) is not None)
        return frozenset(packaged) | {key for key, heard_in in self._overlay.texts if heard_in == lang}

    def packaged_ids(self) -> frozenset[str]:
        """In any language."""
        return frozenset(self._entries)

    def path(self, prompt_id: str, lang: Lang) -> Path:
        """Absolute path of a prompt's file, seen to be whole.

        Raises: PromptError APP-062 (no such prompt in this language), APP-063 (unreadable), APP-064 (damaged).
        """
        if clip := self._put_over(prompt_id, lang):
            return clip.path
        if known := self._whole.get((prompt_id, lang)):
            return known
        path = self._file(prompt_id, lang)
        wav.unwrap(path)
        return self._whole.setdefault((prompt_id, lang), path)

    def rendering_of(self, text: str, lang: Lang) -> str | None:
        """The id of a rendering of exactly this text, if the box has one that is whole."""
        key = text_id(text, lang)
        if self._own is None or not text_file(self._own, key, lang).is_file():
            return None
        try:
            self.path(key, lang)
        except PromptError as error:
            log.warning("%s; the text is put together from phrases", error)
            return None
        return key

    def paths(self, prompt_ids: Iterable[str], lang: Lang) -> tuple[Path, ...]:
        """`path` for each id, in order; raises as `path` does."""
        return tuple(self.path(prompt_id, lang) for prompt_id in prompt_ids)

    def text(self, prompt_id: str, lang: Lang) -> str:
        """What a prompt says, as written. Raises: PromptError APP-062."""
        said = self._overlay.texts.get((prompt_id, _heard_in(prompt_id, lang)))
        return self._rendering(prompt_id, lang).text if said is None else said

    def packaged_text(self, prompt_id: str, lang: Lang) -> str | None:
        """What the package's own says; None when the package has none."""
        entry = self._entries.get(prompt_id)
        rendering = entry.rendering(lang) if entry else None
        return rendering.text if rendering else None

    def duration_ms(self, prompt_id: str, lang: Lang) -> int:
        """How long the prompt takes. Raises: PromptError APP-062, of a whole text APP-063."""
        if clip := self._put_over(prompt_id, lang):
            return clip.duration_ms
        if made := self._made_here(prompt_id, lang):
            return wav.duration_ms(made)
        return self._rendering(prompt_id, lang).duration_ms

    def faults(self) -> tuple[PromptError, ...]:
        """Every file that cannot be played, for the check at start and for `careline doctor`; empty when all is well."""
        found = []
        for lang in LANGS:
            for prompt_id in sorted(self.ids(lang) & self.packaged_ids()):
                try:
                    self.path(prompt_id, lang)
                except PromptError as error:
                    found.append(error)
        return (*found, *self._overlay.faults)

    def _put_over(self, prompt_id: str, lang: Lang) -> Clip | None:
        """The version in use, or the last one before it that is whole; None: the package's own, if there is one."""
        clips = self._overlay.clips.get((prompt_id, _heard_in(prompt_id, lang)), ())
        for clip in clips:
            if clip.is_there():
                return clip
            if self._lost is None:
                self._lost = broken(prompt_id, lang, clip.number, f"{clip.path} is gone, or was changed")
                log.error("%s", self._lost)
        return None

    def _file(self, prompt_id: str, lang: Lang) -> Path:
        if made := self._made_here(prompt_id, lang):
            return made
        self._rendering(prompt_id, lang)
        return self._root / _heard_in(prompt_id, lang) / f"{prompt_id}.wav"

    def _made_here(self, prompt_id: str, lang: Lang) -> Path | None:
        """Where a whole text or a take lies; the package's own ids are always the package's."""
        if self._own is None or prompt_id in self._entries:
            return None
        if prompt_id.startswith(TEXT):
            return text_file(self._own, prompt_id, lang)
        return kept.take_file(self._own, prompt_id) if prompt_id.startswith(kept.TAKE) else None

    def _rendering(self, prompt_id: str, lang: Lang) -> Rendering:
        entry = self._entries.get(prompt_id)
        rendering = entry.rendering(_heard_in(prompt_id, lang)) if entry else None
        if rendering is None:
            raise PromptError(
                "APP-062",
                f"there is no prompt {prompt_id!r} in language {lang!r}",
                "Correct the id, or add it to a text file of the prompts and run `make prompts`.",
            )
        return rendering


@lru_cache(4096)
def _heard_in(prompt_id: str, lang: Lang) -> Lang:
    """The language a clip is found in when it is wanted in `lang`."""
    return next((own for prefix, own in _SHARED.items() if prompt_id.startswith(prefix)), lang)
