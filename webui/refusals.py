"""Why something cannot be booked or changed: to a patient in the words of the telephone (the texts of the prompts themselves), to the staff
about a patient, in few words. In request threads.

They are two: the telephone speaks to whom it refuses ("you have"), the staff read of somebody else, several reasons in a line.
"""

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from appliance.hospital.booking.reasons import NotBooked, Objection, Reason
from appliance.ivr.prompts import catalogue
from webui.fields import yuan
from webui.page import minute
from webui.shared import language, say

TEXTS = Path(catalogue.__file__).parent / "hotline.toml"


@cache
def _prompts() -> Mapping[str, Mapping[str, str]]:
    texts: Mapping[str, Mapping[str, str]] = tomllib.loads(TEXTS.read_text("utf-8"))["prompts"]
    return texts


def to_patient(refused: NotBooked) -> str:
    """The weightiest reason, with the value that belongs to it."""
    return objection_to_patient(refused.first)


def objection_to_patient(objection: Objection) -> str:
    said = _spoken(objection.prompt)
    return f"{said} {_spoken(objection.value_prompt)} {value_of(objection)}" if objection.value_prompt else said


def _spoken(prompt: str) -> str:
    return _prompts()[prompt][language()]


def to_staff(objections: Iterable[Objection]) -> str:
    """All reasons, each with what goes with it."""
    return say("list.stop").join(objection_to_staff(each) for each in objections)


def objection_to_staff(objection: Objection) -> str:
    value = value_of(objection)
    return reason_to_staff(objection.reason) + (f" ({value})" if value else "")


def reason_to_staff(reason: Reason) -> str:
    return say(f"objection.{reason.value}")


def value_of(objection: Objection) -> str:
    """From when on, from which day on, or how much is missing; empty for none."""
    if objection.at is not None:
        return minute(objection.at)
    if objection.day is not None:
        return objection.day.isoformat()
    return f"￥{yuan(objection.amount_fen)}" if objection.amount_fen else ""
