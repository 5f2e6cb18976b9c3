"""Mandarin's changes of tone in running speech: 一, 不, and the third tone before a third. Pure.

Made here and not by the reading dictionary, which has them in some words and not in others (right in 可以, wrong in 两百 and 十一点).
Syllables are numbered pinyin: "yi1", "bai3", "de5" (5: neutral).
"""

import itertools
from collections.abc import Sequence

_OWN_TONE = {"一": "yi1", "不": "bu4"}
_BEFORE_YI = frozenset("第零一二三四五六七八九十期周")
_AFTER_YI = frozenset("零一二三四五六七八九十月号日")


def changed(words: Sequence[str], dictionary: Sequence[Sequence[str]]) -> list[list[str]]:
    """The syllables of each word as said, from those in the dictionary, one for each character."""
    chars = "".join(words)
    citation = [_OWN_TONE.get(char, syllable) for char, syllable in zip(chars, itertools.chain(*dictionary), strict=True)]
    said = iter(_third_tones(_yi_and_bu(chars, citation), [len(word) for word in words]))
    return [[next(said) for _ in word] for word in words]


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
    ends = list(itertools.accumulate(word_lengths))
    lone = {end for end, length in zip(ends, word_lengths, strict=True) if length == 1}
    said = list(read)
    for place, (syllable, following) in enumerate(itertools.pairwise(read)):
        joined = place + 1 not in ends or place + 1 in lone
        if joined and syllable.endswith("3") and following.endswith("3"):
            said[place] = f"{syllable[:-1]}2"
    return said
