"""Telephone numbers in one form, whatever line they come from or go to: `[lines.numbers]` and the rules of a trunk group. Pure.

The normalised number is what is matched, shown and stored: a number of the country as it is dialled from another area ("01088886666"), a
mobile or service number as it is ("13800138000", "4008888888"), an international one with its prefix ("00442071234567"), a short code or
an extension unchanged. Normalising twice changes nothing.
"""

import re

import msgspec

from drivers.dial_plan import EMERGENCY
from drivers.protocol import Caller
from drivers.protocol.number_plan import read_pattern

_NUMBER = re.compile(r"\+?[0-9]+")


class Rewrite(msgspec.Struct, frozen=True, kw_only=True):
    """Take `strip` digits off the front, put `prepend` there."""

    strip: int = 0
    prepend: str = ""

    def apply(self, number: str) -> str:
        """A number that is no longer than what is to be taken off stays as it is."""
        return self.prepend + (number[self.strip :] if len(number) > self.strip else number)


class GroupNumbers(msgspec.Struct, frozen=True, kw_only=True):
    """What is particular to the numbers of a trunk group (`numbers_as` of `[[lines.groups]]`).

    ani, dnis: how the line's numbers are to be read; the number dialled is made by `dialled`, after the own area code where `local` is true
    and calls within the area are dialled without it. access: dialled before everything, emergency numbers too, as behind a switch ("9w").
    """

    ani: Rewrite = Rewrite()
    dnis: Rewrite = Rewrite()
    dialled: Rewrite = Rewrite()
    local: bool = True
    access: str = ""


class NumberRules(msgspec.Struct, frozen=True, kw_only=True):
    """Numbering of country and area (`[lines.numbers]`); without `area_code` local numbers stay as they are.

    whole: patterns of numbers that are dialled alike from everywhere in the country. local: subscriber numbers of the area.
    Source of the patterns: 电信网编号计划 (2017).
    """

    country_code: str = "86"
    area_code: str = ""
    national_prefix: str = "0"
    international_prefix: str = "00"
    whole: tuple[str, ...] = ("1[3-9]xxxxxxxxx", "[48]00xxxxxxx")
    local: tuple[str, ...] = ("[2-8]xxxxxxx",)


class Numbering:
    """Numbers read from lines and dialled on them. `emergency`: beside 110, 119 and 120, which are always there."""

    def __init__(self, rules: NumberRules, emergency: tuple[str, ...] = ()) -> None:
        self._rules = rules
        self._emergency = frozenset((*EMERGENCY, *emergency))

    def is_emergency(self, number: str) -> bool:
        return number in self._emergency

    def normalise(self, number: str) -> str:
        """The one form of `number`; what is no telephone number (keys, pauses, names) stays."""
        rules = self._rules
        if not _NUMBER.fullmatch(number) or self.is_emergency(number):
            return number
        if number.startswith("+"):
            return self._from_abroad(number[1:])
        if number.startswith(rules.international_prefix):
            return self._from_abroad(number[len(rules.international_prefix) :])
        if number.startswith(rules.national_prefix):
            return self._of_country(number[len(rules.national_prefix) :])
        return self._within_area(number)

    def caller(self, caller: Caller | None, group: GroupNumbers) -> Caller | None:
        """A caller as a line of the group told of it, the number normalised."""
        return caller and msgspec.structs.replace(caller, number=self.read(caller.number, group.ani))

    def read(self, number: str, rewrite: Rewrite) -> str:
        """Normalise what a line tells; an emergency number is known before anything is taken off."""
        return number if not number or self.is_emergency(number) else self.normalise(rewrite.apply(number))

    def dial(self, number: str, group: GroupNumbers) -> str:
        """What is sent on a line of the group for a normalised number; nothing for nothing (a set that is only rung)."""
        if not number or self.is_emergency(number):
            return group.access + number if number else ""
        return group.access + group.dialled.apply(self._shortened(number) if group.local else number)

    def _shortened(self, number: str) -> str:
        rules = self._rules
        own = rules.national_prefix + rules.area_code
        within = number[len(own) :]
        return within if rules.area_code and number.startswith(own) and fits_any(rules.local, within) else number

    def _from_abroad(self, number: str) -> str:
        rules = self._rules
        if not number.startswith(rules.country_code):
            return rules.international_prefix + number
        rest = number[len(rules.country_code) :]
        while rules.national_prefix and rest.startswith(rules.national_prefix):  # as in +86 (0)10 ...
            rest = rest[len(rules.national_prefix) :]
        return self._of_country(rest)

    def _of_country(self, number: str) -> str:
        """`number` without its prefix."""
        return number if fits_any(self._rules.whole, number) else self._rules.national_prefix + number

    def _within_area(self, number: str) -> str:
        rules = self._rules
        is_local = rules.area_code and fits_any(rules.local, number) and not fits_any(rules.whole, number)
        return rules.national_prefix + rules.area_code + number if is_local else number


def fits_any(patterns: tuple[str, ...], number: str) -> bool:
    """True when one of the patterns of the dial plan stands for the whole number."""
    return any(_fits(pattern, number) for pattern in patterns)


def _fits(pattern: str, number: str) -> bool:
    places, is_open = read_pattern(pattern)
    long_enough = len(number) > len(places) if is_open else len(number) == len(places)
    return long_enough and all(digit in place for digit, place in zip(number, places, strict=False))
