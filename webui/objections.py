"""Why something cannot be booked, in the reader's words. In request threads."""

from collections.abc import Iterable

from appliance.hospital.booking.reasons import Objection, Reason
from webui.fields import yuan
from webui.page import minute
from webui.shared import say


def objection_words(objection: Objection) -> str:
    """The reason and what goes with it."""
    values = [minute(objection.at)] if objection.at else []
    values += [objection.day.isoformat()] if objection.day else []
    values += [f"¥{yuan(objection.amount_fen)}"] if objection.amount_fen else []
    return say(f"objection.{objection.reason.value}") + "".join(f" ({value})" for value in values)


def all_words(objections: Iterable[Objection]) -> str:
    return say("list.stop").join(objection_words(each) for each in objections)


def reason_words(reason: Reason) -> str:
    return say(f"objection.{reason.value}")
