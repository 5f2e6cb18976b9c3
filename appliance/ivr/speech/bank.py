"""The bank: which clips a piece of free text can be put together from. Asks the prompt library once; any thread afterwards."""

import re
from collections.abc import Callable, Mapping, Sequence

from appliance.ivr.prompts.catalogue import LETTER, PHRASE, SYLLABLE, WORD, Lang
from appliance.ivr.prompts.library import PromptLibrary

WORDS = re.compile(r"[a-z]+")
_WEEKDAYS = tuple(f"weekday_{day}" for day in range(1, 8))
_PERIODS = tuple(f"period_{name}" for name in ("before_dawn", "early_morning", "morning", "noon", "afternoon", "evening"))
# Clips made for numbers and dates that are good phrases too.
_ALSO: Mapping[Lang, tuple[str, ...]] = {
    "zh": (*_WEEKDAYS, *_PERIODS, "today", "tomorrow", "yesterday"),
    "en": (*_WEEKDAYS, *(f"month_{month}" for month in range(1, 13)), "today", "tomorrow", "yesterday", "and", "to", "noon", "midnight"),
}


class Bank:
    """Clip ids by what they say. `phrases`: Mandarin text to id, of two characters at least; `words`: English words, in lower case
    with one space between, to id; `syllables`: numbered pinyin to id; `letters`: a to z to id."""

    def __init__(self, library: PromptLibrary) -> None:
        self.phrases = _texts(library, "zh", _phrase)
        self.words = _texts(library, "en", _words)
        self.syllables = {key.removeprefix(SYLLABLE): key for key in library.ids("zh") if key.startswith(SYLLABLE)}
        self.letters = {key.removeprefix(LETTER): key for key in library.ids("en") if key.startswith(LETTER)}
        self._longest_phrase = max(map(len, self.phrases), default=0)
        self._most_words = max((len(words.split()) for words in self.words), default=0)

    def phrase_at(self, text: str, start: int) -> str:
        """The longest phrase that `text` has at `start`, or an empty one."""
        for end in range(min(len(text), start + self._longest_phrase), start + 1, -1):
            if text[start:end] in self.phrases:
                return text[start:end]
        return ""

    def words_at(self, words: Sequence[str], start: int) -> int:
        """How many of `words` (lower case) from `start` on are one clip; 0: not even one."""
        for count in range(min(self._most_words, len(words) - start), 0, -1):
            if " ".join(words[start : start + count]) in self.words:
                return count
        return 0


def _texts(library: PromptLibrary, lang: Lang, form: Callable[[str], str]) -> dict[str, str]:
    ids = sorted(key for key in library.ids(lang) if key.startswith((PHRASE, WORD)) or key in _ALSO[lang])
    found = {form(library.text(key, lang)): key for key in ids}
    found.pop("", None)
    return found


def _phrase(written: str) -> str:
    return written if len(written) > 1 else ""


def _words(written: str) -> str:
    return " ".join(WORDS.findall(written.lower().replace("'", "")))
