"""The end of a day: who did not come loses the booking, gets the fee back as the rules say, and is counted. Done in small steps, each one
transaction of the caller's; a step that is done again changes nothing, so the run may be killed at any moment and begun anew.

A day's end is later than midnight by more than clocks are ever wrong (`[hospital] day_end`), so that nobody who arrives at 23:59:59 by a
clock that is stepped an hour is taken for somebody who did not come.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from appliance.hospital.booking import messages
from appliance.hospital.booking.bans import ban_after_no_show
from appliance.hospital.booking.changes import State, end, refund
from appliance.hospital.booking.rules import Rules, at_clock, rules_for
from appliance.hospital.ledger.posting import Cause
from appliance.store.booking_tables import Booking, Clinic, DayEnd, Slot

BOOKINGS_A_STEP = 20
CAUSE = Cause(by="day end", memo="did not come")


class Step(msgspec.Struct, frozen=True):
    """What a step did. `done`: nothing of the day is left."""

    no_shows: int
    refunded_fen: int
    done: bool


def day_over(now: datetime, zone: ZoneInfo, clock: str) -> date:
    """The last day that has ended; a day ends after its midnight at `clock` ("01:30")."""
    today = now.astimezone(zone).date()
    return today - timedelta(days=1 if now >= at_clock(today, clock, zone) else 2)


def next_end(now: datetime, zone: ZoneInfo, clock: str) -> datetime:
    """When the next day ends."""
    return at_clock(day_over(now, zone, clock) + timedelta(days=2), clock, zone)


def step(day: date, now: datetime, zone: ZoneInfo, most: int = BOOKINGS_A_STEP) -> Step:
    """The next bookings of `day`, and of days before it that were missed."""
    DayEnd.insert(day=day, begun_at=now).on_conflict_ignore().execute()
    due = (Booking.state == State.BOOKED.value) & (Booking.day <= day)
    found = Booking.select(Booking, Slot, Clinic).join(Slot, on=Booking.slot).join(Clinic).where(due)
    rows = list(found.order_by(Booking.day, Booking.id).limit(most))
    absent = [row for row in rows if end(row, State.NO_SHOW, now, "", "no_show")]  # others came, or another run was here first
    refunded_fen = sum(_lapse(row, rules, now, zone) for row, rules in _with_rules(absent))
    _count(day, now, len(absent), refunded_fen, done=len(rows) < most)
    return Step(len(absent), refunded_fen, done=len(rows) < most)


def _with_rules(bookings: list[Booking]) -> Iterator[tuple[Booking, Rules]]:
    known: dict[int, Rules] = {}
    for booking in bookings:
        department_id = booking.slot.clinic.department_id
        known[department_id] = known.get(department_id) or rules_for(department_id)
        yield booking, known[department_id]


def _lapse(booking: Booking, rules: Rules, now: datetime, zone: ZoneInfo) -> int:
    """What comes back."""
    refunded_fen = refund(booking, now, CAUSE) if rules.no_show_refund else 0
    if booking.patient_id is not None:
        ban_after_no_show(booking.patient_id, now.astimezone(zone).date(), rules)
    messages.tell_booking("no_show", booking, refunded_fen, now, zone)
    return refunded_fen


def _count(day: date, now: datetime, no_shows: int, refunded_fen: int, *, done: bool) -> None:
    fields = {"no_shows": DayEnd.no_shows + no_shows, "refunded_fen": DayEnd.refunded_fen + refunded_fen}
    changed = (DayEnd.day == day) & (DayEnd.ended_at.is_null() | (no_shows > 0))  # a day that is over stays as it ended
    DayEnd.update(fields | ({"ended_at": now} if done else {})).where(changed).execute()
