"""What is said for each value, written by hand: the texts of the clips in the order they are played, a bar between two clips."""

import datetime
from decimal import Decimal

import pytest

from appliance.ivr.prompts.catalogue import Lang, read_texts
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

TEXTS = read_texts().spoken_texts()


def said(clips: tuple[str, ...], lang: Lang) -> str:
    texts = [TEXTS[clip].written(lang) for clip in clips]
    assert all(texts), clips
    return "|".join(text for text in texts if text)


# fmt: off
@pytest.mark.parametrize(("n", "zh"), [
    (0, "零"), (1, "一"), (2, "二"), (9, "九"), (10, "十"), (11, "十一"), (12, "十二"), (15, "十五"), (19, "十九"), (20, "二十"),
    (22, "二十二"), (99, "九十九"), (100, "一百"), (101, "一百|零|一"), (102, "一百|零|二"), (110, "一百|一十"),
    (115, "一百|一十五"), (120, "一百|二十"), (200, "两百"), (202, "两百|零|二"), (212, "两百|一十二"), (222, "两百|二十二"),
    (999, "九百|九十九"), (1000, "一千"), (1001, "一千|零|一"), (1005, "一千|零|五"), (1010, "一千|零|一十"),
    (1015, "一千|零|一十五"), (1050, "一千|零|五十"), (1100, "一千|一百"), (1101, "一千|一百|零|一"), (2000, "两千"),
    (2002, "两千|零|二"), (2020, "两千|零|二十"), (2200, "两千|二百"), (2222, "两千|二百|二十二"), (9999, "九千|九百|九十九"),
    (10_000, "一万"), (10_001, "一万|零|一"), (10_010, "一万|零|一十"), (10_050, "一万|零|五十"), (10_500, "一万|零|五百"),
    (10_200, "一万|零|二百"), (11_000, "一万|一千"), (12_000, "一万|两千"), (12_345, "一万|两千|三百|四十五"), (20_000, "两万"),
    (20_002, "两万|零|二"), (22_222, "两万|两千|二百|二十二"), (100_000, "十|万"), (100_001, "十|万|零|一"),
    (120_000, "十二|万"), (123_000, "十二|万|三千"), (200_000, "二十|万"), (203_000, "二十|万|三千"), (1_000_000, "一百|万"),
    (1_020_000, "一百|零|二|万"), (1_150_000, "一百|一十五|万"), (2_000_000, "两百|万"), (2_200_000, "两百|二十|万"),
    (10_000_000, "一千|万"), (20_000_000, "两千|万"), (10_010_001, "一千|零|一|万|零|一"), (100_000_000, "一亿"),
    (100_000_001, "一亿|零|一"), (100_005_000, "一亿|零|五千"), (100_020_000, "一亿|零|两万"),
    (100_120_000, "一亿|零|一十二|万"), (102_000_000, "一亿|零|二百|万"), (110_000_000, "一亿|一千|万"), (200_000_000, "两亿"),
    (222_222_222, "两亿|两千|二百|二十二|万|两千|二百|二十二"), (1_000_000_000, "十|亿"), (10_000_000_000, "一百|亿"),
    (100_000_000_000, "一千|亿"), (999_999_999_999, "九千|九百|九十九|亿|九千|九百|九十九|万|九千|九百|九十九"),
    (-1, "负|一"), (-2000, "负|两千"),
])
def test_mandarin_number(n: int, zh: str) -> None:
    assert said(say_number(n, "zh"), "zh") == zh


@pytest.mark.parametrize(("n", "en"), [
    (0, "zero"), (1, "one"), (13, "thirteen"), (20, "twenty"), (21, "twenty-one"), (99, "ninety-nine"), (100, "one hundred"),
    (101, "one hundred|and|one"), (110, "one hundred|and|ten"), (342, "three hundred|and|forty-two"), (1000, "one thousand"),
    (1005, "one thousand|and|five"), (1050, "one thousand|and|fifty"), (1100, "one thousand|one hundred"),
    (1234, "one thousand|two hundred|and|thirty-four"), (10_000, "ten|thousand"), (12_005, "twelve|thousand|and|five"),
    (12_345, "twelve|thousand|three hundred|and|forty-five"), (100_000, "one hundred|thousand"),
    (115_000, "one hundred|and|fifteen|thousand"), (1_000_000, "one|million"), (1_000_001, "one|million|and|one"),
    (1_000_100, "one|million|one hundred"), (2_001_000, "two|million|one thousand"), (1_000_000_000, "one|billion"),
    (1_002_003_004, "one|billion|two|million|three thousand|and|four"), (-5, "minus|five"),
])
def test_english_number(n: int, en: str) -> None:
    assert said(say_number(n, "en"), "en") == en


@pytest.mark.parametrize(("value", "zh", "en"), [
    ("36.5", "三十六|点|五", "thirty-six|point|five"), ("36.50", "三十六|点|五|零", "thirty-six|point|five|zero"),
    ("0.12", "零|点|一|二", "zero|point|one|two"), ("-0.5", "负|零|点|五", "minus|zero|point|five"), ("2", "二", "two"),
    ("200.02", "两百|点|零|二", "two hundred|point|zero|two"), ("1E+3", "一千", "one thousand"),
])
def test_decimal(value: str, zh: str, en: str) -> None:
    assert said(say_decimal(Decimal(value), "zh"), "zh") == zh
    assert said(say_decimal(Decimal(value), "en"), "en") == en


@pytest.mark.parametrize(("n", "zh", "en"), [
    (1, "第一", "first"), (2, "第二", "second"), (12, "第十二", "twelfth"), (21, "第二十一", "twenty-first"),
    (31, "第三十一", "thirty-first"), (32, "第|三十二", "thirty|second"), (40, "第|四十", "fortieth"),
    (99, "第|九十九", "ninety|ninth"), (100, "第|一百", "one|hundredth"), (102, "第|一百|零|二", "one hundred|and|second"),
    (115, "第|一百|一十五", "one hundred|and|fifteenth"), (200, "第|二百", "two|hundredth"),
    (222, "第|二百|二十二", "two hundred|and|twenty-second"), (1000, "第|一千", "one|thousandth"),
    (1300, "第|一千|三百", "one thousand|three|hundredth"), (12_000, "第|一万|两千", "twelve|thousandth"),
    (1_000_000, "第|一百|万", "one|millionth"), (2_005_000, "第|二百|万|五千", "two|million|five|thousandth"),
])
def test_ordinal(n: int, zh: str, en: str) -> None:
    assert said(say_ordinal(n, "zh"), "zh") == zh
    assert said(say_ordinal(n, "en"), "en") == en


@pytest.mark.parametrize(("digits", "zh", "en"), [
    ("3579", "三|五|七|九", "three|five|seven|nine"), ("110", "幺|幺|零", "one|one|zero"), ("02", "零|二", "zero|two"),
    ("010-6512 8899", "零|幺|零|六|五|幺|二|八|八|九|九", "zero|one|zero|six|five|one|two|eight|eight|nine|nine"),
    ("*2#", "星号|二|井号", "star|two|hash"), ("", "", ""),
])
def test_digits(digits: str, zh: str, en: str) -> None:
    assert said(say_digits(digits, "zh"), "zh") == zh
    assert said(say_digits(digits, "en"), "en") == en


@pytest.mark.parametrize(("date", "zh", "en"), [
    ("2026-03-08", "二零二六年|三月|八号|星期日", "Sunday|March|eighth|twenty twenty-six"),
    ("2026-11-23", "二零二六年|十一月|二十三号|星期一", "Monday|November|twenty-third|twenty twenty-six"),
    ("2024-02-29", "二零二四年|二月|二十九号|星期四", "Thursday|February|twenty-ninth|twenty twenty-four"),
    ("2031-12-31", "二零三一年|十二月|三十一号|星期三", "Wednesday|December|thirty-first|twenty thirty-one"),
    ("1958-01-02", "一|九|五|八|年|一月|二号|星期四", "Thursday|January|second|nineteen|fifty-eight"),
    ("2000-10-10", "二|零|零|零|年|十月|十号|星期二", "Tuesday|October|tenth|two thousand"),
])
def test_date(date: str, zh: str, en: str) -> None:
    day = datetime.date.fromisoformat(date)
    assert said(say_date(day, "zh", weekday=True), "zh") == zh
    assert said(say_date(day, "en", weekday=True), "en") == en


@pytest.mark.parametrize(("year", "zh", "en"), [
    (1900, "一|九|零|零|年", "nineteen|hundred"), (1905, "一|九|零|五|年", "nineteen|oh five"),
    (1949, "一|九|四|九|年", "nineteen|forty-nine"), (2001, "二|零|零|一|年", "two thousand|and|one"),
    (2010, "二|零|一|零|年", "twenty|ten"), (2020, "二零二零年", "twenty twenty"), (2046, "二|零|四|六|年", "twenty|forty-six"),
    (1005, "一|零|零|五|年", "one thousand|and|five"),
])
def test_year(year: int, zh: str, en: str) -> None:
    assert said(say_year(year, "zh"), "zh") == zh
    assert said(say_year(year, "en"), "en") == en


@pytest.mark.parametrize(("date", "zh", "en"), [
    ("2026-11-23", "今天", "today"), ("2026-11-24", "明天", "tomorrow"), ("2026-11-22", "昨天", "yesterday"),
    ("2026-11-25", "十一月|二十五号", "November|twenty-fifth"), ("2027-01-01", "二零二七年|一月|一号", "January|first|twenty twenty-seven"),
])
def test_day(date: str, zh: str, en: str) -> None:
    day, today = datetime.date.fromisoformat(date), datetime.date(2026, 11, 23)
    assert said(say_day(day, today, "zh"), "zh") == zh
    assert said(say_day(day, today, "en"), "en") == en


@pytest.mark.parametrize(("time", "zh", "en"), [
    ("00:00", "凌晨|零点", "twelve|midnight"), ("00:30", "凌晨|零点|半", "twelve|thirty|a.m."), ("02:00", "凌晨|两点", "two|a.m."),
    ("04:59", "凌晨|四点|五十九分", "four|fifty-nine|a.m."), ("05:00", "早上|五点", "five|a.m."),
    ("07:45", "早上|七点|四十五分", "seven|forty-five|a.m."), ("08:00", "上午|八点", "eight|a.m."),
    ("09:05", "上午|九点|零五分", "nine|oh five|a.m."), ("09:15", "上午|九点|一刻", "nine|fifteen|a.m."),
    ("10:10", "上午|十点|十分", "ten|ten|a.m."), ("11:30", "上午|十一点|半", "eleven|thirty|a.m."), ("12:00", "中午|十二点", "twelve|noon"),
    ("12:02", "中午|十二点|零二分", "twelve|oh two|p.m."), ("13:00", "下午|一点", "one|p.m."), ("14:30", "下午|两点|半", "two|thirty|p.m."),
    ("17:59", "下午|五点|五十九分", "five|fifty-nine|p.m."), ("18:00", "晚上|六点", "six|p.m."),
    ("22:22", "晚上|十点|二十二分", "ten|twenty-two|p.m."), ("23:59", "晚上|十一点|五十九分", "eleven|fifty-nine|p.m."),
])
def test_time(time: str, zh: str, en: str) -> None:
    moment = datetime.time.fromisoformat(time)
    assert said(say_time(moment, "zh"), "zh") == zh
    assert said(say_time(moment, "en"), "en") == en


@pytest.mark.parametrize(("fen", "zh", "en"), [
    (0, "零|元", "zero|yuan"), (1, "一分", "one fen"), (2, "两分", "two fen"), (5, "五|分", "five|fen"), (10, "一角", "ten|fen"),
    (20, "两角", "twenty|fen"), (22, "两角|二|分", "twenty-two|fen"), (50, "五|角", "fifty|fen"), (99, "九|角|九|分", "ninety-nine|fen"),
    (100, "一元", "one yuan"), (200, "两元", "two yuan"), (202, "两元|零|二|分", "two yuan|and|two fen"),
    (220, "两元|二|角", "two yuan|and|twenty|fen"), (222, "两元|二|角|二|分", "two yuan|and|twenty-two|fen"),
    (305, "三|元|零|五|分", "three|yuan|and|five|fen"), (350, "三|元|五|角", "three|yuan|and|fifty|fen"),
    (311, "三|元|一角|一分", "three|yuan|and|eleven|fen"), (1200, "十二|元", "twelve|yuan"),
    (1050, "十|元|五|角", "ten|yuan|and|fifty|fen"),
    (10_005, "一百|元|零|五|分", "one hundred|yuan|and|five|fen"), (20_000, "两百|元", "two hundred|yuan"),
    (20_200, "两百|零|二|元", "two hundred|and|two|yuan"), (200_000, "两千|元", "two thousand|yuan"),
    (2_000_200, "两万|零|二|元", "twenty|thousand|and|two|yuan"), (-305, "负|三|元|零|五|分", "minus|three|yuan|and|five|fen"),
])
def test_money(fen: int, zh: str, en: str) -> None:
    assert said(say_money_fen(fen, "zh"), "zh") == zh
    assert said(say_money_fen(fen, "en"), "en") == en


@pytest.mark.parametrize(("n", "unit", "zh", "en"), [
    (0, Unit.PERSON, "零|位", "zero|people"), (1, Unit.PERSON, "一位", "one person"), (2, Unit.PERSON, "两位", "two people"),
    (12, Unit.PERSON, "十二|位", "twelve|people"), (102, Unit.PERSON, "一百|零|二|位", "one hundred|and|two|people"),
    (1, Unit.MESSAGE, "一条", "one message"), (3, Unit.MESSAGE, "三|条", "three|messages"), (2, Unit.TIME, "两次", "two times"),
    (20, Unit.MINUTE, "二十|分钟", "twenty|minutes"), (-2, Unit.DAY, "负|两天", "minus|two days"),
])
def test_count(n: int, unit: Unit, zh: str, en: str) -> None:
    assert said(say_count(n, unit, "zh"), "zh") == zh
    assert said(say_count(n, unit, "en"), "en") == en


@pytest.mark.parametrize(("seconds", "zh", "en"), [
    (0, "零|秒", "zero|seconds"), (2, "两秒", "two seconds"), (60, "一分钟", "one minute"),
    (65, "一分钟|零|五|秒", "one minute|and|five|seconds"),
    (90, "一分钟|三十|秒", "one minute|and|thirty|seconds"), (120, "两分钟", "two minutes"),
    (3600, "一小时", "one hour"), (3630, "一小时|零|三十|秒", "one hour|and|thirty|seconds"),
    (3900, "一小时|零|五|分钟", "one hour|and|five|minutes"), (7320, "两小时|零|两分钟", "two hours|and|two minutes"),
    (5415, "一小时|三十|分钟|十五|秒", "one hour|thirty|minutes|and|fifteen|seconds"),
    (90_000, "一天|零|一小时", "one day|and|one hour"), (86_405, "一天|零|五|秒", "one day|and|five|seconds"),
])
def test_duration(seconds: int, zh: str, en: str) -> None:
    assert said(say_duration_s(seconds, "zh"), "zh") == zh
    assert said(say_duration_s(seconds, "en"), "en") == en


def test_what_cannot_be_said_is_refused() -> None:
    for call in (lambda: say_number(10**12, "zh"), lambda: say_number(-(10**12), "en"), lambda: say_ordinal(0, "zh"),
                 lambda: say_digits("12a", "zh"), lambda: say_duration_s(-1, "en"), lambda: say_year(999, "zh"),
                 lambda: say_decimal(Decimal("NaN"), "en")):
        with pytest.raises(ValueError, match=r"said|ordinal"):
            call()
