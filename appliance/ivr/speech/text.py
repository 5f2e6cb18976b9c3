"""Free text as clips: what hospital staff wrote about doctors, drugs and the hospital, read aloud. No thread of its own.

In this order: a rendering of exactly this text (made by the box's own voice, or recorded), phrases of the bank, and what is left in
Mandarin by syllables, in English by words of the bank, romanised names by Mandarin syllables, all else by letters. Reading never
fails: a character that cannot be said is left out and told in `skipped`.
"""

import re
import unicodedata
from functools import cache, lru_cache
from typing import NamedTuple

from appliance.ivr.prompts.catalogue import Lang
from appliance.ivr.prompts.library import PromptLibrary
from appliance.ivr.speech.bank import Bank
from appliance.ivr.speech.mandarin import say_han, spelt_in_pinyin
from appliance.ivr.speech.numbers import Clips
from appliance.ivr.speech.written import pieces

MOST_CLIPS = 450  # about three minutes; more is cut. The line server takes 512 at once (drivers.server.audio_commands)
_KNOWN = 2000  # texts kept as clips: a hospital asks for the same few again and again
_TOKEN = re.compile(r"(?P<han>[㐀-鿿]+)|(?P<latin>[A-Za-z]+(?:['’\s-]+[A-Za-z]+)*['’]?)|(?P<other>\S)")
_LATIN = re.compile(r"[A-Za-z]+(?:['’](?:s|t|re|ll|ve|d|m)\b)?")
_SHORT_FORMS = {"dr": "doctor", "tel": "telephone", "dept": "department", "approx": "about"}
_SILENT = "PZC"  # categories of Unicode: punctuation, separators, controls
_PINYIN_LETTERS = range(2, 25)


@lru_cache(maxsize=2)
def _bank_of(library: PromptLibrary) -> Bank:
    """20 ms the first time."""
    return Bank(library)


class SaidText(NamedTuple):
    """`clips`: prompt ids in order. `skipped`: characters that have no sound here. `rendered`: it is one recording of the whole text."""

    clips: Clips
    skipped: str
    rendered: bool


class TextSpeaker:
    """Reads texts with the clips of a library. About 1 ms for a text of 100 characters, less when it was asked for before."""

    def __init__(self, library: PromptLibrary) -> None:
        self._library = library
        self._bank = _bank_of(library)
        self._put_together: dict[tuple[str, Lang], SaidText] = {}

    def say(self, text: str, lang: Lang) -> SaidText:
        """The text as clips of `lang` (Mandarin syllables and English letters are found in both)."""
        whole = self._library.rendering_of(text, lang)
        return SaidText((whole,), "", True) if whole else self.put_together(text, lang)

    def put_together(self, text: str, lang: Lang) -> SaidText:
        """As `say`, but never as one recording."""
        known = self._put_together.get((text, lang))
        if known is None:
            if len(self._put_together) >= _KNOWN:
                self._put_together.clear()
            known = self._put_together[text, lang] = self._read(text[: 4 * MOST_CLIPS], lang)
        return known

    def _read(self, text: str, lang: Lang) -> SaidText:
        clips: list[str] = []
        skipped = ""
        for piece in pieces(text, lang):
            said, unknown = self._words(piece, lang) if isinstance(piece, str) else (piece, "")
            clips += said
            skipped += unknown
        return SaidText(tuple(clips[:MOST_CLIPS]), skipped, False)

    def _words(self, text: str, lang: Lang) -> tuple[Clips, str]:
        clips: list[str] = []
        skipped = ""
        for token in _TOKEN.finditer(text):
            said, unknown = self._token(token, lang)
            clips += said
            skipped += unknown
        return tuple(clips), skipped

    def _token(self, token: re.Match[str], lang: Lang) -> tuple[Clips, str]:
        if token["han"]:
            return say_han(token["han"], self._bank)
        if token["latin"]:
            return self._latin(token["latin"], lang), ""
        return (), "" if unicodedata.category(token["other"])[0] in _SILENT else token["other"]

    def _latin(self, run: str, lang: Lang) -> Clips:
        """Words; the longest row of them that is one clip is taken."""
        written = _LATIN.findall(run)
        plain = [_plain(word) for word in written]
        clips: list[str] = []
        place = 0
        while place < len(plain):
            count = self._bank.words_at(plain, place)
            if count:
                clips.append(self._bank.words[" ".join(plain[place : place + count])])
            else:
                clips += self._unknown_word(written[place], lang)
            place += count or 1
        return tuple(clips)

    def _unknown_word(self, word: str, lang: Lang) -> Clips:
        if (owner := re.sub("['’]s?$", "", word)) != word and owner.lower() in self._bank.words:
            return (self._bank.words[owner.lower()],)
        letters = [char for char in word.lower() if char in self._bank.letters]
        is_name = lang == "en" and word[:1].isupper() and not word.isupper() and len(word) in _PINYIN_LETTERS
        if is_name and (name := spelt_in_pinyin(word, self._bank)):
            return name
        return tuple(self._bank.letters[char] for char in letters)


def _plain(word: str) -> str:
    """As the bank has it: lower case, without the apostrophe; short forms in full."""
    lower = re.sub("['’]", "", word.lower())
    return _SHORT_FORMS.get(lower, lower)


def say_text(text: str, lang: Lang) -> Clips:
    """The text as clips of the package alone, never as one recording. In a call ask the `TextSpeaker` of its library instead."""
    return _packaged().put_together(text, lang).clips


@cache
def _packaged() -> TextSpeaker:
    return TextSpeaker(PromptLibrary())
