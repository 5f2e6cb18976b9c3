"""The rules of registration as values: those of the hospital, and where a department has its own, these before them. Inside the caller's
transaction. Days and times of day are the hospital's."""

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from appliance.hospital.booking.channel import Channel
from appliance.hospital.registry.field_fault import Refused
from appliance.hospital.registry.form import Form
from appliance.store.booking_tables import BookingRules

LateCancel = Literal["refuse", "keep_fee", "refund"]
Repeat = Literal["doctor", "department", "any"]
CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00")


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """0 as a limit: there is none.

    first_day, last_day: how many days ahead a visit may be booked; release: when the last of these days opens; closes_min: how long
    before its time a place can be booked. cancel_days, cancel_time: the deadline, so many days before the visit at that time;
    late_cancel: what happens after it. no_show_refund: does the fee go back when nobody came. no_shows in no_show_months: banned for
    ban_days; cancellations in cancellation_days: banned for cancellation_ban_days. once_per: a patient has one booking a day of the
    same doctor, of the same department, or any number; same_time_min: bookings of a patient are so far apart; open_bookings: how many
    a patient may have before him. age_least, age_most: in years on the day of the visit. sex: "m", "f", or both when empty. channels:
    where it can be booked; unpaid_channels: where a clinic with a fee can be booked without paying. hold_s: how long a place is kept
    while somebody makes up his mind; offer_min: how long one is kept for whoever waits for it.
    """

    first_day: int = 1
    last_day: int = 14
    release: str = "06:30"
    closes_min: int = 30
    cancel_days: int = 1
    cancel_time: str = "15:00"
    late_cancel: LateCancel = "refuse"
    no_show_refund: bool = True
    no_shows: int = 3
    no_show_months: int = 12
    ban_days: int = 30
    cancellations: int = 3
    cancellation_days: int = 30
    cancellation_ban_days: int = 30
    once_per: Repeat = "doctor"
    same_time_min: int = 15
    open_bookings: int = 5
    age_least: int = 0
    age_most: int = 0
    sex: Literal["", "m", "f"] = ""
    channels: tuple[Channel, ...] = tuple(Channel)
    unpaid_channels: tuple[Channel, ...] = (Channel.AGENT,)
    hold_s: int = 180
    offer_min: int = 30

    def opens_at(self, day: date, zone: ZoneInfo) -> datetime:
        """When visits of that day can be booked from."""
        return at_clock(day - timedelta(days=self.last_day), self.release, zone)

    def cancel_until(self, day: date, zone: ZoneInfo) -> datetime:
        """The deadline of cancelling a visit of that day."""
        return at_clock(day - timedelta(days=self.cancel_days), self.cancel_time, zone)


def at_clock(day: date, clock: str, zone: ZoneInfo) -> datetime:
    """That time ("06:30"; "24:00" is the day's end) of the day."""
    hours, minutes = (int(part) for part in clock.split(":"))
    return datetime.combine(day + timedelta(days=hours // 24), time(hours % 24, minutes), zone)


def rules_for(department_id: int | None) -> Rules:
    """What holds now. None: for the whole hospital."""
    own = {} if department_id is None else _newest(department_id)
    return msgspec.convert(_newest(None) | own, Rules)


def _newest(department_id: int | None) -> dict[str, Any]:
    whose = BookingRules.department.is_null() if department_id is None else BookingRules.department == department_id
    row = BookingRules.select().where(whose).order_by(BookingRules.id.desc()).first()
    return {} if row is None else dict(msgspec.json.decode(row.rules))


def save(rules: Rules, department_id: int | None, by: str, now: datetime) -> None:
    """From now on. Of a department only what differs from the hospital's rules is kept, so that it follows these in the rest."""
    wanted, base = msgspec.to_builtins(rules), msgspec.to_builtins(Rules() if department_id is None else rules_for(None))
    kept = {name: value for name, value in wanted.items() if value != base[name]}
    text = msgspec.json.encode(kept).decode()
    BookingRules.create(department=department_id, rules=text, made_at=now, made_by=by)


def form_of(rules: Rules) -> dict[str, str]:
    """As `read` takes it."""
    texts = {name: str(value) for name, value in msgspec.to_builtins(rules).items()}
    flag = "yes" if rules.no_show_refund else "no"
    return texts | {"no_show_refund": flag, "channels": " ".join(rules.channels), "unpaid_channels": " ".join(rules.unpaid_channels)}


NUMBERS: Mapping[str, tuple[int, int]] = {
    "first_day": (0, 60),
    "last_day": (0, 180),
    "closes_min": (0, 720),
    "cancel_days": (0, 30),
    "no_shows": (0, 50),
    "no_show_months": (1, 60),
    "ban_days": (1, 730),
    "cancellations": (0, 50),
    "cancellation_days": (1, 365),
    "cancellation_ban_days": (1, 730),
    "same_time_min": (0, 480),
    "open_bookings": (0, 100),
    "age_least": (0, 150),
    "age_most": (0, 150),
    "hold_s": (30, 900),
    "offer_min": (1, 720),
}
"""Lowest and highest of every number of the rules."""


def read(given: Mapping[str, str]) -> Rules | Refused:
    """Check a form: the fields of Rules; channels separated by spaces. Fields that are missing have their default."""
    form, default = Form(given), Rules()
    fields: dict[str, Any] = {name: form.number(name, *limits, getattr(default, name)) for name, limits in NUMBERS.items()}
    fields |= {name: _clock(form, name, getattr(default, name)) for name in ("release", "cancel_time")}
    fields |= {name: _channels(form, name) if name in given else getattr(default, name) for name in ("channels", "unpaid_channels")}
    fields["no_show_refund"] = form.flag("no_show_refund", default=True)
    fields["late_cancel"] = form.choice("late_cancel", _same("refuse", "keep_fee", "refund"), "refuse")
    fields["once_per"] = form.choice("once_per", _same("doctor", "department", "any"), "doctor")
    fields["sex"] = form.choice("sex", _same("m", "f"), "")
    if fields["last_day"] < fields["first_day"]:
        form.fault("last_day", "order")
    if 0 < fields["age_most"] < fields["age_least"]:
        form.fault("age_most", "order")
    return form.refusal or Rules(**fields)


def _same(*words: str) -> dict[str, str]:
    return {word: word for word in words}


def _clock(form: Form, field: str, default: str) -> str:
    text = form.text(field) or default
    if not CLOCK.fullmatch(text):
        form.fault(field, "clock")
    return text


def _channels(form: Form, field: str) -> tuple[Channel, ...]:
    words = form.listed(field)
    if not set(words) <= set(Channel):
        form.fault(field, "choice", allowed=", ".join(Channel))
    elif not words and field == "channels":
        form.fault(field, "required")
    return tuple(channel for channel in Channel if channel in words)
