"""Many who want the same places: a store full of card holders, and processes that book, arrive and end the day in it, to be killed at any
moment and begun anew. `python -m tests.booking_load DATABASE WHAT FIRST STEP COUNT`: does every STEP-th thing from FIRST to COUNT and says
on a line of its own what it has done.
"""

import sys
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from peewee import chunked

from appliance.hospital.booking import clinics, day_end, slots
from appliance.hospital.booking.booking import Payment, Visitor, book
from appliance.hospital.booking.changes import arrive
from appliance.hospital.booking.channel import Channel
from appliance.hospital.booking.clinics import ClinicEntry
from appliance.hospital.booking.reasons import NotBooked
from appliance.hospital.registry.field_fault import Refused
from appliance.store.booking_tables import Booking, Clinic, Slot
from appliance.store.database import open_store
from appliance.store.hospital_tables import Card, Department, Patient
from appliance.store.models import database
from appliance.store.money_tables import LedgerAccount, LedgerTransaction, Posting
from appliance.store.transaction import write_transaction
from tests.postgresql import place_at

NOW = datetime(2026, 3, 8, 2, tzinfo=UTC)
DAY = date(2026, 3, 9)
AFTER = datetime(2026, 3, 9, 18, tzinfo=UTC)
LAST_SECOND = datetime(2026, 3, 9, 15, 59, 59, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
FEE_FEN = 1_500
HELD_FEN = 10_000
PAUSE_S = 0.05


def crowd(count: int, card_number: Callable[[int], str] = str, password_hash: str = "") -> None:
    """`count` patients, each with a card of the same id that holds HELD_FEN: account id + 1, since account 1 is the till."""
    ids = range(1, count + 1)
    LedgerAccount.create(kind="cash", code="cash 1", balance_fen=-HELD_FEN * count)
    _insert(Patient, [{"number": f"{n}", "name": f"人{n}", "name_key": f"人{n}", "created_at": NOW} for n in ids])
    _insert(LedgerAccount, [{"kind": "card", "code": f"card {n}", "balance_fen": HELD_FEN} for n in ids])
    same: dict[str, object] = {"password_hash": password_hash, "state_at": NOW, "issued_at": NOW}
    _insert(Card, [{"number": card_number(n), "patient": n, "account": n + 1} | same for n in ids])
    _insert(LedgerTransaction, [{"once_key": f"top up {n}", "at": NOW, "kind": "top_up"} for n in ids])
    _insert(Posting, [_posting(n, n + 1, HELD_FEN, HELD_FEN) for n in ids])
    _insert(Posting, [_posting(n, 1, -HELD_FEN, -HELD_FEN * n) for n in ids])


def _posting(transaction: int, account: int, amount_fen: int, after_fen: int) -> dict[str, int]:
    return {"transaction": transaction, "account": account, "amount_fen": amount_fen, "balance_after_fen": after_fen}


def _insert(model: type[Patient | LedgerAccount | Card | LedgerTransaction | Posting], rows: Iterable[Mapping[str, object]]) -> None:
    for batch in chunked(rows, 100):
        model.insert_many(batch).execute()


def clinic_of(places: int) -> Clinic:
    """A clinic with so many places at once, with a fee."""
    department = Department.get_or_none() or Department.create(code="12", name_zh="内科", name_en="Internal medicine")
    entry = ClinicEntry(department=department.id, day=DAY, starts="08:00", ends="18:00", places=places, fee_fen=FEE_FEN)
    made = clinics.make(entry, ZONE)
    assert not isinstance(made, Refused)
    return made


def buy(number: int, place: int, holder: str = "") -> bool:
    """Patient `number` pays for a place; in one transaction of the caller."""
    visitor = Visitor(name=f"人{number}", channel=Channel.IVR, patient=number, call=f"call {number}", holder=holder)
    outcome = book(place, visitor, f"call {number}", NOW, ZONE, Payment(number, FEE_FEN))
    return not isinstance(outcome, NotBooked)


def keep(number: int, place: int) -> None:
    """The caller has heard of the place and makes up his mind."""
    slots.hold(place, f"call {number}", NOW)


def attempt(number: int) -> str:
    """A caller's whole try: keep a free place, then pay for it; another when somebody was faster."""
    while True:
        with write_transaction(database):
            if Booking.select().where(Booking.once_key == f"call {number}").exists():
                return "booked"
            free = _mine_or_free(number)
            if free is None:
                return "full"
            keep(number, free.id)
        with write_transaction(database):
            if buy(number, free.id, f"call {number}"):
                return "booked"


def _mine_or_free(number: int) -> Slot | None:
    """What this caller kept before the process was killed; else a free place, not the same as everybody's."""
    mine = (Slot.state == "held") & (Slot.held_by == f"call {number}")
    free = Slot.select().where(slots.is_free(NOW)).order_by(Slot.id)
    found: Slot | None = Slot.select().where(mine).first() or free.offset(number % 7).first() or free.first()
    return found


def come(number: int) -> str:
    """The patient of booking `number` arrives in the last second of the day."""
    with write_transaction(database):
        outcome = arrive(number, LAST_SECOND, ZONE)
    time.sleep(PAUSE_S / 5)
    return outcome.value


def end_day(number: int) -> str:
    """The whole run, step by step, an hour earlier or later each time."""
    now = AFTER + timedelta(hours=number % 3 - 1)
    done = False
    while not done:
        with write_transaction(database):
            done = day_end.step(DAY, now, ZONE).done
        time.sleep(PAUSE_S)  # as the call agent does, so that others get their turn
    return "ended"


WORK: dict[str, Callable[[int], str]] = {"attempt": attempt, "come": come, "end_day": end_day}


def main(path: str, what: str, first: str, step: str, count: str) -> None:
    open_store(place_at(path))
    for number in range(int(first), int(count) + 1, int(step)):
        print(number, WORK[what](number), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
