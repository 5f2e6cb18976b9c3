"""What somebody fills in: what it means, and what is wrong with it."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.hospital.registry import identity
from appliance.hospital.registry.field_fault import TEXTS, FieldFault
from appliance.hospital.registry.form import Form
from tests.unit.hospital_rig import BEIJING, ZONE


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("内科", None),
        ("24 ℃, 5 µg × 2 ½, №1®, 剂量<5mg", None),
        ("𬱟 伟", None),
        ("", "required"),
        (" \n\t ", "required"),
        ("x" * 65, "too_long"),
        ("内科😀", "emoji"),
        ("❤️", "emoji"),
        ("1️⃣", "emoji"),
        ("a\x00b", "control"),
        ("a\nb", "control"),
        ("a\u202eb", "control"),
        ("a\u200bb", "control"),
        ("\ud800", "control"),
        ("<script>alert(1)</script>", "markup"),
        ("</p>", "markup"),
        ("=HYPERLINK(1)", "formula"),
        ("@SUM(A1)", "formula"),
        ("+1+1", "formula"),
    ],
)
def test_text(text: str, code: str | None) -> None:
    form = Form({"name": text})
    form.text("name", 64, required=True)
    assert [fault.code for fault in form.faults] == ([code] if code else [])


def test_prose_may_have_lines_and_is_tidied() -> None:
    form = Form({"text": " 一\r\n二e\u0301 "})
    assert form.text("text", 64, lines=True) == "一\n二é"
    assert form.refusal is None


@pytest.mark.parametrize(
    ("text", "fen", "code"),
    [
        ("12", 1_200, None),
        ("12.5", 1_250, None),
        ("￥12.50", 1_250, None),
        ("１２．５０元", 1_250, None),
        ("1,234.56", 123_456, None),
        ("0", 0, None),
        ("-0", 0, None),
        ("", 0, "required"),
        ("-1", 100, "negative"),
        ("¥-1", 100, "negative"),
        ("12.345", 0, "money"),
        ("1e3", 0, "money"),
        ("NaN", 0, "money"),
        ("twelve", 0, "money"),
        ("999999999", 99_999_999_900, "range"),
        ("9" * 50, 0, "money"),
    ],
)
def test_money(text: str, fen: int, code: str | None) -> None:
    form = Form({"price": text})
    assert form.money_fen("price", required=True) == fen
    assert [fault.code for fault in form.faults] == ([code] if code else [])


@pytest.mark.parametrize("text", ["2026-03-08", "2026/3/8", "20260308", "2026年3月8日", "２０２６-０３-０８", "2026-03-08 00:00:00"])
def test_days(text: str) -> None:
    assert Form({"day": text}).day("day") == date(2026, 3, 8)


@pytest.mark.parametrize("text", ["2026-02-30", "8.3.2026", "yesterday", "2026-13-01", "0001-01-01", "2026-3"])
def test_no_days(text: str) -> None:
    form = Form({"day": text})
    assert form.day("day") is None
    assert form.faults == [FieldFault("day", "date")]


@pytest.mark.parametrize("text", ["2026-03-08 08:30", "2026-03-08T08:30", "2026/3/8 8:30:00"])
def test_moments_are_the_hospitals(text: str) -> None:
    assert Form({"at": text}).moment("at", ZONE) == datetime(2026, 3, 8, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-03-08 24:00", "08:00", "2026-03-08 8", "2026-02-30 08:00"])
def test_no_moments(text: str) -> None:
    form = Form({"at": text})
    assert form.moment("at", ZONE) is None
    assert form.faults == [FieldFault("at", "moment")]


@pytest.mark.parametrize(
    ("text", "code"),
    [("007", None), ("１２", None), ("", "required"), ("12a", "digits"), ("²", None), ("1-2", "digits"), ("123456789", "length")],
)
def test_numbers_people_say(text: str, code: str | None) -> None:
    form = Form({"number": text})
    form.digits("number", 1, 8)
    assert [fault.code for fault in form.faults] == ([code] if code else [])


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("11010519491231002X", None),
        ("110105194912310021", "id_checksum"),
        ("110105194902300020", "id_number"),
        ("130503670401001", None),
        ("E12345678", None),
        ("12345", "id_number"),
        ("张", "id_number"),
    ],
)
def test_identity_numbers(number: str, code: str | None) -> None:
    assert identity.fault_of(number) == code


def test_an_identity_number_tells_birthday_and_sex() -> None:
    assert identity.birth_date("11010519491231002X") == date(1949, 12, 31)
    assert identity.sex("11010519491231002X") == "f"
    assert identity.birth_date("E12345678") is None


@given(st.dates(date(1880, 1, 1), date(2099, 12, 31)), st.integers(0, 999))
def test_check_digits_agree(born: date, serial: int) -> None:
    number = f"110105{born:%Y%m%d}{serial:03}"
    assert identity.fault_of(number + identity.check_digit(number)) is None


@pytest.mark.parametrize("text", ["010-8888 6666", "+86 10 88886666", "88886666", "（010）88886666"])
def test_telephone_numbers_have_one_form(text: str) -> None:
    assert BEIJING(text) == "01088886666"


@pytest.mark.parametrize(("text", "flag"), [("yes", True), ("是", True), ("0", False), ("", True), ("否", False)])
def test_flags(text: str, flag: bool) -> None:
    assert Form({"listed": text}).flag("listed", default=True) is flag


@given(st.text())
def test_no_text_makes_a_form_fall_over(text: str) -> None:
    form = Form({"x": text})
    form.text("x"), form.digits("x", 1, 8), form.money_fen("x"), form.day("x"), form.moment("x", ZONE)
    form.number("x", 0, 9, 0), form.flag("x", default=False), form.identity_number("x"), form.choice("x", {}, ""), form.listed("x")
    for fault in form.faults:
        assert fault.text("zh")
        assert fault.text("en")


def test_every_fault_has_its_text_in_both_languages() -> None:
    assert all(zh and en for zh, en in TEXTS.values())
