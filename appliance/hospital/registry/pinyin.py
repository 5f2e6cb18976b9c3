"""Initials of a name, and the keys they are found by on a telephone. Pure; the dictionary is loaded with the first Chinese name."""

import re

# Surnames that are read otherwise than the same character elsewhere. Source: 现代汉语词典, the readings marked 姓.
_SURNAMES = {
    "单": "s", "曾": "z", "仇": "q", "解": "x", "查": "z", "盖": "g", "翟": "z", "覃": "q", "朴": "p", "尉": "y", "区": "o", "任": "r",
    "华": "h", "宁": "n", "缪": "m", "乐": "y", "召": "s", "种": "c", "冼": "x", "逄": "p", "牟": "m", "员": "y", "瞿": "q",
}  # fmt: skip
_KEYS = str.maketrans("abcdefghijklmnopqrstuvwxyz", "22233344455566677778889999")


def initials(name: str) -> str:
    """ "张伟" is "zw", "John Smith" is "js"; empty for a name without letters."""
    if not any("\u3400" <= letter <= "\u9fff" for letter in name):
        return "".join(word[0] for word in re.findall(r"[a-z]+", name.lower()))[:16]
    return (_SURNAMES.get(name[0]) or _read(name[0])) + _read(name[1:])[:15]


def keys(letters: str) -> str:
    """The keys of a telephone that have these letters: "zw" is "99". Source: ITU-T E.161."""
    return letters.translate(_KEYS)


def _read(text: str) -> str:
    from pypinyin import Style, lazy_pinyin  # 40 MB of dictionary: not for every program that imports the registry

    return "".join(part[0] for part in lazy_pinyin(text, style=Style.NORMAL, errors="ignore") if part)
