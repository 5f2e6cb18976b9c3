"""Registration through the call agent's store, on this machine's disk: a place kept, then paid from a card and booked, as a caller does."""

import asyncio
import tempfile
import time
from pathlib import Path

from appliance.store.booking_tables import Booking, Slot
from appliance.store.writer import Store
from drivers.clock import RealClock
from tests import booking_load

ALONE = 200
AT_ONCE = 1_800
CALLERS = 30
LIMIT_S = 120.0


def measure() -> dict[str, float]:
    """The transaction that debits and books, one caller at a time; then how many a second with CALLERS at once."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measure(Path(folder)))


async def _measure(folder: Path) -> dict[str, float]:
    store = Store(folder / "careline.db", RealClock())
    store.start()
    try:
        places = await store.run(_made, LIMIT_S)
        times_ms = sorted([await _booked(store, number, places) for number in range(1, ALONE + 1)])
        begun = time.monotonic()
        async with asyncio.TaskGroup() as callers:
            for first in range(CALLERS):
                callers.create_task(_book_some(store, ALONE + 1 + first, places))
        took_s = time.monotonic() - begun
        assert await store.read(lambda: Booking.select().count()) == ALONE + AT_ONCE
    finally:
        store.close()
    return {"booking_tx_ms_p95": round(times_ms[ALONE * 95 // 100], 2), "bookings_per_s": round(AT_ONCE / took_s, 1)}


def _made() -> list[int]:
    booking_load.crowd(ALONE + AT_ONCE)
    clinics = [booking_load.clinic_of(400) for _ in range((ALONE + AT_ONCE) // 400)]
    return [row.id for row in Slot.select().where(Slot.clinic.in_(clinics)).order_by(Slot.id)]


async def _book_some(store: Store, first: int, places: list[int]) -> None:
    for number in range(first, ALONE + AT_ONCE + 1, CALLERS):
        await _booked(store, number, places)


async def _booked(store: Store, number: int, places: list[int]) -> float:
    """Milliseconds of the transaction that books; the one before keeps the place."""
    place = places[number - 1]
    await store.run(lambda: booking_load.keep(number, place), LIMIT_S)
    begun = time.monotonic()
    assert await store.run(lambda: booking_load.buy(number, place, f"call {number}"), LIMIT_S)
    return (time.monotonic() - begun) * 1e3
