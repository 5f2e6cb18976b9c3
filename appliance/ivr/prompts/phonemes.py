"""Text to the phoneme alphabet Kokoro was trained on (IPA with a few letters of its own). Pure, but for espeak-ng as a child.

Mandarin: jieba cuts words, pypinyin reads them, and misaki's table writes the syllables; `tones` changes
the tones, since that depends on what stands beside. English: espeak-ng's General American. Only in the renderer; needs the
dependency group `prompts`.
"""

import logging
import re
import subprocess
from collections.abc import Mapping

import jieba
from misaki.transcription import pinyin_to_ipa
from pypinyin import Style, lazy_pinyin, load_phrases_dict

from appliance.ivr.prompts import tones
from appliance.ivr.prompts.catalogue import PINYIN, PromptError, language_of

_HAN = re.compile(rf"{PINYIN.pattern}|[一-鿿]+|[^一-鿿\[]+")
_LATIN = re.compile(r"[A-Za-z]+")
_PUNCTUATION = str.maketrans({"，": ", ", "、": ", ", "。": ". ", "！": "! ", "？": "? ", "：": ": ", "；": "; "})
# Chao tone letters as Kokoro's vocabulary has them; the third tone first, since its letters contain the others'.
_TONES = (("˧˩˧", "↓"), ("˧˥", "↗"), ("˥˩", "↘"), ("˥", "→"))
_SYLLABIC = (("\u027b\u0329", "ɨ"), ("\u0279\u0329", "ɨ"), ("\u032f", ""), ("\u0329", ""))
# fmt: off
# espeak-ng's symbols to Kokoro's, which has single letters for diphthongs and affricates and no length mark in American.
_AMERICAN = (
    ("aɪ", "I"), ("aʊ", "W"), ("eɪ", "A"), ("oʊ", "O"), ("ɔɪ", "Y"), ("tʃ", "ʧ"), ("dʒ", "ʤ"),
    ("ɚɹ", "əɹ"), ("ɚ", "əɹ"), ("ɜːɹ", "ɜɹ"), ("ɜː", "ɜɹ"), ("ɪə", "iə"), ("ː", ""), ("o", "ɔ"), ("r", "ɹ"), ("ɐ", "ə"), ("ɾ", "T"),
    ("ʔ", "t"), ("ɬ", "l"),
)
# fmt: on
_ESPEAK_LIMIT_S = 10.0


def teach(readings: Mapping[str, str]) -> None:
    """Words the dictionary reads wrongly ("重听" = "chóng tīng"), kept whole by the word cutter."""
    jieba.setLogLevel(logging.WARNING)
    load_phrases_dict({word: [[syllable] for syllable in read.split()] for word, read in readings.items()})
    for word in readings:
        jieba.add_word(word, freq=10_000_000)


def phonemes(text: str) -> str:
    """One sentence in Kokoro's alphabet. Raises: PromptError APP-066 if espeak-ng is missing or fails."""
    return _mandarin(text) if language_of(text) == "zh" else _american(text)


def read(words: list[str]) -> list[list[str]]:
    """The syllables of each word as they are said, in numbered pinyin: ["请", "讲"] → [["qing2"], ["jiang3"]]."""
    return tones.changed(words, [lazy_pinyin(word, style=Style.TONE3, neutral_tone_with_five=True) for word in words])


def _mandarin(text: str) -> str:
    """A text without punctuation is a clip, and spoken as one word."""
    parts = [match.group() for match in _HAN.finditer(text)]
    return "".join(_part(part, whole=len(parts) == 1) for part in parts).strip()


def _part(part: str, *, whole: bool) -> str:
    if given := PINYIN.fullmatch(part):
        return _syllable(given.group(1))
    if language_of(part) == "zh":
        return _words(part, whole=whole)
    return _LATIN.sub(lambda word: _foreign(word.group()), part.translate(_PUNCTUATION))


def _foreign(word: str) -> str:
    """A word among Mandarin: letter by letter if it is written in capitals (CT), else as in English."""
    return f" {_espeak(' '.join(word) if word.isupper() else word)} "


def _words(text: str, *, whole: bool) -> str:
    said = read([text] if whole else jieba.lcut(text))
    return " ".join("".join(map(_syllable, word)) for word in said)


def _syllable(numbered: str) -> str:
    ipa = "".join(pinyin_to_ipa(numbered)[0])
    for old, new in (*_TONES, *_SYLLABIC):
        ipa = ipa.replace(old, new)
    return ipa


def _american(text: str) -> str:
    parts = re.split(r"([,.;:!?])", text)
    return "".join(f"{part} " if part in ",.;:!?" else _espeak(part) for part in parts if part.strip()).strip()


def _espeak(text: str) -> str:
    command = ["espeak-ng", "-q", "--ipa", "-v", "en-us", "--", text.strip()]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=_ESPEAK_LIMIT_S)
    except (OSError, subprocess.SubprocessError) as error:
        raise PromptError("APP-066", f"espeak-ng could not read {text!r} ({error})", "Install it: apt-get install espeak-ng.") from error
    ipa = " ".join(done.stdout.split())
    for old, new in _AMERICAN:
        ipa = ipa.replace(old, new)
    return ipa
