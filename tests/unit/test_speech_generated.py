"""500 generated values of each kind, said in both languages, against a second way of writing them down.

The second way shares nothing with the speaker: it makes whole texts, by place names and substitutions as a schoolbook has them; clips
are compared by their texts. The difficult cases stand in test_speech_tables.py, written by hand.
"""

import datetime
import random
import re
from collections.abc import Callable

import pytest

from appliance.ivr.prompts.catalogue import Lang, read_texts
from appliance.ivr.speech import say_date, say_money_fen, say_number, say_ordinal, say_time

TEXTS = read_texts().spoken_texts()
COUNT = 500
DIGITS = "零一二三四五六七八九"
ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
TENS = ["-", "-", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]
WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
ODD_ORDINALS = {"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth", "twelve": "twelfth"}


def said(clips: tuple[str, ...], lang: Lang) -> str:
    return ("" if lang == "zh" else " ").join(TEXTS[clip].written(lang) or f"({clip})" for clip in clips)


# --- the second way -----------------------------------------------------------------------------------------------


def mandarin(n: int) -> str:
    """Every digit with its place, then what is not said is taken out."""
    digits = str(n)
    written = ""
    for index, digit in enumerate(digits):
        place = len(digits) - 1 - index
        written += DIGITS[int(digit)] + ("", "十", "百", "千")[place % 4] + {4: "万", 8: "亿"}.get(place, "")
    for pattern, instead in (
        ("零[十百千]", "零"), ("零+", "零"), ("亿零万", "亿零"), ("零([万亿])", r"\1"), ("零+", "零"), ("(.)零$", r"\1"), ("^一十", "十"),
        ("二千", "两千"), ("^二([百万亿])", r"两\1"), ("亿零二万", "亿零两万"),
    ):  # fmt: skip
        written = re.sub(pattern, instead, written)
    return written


def english(n: int) -> str:
    if n < 20:
        return ONES[n]
    if n < 100:
        return TENS[n // 10] + (f"-{ONES[n % 10]}" if n % 10 else "")
    for scale, name in ((10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred")):
        if n >= scale:
            above, below = divmod(n, scale)
            joint = " and " if 0 < below < 100 else " "
            return f"{english(above)} {name}" + (joint + english(below) if below else "")
    raise AssertionError(n)


def mandarin_money(fen: int) -> str:
    yuan, jiao, rest = fen // 100, fen // 10 % 10, fen % 10
    whole = {2: "两元"}.get(yuan, f"{mandarin(yuan)}元") if yuan or not fen else ""
    if not jiao and not rest:
        return whole
    middle = f"{DIGITS[jiao]}角" if jiao else ("零" if whole else "")
    coins = middle + (f"{DIGITS[rest]}分" if rest else "")
    return whole + (coins if whole else re.sub("^二", "两", coins))


def english_money(fen: int) -> str:
    yuan, rest = divmod(fen, 100)
    parts = [f"{english(yuan)} yuan"] if yuan or not rest else []
    return " and ".join([*parts, *([f"{english(rest)} fen"] if rest else [])])


def mandarin_date(date: datetime.date) -> str:
    year = "".join(DIGITS[int(digit)] for digit in str(date.year))
    return f"{year}年{mandarin(date.month)}月{mandarin(date.day)}号星期{'一二三四五六日'[date.weekday()]}"


def english_date(date: datetime.date) -> str:
    century, rest = divmod(date.year, 100)
    if 2000 <= date.year <= 2009:
        year = english(date.year)
    elif not rest:
        year = f"{english(century)} hundred"
    else:
        year = f"{english(century)} {english(rest) if rest > 9 else 'oh ' + english(rest)}"
    return f"{WEEKDAYS[date.weekday()]} {MONTHS[date.month - 1]} {ordinal(date.day)} {year}"


def ordinal(n: int) -> str:
    *above, last = re.split("([ -])", english(n))
    if last in ODD_ORDINALS:
        return "".join([*above, ODD_ORDINALS[last]])
    return "".join([*above, re.sub("y$", "ie", last) + "th"])


def mandarin_time(time: datetime.time) -> str:
    hour = time.hour
    part = "凌晨" if hour < 5 else "早上" if hour < 8 else "上午" if hour < 12 else "中午" if hour < 13 else "下午" if hour < 18 else "晚上"
    clock = {0: "零", 2: "两"}.get(hour if hour < 13 else hour - 12) or mandarin(hour if hour < 13 else hour - 12)
    minute = mandarin(time.minute)
    after = {0: "", 15: "一刻", 30: "半"}.get(time.minute, f"零{minute}分" if time.minute < 10 else f"{minute}分")
    return f"{part}{clock}点{after}"


def english_time(time: datetime.time) -> str:
    hour, minute = (time.hour + 11) % 12 + 1, time.minute
    if not minute and time.hour in (0, 12):
        return "twelve midnight" if time.hour == 0 else "twelve noon"
    middle = "" if not minute else f" oh {english(minute)}" if minute < 10 else f" {english(minute)}"
    return f"{english(hour)}{middle} {'a.m.' if time.hour < 12 else 'p.m.'}"


# --- both ways ----------------------------------------------------------------------------------------------------


def any_number(dice: random.Random) -> int:
    """Of any length up to twelve digits, half of its digits nothing or two."""
    return int("".join(dice.choice("0123456789" if dice.random() < 0.5 else "02") for _ in range(dice.randint(1, 12))))


def any_sum_fen(dice: random.Random) -> int:
    return dice.choice(
        [dice.randrange(100), dice.randrange(100_000), dice.randrange(10**9), dice.randrange(500) * 100, 2 * 10 ** dice.randrange(8)]
    )


def any_date(dice: random.Random) -> datetime.date:
    return datetime.date(1900, 1, 1) + datetime.timedelta(days=dice.randrange(73_000))


def any_time(dice: random.Random) -> datetime.time:
    return datetime.time(dice.randrange(24), dice.choice([0, 15, 30, dice.randrange(60), dice.randrange(60)]))


Said = Callable[[random.Random], tuple[str, str, str, str]]


def number(dice: random.Random) -> tuple[str, str, str, str]:
    n = any_number(dice)
    return said(say_number(n, "zh"), "zh"), mandarin(n), said(say_number(n, "en"), "en"), english(n)


def money(dice: random.Random) -> tuple[str, str, str, str]:
    fen = any_sum_fen(dice)
    return said(say_money_fen(fen, "zh"), "zh"), mandarin_money(fen), said(say_money_fen(fen, "en"), "en"), english_money(fen)


def date(dice: random.Random) -> tuple[str, str, str, str]:
    day = any_date(dice)
    zh, en = said(say_date(day, "zh", weekday=True), "zh"), said(say_date(day, "en", weekday=True), "en")
    return zh, mandarin_date(day), en, english_date(day)


def time(dice: random.Random) -> tuple[str, str, str, str]:
    moment = any_time(dice)
    return said(say_time(moment, "zh"), "zh"), mandarin_time(moment), said(say_time(moment, "en"), "en"), english_time(moment)


def rank(dice: random.Random) -> tuple[str, str, str, str]:
    n = any_number(dice) % 10 ** dice.randint(1, 9) + 1
    zh = "第" + re.sub("^两百", "二百", mandarin(n))
    return said(say_ordinal(n, "zh"), "zh"), zh, said(say_ordinal(n, "en"), "en").replace("-", " "), ordinal(n).replace("-", " ")


@pytest.mark.parametrize("kind", [number, money, date, time, rank])
def test_five_hundred(kind: Said) -> None:
    dice = random.Random(20260308)
    for _ in range(COUNT):
        zh, zh_wanted, en, en_wanted = kind(dice)
        assert zh == zh_wanted
        assert en == en_wanted
