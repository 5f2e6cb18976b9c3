"""What stands on a slip, as values: a printer's renderer (escpos.py) and a page for printing make the same of it. Pure."""

from typing import Literal

import msgspec

Language = Literal["zh", "en"]


class Line(msgspec.Struct, frozen=True, tag=True):
    """A line of text, or several where it is too long. `large`: twice as high and wide."""

    text: str
    large: bool = False
    centred: bool = False


class Pair(msgspec.Struct, frozen=True, tag=True):
    """What something is called, and it."""

    label: str
    value: str


class Rule(msgspec.Struct, frozen=True, tag=True):
    """A line across the paper."""


class Code(msgspec.Struct, frozen=True, tag=True):
    """A QR code of `text`."""

    text: str


Part = Line | Pair | Rule | Code


class Slip(msgspec.Struct, frozen=True):
    """From top to bottom. `copy`: it was printed before, and says so."""

    language: Language
    parts: tuple[Part, ...]
    copy: bool = False
