"""Why something cannot be booked or changed, in the words that are spoken on the telephone: the texts of the prompts themselves. Pure after
loading."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from appliance.hospital.booking.reasons import NotBooked, Objection
from appliance.ivr.prompts import catalogue
from webui.fields import yuan
from webui.shared import language, shared

TEXTS = Path(catalogue.__file__).parent / "hotline.toml"


@cache
def _texts() -> Mapping[str, Mapping[str, str]]:
    texts: Mapping[str, Mapping[str, str]] = tomllib.loads(TEXTS.read_text("utf-8"))["prompts"]
    return texts


def words_of(refused: NotBooked) -> str:
    """The weightiest reason, with the value that belongs to it."""
    return objection_words(refused.first)


def objection_words(objection: Objection) -> str:
    said = _written(objection.prompt)
    return f"{said} {_written(objection.value_prompt)} {_value(objection)}" if objection.value_prompt else said


def _written(prompt: str) -> str:
    return _texts()[prompt][language()]


def _value(objection: Objection) -> str:
    if objection.at is not None:
        return f"{shared().local(objection.at):%Y-%m-%d %H:%M}"
    return objection.day.isoformat() if objection.day is not None else f"￥{yuan(objection.amount_fen)}"
