"""Numbers in one form: what lines tell, what is dialled on them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.config import GroupConfig, LinesConfig, check
from drivers.dial_plan import EMERGENCY
from drivers.errors import ConfigError
from drivers.numbers import GroupNumbers, Numbering, NumberRules, Rewrite

BEIJING = Numbering(NumberRules(area_code="10"), ("122",))
PLAIN = Numbering(NumberRules(), ("122",))
BEHIND_SWITCH = GroupNumbers(access="9w", dialled=Rewrite(prepend="17909"), ani=Rewrite(strip=1), dnis=Rewrite(prepend="010"))
NUMBERS = st.from_regex(r"\+?[0-9]{1,20}", fullmatch=True)


@pytest.mark.parametrize(
    ("told", "normalised"),
    [
        ("88886666", "01088886666"),
        ("01088886666", "01088886666"),
        ("+861088886666", "01088886666"),
        ("00861088886666", "01088886666"),
        ("+86(0)1088886666".replace("(", "").replace(")", ""), "01088886666"),
        ("13800138000", "13800138000"),
        ("013800138000", "13800138000"),
        ("+8613800138000", "13800138000"),
        ("4008888888", "4008888888"),
        ("+442071234567", "00442071234567"),
        ("075588886666", "075588886666"),
        ("120", "120"),
        ("122", "122"),
        ("10086", "10086"),
        ("8001", "8001"),
        ("", ""),
        ("*21#", "*21#"),
        ("9w120", "9w120"),
    ],
)
def test_one_form(told: str, normalised: str) -> None:
    assert BEIJING.normalise(told) == normalised


def test_without_an_area_code_local_numbers_stay() -> None:
    assert PLAIN.normalise("88886666") == "88886666"


@pytest.mark.parametrize(
    ("number", "group", "dialled"),
    [
        ("01088886666", GroupNumbers(), "88886666"),
        ("01088886666", GroupNumbers(local=False), "01088886666"),
        ("075588886666", BEHIND_SWITCH, "9w17909075588886666"),
        ("120", BEHIND_SWITCH, "9w120"),
        ("", BEHIND_SWITCH, ""),
        ("075588886666", GroupNumbers(dialled=Rewrite(strip=1, prepend="0086")), "008675588886666"),
    ],
)
def test_dialled(number: str, group: GroupNumbers, dialled: str) -> None:
    assert BEIJING.dial(number, group) == dialled


def test_what_a_line_adds_is_taken_off() -> None:
    assert BEIJING.read("913800138000", BEHIND_SWITCH.ani) == "13800138000"
    assert BEIJING.read("88886666", BEHIND_SWITCH.dnis) == "01088886666"
    assert BEIJING.read("120", BEHIND_SWITCH.ani) == "120"


@given(st.sampled_from([BEIJING, PLAIN]), NUMBERS)
def test_normalising_twice_changes_nothing(numbering: Numbering, number: str) -> None:
    once = numbering.normalise(number)
    assert numbering.normalise(once) == once


@given(st.sampled_from([BEIJING, PLAIN]), NUMBERS)
def test_what_is_dialled_means_the_same_number(numbering: Numbering, number: str) -> None:
    normalised = numbering.normalise(number)
    assert numbering.normalise(numbering.dial(normalised, GroupNumbers())) == normalised


@given(st.sampled_from([*EMERGENCY, "122"]), st.integers(0, 4), st.text("0123456789", max_size=4))
def test_no_rule_touches_an_emergency_number(number: str, strip: int, prepend: str) -> None:
    rewrite = Rewrite(strip=strip, prepend=prepend)
    group = GroupNumbers(ani=rewrite, dnis=rewrite, dialled=rewrite)
    assert BEIJING.normalise(number) == BEIJING.read(number, rewrite) == BEIJING.dial(number, group) == number


@pytest.mark.parametrize(
    "wrong",
    [
        LinesConfig(numbers=NumberRules(area_code="0x")),
        LinesConfig(numbers=NumberRules(country_code="")),
        LinesConfig(numbers=NumberRules(local=("8.8",))),
        LinesConfig(groups=(GroupConfig(name="a", channels="1", numbers_as=GroupNumbers(access="9 ")),)),
        LinesConfig(groups=(GroupConfig(name="a", channels="1", numbers_as=GroupNumbers(ani=Rewrite(prepend="x"))),)),
    ],
)
def test_numbering_that_cannot_be_read(wrong: LinesConfig) -> None:
    with pytest.raises(ConfigError, match="CFG-083"):
        check(wrong)
