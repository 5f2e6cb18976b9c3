"""Where the call agent finds its prompts: id and language to the file the line server plays.

Reads the manifest once, and each file once, at its first use, to see that it is whole. Used in the call agent's event loop: the
largest file is about 150 kB. Changes nothing on disk.
"""

from collections.abc import Iterable
from pathlib import Path

from appliance.ivr.prompts import wav
from appliance.ivr.prompts.catalogue import HERE, LANGS, Lang, PromptError, Rendering, read_manifest


class PromptLibrary:
    """The rendered prompts under `root` (manifest.json, zh/, en/). Raises: PromptError APP-061 without a good manifest."""

    def __init__(self, root: Path = HERE) -> None:
        self._root = root.resolve()
        self._entries = read_manifest(self._root / "manifest.json").by_id()
        self._seen_whole: set[Path] = set()

    def ids(self, lang: Lang) -> frozenset[str]:
        """The ids that exist in a language."""
        return frozenset(key for key, entry in self._entries.items() if entry.rendering(lang) is not None)

    def path(self, prompt_id: str, lang: Lang) -> Path:
        """Absolute path of a prompt's file, seen to be whole.

        Raises: PromptError APP-062 (no such prompt in this language), APP-063 (unreadable), APP-064 (damaged).
        """
        self._rendering(prompt_id, lang)
        path = self._root / lang / f"{prompt_id}.wav"
        if path not in self._seen_whole:
            wav.unwrap(path)
            self._seen_whole.add(path)
        return path

    def paths(self, prompt_ids: Iterable[str], lang: Lang) -> tuple[Path, ...]:
        """`path` for each id, in order; raises as `path` does."""
        return tuple(self.path(prompt_id, lang) for prompt_id in prompt_ids)

    def text(self, prompt_id: str, lang: Lang) -> str:
        """What the prompt says, as written. Raises: PromptError APP-062."""
        return self._rendering(prompt_id, lang).text

    def duration_ms(self, prompt_id: str, lang: Lang) -> int:
        """How long the prompt takes. Raises: PromptError APP-062."""
        return self._rendering(prompt_id, lang).duration_ms

    def faults(self) -> tuple[PromptError, ...]:
        """Every file that cannot be played, for the check at start and for `careline doctor`; empty when all is well."""
        found = []
        for lang in LANGS:
            for prompt_id in sorted(self.ids(lang)):
                try:
                    self.path(prompt_id, lang)
                except PromptError as error:
                    found.append(error)
        return tuple(found)

    def _rendering(self, prompt_id: str, lang: Lang) -> Rendering:
        entry = self._entries.get(prompt_id)
        rendering = entry.rendering(lang) if entry else None
        if rendering is None:
            raise PromptError(
                "APP-062",
                f"there is no prompt {prompt_id!r} in language {lang!r}",
                "Correct the id, or add it to texts.toml and run `make prompts`.",
            )
        return rendering
