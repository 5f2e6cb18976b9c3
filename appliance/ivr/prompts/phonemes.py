"""Text to the phoneme alphabet Kokoro was trained on (IPA with a few letters of its own). Pure, but for espeak-ng as a child.

Mandarin: jieba cuts words, pypinyin reads them, and misaki's table writes the syllables. The changes of tone (一, 不, third
before third) are made here, because they depend on what stands beside. English: espeak-ng's General American. Only in the
renderer; needs the dependency group `prompts`.
"""

import itertools
import logging
import re
import subprocess
from collections.abc import Mapping

import jieba
from misaki.transcription import pinyin_to_ipa
from pypinyin import Style, lazy_pinyin, load_phrases_dict

from appliance.ivr.prompts.catalogue import PromptError, language_of

_HAN = re.compile(r"[一-鿿]+|[^一-鿿]+")
_PUNCTUATION = str.maketrans({"，": ", ", "、": ", ", "。": ". ", "！": "! ", "？": "? ", "：": ": ", "；": "; "})
# Chao tone letters as Kokoro's vocabulary has them; the third tone first, since its letters contain the others'.
_TONES = (("˧˩˧", "↓"), ("˧˥", "↗"), ("˥˩", "↘"), ("˥", "→"))
_SYLLABIC = (("\u027b\u0329", "ɨ"), ("\u0279\u0329", "ɨ"), ("\u032f", ""), ("\u0329", ""))
# espeak-ng's symbols to Kokoro's, which has single letters for diphthongs and affricates and no length mark in American.
_AMERICAN = (
    ("aɪ", "I"), ("aʊ", "W"), ("eɪ", "A"), ("oʊ", "O"), ("ɔɪ", "Y"), ("tʃ", "ʧ"), ("dʒ", "ʤ"),
    ("ɚɹ", "əɹ"), ("ɚ", "əɹ"), ("ɜːɹ", "ɜɹ"), ("ɜː", "ɜɹ"), ("ɪə", "iə"), ("ː", ""), ("o", "ɔ"), ("r", "ɹ"), ("ɐ", "ə"), ("ɾ", "T"),
    ("ʔ", "t"), ("ɬ", "l"),
)
_ESPEAK_LIMIT_S = 10.0
_OWN_TONE = {"一": "yi1", "不": "bu4"}
_BEFORE_YI = frozenset("第零一二三四五六七八九十期周")
_AFTER_YI = frozenset("零一二三四五六七八九十月号日")


def teach(readings: Mapping[str, str]) -> None:
    """Words the dictionary reads wrongly ("重听" = "chóng tīng"), kept whole by the word cutter."""
    jieba.setLogLevel(logging.WARNING)
    load_phrases_dict({word: [[syllable] for syllable in read.split()] for word, read in readings.items()})
    for word in readings:
        jieba.add_word(word, freq=10_000_000)


def phonemes(text: str) -> str:
    """One sentence in Kokoro's alphabet. Raises: PromptError APP-066 if espeak-ng is missing or fails."""
    return _mandarin(text) if language_of(text) == "zh" else _american(text)


def syllables(text: str) -> list[list[str]]:
    """Each word's syllables as numbered pinyin, tone changes applied: "请讲一次" → [["qing2"], ["jiang3"], ["yi2", "ci4"]]."""
    return _said(jieba.lcut(text))


def _said(words: list[str]) -> list[list[str]]:
    read = [syllable for word in words for syllable in _read(word)]
    changed = iter(_third_tones(_yi_and_bu("".join(words), read), [len(word) for word in words]))
    return [[next(changed) for _ in word] for word in words]


def _read(word: str) -> list[str]:
    """Tones as in a dictionary; 一 and 不 in their own tone, since the dictionary changes them in some words and not in others."""
    read = lazy_pinyin(word, style=Style.TONE3, neutral_tone_with_five=True)
    return [_OWN_TONE.get(char, syllable) for char, syllable in zip(word, read, strict=True)]


def _yi_and_bu(text: str, read: list[str]) -> list[str]:
    """一 is yí before a fourth tone, yì before others, but yī as a digit, an ordinal, in a date or last; 不 is bú before a fourth."""
    said = list(read)
    for place, char in enumerate(text[:-1]):
        falling = read[place + 1].endswith("4")
        if char == "不" and falling:
            said[place] = "bu2"
        elif char == "一" and text[place - 1 : place] not in _BEFORE_YI and text[place + 1] not in _AFTER_YI:
            said[place] = "yi2" if falling else "yi4"
    return said


def _third_tones(read: list[str], word_lengths: list[int]) -> list[str]:
    """A third tone before a third tone becomes a second: inside a word, and from a one-syllable word to the next."""
    starts = set(itertools.accumulate(word_lengths))
    lone = {start for start, length in zip(itertools.accumulate(word_lengths, initial=0), word_lengths, strict=False)
            if length == 1}
    said = list(read)
    for place, (syllable, following) in enumerate(itertools.pairwise(read)):
        joined = place + 1 not in starts or place in lone
        if joined and syllable.endswith("3") and following.endswith("3"):
            said[place] = f"{syllable[:-1]}2"
    return said


def _mandarin(text: str) -> str:
    """A text without punctuation is a clip, and spoken as one word."""
    parts = _HAN.findall(text)
    return "".join(_words(part, whole=len(parts) == 1) if language_of(part) == "zh" else part.translate(_PUNCTUATION)
                   for part in parts).strip()


def _words(text: str, *, whole: bool) -> str:
    said = _said([text]) if whole else syllables(text)
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
        raise PromptError("APP-066", f"espeak-ng could not read {text!r} ({error})",
                          "Install it: apt-get install espeak-ng.") from error
    ipa = " ".join(done.stdout.split())
    for old, new in _AMERICAN:
        ipa = ipa.replace(old, new)
    return ipa
