"""Strings of digits, read one by one: telephone numbers, reference numbers, keys. Pure."""

from appliance.ivr.prompts.catalogue import Lang
from appliance.ivr.speech.numbers import Clips

_KEYS = {**{digit: f"digit_{digit}" for digit in "0123456789"}, "*": "digit_star", "#": "digit_hash"}
_UNSPOKEN = " -"


def say_digits(digits: str, lang: Lang) -> Clips:
    """Each digit by itself, 幺 for 1 in Mandarin; "*" and "#" by name; spaces and hyphens are passed over.

    The clips are the same in both languages. Raises: ValueError for any other character.
    """
    strange = [char for char in digits if char not in _KEYS and char not in _UNSPOKEN]
    if strange:
        raise ValueError(f"{strange[0]!r} in {digits!r} is not a digit that can be said in {lang}")
    return tuple(_KEYS[char] for char in digits if char in _KEYS)
