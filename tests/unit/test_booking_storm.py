"""Processes that book, arrive and end the day in one store at once and are killed at any moment: each place is sold once, each fee moves
once, each no-show is refunded once. `CARELINE_STORM=10000` makes it the full size.
"""

import contextlib
import os
import random
import subprocess
import sys
import threading
from collections import Counter
from typing import Any

import pytest
from peewee import fn

from appliance.store.booking_tables import Booking, DayEnd, Slot
from appliance.store.database import open_store
from appliance.store.models import database
from appliance.store.money_tables import LedgerAccount, LedgerTransaction, Posting
from appliance.store.place import StorePlace
from appliance.store.transaction import write_transaction
from tests import booking_load
from tests.booking_load import FEE_FEN, HELD_FEN
from tests.postgresql import word_of

SIZE = int(os.environ.get("CARELINE_STORM", "240"))
PLACES = 100
WORKERS = 4
KILLS = 2 if SIZE < 1_000 else 5
LIMIT_S = 20 + SIZE / 10


class Worker(threading.Thread):
    """One process doing its share, killed KILLS times and begun anew with what it had last done."""

    def __init__(self, place: StorePlace, what: str, first: int, step: int, count: int) -> None:
        super().__init__()
        self._word, self._what, self._first, self._step, self._count = word_of(place), what, first, step, count
        self._random = random.Random(f"{what} {first}")
        self.outcomes: dict[int, str] = {}

    def run(self) -> None:
        for _ in range(KILLS):
            self._begin(self._random.randint(1, max(1, self._count // self._step // KILLS)))
        self._begin(None)

    def _begin(self, kill_after: int | None) -> None:
        command = [sys.executable, "-m", "tests.booking_load", self._word, self._what, *map(str, self._left())]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for done, line in enumerate(process.stdout, start=1):
                number, _, outcome = line.partition(" ")
                self.outcomes[int(number)] = outcome.strip()
                if done == kill_after:
                    process.kill()
        assert kill_after is not None or process.returncode == 0

    def _left(self) -> tuple[int, int, int]:
        return max(self.outcomes, default=self._first), self._step, self._count


def all_done(workers: list[Worker]) -> Counter[str]:
    """Run them at once; how often each outcome was told."""
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(LIMIT_S)
        assert not worker.is_alive()
    return Counter(outcome for worker in workers for outcome in worker.outcomes.values())


@pytest.fixture
def path(store_place: StorePlace) -> StorePlace:
    opened = open_store(store_place)
    with write_transaction(database):
        booking_load.crowd(SIZE)
    opened.close()
    return store_place


def prove_books() -> None:
    """Every account is what its postings add up to, and all of them are nothing."""
    pairs: Any = Posting.select(Posting.account, fn.SUM(Posting.amount_fen)).group_by(Posting.account).tuples()
    sums = dict(pairs)
    balances = {row.id: row.balance_fen for row in LedgerAccount.select()}
    assert {account: sums.get(account, 0) for account in balances} == balances
    assert sum(balances.values()) == 0


def cards_by_balance() -> Counter[int]:
    return Counter(row.balance_fen for row in LedgerAccount.select().where(LedgerAccount.kind == "card"))


def transactions(kind: str) -> int:
    return int(LedgerTransaction.select().where(LedgerTransaction.kind == kind).count())


def test_the_last_places_are_sold_once_each_whoever_is_killed(path: StorePlace) -> None:
    with contextlib.closing(open_store(path)), write_transaction(database):
        booking_load.clinic_of(PLACES)
    told = all_done([Worker(path, "attempt", first, WORKERS, SIZE) for first in range(1, WORKERS + 1)])
    with contextlib.closing(open_store(path)):
        assert told == {"booked": PLACES, "full": SIZE - PLACES}
        assert Counter(row.state for row in Slot.select()) == {"booked": PLACES}
        assert (Booking.select().count(), transactions("fee")) == (PLACES, PLACES)
        assert cards_by_balance() == {HELD_FEN - FEE_FEN: PLACES, HELD_FEN: SIZE - PLACES}
        assert LedgerAccount.get(LedgerAccount.kind == "fees").balance_fen == PLACES * FEE_FEN
        payers = {row.patient_id for row in Booking.select()}
        assert payers == {row.id - 1 for row in LedgerAccount.select().where(LedgerAccount.balance_fen == HELD_FEN - FEE_FEN)}
        prove_books()


def test_every_no_show_is_refunded_once_and_no_arrival_ever(path: StorePlace) -> None:
    with contextlib.closing(open_store(path)), write_transaction(database):
        places = [row.id for _ in range(-(-SIZE // 400)) for row in Slot.select().where(Slot.clinic == booking_load.clinic_of(400))]
        assert all(booking_load.buy(number, places[number - 1]) for number in range(1, SIZE + 1))
    ends = [Worker(path, "end_day", first, 2, 6) for first in (1, 2)]
    come = [Worker(path, "come", 3, 3, SIZE // 2), Worker(path, "come", SIZE // 2 + 1, 3, SIZE)]
    told = all_done([*come, *ends])
    with contextlib.closing(open_store(path)):
        states = Counter(row.state for row in Booking.select())
        assert states["arrived"] + states["no_show"] == SIZE
        assert states["arrived"] <= told["arrived"] + told["again"]
        assert transactions("refund") == states["no_show"]
        assert cards_by_balance() == +Counter({HELD_FEN: states["no_show"], HELD_FEN - FEE_FEN: states["arrived"]})
        lapsed = {row.patient_id for row in Booking.select().where(Booking.state == "no_show")}
        assert lapsed == {row.id - 1 for row in LedgerAccount.select().where(LedgerAccount.balance_fen == HELD_FEN)}
        assert (DayEnd.get().no_shows, DayEnd.get().refunded_fen) == (states["no_show"], states["no_show"] * FEE_FEN)
        prove_books()
