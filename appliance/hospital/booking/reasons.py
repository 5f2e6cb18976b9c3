"""Why something cannot be booked, changed or cancelled. Each reason has a prompt that says so, and some a value said after it. Pure."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum

import msgspec


class Reason(StrEnum):
    TOO_EARLY = "too_early"
    TOO_LATE = "too_late"
    PAST = "past"
    SLOT_TAKEN = "slot_taken"
    SESSION_STOPPED = "session_stopped"
    DEPARTMENT_CLOSED = "department_closed"
    DOCTOR_ABSENT = "doctor_absent"
    BANNED = "banned"
    CANCELLED_TOO_OFTEN = "cancelled_too_often"
    TOO_YOUNG = "too_young"
    TOO_OLD = "too_old"
    SEX = "sex"
    ALREADY_BOOKED = "already_booked"
    SAME_TIME = "same_time"
    LIMIT = "limit"
    CARD_NEEDED = "card_needed"
    NOT_BY_TELEPHONE = "not_by_telephone"
    CHANNEL_CLOSED = "channel_closed"
    PAYMENT_NEEDED = "payment_needed"
    PRICE_CHANGED = "price_changed"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    DEADLINE = "deadline"
    ALREADY_CANCELLED = "already_cancelled"
    ALREADY_VISITED = "already_visited"
    LAPSED = "lapsed"
    NOT_YOURS = "not_yours"
    UNKNOWN = "unknown"
    FULL = "full"
    DAY_FULL = "day_full"
    DOCTOR_FULL = "doctor_full"
    NO_SCHEDULE = "no_schedule"
    ONLY_WITH_FEE = "only_with_fee"
    ONLY_FREE = "only_free"


PROMPTS: Mapping[Reason, str] = {
    Reason.CANCELLED_TOO_OFTEN: "reason_not_allowed",
    Reason.CHANNEL_CLOSED: "reason_not_allowed",
    Reason.PAYMENT_NEEDED: "reason_not_allowed",
    Reason.PRICE_CHANGED: "reason_not_allowed",
    Reason.LAPSED: "reason_past",
    Reason.UNKNOWN: "booking_unknown",
}
"""Of the reasons whose prompt is not called reason_ and their own value."""


class Objection(msgspec.Struct, frozen=True):
    """A reason and what goes with it: `at` too early until then, `day` the first day of booking again, `amount_fen` what is missing."""

    reason: Reason
    at: datetime | None = None
    day: date | None = None
    amount_fen: int = 0

    @property
    def prompt(self) -> str:
        """The id of the prompt that says it."""
        return PROMPTS.get(self.reason, f"reason_{self.reason.value}")

    @property
    def value_prompt(self) -> str:
        """The id of the prompt before the value; empty where there is none."""
        told = (("reason_opens_at", self.at), ("reason_banned_until", self.day), ("reason_missing_is", self.amount_fen))
        return next((prompt for prompt, value in told if value), "")


class NotBooked(msgspec.Struct, frozen=True):
    """Nothing was changed; at least one objection, the weightiest first."""

    objections: tuple[Objection, ...]

    @property
    def first(self) -> Objection:
        return self.objections[0]


def refusal(reason: Reason, amount_fen: int = 0) -> NotBooked:
    return NotBooked((Objection(reason, amount_fen=amount_fen),))
