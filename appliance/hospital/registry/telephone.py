"""Telephone numbers in the box's one form, as lines tell them too. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from drivers.numbers import Numbering, NumberRules

Normalise = Callable[[str], str]
_SPACING = str.maketrans("", "", " -()（）.\u00a0")


def normaliser(lines: Mapping[str, Any]) -> Normalise:
    """What turns a number as people write it into the one form; `lines` is section `[lines]` of careline.toml.

    Raises: msgspec.ValidationError when `[lines.numbers]` will not do (the line server and `careline check` say so before).
    """
    numbering = Numbering(msgspec.convert(lines.get("numbers", {}), NumberRules))
    return lambda written: numbering.normalise(written.translate(_SPACING))


def is_number(number: str) -> bool:
    """Whether a normalised number may be somebody's."""
    return number.isascii() and number.isdigit() and 3 <= len(number) <= 20
