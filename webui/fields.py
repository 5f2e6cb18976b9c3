"""Forms as values: which fields a form has, so that one template draws them all, and what is wrong with them in the reader's words.

A field's label is the text `field.<name>`, its hint `field_hint.<name>` where there is one; choices are texts `choice.<value>`.
"""

from collections.abc import Mapping
from typing import Literal, cast

from flask import request
from msgspec import Struct

from appliance.hospital.registry.field_fault import FieldFault, Language, Refused
from webui.shared import language

Kind = Literal["text", "digits", "money", "date", "datetime-local", "time", "area", "choice", "flag", "number", "password", "tel", "many"]


class Field(Struct, frozen=True, kw_only=True):
    """`most`: characters a browser lets one type. `choices`: values of a choice or, of `many`, of its boxes; `labels`: of choices that are
    no texts of ours. `wide`: takes the whole line."""

    name: str
    kind: Kind = "text"
    required: bool = False
    most: int = 64
    choices: tuple[str, ...] = ()
    labels: Mapping[str, str] = {}
    wide: bool = False


def given() -> dict[str, str]:
    """What was filled in; boxes of one name with spaces between."""
    return {name: " ".join(request.form.getlist(name)) for name in request.form}


def faults_of(refused: Refused) -> dict[str, str]:
    """What is wrong by field, in the reader's language."""
    return {fault.field: words_of(fault) for fault in reversed(refused.faults)}


def words_of(fault: FieldFault) -> str:
    text = fault.text(cast(Language, language()))
    return text[0].upper() + text[1:]


def yuan(fen: int) -> str:
    """ "12.50", as forms take it and pages show it."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02}"


def flag(value: bool) -> str:
    return "yes" if value else "no"
