"""Lists that are read out: one page or several, the same key for the next one always."""

import pytest

from appliance.ivr.listing import CHOICES_MOST, MORE, NOTHING, PAGE_MOST, page, part_of, parts_of, row, rows


def entries(count: int) -> list[tuple[str, str]]:
    return [(f"v{n}", row(("text", f"t{n}"))) for n in range(count)]


@pytest.mark.parametrize("count", range(CHOICES_MOST + 1))
def test_what_fits_is_one_page(count: int) -> None:
    shown = page(entries(count), 0)
    assert (shown.among.split(), len(parts_of(shown.choices)), shown.more) == ([f"v{n}" for n in range(count)], count, "")


@pytest.mark.parametrize("count", [10, 14, 15, 21, 22, 100])
def test_what_does_not_goes_on_until_all_were_read(count: int) -> None:
    read: list[str] = []
    for number in range(count):
        shown = page(entries(count), number)
        among = shown.among.split()
        read += among[: len(parts_of(shown.choices))]
        assert len(parts_of(shown.choices)) <= PAGE_MOST
        if not shown.more:
            break
        assert (among[PAGE_MOST:], shown.more) == ([MORE], "prompt:more_press_eight")
    assert read == [f"v{n}" for n in range(count)]


def test_the_key_for_more_is_the_same_after_three() -> None:
    shown = part_of(entries(3), goes_on=True)
    assert shown.among.split() == ["v0", "v1", "v2", *[NOTHING] * 4, MORE]


def test_nothing_is_behind_the_end() -> None:
    assert page(entries(10), 2) == part_of([], goes_on=False)


def test_parts_without_a_value_are_left_out() -> None:
    assert rows([row(("text", ""), ("text", "a")), row(("text", ""))]) == "text:a"
