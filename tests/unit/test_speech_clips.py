"""What holds for every value: each clip has been rendered, and a spoken Mandarin number means the number it was made from."""

import datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from appliance.ivr.prompts.catalogue import LANGS, Lang, read_texts
from appliance.ivr.prompts.library import PromptLibrary
from appliance.ivr.speech import (
    Unit,
    say_count,
    say_date,
    say_day,
    say_decimal,
    say_digits,
    say_duration_s,
    say_money_fen,
    say_number,
    say_ordinal,
    say_time,
    say_year,
)

LIBRARY = PromptLibrary()
IDS = {lang: LIBRARY.ids(lang) for lang in LANGS}
TEXTS = read_texts().spoken_texts()
DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"两": 2}
SCALES = {"十": 10, "百": 100, "千": 1000}

numbers = st.one_of(st.integers(-(10**12) + 1, 10**12 - 1), st.integers(0, 3000))
languages = st.sampled_from(LANGS)


def meaning(numeral: str) -> int:
    """Reads a Mandarin numeral back, by the place values alone."""
    total = section = digit = 0
    for char in numeral:
        if char in DIGITS:
            digit = DIGITS[char]
        elif char in SCALES:
            section, digit = section + (digit or 1) * SCALES[char], 0
        else:
            section += digit
            total, section, digit = (total + section * 10**4, 0, 0) if char == "万" else ((total + section) * 10**8, 0, 0)
    return total + section + digit


def numeral(n: int) -> str:
    return "".join(TEXTS[clip].zh or "" for clip in say_number(n, "zh"))


@given(st.one_of(st.integers(0, 10**8), st.integers(0, 10**12 - 1), st.integers(0, 20_000)))
def test_a_mandarin_number_reads_back(n: int) -> None:
    assert meaning(numeral(n)) == n


def test_every_mandarin_number_to_twelve_thousand_reads_back() -> None:
    assert all(meaning(numeral(n)) == n for n in range(12_000))


@given(st.integers(0, 10**12 - 1))
def test_a_mandarin_number_is_well_formed(n: int) -> None:
    spoken = numeral(n)
    assert "零零" not in spoken
    assert "二千" not in spoken
    assert n == 0 or not spoken.endswith("零")
    assert not spoken.startswith("一十")


@given(numbers, languages)
def test_numbers_have_clips(n: int, lang: Lang) -> None:
    assert IDS[lang].issuperset(say_number(n, lang))
    assert IDS[lang].issuperset(say_money_fen(n, lang))
    assert IDS[lang].issuperset(say_ordinal(abs(n) + 1 if abs(n) + 1 < 10**12 else 1, lang))


@given(numbers, st.sampled_from(Unit), languages)
def test_counts_have_clips(n: int, unit: Unit, lang: Lang) -> None:
    assert IDS[lang].issuperset(say_count(n, unit, lang))
    assert IDS[lang].issuperset(say_duration_s(abs(n), lang))


@given(st.decimals(-(10**11), 10**11, allow_nan=False, allow_infinity=False), languages)
def test_decimals_have_clips(value: Decimal, lang: Lang) -> None:
    assert IDS[lang].issuperset(say_decimal(value, lang))


@given(st.text("0123456789*# -"), languages)
def test_digits_have_clips(digits: str, lang: Lang) -> None:
    clips = say_digits(digits, lang)
    assert IDS[lang].issuperset(clips)
    assert len(clips) == len(digits.replace(" ", "").replace("-", ""))


@given(st.dates(datetime.date(1000, 1, 1)), st.dates(datetime.date(1000, 1, 1)), languages)
def test_dates_have_clips(date: datetime.date, today: datetime.date, lang: Lang) -> None:
    assert IDS[lang].issuperset(say_date(date, lang, weekday=True))
    assert IDS[lang].issuperset(say_day(date, today, lang))
    assert IDS[lang].issuperset(say_year(date.year, lang))


@given(st.times(), languages)
def test_times_have_clips(time: datetime.time, lang: Lang) -> None:
    assert IDS[lang].issuperset(say_time(time, lang))
