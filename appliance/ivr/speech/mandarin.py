"""Mandarin text as clips: phrases of the bank, and between them syllables with the tones of running speech. Pure; any thread."""

from collections.abc import Iterator

from appliance.ivr.prompts import tones
from appliance.ivr.speech.bank import Bank
from appliance.ivr.speech.numbers import Clips
from appliance.ivr.speech.readings import dictionary

_WITHOUT_VOWEL = {"n": "en", "ng": "en", "m": "en", "hm": "heng", "hng": "heng"}  # 嗯, 呣, 哼
_OTHER_TONES = {"1": "2435", "2": "3145", "3": "2415", "4": "1325", "5": "1423"}

# Characters that are read otherwise when they are a surname. Source: 现代汉语词典, the readings marked 姓.
_SURNAMES = {
    "单": "shan4", "曾": "zeng1", "仇": "qiu2", "解": "xie4", "查": "zha1", "盖": "ge3", "翟": "zhai2", "覃": "qin2", "朴": "piao2",
    "区": "ou1", "任": "ren2", "华": "hua4", "宁": "ning4", "缪": "miao4", "乐": "yue4", "种": "chong2", "冼": "xian3", "牟": "mu4",
}  # fmt: skip


def say_han(text: str, bank: Bank) -> tuple[Clips, str]:
    """Clips of a run of Han characters, and those characters that have no clip."""
    clips: list[str] = []
    unknown = ""
    read = _readings(text)
    place = 0
    while place < len(text):
        phrase = bank.phrase_at(text, place)
        if phrase:
            clips.append(bank.phrases[phrase])
        elif clip := syllable(read[place], bank):
            clips.append(clip)
        else:
            unknown += text[place]
        place += len(phrase) or 1
    return tuple(clips), unknown


def syllable(numbered: str, bank: Bank) -> str:
    """The clip of a syllable ("ma1"), in another tone if it must be; empty when there is none."""
    base, tone = numbered[:-1], numbered[-1:]
    base = _WITHOUT_VOWEL.get(base, base)
    return next((bank.syllables[base + other] for other in (tone, *_OTHER_TONES.get(tone, "")) if base + other in bank.syllables), "")


def _readings(text: str) -> list[str]:
    """Numbered pinyin of each character as it is said; the character itself where it has no reading."""
    known = dictionary()
    words = known.words(text)
    read = [known.reading(word) for word in words]
    if words[0] in _SURNAMES and len(words) > 1:
        read[0] = [_SURNAMES[words[0]]]
    return [syllable for word in tones.changed(words, read) for syllable in word]


def spelt_in_pinyin(word: str, bank: Bank) -> Clips:
    """A romanised name ("Xiaoming") as Mandarin syllables in the first tone; empty when it is no pinyin."""
    return next(_cuts(word.lower(), bank), ())


def _cuts(rest: str, bank: Bank) -> Iterator[Clips]:
    """Every way to cut `rest` into syllables, longest first."""
    if not rest:
        yield ()
    for length in range(min(6, len(rest)), 0, -1):
        clip = syllable(f"{rest[:length]}1", bank)
        if clip:
            for following in _cuts(rest[length:], bank):
                yield (clip, *following)
