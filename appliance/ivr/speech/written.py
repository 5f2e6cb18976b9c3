"""What in a written text is not read letter by letter: numbers, units, dates, times, money, telephone numbers, signs. Pure; any thread.

`pieces` gives the text in parts: clips where the part is a value that numbers.py, dates.py or counts.py says, and plain words, to be
looked up, everywhere else. Units and signs become words here ("mg" is 毫克, milligrams). A pause is a clip as well.
"""

import datetime
import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal

from appliance.ivr.prompts.catalogue import Lang
from appliance.ivr.speech.counts import say_money_fen
from appliance.ivr.speech.dates import say_date, say_time, say_year
from appliance.ivr.speech.digits import say_digits
from appliance.ivr.speech.numbers import LIMIT, Clips, say_decimal, say_number, say_ordinal

Piece = Clips | str
Found = re.Match[str]
SHORT_PAUSE: Clips = ("pause_short",)
LONG_PAUSE: Clips = ("pause_long",)

# Unit as written: in Mandarin, one in English, several in English. The longest that fits is taken.
_UNITS: dict[str, tuple[str, str, str]] = {
    "mmol/L": ("毫摩尔每升", "millimole per liter", "millimoles per liter"),
    "mmHg": ("毫米汞柱", "millimeters of mercury", "millimeters of mercury"),
    "mmol": ("毫摩尔", "millimole", "millimoles"),
    "mg": ("毫克", "milligram", "milligrams"),
    "mcg": ("微克", "microgram", "micrograms"),
    "ug": ("微克", "microgram", "micrograms"),
    "μg": ("微克", "microgram", "micrograms"),
    "kg": ("公斤", "kilogram", "kilograms"),
    "g": ("克", "gram", "grams"),
    "ml": ("毫升", "milliliter", "milliliters"),
    "mL": ("毫升", "milliliter", "milliliters"),
    "L": ("升", "liter", "liters"),
    "cm": ("厘米", "centimeter", "centimeters"),
    "mm": ("毫米", "millimeter", "millimeters"),
    "km": ("公里", "kilometer", "kilometers"),
    "m": ("米", "meter", "meters"),
    "IU": ("国际单位", "international unit", "international units"),
    "U": ("单位", "unit", "units"),
    "h": ("小时", "hour", "hours"),
    "min": ("分钟", "minute", "minutes"),
    "d": ("天", "day", "days"),
    "°C": ("摄氏度", "degree Celsius", "degrees Celsius"),
    "°": ("度", "degree", "degrees"),
}
_SIGNS: dict[str, tuple[str, str]] = {
    "%": ("百分之", "percent"),  # without a number before it
    "¥": ("元", "yuan"),
    "≥": ("不少于", "at least"),
    "≤": ("不超过", "at most"),
    ">": ("超过", "more than"),
    "<": ("低于", "less than"),
    "+": ("加", "plus"),
    "=": ("等于", "equals"),
    "×": ("乘", "by"),
    "&": ("和", "and"),
}
_SHORT = ",、;:()[]{}《》〈〉「」『』“”‘’\"'·—–−-/|…~"
_LONG = "。.!?\n"
# What is counted with 两 when there are two of it.
_COUNTED = "次片粒个位天周岁年种袋支瓶盒丸滴勺元倍遍条例名张间点小分克升毫公人包贴针项家场微厘米"
_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_UNIT = "|".join(re.escape(unit) for unit in sorted(_UNITS, key=len, reverse=True))
_CALLED = "".join(f"|(?<={word})|(?<={word}:)" for word in ("电话", "拨打", "热线", "分机", "请拨"))
_CALLED_EN = "".join(f"|(?<={word} )" for word in ("call", "dial", "telephone", "phone", "extension", "number"))
_SHORT_FORMS = tuple(
    (re.compile(short, re.IGNORECASE), full)
    for short, full in (
        (r"\b(Dr|Mr|Mrs|Ms|Prof|Tel|Dept|approx)\.(?=\s?\w)", r"\1"),  # that full stop ends no sentence
        (r"\bNo\.\s*(?=\d)", "number "),
        (r"\be\.g\.", "for example"),
        (r"\bi\.e\.", "that is"),
        (r"\bdo(?:n't|n’t)\b", "do not"),
    )
)
_PERIOD = "凌晨|早上|上午|中午|下午|晚上"


def pieces(text: str, lang: Lang) -> list[Piece]:
    """The parts of a text in order, pauses never at an end nor two together."""
    text = unicodedata.normalize("NFKC", text).strip()
    for pattern, full in _SHORT_FORMS:
        text = pattern.sub(full, text)
    found: list[Piece] = []
    plain = ""
    place = 0
    while place < len(text):
        length, said = _at(text, place, lang)
        if length:
            found += [*([plain] if plain else []), *said]
            plain = ""
        else:
            plain += text[place]
        place += length or 1
    return _without_idle_pauses([*found, *([plain] if plain else [])])


def _at(text: str, place: int, lang: Lang) -> tuple[int, list[Piece]]:
    """Length and pieces of the value that begins at `place`; length 0 when none does."""
    for pattern, say, of in _RULES:
        if (not of or of == lang) and (match := pattern.match(text, place)):
            try:
                return len(match.group()), say(match, lang)
            except ValueError:  # no such date, too large a number: the next rule may do
                continue
    return 0, []


def _without_idle_pauses(found: list[Piece]) -> list[Piece]:
    kept: list[Piece] = []
    for piece in found:
        if piece == " " or (isinstance(piece, str) and not piece.strip()):
            continue
        if piece in (SHORT_PAUSE, LONG_PAUSE) and (not kept or kept[-1] in (SHORT_PAUSE, LONG_PAUSE)):
            if kept and piece == LONG_PAUSE:
                kept[-1] = piece
            continue
        kept.append(piece)
    while kept and kept[-1] in (SHORT_PAUSE, LONG_PAUSE):
        kept.pop()
    return kept


# --- each kind of value -------------------------------------------------------------------------------------------


def _date(match: Found, lang: Lang) -> list[Piece]:
    return [say_date(datetime.date(*map(int, match.groups())), lang)]


def _month_and_day(match: Found, _lang: Lang) -> list[Piece]:
    month, day = map(int, match.groups())
    datetime.date(2024, month, day)  # a leap year: raises for 二月三十号
    return [(f"month_{month}", f"day_{day}")]


def _month_of_year(match: Found, lang: Lang) -> list[Piece]:
    year, month = map(int, match.groups())
    datetime.date(year, month, 1)
    return [(*say_year(year, lang), f"month_{month}")]


def _year(match: Found, lang: Lang) -> list[Piece]:
    return [say_year(int(match[1]), lang)]


def _day_of_month(match: Found, _lang: Lang) -> list[Piece]:
    day = int(match[1])
    if not 1 <= day <= 31:
        raise ValueError(f"there is no day {day}")
    return [(f"day_{day}",)]


def _time(match: Found, lang: Lang) -> list[Piece]:
    """14:30; with 下午 or p.m. already there, that is not said twice."""
    hour, minute, named = int(match["hour"]), int(match["minute"]), match["named"]
    if lang == "en":
        hour = hour % 12 + 12 * (named.lower() == "p") if named else hour
        return [say_time(datetime.time(hour, minute), "en")]
    said = say_time(datetime.time(hour, minute), "zh")
    return [named, said[1:]] if named else [said]


def _hour_of_half_day(match: Found, _lang: Lang) -> list[Piece]:
    return [say_time(datetime.time(int(match[1]) % 12 + 12 * (match[2].lower() == "p")), "en")]


def _hour(match: Found, _lang: Lang) -> list[Piece]:
    """8点, 8点半, 8点30分: the part of the day is where the writer put it."""
    hour, minute = int(match[1]), 30 if match[2] == "半" else int(match[3] or 0)
    said = say_time(datetime.time(hour, minute), "zh")
    return [said[1:]]


def _money(match: Found, lang: Lang) -> list[Piece]:
    fen = Decimal((match["after"] or match["before"]).replace(",", "")) * 100
    return [say_money_fen(int(fen), lang)]


def _digits(match: Found, lang: Lang) -> list[Piece]:
    return [say_digits(match.group(), lang)]


def _ordinal(match: Found, lang: Lang) -> list[Piece]:
    return [say_ordinal(int(match[1]), lang)]


def _percent(match: Found, lang: Lang) -> list[Piece]:
    said = _said(match[1], lang)
    return ["百分之", said] if lang == "zh" else [said, " percent "]


def _fraction(match: Found, lang: Lang) -> list[Piece]:
    over, under = _said(match[1], lang), _said(match[2], lang)
    return [under, "分之", over] if lang == "zh" else [over, " over ", under]


def _measure(match: Found, lang: Lang) -> list[Piece]:
    number, (zh, one, several) = match[1], _UNITS[match[2]]
    if lang == "en":
        return [_said(number, lang), f" {one if number == '1' else several} "]
    return [("liang",) if number == "2" else _said(number, lang), zh]


def _number(match: Found, lang: Lang) -> list[Piece]:
    following = match.string[match.end() : match.end() + 1]
    if lang == "zh" and match.group() == "2" and following and following in _COUNTED:
        return [("liang",)]
    return [_said(match.group(), lang)]


def _said(number: str, lang: Lang) -> Clips:
    """Too large a number is said digit by digit."""
    plain = number.replace(",", "")
    if "." in plain:
        return say_decimal(Decimal(plain), lang)
    return say_number(int(plain), lang) if int(plain) < LIMIT else say_digits(plain, lang)


def _minus(_match: Found, _lang: Lang) -> list[Piece]:
    return [("minus",)]


def _up_to(_match: Found, _lang: Lang) -> list[Piece]:
    return [("to",)]


def _each(_match: Found, lang: Lang) -> list[Piece]:
    return ["每" if lang == "zh" else " per "]


def _each_unit(match: Found, lang: Lang) -> list[Piece]:
    zh, one, _ = _UNITS[match[1]]
    return ["每" + zh if lang == "zh" else f" per {one} "]


def _sign(match: Found, lang: Lang) -> list[Piece]:
    zh, en = _SIGNS[match.group()]
    return [zh if lang == "zh" else f" {en} "]


def _short_pause(_match: Found, _lang: Lang) -> list[Piece]:
    return [SHORT_PAUSE]


def _long_pause(_match: Found, _lang: Lang) -> list[Piece]:
    return [LONG_PAUSE]


Rule = tuple[re.Pattern[str], Callable[[Found, Lang], list[Piece]], Lang | None]

# fmt: off
_RULES: tuple[Rule, ...] = (
    # Dates.
    (re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)"), _date, None),
    (re.compile(r"(\d{4})年(\d{1,2})月(\d{1,2})[日号]"), _date, "zh"),
    (re.compile(r"(\d{4})年(\d{1,2})月"), _month_of_year, "zh"),
    (re.compile(r"(\d{4})年"), _year, "zh"),
    (re.compile(r"(\d{1,2})月(\d{1,2})[日号]"), _month_and_day, "zh"),
    (re.compile(r"(\d{1,2})号(?!楼|线|门|窗|诊|床|院)"), _day_of_month, "zh"),
    # Times.
    (re.compile(rf"(?P<named>{_PERIOD})?(?P<hour>\d{{1,2}}):(?P<minute>\d{{2}})(?!\d)"), _time, "zh"),
    (re.compile(r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?!\d)(?:\s*(?P<named>[AaPp])\.?[Mm]\b\.?)?"), _time, "en"),
    (re.compile(r"(\d{1,2})\s*([AaPp])\.?[Mm]\b\.?"), _hour_of_half_day, "en"),
    (re.compile(r"(\d{1,2})点(?:钟|(半)|(\d{1,2})分)?"), _hour, "zh"),
    # Money.
    (re.compile(rf"[¥￥](?P<after>{_NUMBER})元?|(?P<before>{_NUMBER})元"), _money, "zh"),
    (re.compile(rf"(?:[¥￥]|RMB ?)(?P<after>{_NUMBER})|(?P<before>{_NUMBER}) ?(?:yuan|RMB)\b"), _money, "en"),
    # Digits by themselves: telephone numbers, rooms.
    (re.compile(rf"(?:(?!){_CALLED})\d+(?:-\d+)*"), _digits, "zh"),
    (re.compile(rf"(?i:(?!){_CALLED_EN})\d+(?:-\d+)*"), _digits, "en"),
    (re.compile(r"\d{3,4}-\d{7,8}(?!\d)|\d{3,4}-\d{3,4}-\d{3,4}(?!\d)|\d{7,}|0\d+(?!\.)"), _digits, None),
    (re.compile(r"\d{3,4}(?=诊室|病房|房间|室|房|床)"), _digits, "zh"),
    # Numbers.
    (re.compile(r"第(\d{1,11})"), _ordinal, "zh"),
    (re.compile(r"(\d{1,11})(?:st|nd|rd|th)\b"), _ordinal, "en"),
    (re.compile(rf"({_NUMBER})%"), _percent, None),
    (re.compile(r"([1-9])/([1-9]\d?)(?![\d/])"), _fraction, None),
    (re.compile(rf"({_NUMBER})\s*({_UNIT})(?![A-Za-z])"), _measure, None),
    (re.compile(r"((?:19|20)\d{2})(?![\d.,])"), _year, "en"),
    (re.compile(_NUMBER), _number, None),
    # Signs and punctuation.
    (re.compile(r"(?<![\w%°])[-−](?=\d)"), _minus, None),
    (re.compile(r"(?<=[\da-zA-Z%日元点月])\s*[-–—~至]+\s*(?=[¥￥]?\d)"), _up_to, None),
    (re.compile(rf"(?<=\w)/({_UNIT})(?![A-Za-z])"), _each_unit, None),
    (re.compile(r"(?<=[\w一-鿿])/(?=[A-Za-z一-鿿])"), _each, None),
    (re.compile("|".join(map(re.escape, _SIGNS))), _sign, None),
    (re.compile(rf"[{re.escape(_LONG)}]+\s*"), _long_pause, None),
    (re.compile(rf"[{re.escape(_SHORT)}]+\s*(?!\w)|[{re.escape(_SHORT.replace(chr(39), '').replace('-', ''))}]+"), _short_pause, None),
)
# fmt: on
